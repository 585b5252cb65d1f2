"""The models of a benchmark: their names, labels that one of them lacks, second stages, presets, what is refused."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ossicle.app.project.load import load_project
from ossicle.app.steps.benchmark.index import benchmark_view
from ossicle.app.steps.benchmark.models import benchmark_models
from ossicle.app.steps.benchmark.tasks import benchmark_tasks
from ossicle.artefacts.tables import read_table
from ossicle.bundle.description import BundleDescription
from ossicle.bundle.format import read_bundle, write_bundle
from ossicle.core.decisions.decision import Decision
from ossicle.core.errors import ProjectError, UsageError
from ossicle.inference.batch import predict_file
from ossicle.inference.predictor import FakePredictor
from ossicle.inference.second_stage.file import second_stage_bytes

from ....inference.second_stage.test_stage import stage
from ...conftest import Commands
from .tapes import PROJECT, TAPES, save, tables


def test_labels_that_a_model_does_not_know(
    folder: Path, hears: list[str], no_notebook: None, ossicle: Commands
) -> None:
    result = ossicle("benchmark", "-p", folder, "--set", 'benchmark.labels=["hum"]')
    assert result.code == 2
    assert "hums has the labels call, Zaunkönig" in result.err
    assert not hears, "hours of scoring would be for nothing"
    both = ossicle("benchmark", "-p", folder, "--set", 'benchmark.labels=["call", "hum"]')
    assert both.code == 0, both.err
    rows = tables(folder)["metrics"].filter(pl.col("threshold") == 0.5, pl.col("criterion") == "iou 0.5")
    assert dict(zip(rows["label"], rows["n_predicted"], strict=True)) == {"all": 11, "call": 11, "hum": 0}


def test_models_are_called_by_their_names_never_by_their_rank(folder: Path) -> None:
    old = read_bundle(folder / "bundle")
    save(old, folder / "x" / "bundle", "hums")
    project = load_project(folder, ('benchmark.models=["x/bundle", "bundle"]',))
    assert [model.name for model in benchmark_models(project)] == ["hums-x", f"hums-{folder.name}"]
    swapped = load_project(folder, ('benchmark.models=["bundle", "x/bundle"]',))
    assert [model.name for model in benchmark_models(swapped)] == [f"hums-{folder.name}", "hums-x"]
    with pytest.raises(UsageError, match="neither a bundle folder"):
        benchmark_models(load_project(folder, ('benchmark.models=["nothing"]',)))


def test_jobs_can_be_listed_before_a_variant_is_trained(folder: Path) -> None:
    (folder / "ossicle.toml").write_text(
        PROJECT
        + 'preset = "alpaca"\nmodels = ["bundle", "wide"]\n[variants.wide.model]\nname = "window"\n'
        + "[variants.wide.chunks]\nwindow_s = 0.3\nstep_s = 0.05\n"
    )
    project = load_project(folder)
    tasks = benchmark_tasks(project, ("--data-root", "data"))
    assert [one.name for one in tasks] == [
        "index",
        "score:hums:own",
        "score:wide:0.4x0.05",
        "decide:hums:own",
        "decide:wide:0.4x0.05",
        "metrics",
    ]
    assert tasks[2].argv == (
        *("benchmark", "-p", str(folder / "ossicle.toml"), "--data-root", "data"),
        *("--task", "score:wide:0.4x0.05"),
    )
    assert (tasks[2].needs, tasks[2].step) == (("index",), "benchmark_scores")
    assert tasks[-1].needs == ("index", "decide:hums:own", "decide:wide:0.4x0.05")


def test_the_preset_and_what_is_refused(folder: Path) -> None:
    alpaca = load_project(folder, ("benchmark.preset=alpaca",)).settings.benchmark
    assert (alpaca.windows, alpaca.ious) == (((0.4, 0.05),), (0.4,))
    assert alpaca.thresholds == tuple(round(0.1 * step, 1) for step in range(1, 10))
    for stated, words in (
        ("benchmark.preset=llama", "choose one of: alpaca"),
        ("benchmark.windows=[[0.4]]", "write [window, step]"),
        ("benchmark.windows=[[0.1, 0.4]]", "the step at most the window"),
        ("benchmark.thresholds=[0.5, 0.4]", "thresholds must rise"),
        ("benchmark.thresholds=[]", "thresholds is empty"),
        ("benchmark.tables=[0.2]", "not one of the thresholds"),
        ("benchmark.median_s=[]", "both empty"),
        ("benchmark.runtime=tensorflow", "is not one of"),
    ):
        with pytest.raises(ProjectError) as caught:
            load_project(folder, (stated,))
        assert words in str(caught.value)
    nowhere = load_project(folder, ('benchmark.audio=""',))
    with pytest.raises(UsageError, match="audio is empty"):
        benchmark_view(nowhere)


def test_both_stages_are_a_layer_of_their_own(
    folder: Path, hears: list[str], no_notebook: None, ossicle: Commands
) -> None:
    """The trees call what lies below 1.5 kHz an event (0.9), the rest not (0.1): the tones are at 1 kHz."""
    old = read_bundle(folder / "bundle")
    files = {file: old.read_bytes(file) for file in old.files if file != "CARD.md"}
    values = {key: getattr(old, key) for key in ("labels", "plan", "front", "provenance", "metrics", "split", "model")}
    decisions = dict.fromkeys(old.labels, Decision(on=0.4, off=0.4))
    judged = stage(0.5, old.labels)
    files["second_stage.safetensors"] = second_stage_bytes(judged)
    write_bundle(
        folder / "both" / "bundle",
        BundleDescription(
            name="both",
            decisions=decisions,
            **values,
        ),
        files=files,
    )
    result = ossicle("benchmark", "-p", folder, "--set", 'benchmark.models=["both/bundle"]')
    assert result.code == 0, result.err
    found = tables(folder)
    rows = found["metrics"].filter(pl.col("layer") == "second", pl.col("criterion") == "iou 0.5")
    assert rows.select("decision", "threshold", "n_predicted").rows() == [
        ("bundle", 0.5, 11),
        ("grid", 0.1, 11),
        ("grid", 0.5, 11),
        ("grid", 0.9, 0),  # the stump's 0.9, once through both logits
    ]
    assert rows["f1"].to_list() == [1.0, 1.0, 1.0, 0.0]
    assert set(found["leaderboard"]["layer"]) == {"first", "second"}
    place = folder / "benchmark" / "models" / "both" / "own"
    assert {one.name for one in place.glob("second*")} == {"second_bundle", "second_t0.1", "second_t0.5", "second_t0.9"}
    # They are the events that `predict` finds.
    index = read_table(place / "second_bundle" / "predictions.parquet")
    for path in TAPES:
        heard = predict_file(
            folder / "bench" / path, FakePredictor(old.labels, old.plan), decisions, second_stage=judged
        ).events
        mine = index.filter(pl.col("recording") == path).select("start_s", "end_s", "score").rows()
        expected = [(event.start_s, event.end_s, event.score) for event in heard if event.label == "call"]
        np.testing.assert_allclose(mine, expected, atol=1e-6)
    page = (folder / "benchmark" / "report.html").read_text()
    assert "both, second stage" in page
