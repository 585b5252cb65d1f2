"""Metadata tables: labels and fields of whole recordings, and what of such a table is refused."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest
import soundfile

from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.core.errors import FormatError, UsageError
from ossicle.corpus.formats.cells.delimited import write_delimited
from ossicle.corpus.health.report import health
from ossicle.corpus.indexing.corpus_index import CorpusIndex, index_corpus
from ossicle.corpus.indexing.index_storage import read_index, write_index
from ossicle.corpus.indexing.metadata_table import MetadataSettings, read_metadata
from ossicle.corpus.indexing.recording_labels import is_negative
from ossicle.corpus.indexing.settings import CorpusSettings

RATE = 8000
HEADER = ("primary_label", "secondary_labels", "filename", "rating", "author", "url")
ROWS = (
    ("wren", "['robin', '']", "wren/XC1.ogg", "4.5", "Ann Lee", "https://x.org/1"),
    ("wren", "[]", "wren/XC12.ogg", "0", "ann  lee", "https://x.org/12"),
    ("robin", "['wren', 'crow']", "robin/XC1.ogg", "3", "Unknown", ""),
    ("nocall", "", "quiet/XC3.ogg", "", "", ""),
)


def corpus(folder: Path, rows: Sequence[Sequence[str]] = ROWS, header: Sequence[str] = HEADER) -> Path:
    for number, row in enumerate(ROWS):
        file = folder / "audio" / row[2]
        file.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(file, [0.1 * (number + 1), -0.1] * (RATE + number), RATE)
    write_delimited(folder / "train.csv", header, rows)
    return folder


def index(folder: Path, group: str = "author", table: str = "train.csv", **metadata: object) -> CorpusIndex:
    settings = CorpusSettings(
        audio="audio",
        decode=False,
        metadata=MetadataSettings(table=table, **metadata),  # type: ignore[arg-type]
    )
    return index_corpus(folder / "audio", None, settings, group=group, metadata_table=folder / table)


def labels(found: CorpusIndex) -> dict[str, list[str]]:
    names = {one.id: one.path for one in found.recordings}
    out: dict[str, list[str]] = {one.path: [] for one in found.recordings}
    for note in found.annotations:
        out[names[note.recording_id]].append(note.label)
    return {path: sorted(of) for path, of in out.items()}


def test_labels_fields_and_groups_of_a_birdclef_table(tmp_path: Path) -> None:
    found = index(corpus(tmp_path))
    assert labels(found) == {
        "quiet/XC3.ogg": [],
        "robin/XC1.ogg": ["crow", "robin", "wren"],
        "wren/XC1.ogg": ["robin", "wren"],
        "wren/XC12.ogg": ["wren"],
    }
    assert all(one.reviewed for one in found.recordings)
    by_path = {one.path: one for one in found.recordings}
    whole = {
        (note.start_s, note.end_s) for note in found.annotations if note.recording_id == by_path["wren/XC1.ogg"].id
    }
    assert whole == {(0.0, by_path["wren/XC1.ogg"].duration_s)}
    # Spellings that differ by case and blanks are one author; one who is unknown is nobody else's.
    assert {path: one.fields["author"] for path, one in by_path.items()} == {
        "quiet/XC3.ogg": "quiet/XC3.ogg",
        "robin/XC1.ogg": "robin/XC1.ogg",
        "wren/XC1.ogg": "Ann Lee",
        "wren/XC12.ogg": "Ann Lee",
    }
    assert by_path["wren/XC1.ogg"].fields["rating"] == "4.5"
    assert "rating" not in by_path["quiet/XC3.ogg"].fields
    assert found.left_out == ()


def test_the_author_is_left_as_stated_where_it_is_not_the_group(tmp_path: Path) -> None:
    found = index(corpus(tmp_path), group="recording")
    assert [one.fields.get("author") for one in found.recordings] == [None, None, "Ann Lee", "ann lee"]


@pytest.mark.parametrize("secondary", ["unknown", "none"])
def test_secondary_labels_may_be_unknown_or_unread(tmp_path: Path, secondary: str) -> None:
    found = index(corpus(tmp_path), secondary=secondary)
    assert labels(found)["robin/XC1.ogg"] == ["robin"]
    unknown = {one.path: found.unknown[one.id] for one in found.recordings if one.id in found.unknown}
    expected = {"wren/XC1.ogg": ("robin",), "robin/XC1.ogg": ("crow", "wren")}
    assert unknown == (expected if secondary == "unknown" else {})
    write_index(found, CorpusFolder(tmp_path / "index"))
    assert read_index(CorpusFolder(tmp_path / "index")) == found


def test_a_parquet_table_with_lists_is_read_alike(tmp_path: Path) -> None:
    found = index(corpus(tmp_path))
    rows = [dict(zip(HEADER, row, strict=True)) for row in ROWS]
    lists = [["robin", ""], [], ["wren", "crow"], None]
    frame = pl.DataFrame(rows).with_columns(pl.Series("secondary_labels", lists, dtype=pl.List(pl.String)))
    frame.write_parquet(tmp_path / "train.parquet")
    again = index(tmp_path, table="train.parquet")
    assert labels(again) == labels(found)
    assert again.recordings == found.recordings


def test_missing_files_and_rows_are_named(tmp_path: Path) -> None:
    # The scripts before us said nothing of files that were missing, or stopped at the first.
    rows = [*ROWS[:2], ("wren", "[]", "wren/XC404.ogg", "", "", ""), ("crow", "[]", "crow/XC1.ogg", "", "", "")]
    found = index(corpus(tmp_path, rows))
    assert [(one.path, one.reason.split(":")[0]) for one in found.left_out] == [
        ("crow/XC1.ogg", "train.csv, line 5"),
        ("wren/XC404.ogg", "train.csv, line 4"),
    ]
    unreviewed = [one.path for one in found.recordings if not one.reviewed]
    assert unreviewed == ["quiet/XC3.ogg", "robin/XC1.ogg"]
    problems = health(found, rate=RATE, group="author").problems
    assert ["quiet/XC3.ogg" in one.message for one in problems if one.code == "unreviewed"] == [True]
    assert [one.where for one in problems if one.code == "left_out"] == ["crow/XC1.ogg", "wren/XC404.ogg"]


def test_rows_fit_by_whole_folders_and_never_by_parts_of_names(tmp_path: Path) -> None:
    # The scripts before us replaced parts of paths wherever they occurred.
    paths = ["wren/XC1.ogg", "wren/XC12.ogg", "robin/XC1.ogg", "awren/XC1.flac", "flat.ogg"]
    stated = {
        "wren/XC1.ogg": "wren/XC1.ogg",
        "/old/train_audio/wren/XC12.ogg": "wren/XC12.ogg",
        "train_audio\\robin\\XC1.mp3": "robin/XC1.ogg",
        "flat": "flat.ogg",
        "crow/XC12.ogg": None,
        "en/XC1.ogg": None,
    }
    rows = [("x", name) for name in stated]
    write_delimited(tmp_path / "t.csv", ("primary_label", "filename"), rows)
    read = read_metadata(tmp_path / "t.csv", paths, MetadataSettings(table="t.csv"))
    assert {row.line: path for path, row in read.rows.items()} == {
        line: path for line, path in enumerate(stated.values(), start=2) if path is not None
    }
    assert [name for name, _ in read.missing] == ["crow/XC12.ogg", "en/XC1.ogg"]
    assert {note.kind for note in read.notes} == {"metadata_suffix", "metadata_column"}


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (("wren", "['a'", "wren/XC1.ogg"), r"train\.csv, line 6: secondary_labels is .*not a list"),
        (("", "[]", "wren/XC1.ogg"), r"train\.csv, line 6: 'primary_label' is empty"),
        (("wren", "[]", ""), r"train\.csv, line 6: the column 'filename' is empty"),
        (("wren", "[]", "wren/XC1.ogg"), r"train\.csv, line 6: 'wren/XC1.ogg' is in line 2 too"),
        (("wren", "[]", "XC1.ogg"), r"train\.csv, line 6: 'XC1.ogg' could be robin/XC1.ogg or wren/XC1.ogg"),
    ],
)
def test_bad_rows_are_named_with_file_and_line(tmp_path: Path, row: tuple[str, ...], said: str) -> None:
    with pytest.raises(FormatError, match=said):
        index(corpus(tmp_path, [*ROWS, (*row, "", "", "")]))


def test_all_bad_rows_are_named_at_once(tmp_path: Path) -> None:
    rows = [(label, "nan", *rest) for label, _, *rest in ROWS]
    with pytest.raises(FormatError, match=r"(?s)line 2.*line 3.*line 4.*line 5"):
        index(corpus(tmp_path, rows))


def test_wrong_columns_and_folders_are_named(tmp_path: Path) -> None:
    corpus(tmp_path)
    with pytest.raises(UsageError, match=r"no column 'species' \(columns: primary_label, .*label_column"):
        index(tmp_path, label_column="species")
    write_delimited(tmp_path / "urls.csv", HEADER, [(*row[:5], f"https://x.org/{n}") for n, row in enumerate(ROWS)])
    with pytest.raises(UsageError, match=r"none of its 4 rows names an audio file \('https.*file_column"):
        index(tmp_path, table="urls.csv", file_column="url")
    with pytest.raises(UsageError, match=r"none\.csv is not a file"):
        index(tmp_path, table="none.csv")
    with pytest.raises(UsageError, match=r"yields the field 'site'"):
        index(tmp_path, group="site")
    with pytest.raises(ValueError, match="both label recordings"):
        CorpusSettings(audio="a", label_field="folder", metadata=MetadataSettings(table="t.csv"))


def test_columns_named_like_fields_of_paths_are_not_read(tmp_path: Path) -> None:
    header = ("primary_label", "secondary_labels", "filename", "folder", "author", "url")
    found = index(corpus(tmp_path, header=header))
    assert {one.fields["folder"] for one in found.recordings} == {"wren", "robin", "quiet"}
    assert [note.kind for note in found.notes] == ["metadata_column"]


def test_a_table_may_give_fields_alone(tmp_path: Path) -> None:
    settings = CorpusSettings(
        audio="audio",
        label_field="folder",
        negative_labels=("quiet",),
        metadata=MetadataSettings(table="train.csv", label_column="", secondary_column=""),
    )
    corpus(tmp_path)
    found = index_corpus(tmp_path / "audio", None, settings, group="author", metadata_table=tmp_path / "train.csv")
    assert labels(found)["robin/XC1.ogg"] == ["robin"]
    assert labels(found)["quiet/XC3.ogg"] == []
    assert {one.fields["author"] for one in found.recordings} >= {"Ann Lee", "quiet/XC3.ogg"}


@pytest.mark.parametrize("folder", ["noise", "Other", "BACKGROUND", "silence", "nocall", "-wren"])
def test_reserved_folders_are_reviewed_and_empty(tmp_path: Path, folder: str) -> None:
    for name in (f"{folder}/a.wav", "wren/b.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        soundfile.write(tmp_path / name, [0.1] * RATE, RATE)
    settings = CorpusSettings(audio=".", label_field="folder", decode=False)
    found = index_corpus(tmp_path, None, settings, group="recording")
    assert labels(found) == {f"{folder}/a.wav": [], "wren/b.wav": ["wren"]}
    assert all(one.reviewed for one in found.recordings)


def test_what_lies_in_no_class_folder_has_no_class(tmp_path: Path) -> None:
    for name in ("stray.wav", "wren/a.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        soundfile.write(tmp_path / name, [0.1] * RATE, RATE)
    found = index_corpus(tmp_path, None, CorpusSettings(audio=".", label_field="folder", decode=False))
    assert [(one.path, one.reviewed) for one in found.recordings] == [("stray.wav", False), ("wren/a.wav", True)]
    assert [note.label for note in found.annotations] == ["wren"]
    problems = health(found, rate=RATE).problems
    assert [one.where for one in problems if one.code == "no_class_folder"] == ["stray.wav"]


def test_what_is_negative_is_a_setting() -> None:
    assert not is_negative("other", ())
    assert not is_negative("-wren", ("other",))
    assert is_negative("NOCALL", ("nocall",))


def test_a_table_names_the_groups_of_recordings_whose_names_do_not(tmp_path: Path) -> None:
    for number, name in enumerate(("siteA_1", "siteB_1", "tape 7", "tape 8")):
        (tmp_path / "audio").mkdir(exist_ok=True)
        soundfile.write(tmp_path / "audio" / f"{name}.wav", [0.1, -0.1] * (RATE + number), RATE)
    rows = [("tape 7.wav", "b"), ("siteA_1.wav", "Z")]
    write_delimited(tmp_path / "groups.csv", ("file", "site"), rows)
    settings = CorpusSettings(
        audio="audio",
        decode=False,
        name_template="site{site}_*",
        metadata=MetadataSettings(table="groups.csv", file_column="file", label_column=""),
    )
    found = index_corpus(tmp_path / "audio", None, settings, group="site", metadata_table=tmp_path / "groups.csv")
    groups = {one.path: one.fields["site"] for one in found.recordings}
    # The name counts first, spellings are one group, and a recording that nothing names is its own group.
    assert groups == {"siteA_1.wav": "A", "siteB_1.wav": "B", "tape 7.wav": "B", "tape 8.wav": "tape 8.wav"}
    assert found.left_out == ()
    assert not any(one.reviewed for one in found.recordings)
    assert "whose name lacks the field: site" in found.notes[0].message
