"""A benchmark through the command line: what it leaves, that tasks equal the one command, that kills cost one file."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import soundfile

from ossicle.app.project.load import load_project
from ossicle.app.steps.benchmark import results
from ossicle.app.steps.benchmark.index import benchmark_view
from ossicle.app.steps.benchmark.models import Opened, benchmark_models
from ossicle.app.steps.benchmark.tasks import benchmark_tasks
from ossicle.artefacts.files import tree_digest
from ossicle.artefacts.logs.journal import Journal
from ossicle.artefacts.tables import read_table
from ossicle.bundle.format import read_bundle, write_bundle
from ossicle.core.decisions.decision import Decision
from ossicle.core.errors import ProjectError, UsageError
from ossicle.corpus.formats.cells.rows import RawSelection
from ossicle.corpus.formats.raven import read_raven, write_raven
from ossicle.inference.batch import predict_file
from ossicle.inference.predictor import FakePredictor
from ossicle.inference.second_stage.file import second_stage_bytes
from ossicle.report.pages import benchmark_tables as bt

from ....inference.second_stage.test_stage import stage
from ....kills import run_dying
from ...conftest import Commands

RATE = 8000
# A dot in the name, equal stems in two folders, blanks and letters beyond ASCII, and one reviewed empty.
TAPES = {
    "herd/alma_20240501_05.23.wav": 3,
    "herd/alma_20240501_05.24.wav": 2,
    "hill/alma_20240501_05.23.wav": 3,
    "hill/-zoë 1_20240502_x.wav": 3,
    "hill/empty_20240503_y.wav": 0,
}
STARTS = (1.0, 3.5, 7.0)
LENGTH_S = 0.3
PROJECT = """
base = "recipe:tapes"
[project]
name = "alpaca-hums"
[corpus]
audio = "train"
annotations = "train-tables"
[split]
group = "folder"
[frontend]
rate = 8000
fmax_hz = 4000.0
[benchmark]
audio = "bench"
annotations = "bench-tables"
bootstrap = 100
thresholds = [0.1, 0.5, 0.9]
labels = ["call"]
"""
RUN = "from ossicle.app.cli.main import main; main()"
CSVS = ("metrics", "per_tape", "per_quality", "boundaries", "leaderboard")


def write_tape(file: Path, calls: int, seed: int) -> None:
    """Ten seconds of faint noise with tones of 1 kHz."""
    samples = np.random.default_rng(seed).normal(0, 1e-4, 10 * RATE)
    for start in STARTS[:calls]:
        at = np.arange(round(start * RATE), round((start + LENGTH_S) * RATE))
        samples[at] += 0.5 * np.sin(2 * np.pi * 1000 * at / RATE)
    file.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(file, samples, RATE)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Path:
    place = tmp_path_factory.mktemp("benchmark")
    for seed, (path, calls) in enumerate(TAPES.items()):
        write_tape(place / "bench" / path, calls, seed)
        rows = [
            RawSelection(start, start + LENGTH_S, "call", quality=1 + number)
            for number, start in enumerate(STARTS[:calls])
        ]
        write_raven((place / "bench-tables" / path).with_suffix(".Table.1.selections.txt"), rows)
    write_tape(place / "train" / "other" / "tape.wav", 2, 99)
    write_raven(place / "train-tables" / "other" / "tape.Table.1.selections.txt", [RawSelection(1.0, 1.3, "call")])
    (place / "ossicle.toml").write_text(PROJECT)
    old = read_bundle(repository / "tests" / "data" / "bundles" / "0.1.0" / "bundle")
    save(old, place / "bundle", "hums")
    return place


def save(old, folder: Path, name: str, **changes: object) -> None:
    files = {file: old.read_bytes(file) for file in old.files if file != "CARD.md"}
    values = {
        key: getattr(old, key)
        for key in ("labels", "plan", "front", "decisions", "provenance", "metrics", "split", "model")
    }
    write_bundle(folder, name=name, files=files, **{**values, **changes})


@pytest.fixture
def folder(template: Path, tmp_path: Path) -> Path:
    """A project of its own over the module's recordings and bundle."""
    for item in template.iterdir():
        if item.is_dir():
            (tmp_path / item.name).symlink_to(item, target_is_directory=True)
    (tmp_path / "ossicle.toml").write_text(PROJECT)
    return tmp_path


@pytest.fixture
def no_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel takes seconds to start; one test starts one."""
    monkeypatch.setattr(results, "missing", lambda: ("nbclient",))
    monkeypatch.setattr("ossicle.report.notebook.missing", lambda: ("nbclient",))


@pytest.fixture
def hears(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Models that hear tones: scores rise with the power of the lower half of the band. Lists what was opened."""
    opened: list[str] = []

    def predictor(self: Opened, settings: object) -> FakePredictor:
        opened.append(self.reading.name)
        return FakePredictor(self.bundle.labels, self.plan)

    monkeypatch.setattr(Opened, "predictor", predictor)
    return opened


def tables(folder: Path) -> dict[str, pl.DataFrame]:
    return bt.read_tables(folder / "benchmark")


def test_the_whole_benchmark(folder: Path, hears: list[str], no_notebook: None, ossicle: Commands) -> None:
    result = ossicle("benchmark", "-p", folder, "--json", "--progress", "none")
    assert result.code == 0, result.err
    assert hears == ["hums:own"]
    told = json.loads(result.out)
    assert set(told["outcomes"].values()) == {"computed"}
    found = tables(folder)
    # Dotted names and equal stems find their annotations (defect 1): every call of every tape is found.
    rows = found["metrics"].filter(pl.col("criterion") == "iou 0.5", pl.col("decision") == "grid")
    assert rows["threshold"].to_list() == [0.1, 0.5, 0.9]
    assert rows["n_reference"].to_list() == [11, 11, 11]
    best = rows.row(1, named=True)
    assert (best["recall"], best["precision"], best["f1"], best["false_alarms_per_hour"]) == (1.0, 1.0, 1.0, 0.0)
    assert best["average_precision"] == 1.0
    # An event is as long as its call, to the frame's window: not longer by a window of hundreds of ms (defect 7).
    assert max(best["start_error_ms"], best["end_error_ms"]) < 10
    per_tape = found["per_tape"].filter(pl.col("criterion") == "iou 0.5", pl.col("threshold") == 0.5)
    assert dict(zip(per_tape["tape"].str.strip_prefix("'"), per_tape["n_reference"], strict=True)) == TAPES
    quality = found["per_quality"].filter(
        pl.col("criterion") == "iou 0.5", pl.col("threshold") == 0.5, pl.col("decision") == "grid"
    )
    assert quality.select("quality", "annotated").rows() == [("1", 4), ("2", 4), ("3", 3)]
    bases = found["leaderboard"].filter(pl.col("criterion") == "iou 0.5")
    assert bases["basis"].to_list() == ["bundle", "cross-fitted", "in-sample"]
    assert bases.filter(pl.col("basis") == "cross-fitted")["f1"].item() == 1.0
    assert set(found["metrics"]["interval"]) == {"recordings"}
    for name in CSVS:
        text = (folder / "benchmark" / f"{name}.csv").read_text()
        assert str(folder) not in text
        assert set(found[name]["marks"]) == {""}
    assert not (folder / "benchmark" / "analysis.ipynb").exists()

    # The same command again computes nothing, and a threshold more computes no score anew.
    again = json.loads(ossicle("benchmark", "-p", folder, "--json", "--progress", "none").out)
    assert set(again["outcomes"].values()) == {"reused"}
    more = ossicle("benchmark", "-p", folder, "--json", "--set", "benchmark.thresholds=[0.1,0.5,0.6]")
    assert json.loads(more.out)["outcomes"]["score:hums:own"] == "reused"
    assert hears == ["hums:own"]
    assert sorted(one.name for one in (folder / "benchmark" / "models" / "hums" / "own").iterdir()) == [
        "bundle",
        "t0.1",
        "t0.5",
        "t0.6",
    ]


def test_every_decision_has_a_folder_of_its_own(
    folder: Path, hears: list[str], no_notebook: None, ossicle: Commands
) -> None:
    result = ossicle(
        "benchmark", "-p", folder, "--set", "benchmark.tables=[0.5]", "--set", "benchmark.off_ratio=[1.0,0.5]"
    )
    assert result.code == 0, result.err
    own = folder / "benchmark" / "models" / "hums" / "own"
    names = sorted(one.name for one in own.iterdir())
    assert names == ["bundle", "t0.5_none0_off0.5_len0_gap0", "t0.5_none0_off1_len0_gap0"]
    place = own / names[1]
    settings = json.loads((place / "settings.json").read_text())
    assert settings["decisions"]["call"]["off"] == 0.25
    assert settings["plan"]["hop_samples"] == 40
    index = read_table(place / "predictions.parquet")
    assert index["matched"].to_list() == [True] * 11
    assert index["score"].min() >= 0.5
    assert set(index["recording"]) == {name for name, calls in TAPES.items() if calls}
    # The tables say what the index says.
    for recording, raven in index.select("recording", "raven").unique().iter_rows():
        events = read_raven(place / raven)
        mine = index.filter(pl.col("recording") == recording)
        np.testing.assert_allclose(
            [(event.start_s, event.end_s) for event in events], mine.select("start_s", "end_s"), atol=1e-6
        )
        assert [event.confidence for event in events] == pytest.approx(mine["score"].to_list(), abs=1e-6)
    assert len(list((place / "raven").rglob("*.txt"))) == len(list((place / "audacity").rglob("*.txt"))) == len(TAPES)
    metrics = bt.read_table(place / "metrics.csv")
    assert set(metrics["off_ratio"]) == {0.5}
    assert metrics.filter(pl.col("criterion") == "iou 0.5")["tp"].item() == index["matched"].sum()


def test_tasks_in_any_order_equal_the_one_command(
    folder: Path, hears: list[str], no_notebook: None, ossicle: Commands
) -> None:
    save(read_bundle(folder / "bundle"), folder / "second" / "bundle", "other", split={"leaky": "leaky: random"})
    models = ("--set", 'benchmark.models=["bundle", "second/bundle"]', "--progress", "none")
    whole = ossicle("benchmark", "-p", folder, *models, "--data-root", folder / "one")
    assert whole.code == 0, whole.err
    # Equal weights are scored once, whatever they are called.
    assert hears == ["hums:own"]
    expected = {name: (folder / "benchmark" / f"{name}.csv").read_bytes() for name in CSVS}
    before = tree_digest(folder / "benchmark")
    listed = ossicle("benchmark", "-p", folder, *models, "--data-root", folder / "many", "--tasks")
    tasks = {one["name"]: one for one in map(json.loads, listed.out.splitlines())}
    assert list(tasks) == [
        "index",
        "score:hums:own",
        "score:other:own",
        "decide:hums:own",
        "decide:other:own",
        "metrics",
    ]
    early = ossicle(*tasks["decide:hums:own"]["command"][1:])
    assert (early.code, early.err.splitlines()[-1]) == (
        2,
        "ossicle: the task index must be done first: ossicle benchmark ... --task index",
    )
    for name in ("index", "score:other:own", "decide:other:own", "score:hums:own", "decide:hums:own", "metrics"):
        result = ossicle(*tasks[name]["command"][1:])
        assert result.code == 0, result.err
    assert {name: (folder / "benchmark" / f"{name}.csv").read_bytes() for name in CSVS} == expected
    assert tree_digest(folder / "benchmark") == before
    # The model of a leaky variant is marked in every table and on the page, the other is not.
    for name, rows in tables(folder).items():
        marks = dict(rows.group_by("model").agg(pl.col("marks").unique().first()).iter_rows())
        assert marks == {"hums": "", "other": "leaky: random"}, name
    assert "leaky: random" in (folder / "benchmark" / "report.html").read_text()
    unknown = ossicle("benchmark", "-p", folder, "--task", "score:hums:9x9")
    assert unknown.code == 2
    assert "tasks: index, score:hums:own" in unknown.err


def test_what_the_models_were_trained_on_is_refused_or_marked_everywhere(
    folder: Path, hears: list[str], no_notebook: None, ossicle: Commands
) -> None:
    on_itself = ("benchmark", "-p", folder, "--corpus", folder / "train", "--annotations", folder / "train-tables")
    refused = ossicle(*on_itself)
    assert refused.code == 2
    assert "the benchmark corpus overlaps with the training corpus" in refused.err
    assert "tape.wav" in refused.err
    assert not hears
    allowed = ossicle(*on_itself, "--allow-overlap")
    assert allowed.code == 0, allowed.err
    for rows in tables(folder).values():
        assert set(rows["marks"]) == {"overlaps the training corpus"}
    page = (folder / "benchmark" / "report.html").read_text()
    assert "overlaps the training corpus" in page
    assert "these figures are probably too good" in page
    about = json.loads((folder / "benchmark" / "benchmark.json").read_text())
    assert {one["kind"] for one in about["overlap"]["shared"]} == {"audio", "recording", "folder"}
    (folder / "train").unlink()
    unchecked = ossicle("benchmark", "-p", folder)
    assert unchecked.code == 0, unchecked.err
    assert set(tables(folder)["metrics"]["marks"]) == {"overlap with the training corpus not checked"}


def test_a_killed_scoring_goes_on_from_there(folder: Path, ossicle: Commands) -> None:
    argv = ("benchmark", "-p", folder, "--set", "benchmark.runtime=onnx", "--progress", "none", "--data-root")
    task = ("--task", "score:hums:own")
    for root in ("killed", "whole"):
        assert ossicle(*argv, folder / root, "--task", "index").code == 0
    assert run_dying(RUN, ("mark",), 2, *argv, folder / "killed", *task).killed
    (work,) = (folder / "killed" / "benchmark-scores").iterdir()
    assert len(Journal(work / "journal.jsonl").work_units()) == 2
    ended = run_dying(RUN, ("mark",), 99, *argv, folder / "killed", *task)
    assert ended.points == len(TAPES) - 2
    assert ossicle(*argv, folder / "whole", *task).code == 0
    content = []
    for root in ("killed", "whole"):
        (made,) = (folder / root / "benchmark-scores").iterdir()
        content.append(json.loads((made / "artefact.json").read_text())["content"])
    assert content[0] == content[1]


def test_a_bad_recording_costs_only_itself(
    folder: Path, hears: list[str], no_notebook: None, ossicle: Commands
) -> None:
    real = (folder / "bench").resolve()
    (folder / "bench").unlink()
    for path in TAPES:
        (folder / "bench" / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / "bench" / path).write_bytes((real / path).read_bytes())
    (folder / "bench" / "hill" / "empty_20240503_y.wav").write_bytes(b"no sound")
    result = ossicle("benchmark", "-p", folder)
    assert result.code == 3, result.err
    assert "hill/empty_20240503_y.wav: left out" in result.err
    assert tables(folder)["metrics"]["n_reference"].max() == 11


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
    write_bundle(folder / "both" / "bundle", name="both", files=files, decisions=decisions, **values)
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
