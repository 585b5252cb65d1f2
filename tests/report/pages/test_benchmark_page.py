"""The page and the notebook of a benchmark: what is drawn equals the tables beside them."""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ossicle.artefacts.tables import write_csv
from ossicle.report.figures import benchmark as fb
from ossicle.report.notebook import missing, write_notebook
from ossicle.report.pages import benchmark_tables as bt
from ossicle.report.pages.benchmark_page import render

CRITERION = "iou 0.4"
THRESHOLDS = (0.1, 0.5, 0.9)
HOSTILE = "<script>alert(1)</script>"


def made() -> tuple[dict[str, pl.DataFrame], dict[str, object]]:
    """Two readings, two decisions, three thresholds, three tapes; one figure of each kind is undefined."""
    rng = np.random.default_rng(0)
    rows: dict[str, list[dict[str, object]]] = {name: [] for name in bt.TABLES}
    for model, reading in (("alpha", "own"), (HOSTILE, "0.4x0.05")):
        for gap in (0.0, 0.1):
            for threshold in THRESHOLDS:
                key = {"model": model, "reading": reading, "window_s": 0.384, "step_s": 0.042667, "decision": "grid"}
                key |= {"smoothing": "none", "smoothing_s": 0.0, "off_ratio": 1.0, "min_length_s": 0.0}
                key |= {
                    "min_gap_s": gap,
                    "threshold": threshold,
                    "layer": "first",
                    "criterion": CRITERION,
                    "label": "all",
                }
                low, value, high = np.sort(rng.random((3, 3)), axis=0).round(6)
                rates = {}
                for place, rate in enumerate(("precision", "recall", "f1")):
                    rates |= {rate: value[place], f"{rate}_low": low[place], f"{rate}_high": high[place]}
                if threshold == 0.9 and gap:
                    rates |= {"precision": None, "f1": 0.0}
                marks = {"marks": "overlaps the training corpus" if model == "alpha" else ""}
                rows["metrics"].append(
                    {**key, **rates, "average_precision": 0.5, "false_alarms_per_hour": 3.25}
                    | {"start_error_ms": 5.0, "end_error_ms": None, "tp": 3, "fp": 2, "fn": 1, **marks}
                )
                for tape, tp, fn in (("a.5", 2, 1), ("b", 0, 2), ("empty", 0, 0)):
                    rows["per_tape"].append(
                        {
                            **key,
                            "tape": tape,
                            "recall": round(tp / (tp + fn), 6) if tp + fn else None,
                            "tp": tp,
                            "fp": 1,
                            "fn": fn,
                        }
                        | {"n_reference": tp + fn, "hours": 0.5, **marks}
                    )
                for quality, found in (("1", 1), ("2", 2)):
                    more = {"quality": quality, "recall": found / 2, "found": found, "annotated": 2, **marks}
                    rows["per_quality"].append({**key, **more})
                for boundary in ("start", "end"):
                    quantiles = dict(
                        zip(
                            ("q05_ms", "q25_ms", "q50_ms", "q75_ms", "q95_ms"),
                            (-9.5, -2.0, 1.0, 4.0, 20.0),
                            strict=True,
                        )
                    )
                    rows["boundaries"].append({**key, "boundary": boundary, **quantiles, "pairs": 3, **marks})
        for basis in ("cross-fitted", "in-sample"):
            board = {
                "model": model,
                "reading": reading,
                "layer": "first",
                "basis": basis,
                "criterion": CRITERION,
                **rates,
            }
            board |= {
                "false_alarms_per_hour": 1.0,
                "n_reference": 5,
                "n_predicted": 6,
                "decisions": "call 0.5",
                **marks,
            }
            rows["leaderboard"].append(board)
    about = {
        "title": HOSTILE,
        "readings": ["alpha:own", "x:0.4x0.05"],
        "recordings": 3,
        "tapes": 3,
        "tape": "recording",
        "hours": 1.5,
        "annotations": 5,
        "labels": ["call"],
        "criteria": [CRITERION],
        "left_out": {"alpha:own: bad.wav": "no samples"},
        "overlap": {"shared": [], "unchecked": [], "mark": "", "overlaps": True, "unchecked_mark": False},
    }
    return {name: pl.DataFrame(of, infer_schema_length=None) for name, of in rows.items()}, about


@pytest.fixture(scope="module")
def tables() -> dict[str, pl.DataFrame]:
    return made()[0]


def column(rows: pl.DataFrame, name: str) -> list[float]:
    return rows[name].cast(pl.Float64).fill_null(float("nan")).to_list()


def test_rates_are_drawn_as_they_stand_in_the_table(tables: dict[str, pl.DataFrame]) -> None:
    chosen = bt.chosen(tables["metrics"], CRITERION)[0]
    rows = bt.curve(tables["metrics"], chosen, CRITERION)
    assert rows["threshold"].to_list() == list(THRESHOLDS)
    assert chosen.row["f1"] == tables["metrics"]["f1"].max() == rows["f1"].max()
    axes = fb.rates_figure(rows, chosen.name, chosen.threshold).axes[0]
    drawn = {line.get_label(): line for line in axes.lines}
    for name, label in (("precision", "precision"), ("recall", "recall"), ("f1", "F1")):
        np.testing.assert_array_equal(drawn[label].get_xdata(), rows["threshold"].to_list())
        np.testing.assert_array_equal(drawn[label].get_ydata(), column(rows, name))


def test_precision_and_recall_are_drawn_as_they_stand_in_the_table(tables: dict[str, pl.DataFrame]) -> None:
    readings = bt.chosen(tables["metrics"], CRITERION)
    curves = [(chosen.name, bt.curve(tables["metrics"], chosen, CRITERION)) for chosen in readings]
    for line, (_, rows) in zip(fb.pr_figure(curves).axes[0].lines, curves, strict=True):
        np.testing.assert_array_equal(line.get_xdata(), column(rows, "recall"))
        np.testing.assert_array_equal(line.get_ydata(), column(rows, "precision"))


def test_the_leaderboard_is_drawn_as_it_stands_in_the_table(tables: dict[str, pl.DataFrame]) -> None:
    rows = bt.board(tables["leaderboard"], CRITERION, "cross-fitted")
    assert rows["f1"].to_list() == sorted(rows["f1"].to_list(), reverse=True)
    axes = fb.leaderboard_figure(rows, "cross-fitted").axes[0]
    np.testing.assert_array_equal([bar.get_width() for bar in axes.patches], column(rows, "f1"))
    ends = [segment[:, 0].tolist() for segment in axes.collections[0].get_segments()]
    assert ends == list(map(list, zip(column(rows, "f1_low"), column(rows, "f1_high"), strict=True)))
    assert [text.get_text() for text in axes.get_yticklabels()] == rows["name"].to_list()


def test_the_map_of_tapes_is_drawn_as_it_stands_in_the_table(tables: dict[str, pl.DataFrame]) -> None:
    chosen = bt.chosen(tables["metrics"], CRITERION)[0]
    rows = bt.tape_map(tables["per_tape"], chosen, CRITERION)
    assert set(rows["tape"]) == {"a.5", "b"}, "a tape without calls has no recall"
    (axes, _) = fb.tape_map_figure(rows, "x").axes
    shown = axes.images[0].get_array()
    names = [text.get_text() for text in axes.get_yticklabels()]
    for row in rows.iter_rows(named=True):
        assert shown[names.index(row["tape"]), THRESHOLDS.index(row["threshold"])] == row["recall"]


def test_boxes_and_hardest_tapes_are_drawn_as_they_stand_in_the_table(tables: dict[str, pl.DataFrame]) -> None:
    readings = bt.chosen(tables["metrics"], CRITERION)
    rows = bt.boundary_rows(tables["boundaries"], readings, CRITERION)
    assert len(rows) == 4
    axes = fb.boundary_figure(rows).axes[0]
    medians = [
        line.get_xdata()[0] for line in axes.lines if line.get_linewidth() == 2 and len(set(line.get_xdata())) == 1
    ]
    assert medians == column(rows, "q50_ms")
    whiskers = {round(float(value), 6) for line in axes.lines for value in line.get_xdata()}
    assert {-9.5, -2.0, 1.0, 4.0, 20.0} <= whiskers
    hardest = bt.hardest_tapes(tables["per_tape"], readings, CRITERION)
    assert hardest["tape"].to_list() == ["b", "a.5", "empty"]
    assert hardest.row(1, named=True)["recall"] == 4 / 6
    bars = [bar.get_width() for bar in fb.hardest_figure(hardest).axes[0].patches]
    assert bars == [0.0, 4 / 6]


def test_the_page_is_whole_marked_and_escaped() -> None:
    tables, about = made()
    page = render(tables, about)
    assert page == render(*made()), "equal tables, equal bytes"
    assert HOSTILE not in page
    assert "&lt;script&gt;alert(1)" in page
    assert page.count("overlaps the training corpus") >= 8
    assert "default-src &#39;none&#39;" in page
    assert "bad.wav" in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert page.count("<img ") >= 9


def test_the_page_links_a_notebook_only_where_there_is_one() -> None:
    tables, about = made()
    assert ".ipynb" not in render(tables, about)
    assert 'href="./work.ipynb"' in render(tables, about, "work.ipynb")


@pytest.mark.skipif(bool(missing()), reason="Jupyter is not installed")
def test_the_notebook_was_executed_over_the_same_tables(tmp_path: Path) -> None:
    tables, about = made()
    for name, rows in tables.items():
        write_csv(tmp_path / f"{name}.csv", rows)
    (tmp_path / "benchmark.json").write_text(json.dumps(about))
    assert write_notebook(tmp_path / "analysis.ipynb", tmp_path)
    text = (tmp_path / "analysis.ipynb").read_text()
    assert str(tmp_path) not in text
    code = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    drawn = [out for cell in code for out in cell["outputs"] if "image/svg+xml" in out.get("data", {})]
    assert len(drawn) == 2 + 2 + 1 + 2 + 1 + 1
    assert not any(out["output_type"] == "error" for cell in code for out in cell["outputs"])
    # What the notebook read is what the page was made of.
    for name, rows in bt.read_tables(tmp_path).items():
        kept = rows.select(tables[name].columns)
        assert kept.rows() == tables[name].rows(), name


def test_one_thing_is_in_the_singular() -> None:
    tables, about = made()
    shared = [{"kind": "file", "value": "a.wav", "training": ["x"], "benchmark": ["y"]}]
    about |= {"readings": ["alpha:own"], "recordings": 1, "tapes": 1, "annotations": 1}
    about["overlap"] = {**about["overlap"], "shared": shared}  # type: ignore[dict-item]
    page = render(tables, about)
    assert "<p>1 reading of models on 1 recording, 1 tape (field recording), 1.50 h, 1 annotation;" in page
    assert "(1 shared item, listed below)" in page


def test_tables_without_rows_are_not_shown_and_many_thresholds_are_folded() -> None:
    tables, about = made()
    long = "; ".join(f"label {number} 0.5" for number in range(40))
    board = tables["leaderboard"].with_columns(decisions=pl.lit(long))
    empty = {name: tables[name].head(0) for name in ("per_quality", "boundaries")}
    page = render({**tables, **empty, "leaderboard": board}, about)
    assert "No annotation has a quality." in page
    assert "error of the" not in page
    assert page.count(f"</summary>{long}</details>") == 4


def test_axes_without_a_defined_figure_are_not_drawn_and_the_page_says_why() -> None:
    tables, about = made()
    rates = [f"{rate}{end}" for rate in ("precision", "recall", "f1") for end in ("", "_low", "_high")]
    undefined = {
        name: tables[name].with_columns(**{rate: pl.lit(None, dtype=pl.Float64) for rate in rates})
        for name in ("metrics", "leaderboard")
    }
    page = render({**tables, **undefined}, about)
    assert page.count("No F1 is defined: nothing was annotated and nothing was predicted.") == 2
    assert "Nothing to draw: no figure is defined at any threshold." in page
    assert "The dotted line" not in page
    assert "<summary>alpha as a table" in page
    assert "against the threshold; the table" not in page
    assert "Precision against recall" not in page


def test_long_names_leave_room_for_the_bars() -> None:
    long = "Pipistrellus pipistrellus social call type B (recorded below the bridge)"
    rows = bt.board(made()[0]["leaderboard"].with_columns(model=pl.lit(long)), CRITERION, "cross-fitted")
    names = [tick.get_text() for tick in fb.leaderboard_figure(rows, "cross-fitted").axes[0].get_yticklabels()]
    assert all(len(name.replace("\u200b", "")) <= 40 for name in names)


@pytest.mark.parametrize("count", [3, 19, 200])
def test_the_numbers_below_a_map_of_tapes_do_not_lie_over_each_other(count: int) -> None:
    thresholds = np.linspace(0.05, 0.95, count).round(3).tolist()
    name = "2024-05-01/Station 1 – Moor/SM4_0001_20240512_043000"
    rows = pl.DataFrame({"tape": [name] * count, "threshold": thresholds, "recall": [0.5] * count})
    figure = fb.tape_map_figure(rows, "t")
    figure.draw_without_rendering()
    boxes = [tick.get_window_extent() for tick in figure.axes[0].get_xticklabels()]
    assert len(boxes) > 1
    assert all(left.x1 < right.x0 for left, right in pairwise(boxes))


def test_names_of_many_long_readings_are_not_cut_at_the_edges() -> None:
    rows = bt.curve(made()[0]["metrics"], bt.chosen(made()[0]["metrics"], CRITERION)[0], CRITERION)
    names = [f"{'WIDE NAMES ' * 8}{number:02d}" for number in range(24)]
    for figure in (fb.pr_figure([(name, rows) for name in names]), fb.rates_figure(rows, names[0], 0.5)):
        figure.draw_without_rendering()
        texts = [figure.axes[0].title, figure.axes[0]._left_title, *figure.legends[0].get_texts()]
        boxes = [text.get_window_extent() for text in texts if text.get_text()]
        assert all(box.x0 >= 0 and box.x1 <= figure.bbox.x1 for box in boxes)


def test_a_page_says_which_of_many_tapes_are_drawn() -> None:
    tables, about = made()
    said = "At most 40 of the 50 tapes are drawn: those with annotations and the lowest recall."
    assert said in render(tables, about | {"tapes": 50})
    assert "tapes are drawn" not in render(tables, about)
