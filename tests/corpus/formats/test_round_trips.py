"""What is written in any format is recognised and read back, or refused before it is written."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ossicle.core.errors import FormatError, UsageError
from ossicle.corpus.formats.cells.rows import RawSelection, label_text
from ossicle.corpus.formats.columns.headings import NOT_CLASSES
from ossicle.corpus.formats.event_table import EventTable
from ossicle.corpus.formats.registry import EVENT_FORMATS, FORMATS, ReadOptions, WriteOptions, guess
from ossicle.corpus.formats.window_tables.score_tables import ScoreTable, write_dcase_scores, write_opensoundscape
from ossicle.corpus.formats.window_tables.window_labels import WindowPlan, to_windows

characters = st.characters(exclude_categories=("Cs",), exclude_characters="\0")
labels = st.one_of(
    st.sampled_from([*sorted(NOT_CLASSES), "File", "nocall", "Call", "call", "=x", '"a" b', "a;b", "1,5", "a\nb", "?"]),
    st.text(characters, min_size=1, max_size=8),
).map(label_text)
labels = labels.filter(bool)


def read_back(path: Path, name: str) -> EventTable | ScoreTable:
    result = guess(path)
    assert result is not None
    assert result.name == name
    assert result.read is not None
    return result.read(path, ReadOptions())


@settings(deadline=None, max_examples=80)
@given(chosen=st.lists(labels, min_size=1, max_size=4, unique=True))
@pytest.mark.parametrize("name", ["opensoundscape", "dcase-scores"])
def test_windows_come_back_or_are_refused(
    tmp_path_factory: pytest.TempPathFactory, name: str, chosen: list[str]
) -> None:
    path = tmp_path_factory.getbasetemp() / f"a{FORMATS[name].ending}"
    path.unlink(missing_ok=True)
    rows = tuple(RawSelection(k + 0.1, k + 0.9, label, begin_path="a") for k, label in enumerate(chosen))
    table = to_windows(EventTable(rows, ("a",), durations_s={"a": 5.0}), WindowPlan(1.0, 0.5)).table
    if name == "dcase-scores":
        table = to_windows(EventTable(rows, ("a",), durations_s={"a": 5.0}), WindowPlan(1.0, 1.0)).table
    try:
        if name == "opensoundscape":
            write_opensoundscape(path, table)
        else:
            write_dcase_scores(path, table.labels, table.files["a"])
    except (FormatError, UsageError):
        assert not path.exists()
        return
    back = read_back(path, name)
    assert isinstance(back, ScoreTable)
    assert back.labels == table.labels
    assert back.files["a"].values.tolist() == table.files["a"].values.tolist()


@settings(deadline=None, max_examples=60)
@given(chosen=st.lists(labels, min_size=1, max_size=4))
@pytest.mark.parametrize("name", EVENT_FORMATS)
def test_events_come_back_or_are_refused(
    tmp_path_factory: pytest.TempPathFactory, name: str, chosen: list[str]
) -> None:
    path = tmp_path_factory.getbasetemp() / f"a{FORMATS[name].ending}"
    path.unlink(missing_ok=True)
    rows = tuple(
        RawSelection(float(k), k + 0.5, label, begin_path="x/a.wav", low_hz=1.0, high_hz=2.0, channel=1)
        for k, label in enumerate(chosen)
    )
    write = FORMATS[name].write
    assert write is not None
    try:
        write(path, EventTable(rows, ("x/a.wav",)), WriteOptions())
    except FormatError:
        assert not path.exists()
        return
    back = read_back(path, name)
    assert isinstance(back, EventTable)
    assert [(row.start_s, row.end_s, row.label) for row in back.rows] == [
        (row.start_s, row.end_s, row.label) for row in rows
    ]
