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


def labels(corpus_index: CorpusIndex) -> dict[str, list[str]]:
    names = {recording.id: recording.path for recording in corpus_index.recordings}
    out: dict[str, list[str]] = {recording.path: [] for recording in corpus_index.recordings}
    for note in corpus_index.annotations:
        out[names[note.recording_id]].append(note.label)
    return {path: sorted(path_labels) for path, path_labels in out.items()}


def test_labels_fields_and_groups_of_a_birdclef_table(tmp_path: Path) -> None:
    corpus_index = index(corpus(tmp_path))
    assert labels(corpus_index) == {
        "quiet/XC3.ogg": [],
        "robin/XC1.ogg": ["crow", "robin", "wren"],
        "wren/XC1.ogg": ["robin", "wren"],
        "wren/XC12.ogg": ["wren"],
    }
    assert all(recording.reviewed for recording in corpus_index.recordings)
    by_path = {recording.path: recording for recording in corpus_index.recordings}
    whole = {
        (note.start_s, note.end_s)
        for note in corpus_index.annotations
        if note.recording_id == by_path["wren/XC1.ogg"].id
    }
    assert whole == {(0.0, by_path["wren/XC1.ogg"].duration_s)}
    # Spellings that differ by case and blanks are one author; one who is unknown is nobody else's.
    assert {path: recording.fields["author"] for path, recording in by_path.items()} == {
        "quiet/XC3.ogg": "quiet/XC3.ogg",
        "robin/XC1.ogg": "robin/XC1.ogg",
        "wren/XC1.ogg": "Ann Lee",
        "wren/XC12.ogg": "Ann Lee",
    }
    assert by_path["wren/XC1.ogg"].fields["rating"] == "4.5"
    assert "rating" not in by_path["quiet/XC3.ogg"].fields
    assert corpus_index.left_out == ()


def test_the_author_is_left_as_stated_where_it_is_not_the_group(tmp_path: Path) -> None:
    corpus_index = index(corpus(tmp_path), group="recording")
    assert [recording.fields.get("author") for recording in corpus_index.recordings] == [
        None,
        None,
        "Ann Lee",
        "ann lee",
    ]


@pytest.mark.parametrize("secondary", ["unknown", "none"])
def test_secondary_labels_may_be_unknown_or_unread(tmp_path: Path, secondary: str) -> None:
    corpus_index = index(corpus(tmp_path), secondary=secondary)
    assert labels(corpus_index)["robin/XC1.ogg"] == ["robin"]
    unknown = {
        recording.path: corpus_index.unknown[recording.id]
        for recording in corpus_index.recordings
        if recording.id in corpus_index.unknown
    }
    expected = {"wren/XC1.ogg": ("robin",), "robin/XC1.ogg": ("crow", "wren")}
    assert unknown == (expected if secondary == "unknown" else {})
    write_index(corpus_index, CorpusFolder(tmp_path / "index"))
    assert read_index(CorpusFolder(tmp_path / "index")) == corpus_index


def test_a_parquet_table_with_lists_is_read_alike(tmp_path: Path) -> None:
    corpus_index = index(corpus(tmp_path))
    rows = [dict(zip(HEADER, row, strict=True)) for row in ROWS]
    lists = [["robin", ""], [], ["wren", "crow"], None]
    frame = pl.DataFrame(rows).with_columns(pl.Series("secondary_labels", lists, dtype=pl.List(pl.String)))
    frame.write_parquet(tmp_path / "train.parquet")
    again = index(tmp_path, table="train.parquet")
    assert labels(again) == labels(corpus_index)
    assert again.recordings == corpus_index.recordings


def test_missing_files_and_rows_are_named(tmp_path: Path) -> None:
    # The scripts before us said nothing of files that were missing, or stopped at the first.
    rows = [*ROWS[:2], ("wren", "[]", "wren/XC404.ogg", "", "", ""), ("crow", "[]", "crow/XC1.ogg", "", "", "")]
    corpus_index = index(corpus(tmp_path, rows))
    assert [(left_out.path, left_out.reason.split(":")[0]) for left_out in corpus_index.left_out] == [
        ("crow/XC1.ogg", "train.csv, line 5"),
        ("wren/XC404.ogg", "train.csv, line 4"),
    ]
    unreviewed = [recording.path for recording in corpus_index.recordings if not recording.reviewed]
    assert unreviewed == ["quiet/XC3.ogg", "robin/XC1.ogg"]
    problems = health(corpus_index, rate=RATE, group="author").problems
    assert ["quiet/XC3.ogg" in problem.message for problem in problems if problem.code == "unreviewed"] == [True]
    assert [problem.where for problem in problems if problem.code == "left_out"] == ["crow/XC1.ogg", "wren/XC404.ogg"]


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
    ("row", "message"),
    [
        (("wren", "['a'", "wren/XC1.ogg"), r"train\.csv, line 6: secondary_labels is .*not a list"),
        (("", "[]", "wren/XC1.ogg"), r"train\.csv, line 6: 'primary_label' is empty"),
        (("wren", "[]", ""), r"train\.csv, line 6: the column 'filename' is empty"),
        (("wren", "[]", "wren/XC1.ogg"), r"train\.csv, line 6: 'wren/XC1.ogg' is in line 2 too"),
        (("wren", "[]", "XC1.ogg"), r"train\.csv, line 6: 'XC1.ogg' could be robin/XC1.ogg or wren/XC1.ogg"),
    ],
)
def test_bad_rows_are_named_with_file_and_line(tmp_path: Path, row: tuple[str, ...], message: str) -> None:
    with pytest.raises(FormatError, match=message):
        index(corpus(tmp_path, [*ROWS, (*row, "", "", "")]))


def test_all_bad_rows_are_named_at_once(tmp_path: Path) -> None:
    rows = [(label, "wren, robin", *rest) for label, _, *rest in ROWS]
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
    corpus_index = index(corpus(tmp_path, header=header))
    assert {recording.fields["folder"] for recording in corpus_index.recordings} == {"wren", "robin", "quiet"}
    assert [note.kind for note in corpus_index.notes] == ["metadata_column"]


def test_a_table_may_give_fields_alone(tmp_path: Path) -> None:
    settings = CorpusSettings(
        audio="audio",
        label_field="folder",
        negative_labels=("quiet",),
        metadata=MetadataSettings(table="train.csv", label_column="", secondary_column=""),
    )
    corpus(tmp_path)
    corpus_index = index_corpus(
        tmp_path / "audio", None, settings, group="author", metadata_table=tmp_path / "train.csv"
    )
    assert labels(corpus_index)["robin/XC1.ogg"] == ["robin"]
    assert labels(corpus_index)["quiet/XC3.ogg"] == []
    assert {recording.fields["author"] for recording in corpus_index.recordings} >= {"Ann Lee", "quiet/XC3.ogg"}


@pytest.mark.parametrize("folder", ["noise", "Other", "BACKGROUND", "silence", "nocall", "-wren"])
def test_reserved_folders_are_reviewed_and_empty(tmp_path: Path, folder: str) -> None:
    for name in (f"{folder}/a.wav", "wren/b.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        soundfile.write(tmp_path / name, [0.1] * RATE, RATE)
    settings = CorpusSettings(audio=".", label_field="folder", decode=False)
    corpus_index = index_corpus(tmp_path, None, settings, group="recording")
    assert labels(corpus_index) == {f"{folder}/a.wav": [], "wren/b.wav": ["wren"]}
    assert all(recording.reviewed for recording in corpus_index.recordings)


def test_what_lies_in_no_class_folder_has_no_class(tmp_path: Path) -> None:
    for name in ("stray.wav", "wren/a.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        soundfile.write(tmp_path / name, [0.1] * RATE, RATE)
    corpus_index = index_corpus(tmp_path, None, CorpusSettings(audio=".", label_field="folder", decode=False))
    assert [(recording.path, recording.reviewed) for recording in corpus_index.recordings] == [
        ("stray.wav", False),
        ("wren/a.wav", True),
    ]
    assert [note.label for note in corpus_index.annotations] == ["wren"]
    problems = health(corpus_index, rate=RATE).problems
    assert [problem.where for problem in problems if problem.code == "no_class_folder"] == ["stray.wav"]


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
    corpus_index = index_corpus(
        tmp_path / "audio", None, settings, group="site", metadata_table=tmp_path / "groups.csv"
    )
    groups = {recording.path: recording.fields["site"] for recording in corpus_index.recordings}
    # The name counts first, spellings are one group, and a recording that nothing names is its own group.
    assert groups == {"siteA_1.wav": "A", "siteB_1.wav": "B", "tape 7.wav": "B", "tape 8.wav": "tape 8.wav"}
    assert corpus_index.left_out == ()
    assert not any(recording.reviewed for recording in corpus_index.recordings)
    assert "whose name lacks the field: site" in corpus_index.notes[0].message


ABOVE = [
    "# exported from the archive, 2024\n# two recordings\n",
    "# recorded by X, Y, Z\n",
    "My survey; 2024\n\n",
    "",
    "\ufeff#\n",
]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("above", ABOVE)
@pytest.mark.parametrize("mark", ["", "# ", "#"])
def test_comments_above_the_headings_and_blanks_before_quotes_do_not_count(
    tmp_path: Path, above: str, mark: str, delimiter: str
) -> None:
    corpus(tmp_path)
    rows = [["Filename", "primary_label", "site"], ["s1/a.ogg", ' "owl, barn"', ' "fen"']]
    text = "\n".join(map(delimiter.join, rows))
    (tmp_path / "train.csv").write_text(f"{above}{mark}{text}\n", encoding="utf-8")
    settings = MetadataSettings(secondary_column="")
    [row] = read_metadata(tmp_path / "train.csv", ["s1/a.ogg"], settings).rows.values()
    assert (row.labels, dict(row.fields)) == (("owl, barn",), {"primary_label": "owl, barn", "site": "fen"})


def test_composed_and_decomposed_letters_are_one_group(tmp_path: Path) -> None:
    rows = (
        ("wren", "", "wren/XC1.ogg", "", "Rene\u0301", ""),
        ("wren", "", "wren/XC12.ogg", "", "ren\u00e9", ""),
        ("robin", "", "robin/XC1.ogg", "", "Ann", ""),
    )
    by_path = {recording.path: recording for recording in index(corpus(tmp_path, rows)).recordings}
    assert by_path["wren/XC1.ogg"].fields["author"] == by_path["wren/XC12.ogg"].fields["author"] == "Ren\u00e9"


def test_composed_and_decomposed_letters_are_one_heading(tmp_path: Path) -> None:
    folder = corpus(tmp_path, header=("Espe\u0300ce", *HEADER[1:]))
    assert "wren" in labels(index(folder, label_column="Esp\u00e8ce"))["wren/XC1.ogg"]
    assert is_negative("Gera\u0308usch", ("ger\u00e4usch",))


def test_a_second_row_of_a_recording_has_a_remedy_that_fits_the_table(tmp_path: Path) -> None:
    folder = corpus(tmp_path, (ROWS[0], ROWS[0]))
    with pytest.raises(FormatError, match=r"line 3: .* is in line 2 too; .* one row: put its labels into one cell"):
        index(folder)
    with pytest.raises(FormatError, match="is in line 2 too; a recording can have only one row: remove the other one"):
        index(folder, label_column="")
