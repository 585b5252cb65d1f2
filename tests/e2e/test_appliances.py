"""``ossicle new appliances`` to a bundle and a page, on synthetic hums of two appliances, through the command line."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from ossicle.artefacts.filesystem.replacing import foreign_files
from ossicle.artefacts.typed.results.published import PUBLISHED_FILES
from ossicle.bundle.format import read_bundle

from ..app.conftest import Commands
from ..made_up.hums import TEMPLATE, write_hums

FAST = """
[head]
epochs = 12
hidden = 0
batch_size = 8
learning_rate = 0.01
[state_decision]
smoothings = ["none", "median"]
frames = [3]
debounce = [1]
hysteresis = [0.0, 1.0]
holds_s = [0.0]
switches = 40
[evaluation]
bootstrap = 100
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("appliances")
    write_hums(folder / "audio", seconds=12.0)
    return folder


@pytest.fixture
def ossicle(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Commands:
    monkeypatch.delenv("OSSICLE_DATA_ROOT", raising=False)
    return Commands(monkeypatch, capsys)


@pytest.fixture
def done(home: Path, ossicle: Commands) -> tuple[Path, str, str]:
    """The project, run once for all tests, and what its run said."""
    place, kept = home / "p", home / "said.json"
    if not kept.exists():
        template = f"{TEMPLATE}.wav"
        assert ossicle("new", "appliances", place, "--audio", home / "audio", "--template", template).code == 0
        with (place / "ossicle.toml").open("a") as file:
            file.write(FAST)
        result = ossicle("run", "-p", place)
        assert result.code == 0, result.err
        kept.write_text(json.dumps([result.out, result.err]))
    out, err = json.loads(kept.read_text())
    return place, out, err


def metrics(place: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((place / "metrics.json").read_text())
    return content


def test_clear_hums_are_told_apart_in_either_direction(done: tuple[Path, str, str]) -> None:
    place, out, _ = done
    states = metrics(place)["states"]
    assert set(states["folds"]) == {"day", "night"}
    assert states["state_accuracy"]["value"] > 0.95
    assert states["f1_unmasked"]["fridge"]["value"] > 0.95
    assert states["folds"]["day"]["basis"] == "cross-fitted"
    for key in ("value", "low", "high"):
        assert key in states["folds"]["night"]["state_accuracy"]
    table = " ".join(out.split())
    assert "states, out of fold accuracy F1 ac F1 fridge F1 fridge, not hidden files basis" in table
    assert "mean of folds" in table
    assert "gap of folds" in table


def test_eight_recordings_are_insufficient_everywhere(done: tuple[Path, str, str]) -> None:
    place, out, err = done
    result = metrics(place)
    assert result["insufficient"] is True
    assert "recordings held out in day: ac 2 on and 2 off, fridge 2 on and 2 off" in result["insufficient_because"]
    assert "insufficient: recordings held out in day" in out
    assert "insufficient" in err
    assert "insufficient" in (place / "bundle" / "CARD.md").read_text()
    assert "insufficient" in (place / "report.html").read_text()


def test_noise_is_reported_and_refuses_nothing(done: tuple[Path, str, str]) -> None:
    place, _, _ = done
    result = metrics(place)["noise_gate"]
    assert result["refuses"] is False
    assert {state["label"] for state in result["states"]} == {"ac", "fridge"}
    assert {state["probe"] for state in result["states"]} == {"silence", "white_noise", "hum", "speech_like"}
    # The air conditioner of these recordings is noise, so it is on in white noise.
    assert max(state["on_share"] for state in result["states"] if state["probe"] == "white_noise") > 0.5
    card = " ".join((place / "bundle" / "CARD.md").read_text().split())
    assert "## Noise gate It reports here and refuses nothing" in card
    assert "white noise: 'ac' is on for" in card
    assert "In which no appliance runs" in (place / "report.html").read_text().replace("in which", "In which")


def test_the_bundle_is_a_head_with_its_encoder_and_a_fitted_decision(done: tuple[Path, str, str]) -> None:
    place, _, _ = done
    bundle = read_bundle(place / "bundle")
    assert bundle.encoder is not None
    assert bundle.encoder.name == "acoustic"
    assert bundle.states is not None
    assert bundle.states.fitted
    assert bundle.states.masks == {"ac": ("fridge",)}
    assert bundle.labels == ("ac", "fridge")
    assert bundle.level is None
    assert sum(path.stat().st_size for path in (place / "bundle").iterdir()) < 5_000_000


def test_curves_and_head_only_weights_of_every_fold_are_kept(done: tuple[Path, str, str]) -> None:
    place, _, _ = done
    heads = place / "heads"
    for name in ("fold0", "fold1", "final"):
        lines = (heads / name / "metrics.jsonl").read_text().splitlines()
        assert len(lines) == 12
        assert "train_loss" in json.loads(lines[0])
        assert json.loads((heads / name / "best_metrics.json").read_text())["last"]["epoch"] == 11
        assert (heads / name / "weights.safetensors").stat().st_size < 1_000_000
    assert foreign_files(heads, PUBLISHED_FILES["heads"]) == []


def test_nothing_is_computed_twice_and_status_says_so(done: tuple[Path, str, str], ossicle: Commands) -> None:
    place, _, _ = done
    again = ossicle("run", "-p", place, "--json")
    assert again.code == 0
    assert set(json.loads(again.out)["outcomes"].values()) == {"reused"}
    status = ossicle("status", "-p", place)
    assert "to do" not in status.out
    check = ossicle("check", "-p", place)
    assert check.code == 0, check.err
    assert "up to date" in check.out
    purge = ossicle("purge", "-p", place)
    assert purge.code == 0


def test_health_advises_no_front_end_where_an_encoder_reads(tmp_path: Path, ossicle: Commands) -> None:
    for seed, name in enumerate(("ac-on-day", "ac-off-day", "ac-on-night", "ac-off-night")):
        sound = np.random.default_rng(seed).normal(0, 0.01, 44100)
        (tmp_path / "audio").mkdir(exist_ok=True)
        soundfile.write(tmp_path / "audio" / f"{name}.wav", sound, 44100)
    (tmp_path / "ossicle.toml").write_text(
        'base = "recipe:appliances"\n[corpus]\naudio = "audio"\nname_template = "ac-{ac:on|off}-{daypart:day|night}"\n'
        'label_fields = {ac = "on"}\n'
    )
    states = ossicle("dataset", "health", "-p", tmp_path)
    assert states.code == 0, states.err
    assert "frontend" not in states.out
    detector = ossicle("dataset", "health", "-p", tmp_path, "--set", "project.pipeline=detector")
    assert "raise frontend.rate" in " ".join(detector.out.split())


def test_another_decision_uses_the_same_heads(done: tuple[Path, str, str], ossicle: Commands) -> None:
    place, _, _ = done
    result = ossicle("run", "state_decision", "-p", place, "--json", "--set", "state_decision.switches=20")
    outcomes = json.loads(result.out)["outcomes"]
    assert outcomes.pop("state_decision") == "computed"
    assert set(outcomes.values()) == {"reused"}


def test_the_leaderboard_compares_variants_by_the_worst_fold(done: tuple[Path, str, str], ossicle: Commands) -> None:
    place, _, _ = done
    result = ossicle("leaderboard", "-p", place)
    assert result.code == 0, result.err
    assert "state accuracy" in result.out


def test_the_bundle_gives_the_states_of_its_own_recordings(
    done: tuple[Path, str, str], home: Path, tmp_path: Path, ossicle: Commands
) -> None:
    place, _, _ = done
    expected = next((place / "data" / "dataset").iterdir()) / "files.csv"
    result = ossicle("predict", place / "bundle", home / "audio", "-o", tmp_path / "out", "--expect", expected)
    assert result.code == 0, result.out + result.err


@pytest.mark.real
@pytest.mark.slow
def test_two_appliances_in_a_kitchen(real_data: Path, tmp_path: Path, ossicle: Commands) -> None:
    """The bars of the issue, at windows of 2 s, in the worse of the two directions."""
    place = tmp_path / "p"
    audio = real_data / "appliances"
    assert ossicle("new", "appliances", place, "--audio", audio, "--template", f"{TEMPLATE}.m4a").code == 0
    result = ossicle("run", "-p", place)
    assert result.code == 0, result.err
    found = metrics(place)
    assert found["insufficient"] is True
    states = found["states"]
    assert states["state_accuracy"]["value"] >= 0.96
    assert states["f1_unmasked"]["fridge"]["value"] >= 0.93
    assert states["f1"]["fridge"]["value"] >= 0.90
    assert states["files"]["state_accuracy"]["value"] == 1.0
