"""Recordings of a folder give the annotations of a conversion their paths, and say what does not fit them."""

from pathlib import Path

import numpy as np

from ossicle.audio.wav import write_wav
from ossicle.corpus.formats.cells.rows import RawSelection
from ossicle.corpus.formats.event_table import EventTable
from ossicle.corpus.formats.reading.audio_lookup import with_audio
from ossicle.corpus.formats.writing.conversion_losses import Account


def looked_up(folder: Path, *events: tuple[str, float, float]) -> tuple[EventTable, list[str]]:
    write_wav(folder / "a.wav", np.zeros(8000, dtype=np.float32), 800, "PCM_16")
    account = Account()
    rows = tuple(RawSelection(start, end, "hum", begin_path=file) for file, start, end in events)
    table = with_audio(EventTable(rows, tuple(sorted({row.begin_path for row in rows}))), folder, account)
    return table, account.notes


def test_events_after_the_end_of_their_recording_are_reported_and_kept(tmp_path: Path) -> None:
    table, notes = looked_up(tmp_path, ("a", 1.0, 2.0), ("a", 9.5, 10.5), ("a", 10.0, 11.0), ("a", 15.0, 16.0))
    assert notes == [
        "a.wav: 2 events after its end at 10 s; "
        "check that the table belongs to this recording and counts from its start"
    ]
    assert len(table.rows) == 4


def test_a_missing_recording_is_reported_with_one_that_differs_in_case(tmp_path: Path) -> None:
    _, notes = looked_up(tmp_path, ("A.WAV", 1.0, 2.0), ("b.wav", 99.0, 100.0))
    assert notes == [
        f"A.WAV: is not in {tmp_path} (there is 'a.wav': upper and lower case count; rename one); its name was kept",
        f"b.wav: is not in {tmp_path}; its name was kept",
    ]
