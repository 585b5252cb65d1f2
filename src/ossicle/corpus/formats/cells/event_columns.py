"""Headings of the columns of event tables, as many programs write them, and what each is measured in.

Headings are compared as keys (``heading_key``): case, blanks, dots and brackets do not count, so that Raven's
``Begin Time (s)`` is also R's ``Begin.Time..s.``. Known are the tables of Ossicle, opensoundscape, crowsetta, DCASE,
AudioSet (``YTID``, ``segment_id``), Raven, BirdNET, batdetect2, DeepSqueak, DAS, Praat (``tmin``), the R packages
warbleR, ohun, Rraven and monitoR, and tables of words or phones in utterances.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from ossicle.audio.probe import SUFFIXES as AUDIO_SUFFIXES
from ossicle.core.errors import FormatError
from ossicle.corpus.formats.cells.delimited import Delimited, heading_key, unescape_cell
from ossicle.corpus.formats.cells.missing_values import has_label as is_label
from ossicle.corpus.naming.table_names import recording_name
from ossicle.corpus.naming.table_pairing import same_file_name

_SECONDS = dict.fromkeys(("", "_s", "_sec", "_secs", "_second", "_seconds", "_ss_msec"), 1.0)  # the last one of ELAN
_MILLISECONDS = {"_ms": 1e-3, "_msec": 1e-3, "_millisecond": 1e-3, "_milliseconds": 1e-3}
_SAMPLES = ("_sample", "_samples", "_frame", "_frames")
_STARTS = ("start_time", "start", "onset", "onset_time", "begin_time", "begin", "starttime", "t_start", "tmin")
_ENDS = ("end_time", "end", "offset", "offset_time", "stop_time", "stop", "endtime", "t_end", "tmax")


def _times(names: Sequence[str]) -> dict[str, float]:
    """Return keys of columns of times with the factor that turns their numbers into seconds."""
    return {
        f"{name}{unit}": factor
        for units in (_SECONDS, _MILLISECONDS)
        for name in names
        for unit, factor in units.items()
    }


START: Mapping[str, float] = _times(_STARTS)
END: Mapping[str, float] = _times(_ENDS)
SAMPLES = frozenset(f"{name}{unit}" for name in (*_STARTS, *_ENDS) for unit in _SAMPLES)
"""Columns of times in samples or frames, which a table cannot turn into seconds."""
_COUNTED = re.compile(
    r"(t_?)?(start|begin|beg|onset|end|offset|stop)_?(time_?)?(sample|frame)s?(_(samples?|frames?))?"
    r"|(sample|frame)s?_(start|begin|onset|end|offset|stop)"
)

# The frequencies of warbleR (bottom.freq) and monitoR (min.frq) are kHz.
LOW: Mapping[str, float] = {
    **dict.fromkeys(("low_f", "low_hz", "low_freq_hz", "low_freq", "low_frequency_hz", "min_freq_hz"), 1.0),
    **dict.fromkeys(("low_khz", "low_freq_khz", "low_frequency_khz", "min_freq_khz"), 1e3),
    **dict.fromkeys(("bottom_freq", "bottom_freq_khz", "min_frq"), 1e3),
}
HIGH: Mapping[str, float] = {
    **dict.fromkeys(("high_f", "high_hz", "high_freq_hz", "high_freq", "high_frequency_hz", "max_freq_hz"), 1.0),
    **dict.fromkeys(("high_khz", "high_freq_khz", "high_frequency_khz", "max_freq_khz"), 1e3),
    **dict.fromkeys(("top_freq", "top_freq_khz", "max_frq"), 1e3),
}
FILE = (
    *("file", "filename", "file_name", "audio_file", "begin_path", "begin_file", "path", "filepath", "file_path"),
    *("audiofile", "audio_file_name", "audio_filename", "audio_path", "audio_filepath", "audio_file_path"),
    *("notated_path", "sound_files", "sound_file", "soundfile", "wav_file", "wavfile", "wav_filename"),
    *("recording_file", "recording_filename", "recording_path", "source_file"),
    *("utterance", "utterance_id", "utt_id", "audiofilename", "audiofilepath", "audiopath", "ytid"),
)
# In AudioSet's strong labels `segment_id` names the clip by its video and start; elsewhere it may number the rows.
_ALSO_FILE = {"segment_id": frozenset({"start_time_seconds", "end_time_seconds"})}
_AUDIOSET_CLIP = re.compile(r"[\w-]{11}_\d+")
PERHAPS_FILE = frozenset(
    {"recording", "recording_name", "recording_id", "audio", "audio_name", "audio_id", "wav", "wav_name", "sound_name"}
    | {"soundscape", "soundscape_name", "soundscape_id", "clip_name", "tape_name", "track_name", "media_name"}
)
"""Columns that may name the recording of a row, but have other uses too."""
LABEL = (
    *("label", "event_label", "annotation", "common_name", "species", "class", "scientific_name", "word", "phone"),
    *("primary_label", "class_name", "species_name", "species_code", "ebird_code", "species_ebird_code"),
    "positive_labels",
)
RAVEN_LABEL = (
    "annotation",
    "species",
    "common_name",
    "tags",
    "sound_type",
    "type",
    "label",
    "class",
    "scientific_name",
)
SCORE = ("score", "confidence", "class_prob", "det_prob")
QUALITY = ("quality",)
CHANNEL = ("channel",)

_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?")
# `name` holds the label in tables of monitoR and DAS, and the file in others; `text` does in tables of Praat.
_ALSO_LABEL = {"name": frozenset({"min_frq", "stop_seconds"}), "text": frozenset({"tmin"})}

NOT_CLASSES: frozenset[str] = frozenset(
    {*START, *END, *SAMPLES, *LOW, *HIGH, *FILE, *LABEL, *RAVEN_LABEL, *SCORE, *QUALITY, *CHANNEL}
    | {"id", "index", "unnamed_0", "selection", "selec", "view", "duration", "duration_s", "delta_time_s"}
    | {"checked", "reviewed", "verified", "verification", "validated", "valid", "confirmed", "accepted", "rejected"}
    | {"correct", "incorrect", "is_correct", "keep", "selected", "flag", "flagged", "done", "manual", "edited"}
    | {"true_positive", "false_positive", "false_negative", "tp", "fp", "fn", "uncertain", "certainty", "overlap"}
    | {"comment", "comments", "note", "notes", "annotator", "observer", "user", "snr", "rms", "amplitude"}
    | {"peak_freq", "peak_freq_hz", "peak_freq_khz", "max_power", "latitude", "longitude", "prob", "probability"}
)
"""Headings that are no names of classes, as keys."""


COLUMN_OPTION = "--label-column ([corpus] label_column)"
"""How a user chooses the label column: as an option of a command, or in the project file."""

POSITIVE, NEGATIVE, UNKNOWN = "pos", "neg", "unk"
"""What a row of a few-shot table says of a class, in lower case: a call, none, or that nobody knows."""
QUERY = "q"
"""The heading of the column of a class without a name, in few-shot tables, as a key."""


def is_few_shot_column(table: Delimited, column: int) -> bool:
    """Return whether a column holds only POS, NEG and UNK, in any case, under a heading that may be a class.

    UNK alone is also a usual label of calls that nobody identified, or a sex: it counts only under ``Q``.

    Parameters
    ----------
    table
        The table.
    column
        The index of the column.

    Returns
    -------
    bool
        Whether it does, and has POS or NEG in any row.
    """
    words = _words_of_class(table, column)
    if not words <= {POSITIVE, NEGATIVE, UNKNOWN}:
        return False
    return bool(words - {UNKNOWN}) or (bool(words) and heading_key(table.header[column]) == QUERY)


def is_unknown_column(table: Delimited, column: int) -> bool:
    """Return whether a column holds only UNK, under a heading that may be a class.

    Parameters
    ----------
    table
        The table.
    column
        The index of the column.

    Returns
    -------
    bool
        Whether it does, in any row.
    """
    return _words_of_class(table, column) == {UNKNOWN}


def _words_of_class(table: Delimited, column: int) -> set[str]:
    """Return the words in the cells of a column, in lower case, and none under a heading that is no class."""
    if heading_key(table.header[column]) in NOT_CLASSES:
        return set()
    return {cells[column].strip().casefold() for _, cells in table.rows} - {""}


def has_times(header: Iterable[str]) -> bool:
    """Return whether headings include columns for start and end."""
    keys = {heading_key(name) for name in header}
    return not keys.isdisjoint(START) and not keys.isdisjoint(END)


def counts_samples(name: str) -> bool:
    """Return whether a heading is that of a time in samples or frames.

    Parameters
    ----------
    name
        The heading.

    Returns
    -------
    bool
        Whether its times cannot be read, since the rate is not known.

    Examples
    --------
    >>> counts_samples("Begin Sample (samples)"), counts_samples("startSample"), counts_samples("Begin Time (s)")
    (True, True, False)
    """
    key = heading_key(name)
    return key in SAMPLES or _COUNTED.fullmatch(key) is not None


def has_label(header: Iterable[str]) -> bool:
    """Return whether headings include a column for the label.

    Parameters
    ----------
    header
        The headings.

    Returns
    -------
    bool
        Whether one of them is known as that of labels, alone or beside the others.
    """
    keys = {heading_key(name) for name in header}
    return not keys.isdisjoint(label_keys(header))


def label_keys(header: Iterable[str]) -> tuple[str, ...]:
    """Return the keys of label columns of a table with these headings, best first."""
    keys = {heading_key(name) for name in header}
    return (*LABEL, *(name for name, beside in _ALSO_LABEL.items() if not keys.isdisjoint(beside)))


def label_column(
    table: Delimited, keys: Sequence[str], wanted_label: str, default_label: str | None
) -> tuple[int | None, tuple[int, ...]]:
    """Return the column of the labels, and the other columns that may hold labels.

    Parameters
    ----------
    table
        The table.
    keys
        Keys of the columns of labels, best first. Of those in the table, the first with a value counts.
    wanted_label
        The heading or number of the column, or several with commas, of which the first in the table counts; ``auto`` to
        use ``keys``.
    default_label
        If given, a table without a column of labels is accepted, and the column is None.

    Raises
    ------
    FormatError
        There is no such column, or it says only of each row whether it is a call.
    """
    present = [column for key in keys if (column := table.find([key])) is not None]
    if wanted_label.strip().lower() != "auto":
        column = table.first_column(wanted_label)
        if column is None:
            listed = ", ".join(table.header)
            raise FormatError(
                f"{table.where}: there is no label column {wanted_label!r}; set {COLUMN_OPTION} to one of: {listed}; "
                "if tables name it differently, give all names with commas between them"
            )
        if is_few_shot_column(table, column):
            raise FormatError(
                f"{table.where}: the column {table.header[column]!r} says of each row whether it is a call (POS, NEG, "
                f"UNK), and not of which class; leave out {COLUMN_OPTION}, and name the class as the heading of the "
                "column or, for a column 'Q', with --default-label ([corpus] default_label)"
            )
        return column, ()
    filled = [column for column in present if any(is_label(cells[column]) for _, cells in table.rows)]
    if not present and default_label is None and table.rows:
        raise FormatError(
            f"{table.where}: no label column (searched for {', '.join(keys)}; found: {', '.join(table.header)}); "
            f"name it with {COLUMN_OPTION} (several names with commas, if tables differ), or give all rows one "
            f"default label (--default-label, [corpus] default_label){_windows_hint(table)}"
        )
    chosen = next(iter(filled or present), None)
    return chosen, tuple(column for column in present if column != chosen)


def _windows_hint(table: Delimited) -> str:
    """Return how to read a table whose further columns may be classes, "" if they cannot be."""
    keys = {heading_key(name) for name in table.header}
    others = keys - {"file", "start_time", "end_time"}
    if len(others) == len(keys) - 3 and others and NOT_CLASSES.isdisjoint(others):
        return "; if its columns are classes, convert it with --from opensoundscape"
    return ""


def empty_label_hint(table: Delimited, cells: Sequence[str], others: Collection[int]) -> str:
    """Return what to do about a row without a label: name another column that holds one, if there is."""
    for column in others:
        if is_label(cells[column]):
            return (
                f"the label is empty, but the column {table.header[column]!r} says {cells[column].strip()!r}; "
                f"fill it in, or choose the column with {COLUMN_OPTION}"
            )
    return ""


def file_columns(table: Delimited, is_recording: Callable[[str], bool] = lambda stated: False) -> tuple[int, ...]:
    """Return the columns that name the recording of each row, best first.

    Parameters
    ----------
    table
        The table.
    is_recording
        Whether a text is the name of a recording, as far as the recordings are known.

    Raises
    ------
    FormatError
        There is none, but another column names recordings: rows must not go to another one than they name.
    """
    known = tuple(column for key in FILE if (column := table.find([key])) is not None) or _clips(table)
    for column, name in enumerate(table.header if not known else ()):
        texts = [text for _, cells in table.rows if (text := unescape_cell(cells[column]).strip())]
        if texts and _names_recordings(table, heading_key(name), texts, is_recording):
            raise FormatError(
                f"{table.where}: the column {name!r} seems to name the recording of each row ({texts[0]!r}), but is "
                "not known to do so; rename it to 'file' if it does, else remove it"
            )
    return known


def _clips(table: Delimited) -> tuple[int, ...]:
    """Return the column that names the clips in a table of AudioSet's strong labels, if this is one."""
    keys = {heading_key(name) for name in table.header}
    columns = [table.find([key]) for key, beside in _ALSO_FILE.items() if beside <= keys]
    return tuple(
        column
        for column in columns
        if column is not None
        and any(_AUDIOSET_CLIP.fullmatch(unescape_cell(cells[column]).strip()) for _, cells in table.rows)
    )


def _names_recordings(table: Delimited, key: str, texts: Sequence[str], is_recording: Callable[[str], bool]) -> bool:
    """Return whether the texts of a column name recordings, other than the one that the table is named after."""
    if sum(map(is_audio_name, texts)) * 2 >= len(texts):
        return True
    if key in {*START, *END, *LABEL, *RAVEN_LABEL, "name"}:
        return False
    own_name = recording_name(table.path.name)
    others = [text for text in dict.fromkeys(texts) if not same_file_name(text, own_name)]
    if key in PERHAPS_FILE:
        return bool(others)
    return bool(others) and not any(map(_NUMBER.fullmatch, texts)) and all(map(is_recording, dict.fromkeys(texts)))


def stated_file(cells: Sequence[str], columns: Sequence[int]) -> str:
    """Return the cell of the first of these columns with a value, "" if there is none."""
    return next((cells[column] for column in columns if cells[column].strip()), "")


def is_audio_name(text: str) -> bool:
    """Return whether a cell ends like the name of an audio file."""
    return text.lower().strip("\"'").endswith(tuple(AUDIO_SUFFIXES))
