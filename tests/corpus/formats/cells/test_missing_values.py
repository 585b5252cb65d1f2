"""Cells that mean a missing value in R, pandas, databases and spreadsheets are no numbers, labels or groups."""

from pathlib import Path

import pytest

from ossicle.core.errors import FormatError
from ossicle.corpus.formats.cells.missing_values import MARKS, NO_LABELS
from ossicle.corpus.formats.event_csv import read_events
from ossicle.corpus.formats.kaleidoscope import read_kaleidoscope
from ossicle.corpus.formats.raven import read_raven_table

# As write.csv of R writes a selection table of warbleR with unknown frequencies.
WARBLER = '"","sound.files","selec","start","end","label","bottom.freq","top.freq"\n'
RAVEN = "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tHigh Freq (Hz)\tAnnotation\tScore\n"
KALEIDOSCOPE = "INDIR,FOLDER,IN FILE,OFFSET,DURATION,TOP1MATCH,TOP1DIST,MANUAL ID\n"


def write(tmp_path: Path, name: str, text: str) -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("mark", sorted(MARKS))
def test_a_missing_number_is_none(tmp_path: Path, mark: str) -> None:
    table = write(tmp_path, "r.csv", f'{WARBLER}"1","a.wav",1,1.0,1.3,"call",{mark},{mark}\n')
    (row,) = read_events(table).rows
    assert (row.low_hz, row.high_hz, row.label) == (None, None, "call")
    raven = write(tmp_path, "a.txt", f"{RAVEN}1\tSpectrogram 1\t{mark}\t1\t2\t{mark}\t4000\tcall\t{mark}\n")
    (row,) = read_raven_table(raven).rows
    assert (row.low_hz, row.high_hz, row.channel, row.confidence) == (None, 4000.0, None, None)
    (row,) = read_kaleidoscope(write(tmp_path, "k.csv", f"{KALEIDOSCOPE},f,a.wav,1,2,wren,{mark},\n")).rows
    assert (row.label, row.confidence) == ("wren", None)


@pytest.mark.parametrize("mark", sorted(NO_LABELS))
def test_a_missing_label_is_no_class(tmp_path: Path, mark: str) -> None:
    table = write(tmp_path, "r.csv", f'{WARBLER}"1","a.wav",1,1.0,1.3,"call",1,2\n"2","a.wav",2,2.0,2.3,{mark},1,2\n')
    with pytest.raises(FormatError, match=rf"line 3: the label is {mark!r}, .*missing value.*default label"):
        read_events(table)
    assert [row.label for row in read_events(table, default_label="song").rows] == ["call", "song"]
    raven = write(tmp_path, "a.txt", f"{RAVEN}1\tSpectrogram 1\t1\t1\t2\t100\t4000\t{mark}\t1\n")
    with pytest.raises(FormatError, match="missing value"):
        read_raven_table(raven)
    (row,) = read_kaleidoscope(write(tmp_path, "k.csv", f"{KALEIDOSCOPE},f,a.wav,1,2,wren,1,{mark}\n")).rows
    assert row.label == "wren"  # an empty MANUAL ID leaves the match


def test_a_label_column_of_missing_values_hides_no_full_one(tmp_path: Path) -> None:
    table = write(tmp_path, "r.csv", "file,start_time,end_time,label,species\na.wav,1,2,NA,wren\na.wav,3,4,NA,crow\n")
    assert [row.label for row in read_events(table).rows] == ["wren", "crow"]


@pytest.mark.parametrize("mark", ["NA", "nan", "NaN", "null"])
def test_a_row_of_a_file_and_missing_values_was_reviewed(tmp_path: Path, mark: str) -> None:
    text = f"file,start_time,end_time,label\na.wav,1,2,call\nb.wav,{mark},{mark},{mark}\n"
    found = read_events(write(tmp_path, "events.csv", text))
    assert ([row.begin_path for row in found.rows], found.files) == (["a.wav"], ("a.wav", "b.wav"))


def test_a_missing_time_is_named(tmp_path: Path) -> None:
    table = write(tmp_path, "events.csv", "file,start_time,end_time,label\na.wav,NA,2,call\n")
    with pytest.raises(FormatError, match=r"line 2: the start is 'NA', a missing value; fill it in"):
        read_events(table)


def test_words_and_syllables_stay_labels(tmp_path: Path) -> None:
    text = "utterance,start_time,end_time,word\nu1,1,2,na\nu1,2,3,nan\nu1,3,4,null\n"
    assert [row.label for row in read_events(write(tmp_path, "words.csv", text)).rows] == ["na", "nan", "null"]
