"""Tables that go out, what a person does to them, and what is concluded."""

import unicodedata
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ossicle.core.errors import FormatError, UsageError
from ossicle.corpus.formats.audacity import read_audacity, write_audacity
from ossicle.corpus.formats.cells.rows import RawSelection
from ossicle.corpus.formats.raven import read_raven, write_raven
from ossicle.corpus.review.answers import Answers, answers
from ossicle.corpus.review.selection import Look, Row
from ossicle.corpus.review.tables import (
    LOOK,
    UNSURE,
    Export,
    Sheet,
    read_export,
    read_returned,
    write_export,
)

FOUND = Row(5.0, 5.5, "hum", 0.9, "found")
ANNOTATED = Row(6.25, 6.5, "trill", None, "annotated", 1500.0, 3000.0, 2)
BELOW = Row(40.123456789, 41.0, "hum", 0.3, "below the threshold")
SHEETS = (
    Sheet(
        "a1",
        "site A/tape.wav",
        "d1",
        60.0,
        (Look(4.0, 7.5, ("best",), (FOUND, ANNOTATED)), Look(39, 42, ("x",), (BELOW,))),
    ),
    Sheet(
        "b1", "site B/tape.wav", "d2", 60.0, (Look(1.0, 3.0, ("uncertain",), (Row(2.0, 2.2, "hum", 0.5, "found"),)),)
    ),
)
EXPORT = Export("e1", {"model": "m"}, ("hum", "trill"), 8000.0, SHEETS)
RAVEN = Path("site A/tape.Table.1.selections.txt")
LABELS = Path("site A/tape.txt")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_export(tmp_path, EXPORT, ("raven", "audacity", "csv"))
    return tmp_path


def said(folder: Path, **options: object) -> Answers:
    export = read_export(folder)
    return answers(export, read_returned(folder, export), **options)  # type: ignore[arg-type]


def edit(file: Path, change: Callable[[list[RawSelection]], list[RawSelection]]) -> None:
    """What a person does in Raven or Audacity: open, change, save."""
    if file.name.endswith(".selections.txt"):
        write_raven(file, change(read_raven(file)))
    else:
        write_audacity(file, change(read_audacity(file)))


def row(rows: list[RawSelection], start_s: float) -> RawSelection:
    return next(
        raw_selection
        for raw_selection in rows
        if raw_selection.start_s == start_s and not raw_selection.label.startswith(LOOK)
    )


def test_all_formats_read_what_goes_out(folder: Path) -> None:
    export = read_export(folder)
    assert replace(export, tables={}) == EXPORT
    returned = read_returned(folder, export)
    assert {key: len(tables) for key, tables in returned.items()} == {"a1": 3, "b1": 3}
    for table in returned["a1"]:
        assert table.unchanged
        assert [
            (raw_selection.start_s, raw_selection.end_s, raw_selection.label)
            for raw_selection in sorted(table.rows, key=lambda raw_selection: raw_selection.start_s)
        ] == [
            (4.0, 7.5, f"{LOOK} best"),
            (5.0, 5.5, "hum"),
            (6.25, 6.5, "trill"),
            (39.0, 42.0, f"{LOOK} x"),
            (40.123457, 41.0, "hum"),
        ]
    text = (folder / RAVEN).read_text()
    assert text.splitlines()[0].endswith("Annotation\tScore\tQuality\tReason")
    assert "tape.wav\thum\t0.900000\t\tfound" in text


@pytest.mark.parametrize("file", [RAVEN, LABELS])
def test_a_corrected_table(folder: Path, file: Path) -> None:
    def person(rows: list[RawSelection]) -> list[RawSelection]:
        moved = replace(row(rows, 5.0), end_s=5.6)
        gone = row(rows, 40.123457)
        untouched = [raw_selection for raw_selection in rows if raw_selection not in (row(rows, 5.0), gone)]
        return [*untouched, moved, RawSelection(4.2, 4.4, "trill")]

    edit(folder / file, person)
    reading = said(folder)
    (recording,) = reading.recordings
    assert (recording.recording_id, recording.path, recording.digest) == ("a1", "site A/tape.wav", "d1")
    assert recording.examined == ((4.0, 7.5), (39.0, 42.0))
    assert [(note.start_s, note.end_s, note.label, note.provenance) for note in recording.events] == [
        (4.2, 4.4, "trill", "reviewed"),
        (5.0, 5.6, "hum", "reviewed"),
        (6.25, 6.5, "trill", "reviewed"),
    ]
    # What the table cannot hold, or drew for want of figures, is what it was.
    assert [(note.low_hz, note.high_hz, note.quality) for note in recording.events[1:]] == [
        (None, None, None),
        (1500.0, 3000.0, 2),
    ]
    assert reading.counts == {
        ("trill", "added"): 1,
        ("hum", "corrected"): 1,
        ("trill", "confirmed"): 1,
        ("hum", "removed"): 1,
    }
    assert reading.untouched == ("site B/tape.wav",)


def test_a_corrected_label_is_one_correction(folder: Path) -> None:
    edit(
        folder / RAVEN,
        lambda rows: [
            replace(raw_selection, label="trill") if raw_selection.label == "hum" else raw_selection
            for raw_selection in rows
        ],
    )
    assert said(folder).counts == {("trill", "corrected"): 2, ("trill", "confirmed"): 1}


def test_nothing_is_concluded_where_nobody_looked(folder: Path) -> None:
    edit(folder / RAVEN, lambda rows: [raw_selection for raw_selection in rows if raw_selection.label != f"{LOOK} x"])
    reading = said(folder)
    assert reading.recordings[0].examined == ((4.0, 7.5),)
    assert [note.start_s for note in reading.recordings[0].events] == [5.0, 6.25]
    assert reading.not_looked_at == 1
    assert ("hum", "removed") not in reading.counts


def test_an_edited_row_counts_for_itself_where_nobody_looked(folder: Path) -> None:
    def person(rows: list[RawSelection]) -> list[RawSelection]:
        untouched = [
            raw_selection
            for raw_selection in rows
            if not raw_selection.label.startswith(LOOK) and raw_selection.start_s != 40.123457
        ]
        return [*untouched, RawSelection(40.0, 41.0, "hum"), RawSelection(50.0, 50.5, "trill")]

    edit(folder / RAVEN, person)
    (recording,) = said(folder).recordings
    assert recording.examined == ((40.0, 41.0), (50.0, 50.5))
    assert [note.label for note in recording.events] == ["hum", "trill"]


def test_a_question_mark_leaves_its_time_unknown(folder: Path) -> None:
    edit(
        folder / RAVEN,
        lambda rows: [
            replace(raw_selection, label=UNSURE) if raw_selection.label == "hum" else raw_selection
            for raw_selection in rows
        ],
    )
    reading = said(folder)
    assert reading.recordings[0].examined == ((4.0, 5.0), (5.5, 7.5), (39.0, 40.123457), (41.0, 42.0))
    assert [note.label for note in reading.recordings[0].events] == ["trill"]
    assert (reading.undecided, reading.counts) == (2, {("trill", "confirmed"): 1})


def test_confirmed_rows_keep_the_times_that_went_out(folder: Path) -> None:
    (folder / RAVEN).write_text((folder / RAVEN).read_text() + "\n")
    assert said(folder).recordings[0].events[-1].start_s == 40.123456789


def test_tables_as_they_went_out_count_only_when_somebody_says_so(folder: Path) -> None:
    reading = said(folder)
    assert (reading.recordings, reading.untouched) == ((), ("site A/tape.wav", "site B/tape.wav"))
    reading = said(folder, accept_unchanged=True)
    assert [recording.recording_id for recording in reading.recordings] == ["a1", "b1"]
    assert reading.counts == {("hum", "confirmed"): 3, ("trill", "confirmed"): 1}


def test_a_missing_table_says_nothing(folder: Path) -> None:
    for file in (folder / "site B").iterdir():
        file.unlink()
    (folder / "review.csv").unlink()
    edit(folder / LABELS, lambda rows: rows[:2])
    reading = said(folder)
    assert (len(reading.recordings), reading.missing) == (1, ("site B/tape.wav",))


def test_the_spreadsheet_counts_recording_by_recording(folder: Path) -> None:
    table = folder / "review.csv"
    lines = table.read_text().splitlines()
    table.write_text("\n".join(line for line in lines if not line.startswith("site B/tape.wav,2.0")) + "\n")
    reading = said(folder)
    assert [(recording.recording_id, recording.events) for recording in reading.recordings] == [("b1", ())]
    assert reading.untouched == ("site A/tape.wav",)
    table.write_text(table.read_text().replace("site B", "site X"))
    with pytest.raises(
        FormatError, match=r"review\.csv, line 7: the file 'site X/tape\.wav' is not part of this export"
    ):
        said(folder)


def test_files_spelled_by_another_system_are_those_of_the_export(tmp_path: Path) -> None:
    sheet = replace(SHEETS[1], path="Orée/tape.wav")
    write_export(tmp_path, replace(EXPORT, sheets=(SHEETS[0], sheet)), ("csv",))
    table = tmp_path / "review.csv"
    table.write_text(unicodedata.normalize("NFD", table.read_text().replace(",2.200000,", ",2.300000,")))
    assert [recording.path for recording in said(tmp_path).recordings] == ["Orée/tape.wav"]


def test_two_tables_that_disagree_are_refused(folder: Path) -> None:
    edit(folder / RAVEN, lambda rows: rows[:-1])
    edit(folder / LABELS, lambda rows: rows[:2])
    with pytest.raises(FormatError, match="both changed and contradict each other for site A/tape"):
        said(folder)
    edit(folder / LABELS, lambda rows: read_raven(folder / RAVEN))
    assert len(said(folder).recordings) == 1


def test_a_new_label_must_be_allowed(folder: Path) -> None:
    edit(
        folder / LABELS,
        lambda rows: [
            replace(raw_selection, label="hun") if raw_selection.label == "hum" else raw_selection
            for raw_selection in rows
        ],
    )
    with pytest.raises(
        FormatError, match=r"tape\.txt, line 2: the label 'hun' is new; did you mean 'hum'\? Correct it, .*--new-label"
    ):
        said(folder)
    assert ("hun", "corrected") in said(folder, new_labels=("hun",)).counts


def test_events_beyond_the_end_are_refused_and_malformed_tables_named(folder: Path) -> None:
    edit(folder / LABELS, lambda rows: [*rows, RawSelection(59.0, 61.0, "hum")])
    with pytest.raises(FormatError, match=r"'hum' at 59 to 61 s is beyond the end of site A/tape\.wav at 60 s"):
        said(folder)
    (folder / LABELS).write_text("5.0\tx\thum\n")
    with pytest.raises(FormatError, match=r"tape\.txt, line 1: the end is 'x'"):
        said(folder)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("bad", ["59.5,70.25,hum", "59.5,70.25,hun", "59.5,59.75,h\x1bm"])
def test_the_line_of_a_bad_row_is_its_own(folder: Path, bad: str, encoding: str) -> None:
    table = folder / "review.csv"
    text = f"{table.read_text()}site A/tape.wav,{bad},,,,,\n"
    line = len(text.splitlines())
    table.write_bytes(text.encode(encoding))
    with pytest.raises(FormatError, match=rf"review\.csv, line {line}: "):
        said(folder)


def test_the_line_is_found_in_a_table_with_decimal_commas(folder: Path) -> None:
    lines = (folder / LABELS).read_text().splitlines()
    (folder / LABELS).write_text("\n".join([*lines, "59,5\t70,25\thum"]).replace(".", ",") + "\n")
    with pytest.raises(FormatError, match=rf"tape\.txt, line {len(lines) + 1}: 'hum' at 59\.5 to 70\.25 s"):
        said(folder)


def test_a_label_with_control_characters_is_not_offered_as_a_new_one(folder: Path) -> None:
    with (folder / LABELS).open("a") as labels:
        labels.write("5\t6\th\x1bm\n")
    with pytest.raises(FormatError, match=r"contains U\+001B; correct it, because no model can have it$"):
        said(folder)


def test_the_mark_of_a_stretch_counts_in_any_case(folder: Path) -> None:
    before = said(folder, accept_unchanged=True)
    text = (folder / LABELS).read_text()
    (folder / LABELS).write_text(text.replace("(look) best", "(LOOK) Best").replace("(look) x", "(Look) x"))
    after = said(folder, accept_unchanged=True)
    assert (after.counts, after.not_looked_at) == (before.counts, before.not_looked_at)


def test_new_labels_are_compared_in_one_unicode_form(folder: Path) -> None:
    edit(folder / LABELS, lambda rows: [*rows, RawSelection(5.6, 6.0, "K\u00e4uz")])
    assert ("K\u00e4uz", "added") in said(folder, new_labels=(" Ka\u0308uz ",)).counts


@pytest.mark.parametrize(
    ("label", "message"),
    [
        (" ", "is empty"),
        ("(look)", "another meaning"),
        ("(LOOK) best", "another meaning"),
        ("?", "another meaning"),
        ("a\x1b", r"contains U\+001B"),
    ],
)
def test_new_labels_that_can_be_no_label_are_refused(folder: Path, label: str, message: str) -> None:
    with pytest.raises(UsageError, match=f"--new-label.* {message}"):
        said(folder, new_labels=(label,))


def test_known_labels_are_listed_as_a_sentence(folder: Path) -> None:
    edit(folder / LABELS, lambda rows: [*rows, RawSelection(5.6, 6.0, "zzzzz")])
    with pytest.raises(FormatError, match=r"choose one of: hum, trill\. Correct it, or allow it"):
        said(folder)


def test_a_folder_without_an_export_is_refused(folder: Path) -> None:
    (folder / "export.json").write_text('{"format": 1}')
    with pytest.raises(FormatError, match="is not the record of an export"):
        read_export(folder)
    (folder / "export.json").unlink()
    with pytest.raises(UsageError, match="ossicle review export"):
        read_export(folder)
