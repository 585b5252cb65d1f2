"""Convert annotations from one format to another, and report anything lost in the conversion.

Writing starts only after everything has been read, and no file is overwritten.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ossicle.core.errors import UsageError
from ossicle.corpus.formats.cells.rows import RawSelection
from ossicle.corpus.formats.dcase import read_durations, write_durations
from ossicle.corpus.formats.event_table import EventTable
from ossicle.corpus.formats.label_map import LabelMap, renamed_events, renamed_scores
from ossicle.corpus.formats.reading.audio_lookup import lengths_from, lengths_in, with_audio, with_durations
from ossicle.corpus.formats.reading.folder_reader import events_of_source
from ossicle.corpus.formats.reading.reader import Reading, read_annotations
from ossicle.corpus.formats.registry import SUFFIXES, Format, ReadOptions, WriteOptions
from ossicle.corpus.formats.window_tables.score_tables import ScoreTable, write_dcase_scores, write_opensoundscape
from ossicle.corpus.formats.window_tables.window_labels import WindowPlan, to_windows
from ossicle.corpus.formats.writing.conversion_losses import Account
from ossicle.corpus.naming.table_names import table_places

_WORDS = {
    "low_hz": "low frequencies",
    "high_hz": "high frequencies",
    "quality": "qualities",
    "confidence": "scores",
    "channel": "channels",
}


@dataclass(frozen=True, slots=True)
class Conversion:
    """Input and output format of a conversion, and what it needs: folder of recordings, table of durations, windows.

    ``label_map`` gives labels other names.
    ``durations_out`` is the file to which the durations of all recordings are written (None: not written).
    """

    reading: Reading
    target: Format
    audio: Path | None = None
    durations: Path | None = None
    durations_out: Path | None = None
    plan: WindowPlan = field(default_factory=WindowPlan)
    options: WriteOptions = field(default_factory=WriteOptions)
    label_map: LabelMap = field(default_factory=LabelMap)


@dataclass(frozen=True, slots=True)
class Converted:
    """Result of a conversion: numbers of events (windows, for scores) and recordings, the files, and the account of
    losses.
    """

    rows: int
    recordings: int
    files: tuple[Path, ...]
    account: Account


def convert_annotations(source: Path, target_path: Path, conversion: Conversion) -> Converted:
    """Convert the annotations at ``source`` and write them to ``target_path`` (see :func:`targets`).

    Parameters
    ----------
    source
        A file or a folder.
    target_path
        A file or a folder.
    conversion
        Formats and options.

    Raises
    ------
    UsageError, FormatError
        Before anything is written, if input is missing, malformed, ambiguous or contradictory, or if an output exists.
    """
    account = Account()
    read = read_annotations(source, replace(conversion.reading, options=_with_lengths(conversion)), account)
    table = (
        renamed_scores(read, conversion.label_map)
        if isinstance(read, ScoreTable)
        else renamed_events(read, conversion.label_map)
    )
    if isinstance(table, ScoreTable) and conversion.target.shape != "windows":
        table = events_of_source(table, str(source), conversion.reading.threshold)
    elif isinstance(table, ScoreTable) and conversion.reading.threshold is not None:
        raise UsageError(
            f"--threshold turns scores into events, but {conversion.target.name} keeps the scores; remove it"
        )
    if isinstance(table, EventTable):
        if conversion.audio is not None:
            table = with_audio(table, conversion.audio, account)
        if conversion.durations is not None:
            table = with_durations(table, read_durations(conversion.durations))
    places = targets(table, target_path, conversion)
    durations = _durations(table, conversion)
    if isinstance(table, EventTable) and conversion.target.shape == "windows":
        tell_losses(table, conversion.target, conversion.options, account)
        windowed = to_windows(table, conversion.plan)
        if windowed.lost:
            account.left_out(f"{windowed.lost} events label no window and were skipped")
        table = windowed.table
    if isinstance(table, ScoreTable):
        _write_scores(table, conversion.target, places)
        count = sum(len(windows.times_s) for windows in table.files.values())
    else:
        tell_losses(table, conversion.target, conversion.options, account)
        write_events_as(table, conversion.target, places, conversion.options)
        count = len(table.rows)
    if conversion.durations_out is not None:
        write_durations(conversion.durations_out, durations)
    return Converted(count, len(_names(table)), tuple(places.values()), account)


def _with_lengths(conversion: Conversion) -> ReadOptions:
    """Return the options of the readers, with what the conversion knows about the lengths of recordings."""
    options = conversion.reading.options
    if conversion.audio is not None:
        return replace(options, lengths=lengths_in(conversion.audio))
    return (
        options
        if conversion.durations is None
        else replace(options, lengths=lengths_from(read_durations(conversion.durations)))
    )


def targets(table: EventTable | ScoreTable, target_path: Path, conversion: Conversion) -> dict[str, Path]:
    """Return the places of :func:`output_places` for a table; raise UsageError if a file already exists."""
    places = output_places(_names(table), target_path, conversion.target)
    taken = [path for path in (*places.values(), conversion.durations_out) if path is not None and path.exists()]
    if taken:
        raise UsageError(f"{taken[0]}: already exists; remove it, or choose another place")
    return places


def output_places(names: Sequence[str], target_path: Path, target: Format) -> dict[str, Path]:
    """Return the output file of each recording, or of the one table under the key "".

    ``target_path`` is a folder or, if its name ends in the suffix of the format and one file is enough, that file.
    """
    is_file = names_a_file(target_path, target)
    if target.shape != "recording" and target.name != "dcase-scores":
        return {"": target_path if is_file else target_path / f"events{target.ending}"}
    if is_file and len(names) != 1:
        raise UsageError(
            f"{target_path}: {target.title} hold one recording each, but there are {len(names)}: give a folder"
        )
    below = table_places(names)
    if target.name == "dcase-scores" and len({table_path.name for table_path in below.values()}) == len(below):
        # Readers of these formats search one folder only.
        below = {
            name: table_path.with_name(table_path.name).relative_to(table_path.parent)
            for name, table_path in below.items()
        }
    ended = {name: table_path.with_name(table_path.name + target.ending) for name, table_path in below.items()}
    return {name: target_path if is_file else target_path / table_path for name, table_path in ended.items()}


def names_a_file(target_path: Path, target: Format) -> bool:
    """Return whether the suffix of ``target_path`` is that of the format ``target``: then it is a file, else a folder.

    Raises UsageError if it has the suffix of another format.
    """
    suffix = target.ending[target.ending.rfind(".") :]
    if target_path.is_dir() or target_path.suffix.lower() == suffix:
        return not target_path.is_dir()
    if target_path.suffix.lower() in SUFFIXES:
        raise UsageError(f"{target_path}: {target.name} is written as {suffix}; name such a file, or a folder")
    return False


def write_events_as(table: EventTable, target: Format, places: Mapping[str, Path], options: WriteOptions) -> None:
    """Write events in the format ``target`` to the places given by :func:`targets`."""
    if target.write is None:
        raise UsageError(f"events cannot be written as {target.name}")
    by_file: dict[str, list[RawSelection]] = {name: [] for name in places}
    for row in table.rows:
        by_file.setdefault(row.begin_path, []).append(row)
    for name, path in places.items():
        target.write(path, EventTable(tuple(by_file[name]), (name,)) if name else table, options)


def tell_losses(table: EventTable, target: Format, options: WriteOptions, account: Account) -> None:
    """Report how many figures and recordings of a table a format cannot hold."""
    for name, description in _WORDS.items():
        count = sum(getattr(row, name) is not None for row in table.rows)
        if count and name not in target.holds:
            account.notes.append(f"{target.name} cannot hold {description}: {count} were dropped")
    empty = set(table.files) - {row.begin_path for row in table.rows}
    if empty and "files" not in target.holds:
        account.left_out(f"{target.name} cannot hold recordings without events: {len(empty)} were skipped")
    boxless = sum(row.low_hz is None or row.high_hz is None for row in table.rows)
    if boxless and target.name == "raven":
        account.notes.append(f"raven needs frequencies: {boxless} rows without them got 0 to {options.high_hz:g} Hz")


def _names(table: EventTable | ScoreTable) -> list[str]:
    return sorted(table.files if isinstance(table, ScoreTable) else {*table.files, *(r.begin_path for r in table.rows)})


def _write_scores(table: ScoreTable, target: Format, places: Mapping[str, Path]) -> None:
    if target.name == "dcase-scores":
        for name, path in places.items():
            write_dcase_scores(path, table.labels, table.files[name])
    else:
        write_opensoundscape(places[""], table)


def _durations(table: EventTable | ScoreTable, conversion: Conversion) -> Mapping[str, float]:
    """Return the durations to write, checked before anything is written."""
    if conversion.durations_out is None:
        return {}
    known = table.durations_s if isinstance(table, EventTable) else {}
    unknown = [name for name in _names(table) if name not in known]
    if unknown:
        raise UsageError(f"--durations-out: the duration of {unknown[0]!r} is not known; give --audio")
    return {name: known[name] for name in _names(table)}
