"""Stage 2 in a project for states: the last block of a tiny BEATs of drawn weights, from a run to a bundle."""

import json
import re
import runpy
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ossicle.app.api.bundles.engine import Engine, open_predictor
from ossicle.app.project.load import load_project
from ossicle.app.steps.train.heads.fitted_heads import FittedHeads
from ossicle.artefacts.typed.shards.features import FeaturesFolder
from ossicle.artefacts.typed.states import HeadsFolder
from ossicle.bundle.format import read_bundle
from ossicle.models.encoders.beats.encoder import BeatsEncoder
from ossicle.training.heads import stage_two

from ..app.conftest import Commands
from ..made_up.hums import RATE, hum, write_hums

TEMPLATE = "ac-{ac:on|off}-fridge-{fridge:on|off}-{daypart:day|night}-{take:#}"
SETTINGS = """
[encoder]
name = "beats"
path = "beats.pt"
[features]
window_s = 1.0
hop_s = 0.5
[head]
epochs = 3
hidden = 0
batch_size = 16
unfreeze_blocks = 1
[head.stage_two]
epochs = 1
[state_decision]
smoothings = ["none"]
frames = [1]
debounce = [1]
hysteresis = [0.0]
holds_s = [0.0]
switches = 20
[evaluation]
bootstrap = 100
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Path:
    """Two recordings of every combination that each fold can hold out within its training set: 2 x 2 x 2 x 3."""
    folder = tmp_path_factory.mktemp("stage-two")
    names = [
        f"ac-{ac}-fridge-{fridge}-{part}-{take}.wav"
        for ac, fridge, part, take in product(("off", "on"), ("off", "on"), ("day", "night"), range(3))
    ]
    write_hums(folder / "audio", tuple(names), seconds=3.0)
    drawn = runpy.run_path(str(repository / "tests" / "golden" / "make_beats.py"))
    weights = {name: torch.from_numpy(one) for name, one in drawn["draw_checkpoint"](drawn["CONFIG"]).items()}
    torch.save({"cfg": drawn["CONFIG"], "model": weights}, folder / "beats.pt")
    return folder


@pytest.fixture
def ossicle(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], home: Path) -> Commands:
    monkeypatch.delenv("OSSICLE_DATA_ROOT", raising=False)
    monkeypatch.setenv("OSSICLE_ENCODERS", str(home))
    return Commands(monkeypatch, capsys)


def made(home: Path, name: str, ossicle: Commands) -> Path:
    place = home / name
    result = ossicle("new", "appliances", place, "--audio", home / "audio", "--template", TEMPLATE)
    assert result.code == 0, result.err
    file = place / "ossicle.toml"
    # Encoder and windows are ours, not those that `new` writes.
    text = re.sub(r"\n\[(encoder|features)\][^\n]*\n([^\[\n].*\n?)*", "\n", file.read_text())
    text = text.replace("[project]\n", "[project]\nworkers = 1\n", 1)
    file.write_text(text + SETTINGS)
    return place


def gaining(monkeypatch: pytest.MonkeyPatch, figures: tuple[float, float]) -> None:
    """Let every stage 2 have these figures: whether drawn weights gain is not what is tested here."""

    def endless() -> Iterator[float]:
        while True:
            yield from figures

    result = endless()
    monkeypatch.setattr(stage_two, "balanced_accuracy", lambda *_: next(result))


def fits(place: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(next((place / "data" / "heads").glob("*/heads.json")).read_text())
    return content


def test_kept_blocks_are_in_the_bundle_and_judged_out_of_fold(
    home: Path, tmp_path: Path, ossicle: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = made(home, "kept", ossicle)
    gaining(monkeypatch, (0.5, 0.9))
    result = ossicle("run", "-p", place)
    assert result.code == 0, result.err
    assert "stage 2 is kept: balanced accuracy 0.500 to 0.900" in result.err
    for fit in fits(place).values():
        assert fit["stage_two"]["kept"]
        assert all(name.startswith(("encoder.layers.1.", "head.")) for name in fit["stage_two"]["trained"])
        assert "patch_embedding.weight" in fit["stage_two"]["frozen"]
    assert "stage 2, final" in (place / "report.html").read_text()
    bundle = read_bundle(place / "bundle")
    # The encoder stops before the trained block, which is part of the head's graph.
    assert bundle.encoder is not None
    assert (bundle.encoder.name, bundle.encoder.layer) == ("beats", 1)
    assert "stage 2 is kept" in bundle.provenance["stage_two"]
    project = load_project(place)
    features = FeaturesFolder(next((place / "data" / "features").iterdir()))
    heads = HeadsFolder(next((place / "data" / "heads").iterdir()))
    assert heads.tail_file("final").exists()
    network = FittedHeads(project, features, heads, 2).on_features("final")
    sound = hum(True, False, True, 1.0, 7)
    tokens = torch.from_numpy(BeatsEncoder(home / "beats.pt").before(1).encode(sound[None]))
    with torch.no_grad():
        expected = torch.sigmoid(network(tokens)).numpy()[0]
    found = open_predictor(bundle, Engine()).predict(sound[None])[0, 0]
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert ossicle("predict", place / "bundle", home / "audio", "-o", tmp_path / "out").code == 0
    assert set(json.loads(ossicle("run", "-p", place, "--json").out)["outcomes"].values()) == {"reused"}
    with pytest.MonkeyPatch.context() as elsewhere:
        elsewhere.setenv("OSSICLE_ENCODERS", "")
        alone = ossicle("predict", place / "bundle", home / "audio", "-o", tmp_path / "alone")
        assert alone.code == 2
        assert "put its file into a folder and set OSSICLE_ENCODERS" in " ".join(alone.err.split())
    whole = ossicle("export", "--self-contained", "-p", place, "-o", tmp_path / "whole")
    assert whole.code == 0, whole.err
    assert "encoder.pt, licence: unknown" in whole.out
    with pytest.MonkeyPatch.context() as elsewhere:
        elsewhere.setenv("OSSICLE_ENCODERS", "")
        assert ossicle("predict", tmp_path / "whole", home / "audio", "-o", tmp_path / "there").code == 0
    states = [(tmp_path / name / "states.csv").read_bytes() for name in ("out", "there")]
    assert states[0] == states[1]
    assert ossicle("similar", home / "audio" / "ac-on-fridge-off-day-0.wav", "-p", place).code == 0
    # A bundle that holds its encoder is replaced like any other.
    whole = ossicle("export", "--self-contained", "-p", place, "-o", place / "bundle", "--force")
    assert whole.code == 0, whole.err
    assert ossicle("run", "-p", place).code == 0


def test_without_a_gain_the_bundle_is_that_of_stage_one(
    home: Path, ossicle: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = made(home, "not-kept", ossicle)
    gaining(monkeypatch, (0.9, 0.905))
    result = ossicle("run", "bundle", "-p", place)
    assert result.code == 0, result.err
    assert "stage 2 is not kept: balanced accuracy 0.900 to 0.905" in result.err
    assert not any(fit["stage_two"]["kept"] for fit in fits(place).values())
    assert not list((place / "data" / "heads").glob("*/heads/*/blocks.safetensors"))
    bundle = read_bundle(next((place / "data" / "bundle").glob("*/bundle")))
    assert bundle.encoder is not None
    assert bundle.encoder.layer == -1
    # A linear head on 48 values, and no block of the encoder.
    assert bundle.files["head.onnx"].bytes < 5_000
    sound = hum(True, False, True, 1.0, 7)
    assert open_predictor(bundle, Engine()).predict(sound[None]).shape == (1, 1, 2)
    assert bundle.plan.rate == RATE


REFUSED = [
    (("head.unfreeze_blocks=1",), 'only the encoder "beats" has blocks to train, and encoder.name = "acoustic"'),
    (
        ("head.unfreeze_blocks=1", "encoder.name=beats", "encoder.path=beats.pt", "encoder.layer=1"),
        "encoder.layer = 1 leaves them out",
    ),
]


@pytest.mark.parametrize(("settings", "words"), REFUSED)
def test_blocks_that_no_training_can_reach_are_refused(
    home: Path, tmp_path: Path, ossicle: Commands, settings: tuple[str, ...], words: str
) -> None:
    assert ossicle("new", "appliances", tmp_path, "--audio", home / "audio", "--template", TEMPLATE).code == 0
    result = ossicle("check", "-p", tmp_path, *(part for one in settings for part in ("--set", one)))
    assert result.code == 2
    assert "[head] unfreeze_blocks = 1" in result.err
    assert words in " ".join(result.err.split())


def test_more_blocks_than_the_encoder_has_are_refused(home: Path, ossicle: Commands) -> None:
    place = made(home, "too-many", ossicle)
    result = ossicle("features", "build", "-p", place, "--set", "head.unfreeze_blocks=2")
    assert result.code == 2
    assert "this BEATs has 2 blocks, of which 1 to 1 can be trained" in " ".join(result.err.split())
