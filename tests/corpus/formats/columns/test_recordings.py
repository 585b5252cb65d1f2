"""A row goes to the recording that it names, and to no other."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ossicle.core.errors import FormatError
from ossicle.corpus.formats.columns.headings import FILE
from ossicle.corpus.formats.event_table import EventTable
from ossicle.corpus.formats.registry import ReadOptions
from ossicle.corpus.formats.session_times import lengths_of

from ..recognised_tables import events, events_or_refusal

headings = st.one_of(
    st.sampled_from(FILE),
    st.text(st.characters(categories=("Lu", "Ll", "Nd"), include_characters=" ._"), min_size=1, max_size=12),
)


@settings(deadline=None, max_examples=150)
@given(heading=headings, files=st.lists(st.sampled_from(["a.wav", "x/b.WAV", "D:\\c.flac"]), min_size=1, max_size=4))
@pytest.mark.parametrize("suffix", [".csv", ".txt"])
def test_a_row_is_of_the_recording_that_it_names_or_refused(
    tmp_path_factory: pytest.TempPathFactory, heading: str, files: list[str], suffix: str
) -> None:
    path = tmp_path_factory.getbasetemp() / f"a{suffix}"
    times = "start_time\tend_time" if suffix == ".csv" else "Begin Time (s)\tEnd Time (s)"
    lines = [f"{k}\t{k}.5\tx\t{file}" for k, file in enumerate(files)]
    path.write_text("\n".join([f"{times}\tlabel\t{heading}", *lines]))
    result = events_or_refusal(path)
    if isinstance(result, EventTable):
        assert [(row.label, row.begin_path) for row in result.rows] == [("x", file) for file in files]
    else:
        assert str(path) in result


@pytest.mark.parametrize("heading", ["recording", "wav", "clip name", "Datei", "sound", "Soundfile 1"])
@pytest.mark.parametrize("suffix", [".csv", ".txt"])
def test_an_unknown_column_of_file_names_is_refused_by_name(tmp_path: Path, heading: str, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_text(f"Begin Time (s)\tEnd Time (s)\tlabel\t{heading}\n1\t2\tx\ta.wav\n3\t4\tx\tb.wav\n5\t6\tx\ta.wav\n")
    with pytest.raises(FormatError, match=rf"line 1: the column '{heading}' seems to name the recording of each row"):
        events(path)
    # The remedy works.
    path.write_text(path.read_text().replace(heading, "file", 1))
    assert [row.begin_path for row in events(path).rows] == ["a.wav", "b.wav", "a.wav"]


@pytest.mark.parametrize("suffix", [".csv", ".txt"])
def test_a_column_of_recordings_without_suffix_is_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    for heading, known in (("recording", {}), ("Aufnahme", {"a": 10.0, "b": 10.0})):
        path.write_text(f"Begin Time (s)\tEnd Time (s)\tlabel\t{heading}\n1\t2\tx\ta\n3\t4\tx\tb\n")
        options = ReadOptions(lengths=lengths_of(known.get, lambda stated: stated, known))
        with pytest.raises(FormatError, match=rf"line 1: the column '{heading}' seems to name the recording"):
            events(path, options)
    # The name of its own recording, numbers and other words name no other recording.
    for text in ("a", "7", "windy"):
        path.write_text(f"Begin Time (s)\tEnd Time (s)\tlabel\tAufnahme\n1\t2\tx\ta\n3\t4\tx\t{text}\n")
        assert len(events(path, options).rows) == 2


def test_the_name_of_the_table_among_others_names_recordings(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    for heading in ("site", "uri", "tape"):
        path.write_text(f"start,end,label,{heading}\n1,2,x,a\n3,4,x,b\n")
        with pytest.raises(FormatError, match=f"line 1: the column '{heading}' seems to name the recording"):
            events(path)
        path.write_text(f"start,end,label,{heading}\n1,2,x,a\n3,4,x,\n")
        assert len(events(path).rows) == 2
    # Names may be those of birds and people, but not where all are those of recordings.
    for heading in ("Annotator", "individual", "name"):
        path.write_text(f"start,end,label,{heading}\n1,2,x,a\n3,4,x,b\n")
        assert len(events(path).rows) == 2
    known = {"a": 10.0, "b": 10.0}
    options = ReadOptions(lengths=lengths_of(known.get, lambda stated: stated, known))
    with pytest.raises(FormatError, match="line 1: the column 'name' seems to name the recording"):
        events(path, options)
    # Where the recordings are known, and these are none, the table is one of a recording that is missing.
    path.write_text("start,end,label,site\n1,2,x,a\n3,4,x,b\n")
    others = {"c": 10.0}
    assert len(events(path, ReadOptions(lengths=lengths_of(others.get, others.get, others))).rows) == 2
    # In tables of DAS it is the label.
    path.write_text("name,start_seconds,stop_seconds\na,1,2\nb,3,4\n")
    assert [row.label for row in events(path, options).rows] == ["a", "b"]


def test_some_rows_without_a_file_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("Begin Time (s)\tEnd Time (s)\tBegin File\tAnnotation\n1\t2\tb.wav\tx\n3\t4\t\tx\n")
    with pytest.raises(FormatError, match="line 3: 'Begin File' is empty, and other rows name their file"):
        events(path)
    path.write_text(path.read_text().replace("b.wav", ""))
    assert [row.begin_path for row in events(path).rows] == ["", ""]


def test_ids_of_the_form_of_audioset_may_number_the_segments_of_a_recording(tmp_path: Path) -> None:
    path = tmp_path / "tape_site_1.csv"
    header = "segment_id,start_time_seconds,end_time_seconds,label\n"
    path.write_text(f"{header}tape_site_1_001,1,2,hum\ntape_site_1_002,3,4,hum\n")
    known = {"tape_site_1": 10.0}
    options = ReadOptions(lengths=lengths_of(known.get, lambda stated: stated, known))
    assert [row.begin_path for row in events(path, options).rows] == ["", ""]
    # Nothing is known about the recordings.
    assert [row.begin_path for row in events(path).rows] == ["tape_site_1_001", "tape_site_1_002"]
    # Ids of AudioSet all have one form.
    path.write_text(f"{header}tape_site_1_001,1,2,hum\nlast,3,4,hum\n")
    assert [row.begin_path for row in events(path).rows] == ["", ""]


@pytest.mark.parametrize("suffix", [".csv", ".txt"])
def test_two_columns_that_name_different_recordings_are_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"x{suffix}"
    header = "Begin Time (s)\tEnd Time (s)\tlabel\tfile\tsource_file\n"
    path.write_text(f"{header}1\t2\thum\tx/clip.wav\tclip.wav\n3\t4\thum\tclip.wav\ttape.wav\n")
    known = {"clip.wav": 10.0, "x/clip.wav": 10.0, "tape.wav": 100.0}
    options = ReadOptions(lengths=lengths_of(known.get, lambda stated: stated, known))
    with pytest.raises(FormatError, match=r"line 3: 'file' is 'clip.wav' and 'source_file' is 'tape.wav', and both"):
        events(path, options)
    # The source may lie elsewhere.
    del known["tape.wav"]
    assert [row.begin_path for row in events(path, options).rows] == ["x/clip.wav", "clip.wav"]
