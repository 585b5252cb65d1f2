from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ossicle.core.errors import FormatError, UsageError
from ossicle.corpus.formats.cells.rows import RawSelection
from ossicle.corpus.formats.event_table import EventTable
from ossicle.corpus.formats.registry import guess
from ossicle.corpus.formats.window_tables.score_tables import (
    ScoreTable,
    Windows,
    read_dcase_scores,
    read_opensoundscape,
    write_dcase_scores,
    write_opensoundscape,
)
from ossicle.corpus.formats.window_tables.window_labels import WindowPlan, to_events, to_windows

unit = st.floats(0, 1, allow_nan=False)


@settings(deadline=None, max_examples=20)
@given(values=st.lists(st.tuples(unit, unit), min_size=1, max_size=5), hop=st.floats(0.001, 10))
def test_figures_come_back_as_they_were(tmp_path_factory, values, hop):
    folder = tmp_path_factory.mktemp("scores")
    edges = np.arange(len(values) + 1) * hop
    windows = Windows(np.stack([edges[:-1], edges[1:]], axis=1), np.array(values))
    table = ScoreTable(("=a", "ü b"), {"x": windows})
    write_opensoundscape(folder / "x.csv", table)
    write_dcase_scores(folder / "x.tsv", table.labels, windows)
    for read in (read_opensoundscape(folder / "x.csv"), read_dcase_scores(folder / "x.tsv", "x")):
        assert read.labels == table.labels
        assert np.array_equal(read.files["x"].times_s, windows.times_s)
        assert np.array_equal(read.files["x"].values, windows.values)


def test_windows_that_overlap_are_no_scores_of_dcase(tmp_path: Path) -> None:
    windows = Windows(np.array([[0.0, 3.0], [1.5, 4.5]]), np.zeros((2, 1)))
    with pytest.raises(FormatError, match=r"a window ends at 3 s and the next starts at 1\.5 s"):
        write_dcase_scores(tmp_path / "x.tsv", ["a"], windows)
    assert not list(tmp_path.iterdir())


def test_events_are_joined_where_windows_touch_or_overlap() -> None:
    times = np.array([[0, 3], [3, 6], [6, 9], [7.5, 10.5], [20, 23]], dtype=float)
    table = ScoreTable(("a",), {"x": Windows(times, np.array([[0.9], [0.6], [0.1], [0.5], [0.7]]))})
    event_table = to_events(table, 0.5)
    assert [(row.start_s, row.end_s, row.confidence) for row in event_table.rows] == [
        (0.0, 6.0, 0.9),
        (7.5, 10.5, 0.5),
        (20.0, 23.0, 0.7),
    ]
    with pytest.raises(FormatError, match="give a threshold"):
        to_events(table, None)


def test_a_label_needs_its_overlap_and_what_reaches_no_window_is_counted() -> None:
    rows = (
        RawSelection(2.8, 3.4, "a", begin_path="x"),
        RawSelection(5.9, 6.05, "b", begin_path="x"),
        RawSelection(1.0, 1.0, "a", begin_path="y"),
        RawSelection(0.5, 1.5, "b", begin_path="z"),
    )
    table = EventTable(rows, ("x", "y", "z"), durations_s={"x": 7.0, "y": 2.0, "z": 3.0})
    windowed = to_windows(table, WindowPlan(3.0, 3.0, 0.25))
    assert windowed.lost == 2
    assert windowed.table.files["x"].values.tolist() == [[0, 0], [1, 0], [0, 0]]
    assert windowed.table.files["z"].values.tolist() == [[0, 1]]
    everything = to_windows(table, WindowPlan(3.0, 3.0, 0.0))
    assert everything.lost == 0
    assert everything.table.files["y"].values.tolist() == [[1, 0]]


def test_windows_need_durations_and_labels() -> None:
    rows = (RawSelection(0, 1, "a", begin_path="x"),)
    with pytest.raises(UsageError, match=r"'x' and 1 more is not known.*--durations"):
        to_windows(EventTable(rows, ("x", "y")), WindowPlan())
    with pytest.raises(UsageError, match="no event has a label"):
        to_windows(EventTable((), ("x",), durations_s={"x": 1.0}), WindowPlan())


def short_events(*lengths_s: float) -> EventTable:
    rows = tuple(RawSelection(k + 0.9, k + 0.9 + s, "chip", begin_path="x") for k, s in enumerate(lengths_s))
    return EventTable(rows, ("x",), durations_s={"x": len(lengths_s) + 2.0})


@given(
    starts=st.lists(st.floats(0, 50), min_size=1, max_size=8),
    length_s=st.floats(0, 0.5),
    window_s=st.sampled_from([0.1, 0.3, 1.0, 3.0]),
)
def test_every_event_labels_a_window_by_default(starts: list[float], length_s: float, window_s: float) -> None:
    rows = tuple(RawSelection(start, start + length_s, "chip", begin_path="x") for start in starts)
    windowed = to_windows(EventTable(rows, ("x",), durations_s={"x": 60.0}), WindowPlan(window_s, window_s))
    assert windowed.lost == 0


def test_a_label_that_would_vanish_is_refused_with_a_remedy_that_works() -> None:
    with pytest.raises(UsageError, match=r"all 2 events of 'chip' would label no window; lower --min-overlap-s 0\.25"):
        to_windows(short_events(0.05, 0.2), WindowPlan(3.0, 3.0, 0.25))
    assert to_windows(short_events(0.05, 0.2), WindowPlan(3.0, 3.0)).lost == 0
    assert to_windows(short_events(0.05, 0.5), WindowPlan(3.0, 3.0, 0.25)).lost == 1
    late = EventTable(short_events(0.05).rows, ("x",), durations_s={"x": 0.5})
    with pytest.raises(UsageError, match="would label no window; they begin after the end of their recordings"):
        to_windows(late, WindowPlan(0.1, 0.1))


def test_windows_with_gaps_are_refused() -> None:
    with pytest.raises(UsageError, match="windows of 1 s that start every 2 s leave gaps"):
        to_windows(short_events(0.5), WindowPlan(1.0, 2.0))


@pytest.mark.parametrize(("duration_s", "step_s"), [(1e9, 3.0), (1e308, 3.0), (24.0, 1e-9)])
def test_windows_that_no_memory_holds_are_refused_with_the_file(duration_s: float, step_s: float) -> None:
    events = EventTable(
        (RawSelection(0.0, 1.0, "x", begin_path="a.wav"),), ("a.wav",), durations_s={"a.wav": duration_s}
    )
    with pytest.raises(
        UsageError, match=r"'a\.wav' lasts .* s, which is .* windows, more than 10,000,000; correct its"
    ):
        to_windows(events, WindowPlan(step_s=step_s))


@pytest.mark.parametrize("first", [0, 1])
def test_numbers_of_rows_are_no_class(tmp_path, first):
    path = tmp_path / "x.csv"
    rows = [(0.0, 5.0, 1, 0), (5.0, 10.0, 0, 1)]
    lines = [f"{k + first},a.wav," + ",".join(map(str, row)) for k, row in enumerate(rows)]
    path.write_text("\n".join([",file,start_time,end_time,wren,crow", *lines]))
    assert guess(path).name == "opensoundscape"
    table = read_opensoundscape(path)
    assert (table.labels, table.files["a.wav"].values.tolist()) == (("wren", "crow"), [[1, 0], [0, 1]])
    path.write_text(path.read_text().replace(f"\n{first + 1},", "\n7,"))
    with pytest.raises(FormatError, match="a name for each class"):
        read_opensoundscape(path)
