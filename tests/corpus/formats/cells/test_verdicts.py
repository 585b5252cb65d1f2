"""What a reviewer wrote beside a row."""

from pathlib import Path

import pytest

from ..recognised_tables import events

MARKED = [
    ("Confirmed", ("yes", "no"), 1),
    ("Accepted", ("1", "0"), 1),
    ("is_correct", ("True", "False"), 1),
    ("rejected", ("", "x"), 1),
    ("validated", ("present", "not present"), 1),
    ("verification", ("false positive", "incorrect"), 2),
    # Not looked at yet.
    ("checked", ("1", "0"), 0),
    ("verified", ("yes", "no"), 0),
    ("Confirmed", ("yes", "yes"), 0),
    ("note", ("yes", "rejected"), 0),
]


@pytest.mark.parametrize("kind", ["csv", "raven", "kaleidoscope"])
@pytest.mark.parametrize(("name", "cells", "marked"), MARKED)
def test_rows_that_a_reviewer_rejected_are_reported(
    tmp_path: Path, kind: str, name: str, cells: tuple[str, str], marked: int
) -> None:
    path = tmp_path / ("a.Table.1.selections.txt" if kind == "raven" else "a.csv")
    if kind == "kaleidoscope":
        lines = [
            f"IN FILE,OFFSET,DURATION,TOP1MATCH,{name}",
            *(f"a.wav,{k},1,hum,{cell}" for k, cell in enumerate(cells)),
        ]
    else:
        start, end = ("Begin Time (s)", "End Time (s)") if kind == "raven" else ("start_time", "end_time")
        lines = [f"{start},{end},label,{name}", *(f"{k},{k + 1},hum,{cell}" for k, cell in enumerate(cells))]
    path.write_text("\n".join(lines).replace(",", "\t" if kind == "raven" else ","))
    table = events(path)
    assert len(table.rows) == 2
    notes = [note.message for note in table.notes if note.kind == "review_marks"]
    assert len(notes) == (marked > 0)
    assert all(f"{marked} of 2 rows are marked as no calls in the column {name!r}" in message for message in notes)
