"""``ossicle score``: equal to sed_eval at collars and to brute force at IoU; names, labels, empty tables."""

import json
import subprocess
import sys
import warnings
from collections.abc import Callable
from itertools import permutations
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from ossicle.app.cli.compare.score import score
from ossicle.app.cli.main import app
from ossicle.core.errors import FormatError, OssicleError, UsageError
from ossicle.corpus.formats.cells.rows import RawSelection
from ossicle.corpus.formats.event_csv import write_events
from ossicle.corpus.formats.raven import raven_name, write_raven

CASES = 200
LABELS = ("hum", "trill")
Tables = dict[str, list[RawSelection]]


def draw(generator: np.random.Generator, most: int) -> tuple[Tables, Tables]:
    """A few recordings with annotations, and predictions that are shifted, cut, doubled, invented or relabelled."""
    reference: Tables = {}
    predicted: Tables = {}
    for name in ("one", "two")[: generator.integers(1, 3)]:
        reference[name], predicted[name] = [], []
        for _ in range(generator.integers(0, most + 1)):
            start, length = generator.uniform(0, 6), generator.uniform(0.05, 1.5)
            call = row(start, start + length, str(generator.choice(LABELS)))
            reference[name].append(call)
            if generator.random() < 0.75:
                shift, stretch = generator.normal(0, 0.15), generator.normal(0, 0.15)
                label = call.label if generator.random() < 0.9 else str(generator.choice(LABELS))
                begin = max(0.0, start + shift)
                predicted[name].append(row(begin, max(begin + 0.01, start + length + stretch), label))
        for _ in range(generator.integers(0, 2)):
            start = generator.uniform(0, 6)
            predicted[name].append(row(start, start + generator.uniform(0.05, 1.0), str(generator.choice(LABELS))))
    return reference, predicted


def comparable(generator: np.random.Generator, most: int) -> tuple[Tables, Tables]:
    """Drawn tables with a label in common, or without any event on one side; others are refused."""
    while True:
        tables = draw(generator, most)
        wanted, got = ({raw_selection.label for rows in of.values() for raw_selection in rows} for of in tables)
        if not wanted or not got or wanted & got:
            return tables


def row(start_s: float, end_s: float, label: str) -> RawSelection:
    return RawSelection(round(float(start_s), 6), round(float(end_s), 6), label)


def write_tables(folder: Path, tables: Tables, *, as_csv: bool) -> Path:
    """Raven tables, or one CSV that also names the recordings without events."""
    folder.mkdir()
    if not as_csv:
        for name, rows in tables.items():
            write_raven(folder / raven_name(f"{name}.wav"), rows)
        return folder
    events = [
        RawSelection(raw_selection.start_s, raw_selection.end_s, raw_selection.label, begin_path=f"{name}.wav")
        for name in tables
        for raw_selection in tables[name]
    ]
    write_events(folder / "events.csv", events)
    with (folder / "events.csv").open("a", newline="") as file:
        file.writelines(f"{name}.wav,,,,\r\n" for name, rows in tables.items() if not rows)
    return folder


@pytest.fixture(scope="module")
def sed_eval() -> ModuleType:
    """sed_eval, whose import of pkg_resources warns, and whose docstrings hold escapes that Python does not know."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="pkg_resources is deprecated as an API", category=UserWarning)
        warnings.filterwarnings("ignore", message="invalid escape sequence", category=DeprecationWarning)
        import sed_eval
    return sed_eval


@pytest.fixture
def scored(capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """The function behind the command, and what it prints as JSON."""

    def run(reference: Path, predictions: Path, **options: Any) -> Any:
        given: dict[str, Any] = {
            "iou": None,
            "collar": None,
            "label_column": "auto",
            "ignore_labels": False,
            "bootstrap": 0,
            **options,
        }
        score(reference=reference, predictions=predictions, as_json=True, **given)
        return json.loads(capsys.readouterr().out)

    return run


def rates(tp: int, n_reference: int, n_predicted: int) -> tuple[float, float, float]:
    """F1, precision and recall; NaN where there was nothing to count."""
    nan = float("nan")
    return (
        2 * tp / (n_reference + n_predicted) if n_reference + n_predicted else nan,
        tp / n_predicted if n_predicted else nan,
        tp / n_reference if n_reference else nan,
    )


def said(of: dict[str, float | None]) -> tuple[float, float, float]:
    f1, precision, recall = (float("nan") if of[name] is None else of[name] for name in ("f1", "precision", "recall"))
    assert f1 is not None
    assert precision is not None
    assert recall is not None
    return f1, precision, recall


def overlap_share(a: RawSelection, b: RawSelection) -> float:
    both = max(0.0, min(a.end_s, b.end_s) - max(a.start_s, b.start_s))
    return both / (a.end_s - a.start_s + b.end_s - b.start_s - both)


def most_pairs(reference: list[RawSelection], predicted: list[RawSelection], iou: float) -> int:
    """The most pairs any assignment has, by trying all of them."""
    few, many = sorted((reference, predicted), key=len)
    return max(
        sum(a.label == b.label and overlap_share(a, b) >= iou for a, b in zip(few, order, strict=True))
        for order in permutations(many, len(few))
    )


def test_equal_to_brute_force_at_iou(tmp_path: Path, scored: Callable[..., Any]) -> None:
    generator = np.random.default_rng(1)
    for case in range(CASES):
        reference, predicted = comparable(generator, most=5)
        iou = float(generator.choice([0.2, 0.5, 0.7]))
        places = [
            write_tables(tmp_path / f"{case}-{side}", tables, as_csv=bool(generator.integers(2)))
            for side, tables in (("reference", reference), ("predicted", predicted))
        ]
        out = scored(*places, iou=iou)
        tp = sum(most_pairs(reference[name], predicted[name], iou) for name in reference)
        n_reference, n_predicted = (sum(map(len, tables.values())) for tables in (reference, predicted))
        assert (out["tp"], out["n_reference"], out["n_predicted"]) == (tp, n_reference, n_predicted)
        # Figures are rounded to 6 decimals.
        assert said(out["events"]) == pytest.approx(rates(tp, n_reference, n_predicted), abs=1e-6, nan_ok=True)


def test_equal_to_sed_eval_at_collars(tmp_path: Path, scored: Callable[..., Any], sed_eval: ModuleType) -> None:
    generator = np.random.default_rng(2)
    for case in range(CASES):
        reference, predicted = comparable(generator, most=8)
        collar = float(generator.choice([0.05, 0.2, 0.5]))
        places = [
            write_tables(tmp_path / f"{case}-{side}", tables, as_csv=bool(generator.integers(2)))
            for side, tables in (("reference", reference), ("predicted", predicted))
        ]
        out = scored(*places, collar=collar)
        judge = sed_eval.sound_event.EventBasedMetrics(
            event_label_list=list(LABELS), t_collar=collar, percentage_of_length=0.5, event_matching_type="optimal"
        )
        for name in reference:
            judge.evaluate(*(sed_eval_events(tables[name], name) for tables in (reference, predicted)))
        overall = judge.results_overall_metrics()["f_measure"]
        counts = judge.overall
        assert (out["tp"], out["n_reference"], out["n_predicted"]) == (counts["Ntp"], counts["Nref"], counts["Nsys"])
        if counts["Nref"] and counts["Nsys"]:
            theirs = (overall["f_measure"], overall["precision"], overall["recall"])
            assert np.nan_to_num(said(out["events"])) == pytest.approx(np.nan_to_num(theirs), abs=1e-6)


def sed_eval_events(rows: list[RawSelection], name: str) -> list[dict[str, Any]]:
    return [
        {
            "onset": raw_selection.start_s,
            "offset": raw_selection.end_s,
            "event_label": raw_selection.label,
            "filename": f"{name}.wav",
        }
        for raw_selection in rows
    ]


CALLS: Tables = {"one": [row(1, 2, "hum"), row(3, 3.5, "trill")], "two": [row(0.5, 1, "hum")]}


def test_both_criteria_stand_side_by_side(tmp_path: Path, scored: Callable[..., Any]) -> None:
    reference = write_tables(tmp_path / "reference", CALLS, as_csv=False)
    shifted = {
        name: [
            row(raw_selection.start_s + 0.3, raw_selection.end_s + 0.3, raw_selection.label) for raw_selection in rows
        ]
        for name, rows in CALLS.items()
    }
    predicted = write_tables(tmp_path / "predicted", shifted, as_csv=True)
    out = scored(reference, predicted, iou=0.5, collar=0.2)
    assert set(out) >= {"events", "n_reference", "n_predicted", "at_collar", "iou", "collar_s"}
    assert set(out["events"]) == {"f1", "precision", "recall"}
    assert (out["criterion"], out["iou"], out["collar_s"]) == ("iou", 0.5, 0.2)
    # A shift by 0.3 s leaves 0.7/1.3 of a second, 0.2/0.8 of half a one, and is beyond every collar of 0.2 s.
    assert (out["tp"], out["at_collar"]["tp"]) == (1, 0)
    assert scored(reference, predicted)["iou"] == 0.5


def test_a_prediction_of_all_formats_is_read_once(tmp_path: Path, scored: Callable[..., Any]) -> None:
    reference = write_tables(tmp_path / "reference", CALLS, as_csv=False)
    both = write_tables(tmp_path / "both", CALLS, as_csv=False)
    write_events(
        both / "events.csv",
        [RawSelection(o.start_s, o.end_s, o.label, begin_path=f"{n}.wav") for n in CALLS for o in CALLS[n]],
    )
    out = scored(reference, both)
    assert (out["tp"], out["n_predicted"]) == (3, 3)


def test_a_recording_without_predictions_is_missed(tmp_path: Path, scored: Callable[..., Any]) -> None:
    reference = write_tables(tmp_path / "reference", CALLS, as_csv=False)
    predicted = write_tables(tmp_path / "predicted", {"one": CALLS["one"]}, as_csv=True)
    out = scored(reference, predicted)
    assert (out["tp"], out["fn"], out["n_reference"]) == (2, 1, 3)


def test_predictions_without_a_reference_are_left_out_and_said(
    tmp_path: Path, scored: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    reference = write_tables(tmp_path / "reference", {"one": CALLS["one"]}, as_csv=False)
    predicted = write_tables(tmp_path / "predicted", CALLS, as_csv=False)
    out = scored(reference, predicted)
    assert (out["n_predicted"], out["left_out"]) == (2, ["two"])
    score(reference=reference, predictions=predicted, bootstrap=0, as_json=False)
    assert "skipped, no reference: two" in capsys.readouterr().err


def test_empty_tables_count(tmp_path: Path, scored: Callable[..., Any]) -> None:
    nothing: Tables = {"one": [], "two": []}
    empty = write_tables(tmp_path / "empty", nothing, as_csv=False)
    full = write_tables(tmp_path / "full", CALLS, as_csv=False)
    out = scored(empty, full)
    assert (out["fp"], out["n_reference"], out["events"]["precision"], out["events"]["recall"]) == (3, 0, 0.0, None)
    out = scored(full, empty)
    assert (out["fn"], out["n_predicted"], out["events"]["precision"], out["events"]["recall"]) == (3, 0, None, 0.0)
    out = scored(empty, empty)
    assert out["events"] == {"f1": None, "precision": None, "recall": None}


NOTHING = {
    "events.csv": "file,start_time,end_time,label,score\r\n",
    "events.tsv": "filename\tonset\toffset\tevent_label\n",
    "events.kaleidoscope.csv": "INDIR,FOLDER,IN FILE,OFFSET,DURATION,TOP1MATCH\n",
    "windows.csv": "file,start_time,end_time,hum\n",
}


@pytest.mark.parametrize("name", NOTHING)
def test_a_table_of_only_a_header_misses_every_annotation(
    tmp_path: Path, scored: Callable[..., Any], name: str
) -> None:
    reference = write_tables(tmp_path / "reference", CALLS, as_csv=False)
    (tmp_path / name).write_text(NOTHING[name])
    out = scored(reference, tmp_path / name)
    assert (out["fn"], out["n_reference"], out["n_predicted"], out["events"]["recall"]) == (3, 3, 0, 0.0)
    with pytest.raises(UsageError, match=f"{name}: names no annotated recording"):
        scored(tmp_path / name, reference)


def test_other_labels_do_not_match_unless_ignored(tmp_path: Path, scored: Callable[..., Any]) -> None:
    reference = write_tables(tmp_path / "reference", {"one": [row(1, 2, "hum")]}, as_csv=False)
    predicted = write_tables(tmp_path / "predicted", {"one": [row(1, 2, "Hum call")]}, as_csv=False)
    with pytest.raises(
        UsageError, match=r"no label in common \('Hum call' and 'hum'\).*--map FROM=TO.*--ignore-labels"
    ):
        scored(reference, predicted)
    assert scored(reference, predicted, ignore_labels=True)["tp"] == 1
    assert scored(reference, predicted, label_map=["Hum call=hum"])["tp"] == 1
    # One label in common is enough, and silence needs none.
    both = write_tables(tmp_path / "both", {"one": [row(1, 2, "Hum call"), row(5, 6, "hum")]}, as_csv=False)
    out = scored(reference, both)
    assert (out["tp"], out["fp"], out["fn"], set(out["per_label"])) == (0, 2, 1, {"hum", "Hum call"})
    silent = write_tables(tmp_path / "silent", {"one": []}, as_csv=False)
    assert scored(reference, silent)["events"]["recall"] == 0.0


def test_macro_is_the_mean_over_labels_with_references(tmp_path: Path, scored: Callable[..., Any]) -> None:
    """As in `metrics.json` and the documents: one label found, one missed, and one that is only predicted."""
    truth = {"one": [row(1, 2, "A"), row(3, 4, "C")], "two": [row(1, 2, "C")]}
    result = {"one": [row(1, 2, "A"), row(7, 8, "B")], "two": [row(1, 2, "C")]}
    reference = write_tables(tmp_path / "reference", truth, as_csv=False)
    predicted = write_tables(tmp_path / "predicted", result, as_csv=True)
    out = scored(reference, predicted, iou=0.5, collar=0.2)
    labels = {"f1": 2, "precision": 2, "recall": 2, "all": 3}
    f1 = pytest.approx((1 + 2 / 3) / 2, abs=1e-6)
    assert out["macro"] == {"f1": f1, "precision": 1.0, "recall": 0.75, "labels": labels}
    assert out["at_collar"]["macro"] == out["macro"]
    assert out["per_label"]["B"]["recall"] is None


def test_the_table_shows_the_macro_row(tmp_path: Path) -> None:
    truth = {"one": [row(1, 2, "A"), row(3, 4, "C")]}
    reference = write_tables(tmp_path / "reference", truth, as_csv=False)
    predicted = write_tables(tmp_path / "predicted", {"one": [row(1, 2, "A")]}, as_csv=True)
    done = CliRunner().invoke(app, ["score", "--reference", str(reference), "--predictions", str(predicted)])
    assert done.exit_code == 0, done.output
    shown = {line.split()[0]: line.split() for line in done.stdout.splitlines() if line.strip()}
    # F1 of all events, and the mean of 1 and 0 over both labels.
    assert "0.667" in shown["all"]
    assert "0.500" in shown["macro"]


def test_what_cannot_be_compared_is_refused(tmp_path: Path, scored: Callable[..., Any]) -> None:
    reference = write_tables(tmp_path / "reference", CALLS, as_csv=False)
    other = write_tables(tmp_path / "other", {"three": [row(1, 2, "hum")]}, as_csv=False)
    (tmp_path / "nothing").mkdir()
    wrong: list[tuple[Path, dict[str, Any], type[OssicleError], str]] = [
        (other, {}, UsageError, "no recording name in common.*'three' and 'one'"),
        (tmp_path / "gone", {}, UsageError, "does not exist"),
        (tmp_path / "nothing", {}, UsageError, "contains no annotation files"),
        (reference, {"label_column": "zz"}, FormatError, "no label column 'zz'"),
    ]
    for place, options, kind, words in wrong:
        with pytest.raises(kind, match=words):
            scored(reference, place, **options)


def test_the_command_itself(tmp_path: Path) -> None:
    reference = write_tables(tmp_path / "reference", CALLS, as_csv=False)
    predicted = write_tables(tmp_path / "predicted", {"one": CALLS["one"]}, as_csv=True)

    def run(*options: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", "from ossicle.app.cli.main import main; main()", "score"]
        places = ["--reference", str(reference), "--predictions", str(predicted)]
        return subprocess.run([*command, *places, *options], capture_output=True, text=True, check=False)

    done = run("--iou", "0.5", "--collar", "0.2", "--json")
    assert done.returncode == 0
    out = json.loads(done.stdout)
    assert out["events"] == {"f1": 0.8, "precision": 1.0, "recall": pytest.approx(2 / 3, abs=1e-6)}
    assert (out["n_reference"], out["n_predicted"]) == (3, 2)
    assert set(out["intervals"]) >= {"f1", "precision", "recall"}
    table = run()
    assert table.returncode == 0
    assert "at IoU 0.5:" in table.stdout
    assert "0.800" in table.stdout
    for options in (("--iou", "0"), ("--iou", "1.5"), ("--collar", "-1")):
        assert run(*options).returncode == 2
    assert run("--label-column", "zz").returncode == 2
