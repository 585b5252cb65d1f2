"""Tables of a project: the same rules as in `convert` and `score`, and every row on the recording that it names."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ossicle.core.errors import FormatError
from ossicle.corpus.formats.event_table import EventTable
from ossicle.corpus.formats.reading.event_folders import read_event_folder
from ossicle.corpus.formats.reading.reader import Reading, read_annotations
from ossicle.corpus.formats.registry import ReadOptions
from ossicle.corpus.formats.writing.conversion_losses import Account
from ossicle.corpus.health.report import health
from ossicle.corpus.indexing.corpus_index import CorpusIndex, index_corpus
from ossicle.corpus.indexing.metadata_table import MetadataSettings
from ossicle.corpus.indexing.settings import CorpusSettings

RATE = 1000
HEADER = "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tHigh Freq (Hz)\tAnnotation\n"
ROW = "1\tSpectrogram 1\t1\t1.0\t2.0\t0\t400\thum\n"
CSV = "start_time,end_time,label\n"
FILES = "file,start_time,end_time,label\n"

Spans = dict[str, list[tuple[float, float, str]]]


@pytest.fixture
def project(tmp_path: Path) -> Callable[..., Path]:
    """A function that makes a folder of recordings of these lengths (s), and of tables."""

    def make(lengths_s: dict[str, float], tables: dict[str, str]) -> Path:
        for folder, names in (("audio", lengths_s), ("tables", tables)):
            for name in names:
                (tmp_path / folder / name).parent.mkdir(parents=True, exist_ok=True)
        for seed, (name, length_s) in enumerate(lengths_s.items()):
            noise = np.random.default_rng(seed).normal(0, 0.1, int(length_s * RATE))
            soundfile.write(tmp_path / "audio" / name, noise, RATE)
        for name, text in tables.items():
            (tmp_path / "tables" / name).write_text(text)
        return tmp_path

    return make


def index(folder: Path) -> CorpusIndex:
    return index_corpus(folder / "audio", folder / "tables", CorpusSettings(audio="audio", decode=False))


def in_project(folder: Path) -> Spans:
    corpus_index = index(folder)
    paths = {
        recording.id: recording.path.removesuffix(".wav") for recording in corpus_index.recordings if recording.reviewed
    }
    out: Spans = {path: [] for path in paths.values()}
    for annotation in corpus_index.annotations:
        out[paths[annotation.recording_id]].append((annotation.start_s, annotation.end_s, annotation.label))
    return out


def in_score(folder: Path) -> Spans:
    sets = read_event_folder(folder / "tables").sets
    return {key: sorted((row.start_s, row.end_s, row.label) for row in rows) for key, rows in sets.items()}


def in_convert(folder: Path) -> Spans:
    table = read_annotations(folder / "tables", Reading(), Account())
    assert isinstance(table, EventTable)
    out: Spans = {file.removesuffix(".wav"): [] for file in table.files}
    for row in table.rows:
        out[row.begin_path.removesuffix(".wav")].append((row.start_s, row.end_s, row.label))
    return {key: sorted(spans) for key, spans in out.items()}


EVERYWHERE = pytest.mark.parametrize("read", [in_project, in_score, in_convert])

# Tables, and the recordings that were reviewed with nothing found.
EMPTY: list[tuple[dict[str, str], set[str]]] = [
    ({"a.txt": ""}, {"a"}),
    ({"a.csv": ""}, {"a"}),
    ({"a.tsv": "\n"}, {"a"}),
    ({"a.selections.txt": " \r\n"}, {"a"}),
    ({"a.Table.1.selections.txt": HEADER}, {"a"}),
    ({"a.csv": CSV}, {"a"}),
    ({"a.tsv": CSV.replace(",", "\t")}, {"a"}),
    ({"a.BirdNET.results.csv": "Start (s),End (s),Scientific name,Common name,Confidence,File\n"}, {"a"}),
    ({"events.csv": FILES + "a.wav,,,\n"}, {"a"}),
    ({"events.tsv": "filename\tonset\toffset\tevent_label\na.wav\t\t\t\n"}, {"a"}),
    ({"events.csv": FILES}, set()),
    ({"a.csv": FILES}, set()),
    ({"events.tsv": "filename\tonset\toffset\tevent_label\n"}, set()),
]


@EVERYWHERE
@pytest.mark.parametrize(("tables", "reviewed"), EMPTY)
def test_one_rule_for_empty_tables(
    project: Callable[..., Path], read: Callable[[Path], Spans], tables: dict[str, str], reviewed: set[str]
) -> None:
    folder = project({"a.wav": 4.0, "b.wav": 4.0}, {**tables, "b.Table.1.selections.txt": HEADER + ROW})
    assert read(folder) == {"b": [(1.0, 2.0, "hum")], **{name: [] for name in reviewed}}


def test_text_that_is_named_after_a_recording_is_named_as_what_it_is(project: Callable[..., Path]) -> None:
    for text, words in (
        ("Windy, much rain.\n", "is named after a recording, but has no columns for start and end"),
        ("a\t\t00:00:01.0\t1.0\t00:00:02.0\t2.0\thum\n", "has no headings"),
    ):
        folder = project({"a.wav": 4.0, "b.wav": 4.0}, {"a.txt": text, "b.txt": "1\t2\thum\n"})
        with pytest.raises(FormatError, match=words) as caught:
            index(folder)
        assert "Raven" not in str(caught.value)
        assert "a.txt" in str(caught.value)


LABELS = "1\t2\thum\n"


@pytest.mark.parametrize("name", ["a_labels.txt", "a Label Track.txt", "a-annotations.txt", "A_SELECTIONS.txt"])
def test_a_table_with_a_word_behind_the_name_is_that_of_its_recording(project: Callable[..., Path], name: str) -> None:
    folder = project({f"{name[0]}.wav": 4.0, "b.wav": 4.0}, {name: LABELS, "b_labels.txt": ""})
    assert in_project(folder) == {name[0]: [(1.0, 2.0, "hum")], "b": []}


# Tables beside the recordings x/a.wav and y/b.wav, and those that have no recording.
BESIDE: list[tuple[dict[str, str], set[str]]] = [
    ({"a.txt": LABELS, "a annotations.txt": "Windy, much rain.\n"}, set()),
    ({"a.txt": LABELS, "a_labels.csv": "name,comment\nJane,windy\n"}, set()),
    # Older drafts, which contradict or would add rows.
    ({"a.txt": LABELS, "a_labels.txt": "1\t3\thum\n"}, {"a_labels.txt"}),
    ({"a.Table.1.selections.txt": HEADER + ROW, "a_selections.txt": "3\t4\thum\n"}, {"a_selections.txt"}),
    ({"a.txt": LABELS, "a_labels.txt": ""}, {"a_labels.txt"}),
    ({"events.csv": FILES + "a.wav,1,2,hum\n", "a_labels.txt": "1\t3\thum\n"}, {"a_labels.txt"}),
    # Either could be the one.
    ({"a.txt": LABELS, "b_labels.txt": LABELS, "b_annotations.txt": LABELS}, {"b_labels.txt", "b_annotations.txt"}),
    ({"a.txt": LABELS, "c_labels.txt": LABELS}, {"c_labels.txt"}),
]


@pytest.mark.parametrize(("tables", "unmatched"), BESIDE)
def test_a_word_behind_the_name_stops_no_project_that_has_other_tables(
    project: Callable[..., Path], tables: dict[str, str], unmatched: set[str]
) -> None:
    folder = project({"x/a.wav": 4.0, "y/b.wav": 4.0, "x/c.wav": 4.0, "y/c.wav": 4.0}, tables)
    corpus_index = index(folder)
    assert [(one.start_s, one.end_s, one.label) for one in corpus_index.annotations] == [(1.0, 2.0, "hum")]
    assert [recording.path for recording in corpus_index.recordings if recording.reviewed] == ["x/a.wav"]
    assert {note.where for note in corpus_index.notes if note.kind in ("second_table", "unmatched_table")} == unmatched


def test_a_table_that_was_not_read_says_which_other_one_speaks_of_its_recording(project: Callable[..., Path]) -> None:
    tables = {"a.txt": LABELS, "a_labels.txt": "1\t3\thum\n", "b_labels.txt": LABELS, "b_selections.txt": LABELS}
    folder = project({"a.wav": 4.0, "b.wav": 4.0}, tables)
    notes = {note.where: note for note in index(folder).notes}
    assert notes["a_labels.txt"].message == (
        "is named like a.wav, but a.txt also speaks of it; its 1 rows were skipped"
    )
    assert notes["b_labels.txt"].message.startswith("is named like b.wav, but b_selections.txt also speaks of it")
    assert notes["a_labels.txt"].lost == 1
    assert {note.kind for note in notes.values()} == {"second_table"}
    (problem,) = [one for one in health(index(folder), rate=RATE).problems if one.where == "a_labels.txt"]
    assert (problem.severity, problem.code) == ("warning", "second_table")


def test_a_table_without_rows_hides_no_labels(project: Callable[..., Path]) -> None:
    tables = {"a.txt": "", "a_labels.txt": LABELS, "b.txt": "", "b_labels.txt": LABELS, "b_selections.txt": LABELS}
    folder = project({"a.wav": 4.0, "b.wav": 4.0}, tables)
    # Which of the two tables of b holds is not known: it is no recording without calls.
    assert in_project(folder) == {"a": [(1.0, 2.0, "hum")]}
    notes = {note.where: note.message for note in index(folder).notes if note.kind == "second_table"}
    assert set(notes) == {"a.txt", "b.txt", "b_labels.txt", "b_selections.txt"}
    assert notes["a.txt"] == "says that a.wav holds nothing, but a_labels.txt speaks of events there; it does not count"


@pytest.mark.parametrize("read", [in_score, in_convert])
def test_two_recordings_whose_names_differ_in_a_word_stay_two(
    project: Callable[..., Path], read: Callable[[Path], Spans]
) -> None:
    folder = project({}, {"dawn.txt": LABELS, "dawn_selection.txt": "3\t4\thum\n"})
    assert read(folder) == {"dawn": [(1.0, 2.0, "hum")], "dawn_selection": [(3.0, 4.0, "hum")]}


def test_rows_that_were_rejected_are_a_warning(project: Callable[..., Path]) -> None:
    rows = FILES.replace("label", "label,Confirmed") + "a.wav,1,2,hum,yes\na.wav,3,3.5,hum,no\n"
    folder = project({"a.wav": 4.0}, {"events.csv": rows})
    (problem,) = [one for one in health(index(folder), rate=RATE).problems if one.code == "review_marks"]
    assert (problem.severity, problem.where) == ("warning", "events.csv")
    assert "1 of 2 rows are marked as no calls in the column 'Confirmed' ('no' in line 3)" in problem.message
    account = Account()
    read_annotations(folder / "tables", Reading(), account)
    assert any("'Confirmed'" in note for note in account.notes)


def test_an_empty_file_is_reported(project: Callable[..., Path]) -> None:
    folder = project({"a.wav": 4.0, "b.wav": 4.0}, {"a.txt": "", "b.txt": "1\t2\thum\n"})
    problems = {
        problem.code: (problem.severity, problem.where) for problem in health(index(folder), rate=RATE).problems
    }
    assert problems["empty_file"] == ("warning", "a.txt")
    account = Account()
    read_annotations(folder / "tables", Reading(), account)
    assert any("a.txt: is empty" in note for note in account.notes)
    assert [note.kind for note in read_event_folder(folder / "tables").notes] == ["empty_file"]


@EVERYWHERE
def test_rows_go_to_the_recordings_that_they_name(project: Callable[..., Path], read: Callable[[Path], Spans]) -> None:
    header = "label,onset_s,offset_s,notated_path,annot_path\n"
    tables = {"a.csv": header + "hum,1.0,2.0,a.wav,a.csv\nhum,3.0,4.0,b.wav,b.csv\n"}
    folder = project({"a.wav": 10.0, "b.wav": 10.0}, tables)
    assert read(folder) == {"a": [(1.0, 2.0, "hum")], "b": [(3.0, 4.0, "hum")]}


@EVERYWHERE
def test_the_only_file_of_a_table_is_not_the_one_it_is_named_after(
    project: Callable[..., Path], read: Callable[[Path], Spans]
) -> None:
    named = HEADER.replace("Annotation", "Begin File\tAnnotation")
    tables = {"a.Table.1.selections.txt": named + ROW.replace("hum", "b.wav\thum"), "c.txt": "1\t2\thum\n"}
    folder = project({"a.wav": 4.0, "b.wav": 4.0, "c.wav": 4.0}, tables)
    assert read(folder) == {"b": [(1.0, 2.0, "hum")], "c": [(1.0, 2.0, "hum")]}


def test_rows_of_a_missing_recording_stay_off_the_one_that_the_table_is_named_after(
    project: Callable[..., Path],
) -> None:
    folder = project({"a.wav": 4.0, "b.wav": 4.0}, {"a.csv": FILES + "c.wav,1,2,hum\n", "b.csv": CSV + "1,2,hum\n"})
    corpus_index = index(folder)
    assert {recording.path: recording.reviewed for recording in corpus_index.recordings} == {
        "a.wav": False,
        "b.wav": True,
    }
    assert [(note.kind, note.where) for note in corpus_index.notes if note.where == "a.csv"] == [
        ("unmatched_rows", "a.csv"),
        ("unmatched_table", "a.csv"),
    ]


@EVERYWHERE
def test_layers_add_up_and_copies_count_once(project: Callable[..., Path], read: Callable[[Path], Spans]) -> None:
    tables = {
        "a.Table.1.selections.txt": HEADER + ROW,
        "a.Table.1.selections (1).txt": HEADER + ROW,
        "a.Table.2.selections.txt": HEADER + ROW.replace("1.0\t2.0", "5.0\t6.0").replace("hum", "trill"),
        "events.csv": FILES + "a.wav,1,2,hum\n",
        # One layer tells what the other calls by another name: that is no contradiction.
        "b.Table.1.selections.txt": HEADER + ROW,
        "b.Table.2.selections.txt": HEADER + ROW.replace("hum", "trill"),
    }
    folder = project({"a.wav": 10.0, "b.wav": 10.0}, tables)
    both = [(1.0, 2.0, "hum"), (1.0, 2.0, "trill")]
    assert read(folder) == {"a": [(1.0, 2.0, "hum"), (5.0, 6.0, "trill")], "b": both}


@EVERYWHERE
def test_tables_that_contradict_each_other_are_refused(
    project: Callable[..., Path], read: Callable[[Path], Spans]
) -> None:
    tables = {"a.Table.1.selections.txt": HEADER + ROW, "events.csv": FILES + "a.wav,1,3,hum\n"}
    folder = project({"a.wav": 10.0}, tables)
    with pytest.raises(FormatError, match=r"a\.Table\.1\.selections\.txt and events\.csv contradict each other"):
        read(folder)


@EVERYWHERE
def test_a_table_named_like_a_recording_but_not_read_stops_or_is_a_warning(
    project: Callable[..., Path], read: Callable[[Path], Spans]
) -> None:
    folder = project({"a.wav": 4.0, "b.wav": 4.0}, {"a.csv": "1,2,hum\n3,4,hum\n", "b.csv": CSV + "1,2,hum\n"})
    if read is in_project:
        with pytest.raises(FormatError, match=r"a\.csv: looks like annotations but was not read: it has no headings"):
            read(folder)
        return
    assert read(folder) == {"b": [(1.0, 2.0, "hum")]}
    account = Account()
    read_annotations(folder / "tables", Reading(), account)
    assert account.incomplete
    assert [note.kind for note in read_event_folder(folder / "tables").notes] == ["table_not_read"]


def test_times_of_a_session_use_the_lengths_of_the_recordings(project: Callable[..., Path]) -> None:
    named = HEADER.replace("Annotation", "Begin File\tEnd File\tAnnotation")
    rows = "1\tS\t1\t1.0\t2.0\t0\t9\ta.wav\ta.wav\thum\n2\tS\t1\t12.0\t13.0\t0\t9\tb.wav\tb.wav\thum\n"
    folder = project({"a.wav": 10.0, "b.wav": 5.0}, {"session.selections.txt": named + rows})
    assert in_project(folder) == {"a": [(1.0, 2.0, "hum")], "b": [(2.0, 3.0, "hum")]}
    crossing = rows.replace("1.0\t2.0\t0\t9\ta.wav\ta.wav", "9.0\t11.0\t0\t9\ta.wav\tb.wav")
    (folder / "tables/session.selections.txt").write_text(named + crossing)
    assert in_project(folder) == {"a": [(9.0, 10.0, "hum")], "b": [(0.0, 1.0, "hum"), (2.0, 3.0, "hum")]}
    (folder / "audio/b.wav").unlink()
    soundfile.write(folder / "audio/b.wav", np.zeros(30 * RATE), RATE)
    with pytest.raises(FormatError, match=r"line 3: 12 s of 'b\.wav' could count from the start of this file"):
        index(folder)


def test_foreign_files_are_warnings_in_a_project(project: Callable[..., Path]) -> None:
    tables = {"a.txt": "1\t2\thum\n", "b.TextGrid": "File type", "notes.json": "{}", "calls.xlsx": "PK"}
    folder = project({"a.wav": 4.0, "b.wav": 4.0}, tables)
    problems = [(problem.severity, problem.where) for problem in health(index(folder), rate=RATE).problems]
    assert ("warning", "b.TextGrid") in problems
    assert ("warning", "calls.xlsx") in problems
    assert ("note", "notes.json") in problems


def test_the_metadata_of_a_project_is_no_table_that_was_not_read(project: Callable[..., Path]) -> None:
    meta = "file,species,recordist\na.wav,hum,Jane\n"
    folder = project({"a.wav": 4.0}, {"a.txt": "1\t2\thum\n", "meta.csv": meta, "other.csv": meta})
    meta_settings = MetadataSettings(table="tables/meta.csv", file_column="file", label_column="", secondary_column="")
    settings = CorpusSettings(audio="audio", decode=False, metadata=meta_settings)
    index_read = index_corpus(folder / "audio", folder / "tables", settings, metadata_table=folder / "tables/meta.csv")
    assert [note.where for note in index_read.notes if note.kind == "table_not_read"] == ["other.csv"]


def test_no_label_column_stops_a_project_and_a_default_label_helps(project: Callable[..., Path]) -> None:
    folder = project({"a.wav": 4.0}, {"a.csv": "file,start_time,end_time,channel,checked\na.wav,1,2,1,1\n"})
    with pytest.raises(FormatError, match=r"a\.csv, line 1: no label column"):
        index(folder)
    settings = CorpusSettings(audio="audio", decode=False, default_label="call")
    corpus_index = index_corpus(folder / "audio", folder / "tables", settings)
    assert [annotation.label for annotation in corpus_index.annotations] == ["call"]
    assert read_event_folder(folder / "tables", ReadOptions(default_label="call")).sets["a"][0].label == "call"


def test_rows_of_another_recording_without_suffix_stop_a_project(project: Callable[..., Path]) -> None:
    table = "Aufnahme,start,end,label\na,1,2,hum\nb,3,4,hum\n"
    folder = project({"a.wav": 10.0, "b.wav": 10.0}, {"a.csv": table})
    with pytest.raises(FormatError, match="the column 'Aufnahme' seems to name the recording of each row"):
        index(folder)
    (folder / "tables/a.csv").write_text(table.replace("Aufnahme", "file"))
    assert in_project(folder) == {"a": [(1.0, 2.0, "hum")], "b": [(3.0, 4.0, "hum")]}


def test_columns_that_are_not_read_are_listed_once(project: Callable[..., Path]) -> None:
    header, row = HEADER.replace("\n", "\tConfirmed\n"), ROW.replace("\n", "\tno\n")
    tables = {f"{name}.Table.1.selections.txt": header + row for name in "ab"}
    corpus_index = index(project({"a.wav": 4.0, "b.wav": 4.0}, tables))
    problems = [
        (problem.severity, problem.message)
        for problem in health(corpus_index, rate=RATE).problems
        if problem.code == "columns_not_read"
    ]
    assert problems == [("note", "columns without a place in an annotation were not read (cells): 'Confirmed' (2)")]
