"""A table with one row per recording (such as BirdCLEF's ``train.csv``): labels of the whole recording, and fields.

A row is matched with its file by whole folders and name: ``a/XC1.ogg`` matches ``train_audio/a/XC1.ogg``, but never
``b/XC1.ogg`` or ``a/XC12.ogg``. Cells are text: a list of labels is parsed, never evaluated.
"""

import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from ossicle.core.digest import normal_path
from ossicle.core.errors import FormatError, UsageError
from ossicle.core.records import Recording
from ossicle.core.settings import setting, settings
from ossicle.corpus.formats.cells.delimited import (
    Delimited,
    heading_key,
    read_delimited,
    unescape_cell,
    with_columns,
)
from ossicle.corpus.formats.cells.heading_text import same_heading
from ossicle.corpus.formats.cells.label_cells import is_list, parse_labels
from ossicle.corpus.formats.cells.missing_values import MARKS, has_label
from ossicle.corpus.formats.cells.missing_values import stated as stated_cell
from ossicle.corpus.formats.joined_labels import split_labels
from ossicle.corpus.formats.reading.folder_reader import each
from ossicle.corpus.naming.table_pairing import Pairing
from ossicle.corpus.notes import LeftOut, Note

FROM_PATHS = frozenset({"recording", "folder", "start_time", "tape"})
"""Fields from the path of a recording: columns do not replace them."""


# A field may say that there is none of something.
_NO_FIELD = MARKS - {"None"}


@settings
class MetadataSettings:
    """``[corpus.metadata]``: a table with one row per recording, and the meaning of its columns."""

    table: str = setting(
        default="",
        help="CSV, TSV or Parquet table with one row for each recording; its columns become fields; empty: no table",
        digest=False,
    )
    file_column: str = setting(
        default="filename", help="column with the path of the recording; compared by whole folder names, from the end"
    )
    label_column: str = setting(
        default="primary_label", help="column with the label of the whole recording; empty: no labels in the table"
    )
    secondary_column: str = setting(
        default="secondary_labels",
        help="column with further labels, a list as ['a', 'b'] in one cell; empty: no further labels",
    )
    secondary: str = setting(
        default="target",
        choices=("target", "unknown", "none"),
        help="how to use further labels: target: like the first label; unknown: the label may or may not be "
        "audible and is masked; none: ignore them",
    )
    nothing: tuple[str, ...] = setting(
        default=("unknown",),
        help="cell values (upper or lower case) that mean the same as an empty cell; a recording without a "
        "value for the group field is its own group",
    )
    overrides: bool = setting(
        default=False,
        help="whether a value of the table replaces that of the recording's name; if not, it counts only where the "
        "name gives none. A value of `nothing` then removes that of the name",
        digest_default=False,
    )


@dataclass(frozen=True, slots=True)
class Row:
    """The labels and fields of one recording, and the line of the table.

    ``emptied`` are the columns whose value means the same as an empty cell.
    """

    line: int
    labels: tuple[str, ...]
    unknown: tuple[str, ...]
    fields: Mapping[str, str]
    emptied: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Metadata:
    """The rows by the path of their recording, and (stated file, line) of those with a missing file.

    ``columns`` are the names of the fields that the table can give.
    """

    table: Path
    rows: Mapping[str, Row]
    missing: tuple[tuple[str, int], ...]
    columns: tuple[str, ...]
    notes: tuple[Note, ...]
    overrides: bool = False

    @property
    def without_file(self) -> list[LeftOut]:
        """The rows whose file is missing, as left-out inputs."""
        name = self.table.name
        return [
            LeftOut(stated, f"{name}, line {line}: no audio file has this path; copy it there, or remove the row")
            for stated, line in self.missing
        ]

    def describe(self, recordings: Sequence[Recording], group: str) -> list[Recording]:
        """Return the recordings with the fields of their rows.

        A field that the name gives stays as it is, unless the table ``overrides`` names.

        If ``group`` is a column, spellings that differ in case are one group. A recording without a value is a group of
        its own, named after its path.
        """
        described = []
        spellings: dict[str, str] = {}
        values = {recording.fields.get(group, "") for recording in recordings}
        values |= {row.fields.get(group, "") for row in self.rows.values()}
        for value in sorted(values - {""}):
            spellings.setdefault(value.casefold(), value)
        for recording in recordings:
            row = self.rows.get(recording.path)
            fields = self._fields(row, recording.fields) if row is not None else dict(recording.fields)
            if group in self.columns:
                value = fields.get(group, "")
                fields[group] = spellings.get(value.casefold(), value) if value else normal_path(recording.path)
            described.append(replace(recording, fields=fields))
        return described

    def without_group(self, described: Sequence[Recording], group: str) -> list[Note]:
        """Return a note on the recordings that :meth:`describe` made a group each, because they have no row.

        A row without a value says that the group is not known, and is no fault.
        """
        alone = [
            recording.path for recording in described if recording.path not in self.rows and ungrouped(recording, group)
        ]
        if group not in self.columns or not alone:
            return []
        message = (
            f"{len(alone)} of {len(described)} recordings, {alone[0]} among them, have no row in it, so each is "
            f"its own group by {group!r}"
        )
        return [Note("without_group", self.table.name, message)]

    def _fields(self, row: Row, own_fields: Mapping[str, str]) -> dict[str, str]:
        if not self.overrides:
            return dict(row.fields) | dict(own_fields)
        return {name: value for name, value in own_fields.items() if name not in row.emptied} | dict(row.fields)


def ungrouped(recording: Recording, group: str) -> str:
    """Return the group of a recording that is one by itself, because nothing names its group; else empty text."""
    own_group = recording.fields.get(group, "")
    return own_group if own_group == normal_path(recording.path) else ""


def read_metadata(
    table: Path,
    paths: Sequence[str],
    settings: MetadataSettings,
    taken: Collection[str] = (),
    separator: str = "",
) -> Metadata:
    """Read a table and match its rows with ``paths`` below the audio folder; ``taken`` are fields that names may give.

    ``separator`` stands between several labels of one cell; empty: only lists hold several.

    Raises
    ------
    UsageError
        If the table is missing, lacks a column, or names no file of ``paths``.
    FormatError
        Listing every bad row with its line: invalid lists, labels that no table can hold, rows without a file, and
        files with two rows.
    """
    if not table.is_file():
        raise UsageError(f"corpus.metadata.table: {table} is not a file; correct the path, or leave it empty")
    read = read_delimited(table, with_columns(settings.file_column, settings.label_column))
    columns = _columns(read, settings)
    notes = _column_notes(read, settings, columns, taken)
    pairing = Pairing(paths)
    silent = {text.casefold() for text in settings.nothing}
    read_apart = (columns["file"], columns["secondary"])
    names = {
        column: name
        for column, name in enumerate(read.header)
        if name and column not in read_apart and name not in FROM_PATHS
    }
    rows: dict[str, Row] = {}
    missing: list[tuple[str, int]] = []
    renamed: list[str] = []
    by_line = {str(line): cells for line, cells in read.rows}

    def one(line: str) -> None:
        where, cells = f"{table}, line {line}", [unescape_cell(cell.strip()) for cell in by_line[line]]
        stated = cells[columns["file"]]
        if not stated:
            raise FormatError(f"{where}: the column {settings.file_column!r} is empty; name the recording's file")
        labels, unknown = _labels(cells, columns, settings, separator, where)
        path = pairing.by_folders(stated, where)
        if path is None:
            missing.append((stated, int(line)))
            return
        if path in rows:
            raise FormatError(
                f"{where}: {stated!r} is in line {rows[path].line} too; a recording can have only one row: "
                + ("put its labels into one cell, as ['a', 'b']" if settings.label_column else "remove the other one")
            )
        if PurePosixPath(stated).suffix.lower() != PurePosixPath(path).suffix.lower():
            renamed.append(line)
        # Composed and decomposed letters are the same: two spellings of a site must not be two groups.
        fields = {name: " ".join(unicodedata.normalize("NFC", cells[column]).split()) for column, name in names.items()}
        fields = {name: "" if value in _NO_FIELD else value for name, value in fields.items()}
        stated_fields = {name: value for name, value in fields.items() if value and value.casefold() not in silent}
        emptied = frozenset(name for name, value in fields.items() if value and name not in stated_fields)
        rows[path] = Row(int(line), labels, unknown, stated_fields, emptied)

    each(by_line, one)
    if not rows:
        first = f"{missing[0][0]!r} in line {missing[0][1]}" if missing else "it has no rows"
        raise UsageError(
            f"{table}: none of its {len(missing)} rows names an audio file ({first}; an existing file is "
            f"{paths[0]!r}); correct corpus.audio, or name the column of the files in corpus.metadata.file_column"
        )
    if renamed:
        message = f"{len(renamed)} rows, that in line {renamed[0]} among them, have another suffix than their file"
        notes.append(Note("metadata_suffix", table.name, message))
    return Metadata(table, rows, tuple(missing), tuple(names.values()), tuple(notes), settings.overrides)


def _columns(read: Delimited, settings: MetadataSettings) -> dict[str, int]:
    """Return the index of each kind of column, -1 if missing; raises UsageError if a required column is missing."""
    places = read.places()
    indices = {"secondary": places.get(same_heading(settings.secondary_column), -1)}
    for kind, name in (("file", settings.file_column), ("label", settings.label_column)):
        if not name and kind == "label":
            indices[kind] = -1
        elif (column := _place(read, places, name)) is None:
            raise UsageError(
                f"{read.path}: has no column {name!r} (columns: {', '.join(read.header)}); set the right column in "
                f"corpus.metadata.{kind}_column"
            )
        else:
            indices[kind] = column
    return indices


def _place(read: Delimited, places: Mapping[str, int], name: str) -> int | None:
    """Return the column of a name in any case; the first heading may begin with the ``#`` of a comment."""
    column = places.get(same_heading(name))
    return read.find([key]) if column is None and (key := heading_key(name)) else column


def _column_notes(
    read: Delimited, settings: MetadataSettings, columns: Mapping[str, int], taken: Collection[str]
) -> list[Note]:
    notes = []
    labelled = settings.label_column and settings.secondary != "none" and settings.secondary_column
    if labelled and columns["secondary"] < 0:
        message = f"has no column {settings.secondary_column!r}, so every recording has at most one label"
        notes.append(Note("metadata_column", read.path.name, message))
    hidden = [name for name in read.header if name in FROM_PATHS]
    if hidden:
        message = f"columns named like fields of the recordings' paths were not read: {', '.join(hidden)}"
        notes.append(Note("metadata_column", read.path.name, message))
    second = [name for name in read.header if name in taken and name not in FROM_PATHS]
    if second and not settings.overrides:
        message = f"these columns count only for recordings whose name lacks the field: {', '.join(second)}"
        notes.append(Note("metadata_column", read.path.name, message))
    return notes


def _labels(
    cells: Sequence[str], columns: Mapping[str, int], settings: MetadataSettings, separator: str, where: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the labels of a row, and its uncertain labels."""
    labels: list[str] = []
    if columns["label"] >= 0:
        first = cells[columns["label"]]
        name = settings.label_column
        labels = list(parse_labels(first, where, name) if is_list(first) else split_labels(first, separator))
        if not has_label(first) or not any(labels):
            fault = f"{first!r}, a missing value" if first and not has_label(first) else "empty"
            raise FormatError(f"{where}: {name!r} is {fault}; write nocall if nothing is audible")
    more: list[str] = []
    if columns["secondary"] >= 0 and settings.secondary != "none":
        further = stated_cell(cells[columns["secondary"]])
        if separator and not is_list(further):
            more = [label for label in split_labels(further, separator) if label]
        else:
            more = list(parse_labels(further, where, settings.secondary_column))
    if settings.secondary == "target":
        return tuple(dict.fromkeys(labels + more)), ()
    return tuple(labels), tuple(label for label in dict.fromkeys(more) if label not in labels)
