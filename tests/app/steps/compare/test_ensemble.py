"""``ossicle ensemble`` on variants that nobody trained: results, bundle, predict and stream, and what is refused."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ossicle.app.api.bundles.engine import Engine, open_predictor
from ossicle.app.project.load import load_project
from ossicle.app.steps.engine.step import Context, Silent, find_steps
from ossicle.app.steps.pipeline import detector
from ossicle.app.steps.pipeline.run_project import run_project
from ossicle.app.steps.train import training
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.training import TrainingFolder
from ossicle.bundle.format import member_bundles, read_bundle
from ossicle.bundle.registry.registry import Candidate, Judgement, Registry
from ossicle.inference import batch
from ossicle.inference.batch import score_recording
from ossicle.models.networks.registry import build_network
from ossicle.models.weights import save_weights

from ....made_up.ensemble_members import write_project
from ....made_up.untrained import use_steps

QUIET = ("--progress", "none")
MORE = """
[noise_gate]
off = ["silence", "white_noise", "hum", "speech_like", "recordings"]
[ensemble]
members = [".", "one", "wide"]
rule = "vlom"
[variants.one.training]
seed = 1
[variants.wide.chunks]
core_s = 4.0
[variants.wide.model.crnn]
hidden = 6
[variants.folded.split]
folds = 2
[variants.coarse.frontend]
hop_samples = 80
[variants.other.corpus]
exclude = ["siteB_1*"]
"""


def differently(context: Context) -> None:
    """Networks that nobody trained: those of one variant are alike, and the seed of the training makes them."""
    dataset, settings, own = context.read(DatasetFolder), context.project.settings, context.own(TrainingFolder)
    labels = dataset.labels
    for name in dataset.models:
        torch.manual_seed(settings.training.seed)
        network = build_network(settings.model, settings.frontend, settings.plan, len(labels))
        save_weights(network, own.run(name).weights)
    own.write_summary({"labels": list(labels), "held_out": dataset.models})


@pytest.fixture(scope="module")
def patched() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        steps = (
            replace(step, run=differently) if step.name == training.STEP.name else step
            for step in detector.PIPELINE.steps
        )
        use_steps(patch, steps)
        yield


@pytest.fixture(scope="module")
def tapes(tmp_path_factory: pytest.TempPathFactory, patched: Any) -> Path:
    folder = tmp_path_factory.mktemp("ensemble") / "tapes"
    write_project(folder, ("siteA_1", "siteB_1", "siteC_1"), MORE)
    return folder


def test_it_leaves_an_ensemble_that_predict_runs(
    tapes: Path, ossicle: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = ossicle("ensemble", "-p", tapes, *QUIET)
    assert result.code == 0, result.err
    for name in ("ensemble: vlom", "ensemble: plain mean", "one", "wide"):
        assert name in result.out
    content = json.loads((tapes / "ensemble" / "ensemble.json").read_text())
    assert (content["rule"], content["members"]) == ("vlom", [".", "one", "wide"])
    assert {row["name"] for row in content["board"]["rows"]} == {
        ".",
        "one",
        "wide",
        "ensemble: vlom",
        "ensemble: plain mean",
    }
    metrics = json.loads((tapes / "ensemble" / "metrics.json").read_text())
    assert metrics["gate"]["judged_by"]["synthetic probes"].startswith("the members' final models")

    bundle = read_bundle(tapes / "ensemble" / "bundle")
    assert list(member_bundles(bundle)) == ["1-detector", "2-one", "3-wide"]
    tape = tapes / "audio" / "siteA_1.wav"
    predictor = open_predictor(bundle, Engine())
    # Chunks of 2 s and 4 s: the joint ones hold both.
    assert predictor.plan.core_frames * predictor.plan.hop_s == pytest.approx(4.0)
    found = score_recording(tape, predictor)[0].scores
    parts = [
        score_recording(tape, open_predictor(one, Engine()))[0].scores.astype(np.float64)
        for one in member_bundles(bundle).values()
    ]
    assert max(np.abs(part - parts[0]).max() for part in parts[1:]) > 1e-3
    values = np.stack(parts)
    expected = (np.exp(np.log(values).mean(axis=0)) + np.sqrt((values**2).mean(axis=0))) / 2
    np.testing.assert_allclose(found, expected, atol=1e-5)

    opened = []

    class Counted(batch.MonoStream):
        def __init__(self, path: Any, *arguments: Any, **options: Any) -> None:
            opened.append(Path(path).name)
            super().__init__(path, *arguments, **options)

    monkeypatch.setattr(batch, "MonoStream", Counted)
    done = ossicle("predict", bundle.folder, tapes / "audio", "-o", tmp_path / "events", "--format", "csv")
    assert done.code == 0, done.err
    # Once each, for all three models.
    assert sorted(opened) == ["siteA_1.wav", "siteB_1.wav", "siteC_1.wav"]
    lines = [json.loads(line) for line in ossicle("stream", bundle.folder, tape, "--chunk-s", "0.3").out.splitlines()]
    summary = json.loads((tmp_path / "events" / "predictions.json").read_text())
    counted = {recording["recording"]: recording["events"] for recording in summary["recordings"]}
    assert len(lines) == counted["siteA_1.wav"]


def test_the_leaderboard_lists_it_and_purge_keeps_it(tapes: Path, ossicle: Any) -> None:
    ossicle("ensemble", "-p", tapes, *QUIET)
    content = json.loads(ossicle("leaderboard", "-p", tapes, "--json").out)
    rows = {row["name"]: row for row in content["rows"]}
    metrics = json.loads((tapes / "ensemble" / "metrics.json").read_text())
    assert rows["ensemble: vlom"]["f1"] == metrics["events"]["f1"]
    # Two seeds of one network; their ensemble is none of them.
    assert [of["names"] for of in content["over_seeds"]] == [[".", "one"]]
    other = ossicle("leaderboard", "-p", tapes, "--json", "--set", "ensemble.rule=geometric")
    assert not any(row["name"].startswith("ensemble") for row in json.loads(other.out)["rows"])
    assert "decision" not in ossicle("purge", "-p", tapes, "--dry-run").out
    rule = ossicle("purge", "-p", tapes, "--dry-run", "--set", "ensemble.rule=geometric").out
    assert "decision" in rule


def test_the_second_time_nothing_is_computed(tapes: Path, ossicle: Any) -> None:
    ossicle("ensemble", "-p", tapes, *QUIET)
    before = {place: place.stat().st_mtime_ns for place in (tapes / "data").glob("*/*/artefact.json")}
    assert ossicle("ensemble", "-p", tapes, *QUIET).code == 0
    assert {place: place.stat().st_mtime_ns for place in (tapes / "data").glob("*/*/artefact.json")} == before


@pytest.mark.parametrize("rule", ["learned", "rank"])
def test_what_is_fitted_goes_into_the_bundle(tapes: Path, ossicle: Any, rule: str) -> None:
    result = ossicle("ensemble", "-p", tapes, "--set", f"ensemble.rule={rule}", "--json", *QUIET)
    assert result.code == 0, result.err
    content = json.loads(result.out)
    bundle = read_bundle(tapes / "ensemble" / "bundle")
    assert bundle.ensemble is not None
    assert bundle.ensemble.combination.rule == rule
    assert [round(weight, 6) for weight in bundle.ensemble.combination.weights] == list(content["weights"].values())
    if rule == "learned":
        assert set(content["weights_per_fold"]) == {"0", "1", "2"}
    scores = score_recording(tapes / "audio" / "siteB_1.wav", open_predictor(bundle, Engine()))[0].scores
    assert 0 <= scores.min() < scores.max() <= 1
    if rule == "rank":
        # Ranked among recordings like this one, scores lie all over (0, 1).
        assert np.ptp(scores) > 0.5


def test_a_refused_bundle_is_not_laid_out(tapes: Path, ossicle: Any) -> None:
    ossicle("ensemble", "-p", tapes, *QUIET)
    before = (tapes / "ensemble" / "bundle" / "bundle.json").read_bytes()
    result = ossicle(
        "ensemble",
        "-p",
        tapes,
        *QUIET,
        "--set",
        "ensemble.rule=power",
        "--set",
        "decision.on=[0.0]",
        "--set",
        "noise_gate.off=[]",
    )
    assert result.code == 4
    assert "noise gate refused" in result.err
    assert (tapes / "ensemble" / "bundle" / "bundle.json").read_bytes() == before
    assert json.loads((tapes / "ensemble" / "metrics.json").read_text())["gate"]["passed"] is False


def test_a_promoted_bundle_stands_for_its_variant(
    tapes: Path, ossicle: Any, old_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OSSICLE_REGISTRY", str(tmp_path / "registry"))
    registry, project = Registry(tmp_path / "registry"), load_project(tapes, variant="one")
    run_project(project, Silent(), until="bundle")
    made = find_steps(detector.PIPELINE.steps, project)["bundle"]
    assert made is not None
    for bundle in (made / "bundle", old_bundle):
        registry.propose("m", Candidate(bundle, {}, {}), lambda against: Judgement({}, (), lambda number: "# x\n"))
    figures = []
    for member in ("registry:m@1", "one"):
        result = ossicle("ensemble", "-p", tapes, "--set", f'ensemble.members=[".", "{member}"]', "--no-bundle", *QUIET)
        assert result.code == 0, result.err
        figures.append((tapes / "ensemble" / "ensemble.json").read_text())
    assert figures[0] == figures[1]
    for members, words in {
        '[".", "registry:m@current"]': "registry:m@current is the bundle of no variant under its present settings",
        '["one", "registry:m@1"]': "'one' and 'registry:m@1' are the same model; leave one out",
    }.items():
        result = ossicle("ensemble", "-p", tapes, "--set", f"ensemble.members={members}", *QUIET)
        assert (result.code, words in result.err) == (2, True), result.err
    # Other settings make another model of the variant.
    result = ossicle(
        "ensemble", "-p", tapes, "--set", 'ensemble.members=[".", "registry:m@1"]', "--set", "training.epochs=7", *QUIET
    )
    assert (result.code, "of no variant" in result.err) == (2, True), result.err


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ('["."]', "an ensemble needs at least two"),
        ("[]", "an ensemble needs at least two"),
        ('[".", "nobody"]', "no variant is called 'nobody'"),
        ('[".", "folded"]', "the folds of 'folded' are not those of '.'"),
        ('[".", "folded"]', "they differ in split.folds = 2: give both the same"),
        ('[".", "other"]', "the recordings of 'other' are not those of '.' ('other' lacks 1, the first is siteB_1"),
        ('[".", "other"]', 'they differ in corpus.exclude = ["siteB_1*"]: give both the same'),
        ('[".", "coarse"]', "'coarse' has a frame every 10 ms and '.' one every 20 ms"),
    ],
)
def test_members_that_do_not_go_together_are_refused(tapes: Path, ossicle: Any, members: str, words: str) -> None:
    result = ossicle("ensemble", "-p", tapes, "--set", f"ensemble.members={members}", *QUIET)
    assert result.code == 2
    assert words in result.err
    if "nobody" in members or "folded" in members or "other" in members:
        # It is said before anything is trained.
        variant = members.split('"')[3]
        if variant != "nobody":
            assert find_steps(detector.PIPELINE.steps, load_project(tapes, variant=variant))["training"] is None
