"""A benchmark through the command line: what it leaves, that tasks equal the one command, that kills cost one file."""

import json
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ossicle.artefacts.files import tree_digest
from ossicle.artefacts.logs.journal import Journal
from ossicle.artefacts.tables import read_table
from ossicle.bundle.format import read_bundle
from ossicle.corpus.formats.raven import read_raven
from ossicle.report.pages import benchmark_tables as bt

from ....doubles.kills import run_dying
from ...conftest import Commands
from .tapes import TAPES, save, tables

RUN = "from ossicle.app.cli.main import main; main()"
CSVS = ("metrics", "per_tape", "per_quality", "boundaries", "leaderboard")


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


def test_a_label_that_the_model_does_not_know_is_marked(
    folder: Path, hears: list[str], no_notebook: None, ossicle: Commands
) -> None:
    labels = 'benchmark.labels=["call", "owl"]'
    result = ossicle("benchmark", "-p", folder, "--set", "benchmark.tables=[0.5]", "--set", labels)
    assert result.code == 0, result.err
    assert "does not know 'owl', which counts as missed" in result.out
    assert "does not know &#39;owl&#39;" in (folder / "benchmark" / "report.html").read_text()


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


def test_recordings_in_the_folder_of_results_are_not_replaced(
    folder: Path, hears: list[str], ossicle: Commands
) -> None:
    for name in ("recordings/tape.wav", "models/NOTES.md", "models/owl/1s/t0.5/raven/notes.txt"):
        shutil.rmtree(folder / "benchmark", ignore_errors=True)
        own = folder / "benchmark" / "models" / "owl" / "1s" / "t0.5" / "raven" / "hill" / "tape.Table.1.selections.txt"
        for path in (own, folder / "benchmark" / name):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"sound")
        result = ossicle("benchmark", "-p", folder, "--progress", "none")
        assert result.code == 2
        assert f"would be lost: {name}; move it out of there" in result.err
        assert hears == []
        assert (folder / "benchmark" / name).read_bytes() == b"sound"
