"""Tables that describe whole recordings: which column names the file, the label, the group, the fold and the weight."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ossicle.app.project.scaffolding.state_scaffold import fields_of_table
from ossicle.app.project.scaffolding.toml_lines import quoted
from ossicle.core.errors import FormatError, UsageError
from ossicle.corpus.formats.cells.delimited import Delimited, heading_key, read_delimited, unescape_cell
from ossicle.corpus.formats.cells.label_cells import is_list
from ossicle.corpus.formats.cells.missing_values import stated
from ossicle.corpus.formats.columns.headings import NOT_CLASSES, has_times
from ossicle.corpus.formats.columns.recordings import is_audio_name
from ossicle.corpus.formats.joined_labels import SURE
from ossicle.corpus.indexing.metadata_table import MetadataSettings
from ossicle.corpus.naming.table_pairing import Pairing

# Usual names of the columns in tables of recordings, the likeliest first: Kaggle, ESC-50, UrbanSound8K, FSD50K and
# xeno-canto.
_FILES = (
    *("filename", "file", "file_name", "path", "filepath", "fname", "slice_file_name", "audio_file", "audio_filename"),
    *("audio_path", "sound_file", "wav_file", "file_path"),
)
_LABELS = ("primary_label", "category", "label", "species", "ebird_code", "class")
_LABELS_BY_OTHERS = (
    *("labels", "class_name", "classname", "species_code", "common_name", "scientific_name", "en", "birds", "tags"),
)
GROUPS = ("author", "recordist", "src_file", "fsid", "site", "recorder", "rec", "location")
# Columns that hold several labels by their name, and what stands between them (FSD50K; soundscapes of BirdCLEF).
_OF_COLUMNS = {"labels": ",", "tags": ",", "birds": " "}
_FOLDS = ("fold",)
_RATINGS = ("rating",)


@dataclass(frozen=True, slots=True)
class LabelTable:
    """The columns of a table of recordings, "" for those that it lacks.

    ``label_fields`` are columns that are labels themselves, with the value that means present; ``separator`` stands
    between several labels of one cell; ``remarks`` say in words what was chosen by content.
    """

    metadata: MetadataSettings
    group: str = ""
    fold: str = ""
    weight: str = ""
    separator: str = ""
    label_fields: Mapping[str, str] | None = None
    remarks: tuple[str, ...] = ()


def read_label_table(table: Path, paths: Sequence[str], label_column: str = "") -> LabelTable:
    """Return which columns of a table describe recordings.

    Parameters
    ----------
    table
        The table.
    paths
        The recordings below the audio folder.
    label_column
        The column of the labels; empty to detect it. A table without a usual one whose columns are 0 and 1 holds a
        label in each of them.

    Raises
    ------
    UsageError
        The table is missing, or its columns cannot be detected.
    """
    read = label_table(table)
    file_column = file_column_of(read, paths)
    named = _cells(read, file_column)
    if has_times(read.header) and len(set(named)) < len(named):
        raise UsageError(
            f"--labels {table}: its rows are events with times, several of one recording ({file_column!r} names "
            f"{len(set(named))} files in {len(named)} rows); give it with --annotations, and use a recipe of events "
            "such as tapes"
        )
    remarks = found_by_content(file_column)
    known = known_headings(read)
    group, fold, weight = (_first(known, usual) for usual in (GROUPS, _FOLDS, _RATINGS))
    if weight and not _are_weights(read, weight):
        remarks.append(f"the column {weight!r} gives no weights: not all of its values are numbers of at least 0")
        weight = ""
    label = _first(known, [heading_key(label_column)] if label_column else (*_LABELS, *_LABELS_BY_OTHERS))
    if not label and not label_column and (columns := _class_columns(table, read, file_column)):
        metadata = MetadataSettings(table=str(table), file_column=file_column, label_column="")
        return LabelTable(metadata, group, fold, weight, label_fields=columns, remarks=tuple(remarks))
    if not label:
        wanted_names = label_column or " or ".join(_LABELS)
        raise UsageError(
            f"{table}: no column is called {wanted_names}; choose the label column with --label-column from: "
            f"{', '.join(read.header)}"
        )
    metadata = MetadataSettings(table=str(table), file_column=file_column, label_column=label)
    separator = _separator(read, label, known.get(heading_key(metadata.secondary_column), ""))
    return LabelTable(metadata, group, fold, weight, separator, remarks=tuple(remarks))


def found_by_content(file_column: str) -> list[str]:
    """Return a line that says that a column names the files although it has no usual name; none if it has one."""
    if heading_key(file_column) in _FILES:
        return []
    return [f"the column {file_column!r} names the files: its cells fit the recordings"]


def metadata_lines(metadata: MetadataSettings, table: str) -> list[str]:
    """Return the lines of ``[corpus.metadata]`` for a table at this path from the project file."""
    usual = MetadataSettings()
    chosen = {name: getattr(metadata, name) for name in ("file_column", "label_column")}
    return [
        "",
        "[corpus.metadata]",
        f"table = {quoted(table)}",
        *(f"{name} = {quoted(value)}" for name, value in chosen.items() if value != getattr(usual, name)),
    ]


def file_column_of(read: Delimited, paths: Sequence[str]) -> str:
    """Return the column of a table that names the files: of those with a usual name, the first that fits most
    recordings; if none fits any, another column most of whose cells name a recording.

    Raises UsageError if there is none.
    """
    known = known_headings(read)
    pairing = Pairing(paths)
    usual = {known[name]: _fitting(read, known[name], pairing) for name in _FILES if name in known}
    if any(usual.values()):
        return max(usual, key=lambda name: usual[name])
    for name in read.header:
        if 2 * _fitting(read, name, pairing) > len(set(_cells(read, name))):
            return name
    if usual:
        return next(iter(usual))
    raise UsageError(
        f"{read.path}: no column is called {', '.join(_FILES[:4])} or {_FILES[4]}, and none names the recordings "
        f"(columns: {', '.join(read.header)}); rename the column with the files to 'filename', or correct --audio"
    )


def label_table(table: Path) -> Delimited:
    """Read a table of ``--labels`` or ``--groups``; raises UsageError if it is no file."""
    if not table.is_file():
        raise UsageError(f"--labels {table}: neither 'folder' nor a file; give a CSV, TSV or Parquet table")
    return read_delimited(table, _describes_recordings, below_titles=True)


def known_headings(read: Delimited) -> dict[str, str]:
    """Return the headings by their keys."""
    return {heading_key(name): name for name in reversed(read.header) if name}


def _describes_recordings(header: Sequence[str]) -> bool:
    """Return whether cells include a usual name of the column of files or of labels, and none is that of a file."""
    known = not {heading_key(name) for name in header}.isdisjoint({*_FILES, *_LABELS})
    return known and not any(map(is_audio_name, header))


def _first(known: Mapping[str, str], candidates: Iterable[str]) -> str:
    return next((known[name] for name in candidates if name in known), "")


def _cells(read: Delimited, name: str) -> list[str]:
    """Return the cells of a column that hold a value."""
    column = read.header.index(name) if name else -1
    return [text for _, cells in read.rows if column >= 0 and (text := stated(unescape_cell(cells[column])))]


def _fitting(read: Delimited, name: str, pairing: Pairing) -> int:
    """Return how many recordings the cells of a column name."""
    recordings = set()
    for cell in set(_cells(read, name)):
        try:
            recordings.add(pairing.by_folders(cell, ""))
        except FormatError:
            continue
    return len(recordings - {None})


def _class_columns(table: Path, read: Delimited, file_column: str) -> dict[str, str]:
    """Return the columns of 0 and 1 (or yes and no) that are classes, with the value that means present."""
    try:
        columns, _ = fields_of_table(table, file_column)
    except UsageError:
        return {}
    return {name: present for name, present in columns.items() if heading_key(name) not in {*NOT_CLASSES, *_FOLDS}}


def _are_weights(read: Delimited, name: str) -> bool:
    """Return whether the values of a column are numbers of at least 0."""
    try:
        return all(0 <= float(cell) < float("inf") for cell in _cells(read, name))
    except ValueError:
        return False


def _separator(read: Delimited, label: str, secondary: str) -> str:
    """Return what stands between several labels of one cell, "" if no cell holds several or lists do."""
    first = [cell for cell in _cells(read, label) if not is_list(cell)]
    more = [cell for cell in _cells(read, secondary) if not is_list(cell)]
    usual: tuple[str, ...] = (*SURE, *_OF_COLUMNS.get(heading_key(label), ""))
    for separator in usual:
        if any(separator in cell for cell in (*first, *more)):
            return separator
    # The column of further labels holds several by its nature; a label with a comma, as `Owl, Barn`, is one.
    if more and not any("," in cell for cell in first):
        return ","
    return ""
