"""Headings of the columns of event tables, as many programs write them, and what each is measured in.

Headings are compared as keys (``heading_key``): case, blanks, dots and brackets do not count, so that Raven's
``Begin Time (s)`` is also R's ``Begin.Time..s.``. Known are the tables of Ossicle, opensoundscape, crowsetta, DCASE,
AudioSet (``YTID``, ``segment_id``), Raven, BirdNET, batdetect2, DeepSqueak, DAS, Praat (``tmin``), the R packages
warbleR, ohun, Rraven and monitoR, and tables of words or phones in utterances.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

from ossicle.corpus.formats.cells.delimited import heading_key

_SECONDS = dict.fromkeys(("", "_s", "_sec", "_secs", "_second", "_seconds", "_ss_msec"), 1.0)  # the last one of ELAN
_MILLISECONDS = {"_ms": 1e-3, "_msec": 1e-3, "_millisecond": 1e-3, "_milliseconds": 1e-3}
_SAMPLES = ("_sample", "_samples", "_frame", "_frames")
RAVEN_START, RAVEN_END, RAVEN_OFFSET = "begin_time_s", "end_time_s", "file_offset_s"
RAVEN_END_FILE = ("end_path", "end_file")
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

# `name` holds the label in tables of monitoR and DAS, and the file in others; `text` does in tables of Praat.
_ALSO_LABEL = {"name": frozenset({"min_frq", "stop_seconds"}), "text": frozenset({"tmin"})}

NOT_CLASSES: frozenset[str] = frozenset(
    {*START, *END, *SAMPLES, *LOW, *HIGH, *FILE, *LABEL, *RAVEN_LABEL, *SCORE, *QUALITY, *CHANNEL}
    | {"id", "index", "unnamed_0", "selection", "selec", "view", "duration", "duration_s", "delta_time_s"}
    | {"checked", "reviewed", "verified", "verification", "validated", "valid", "confirmed", "accepted", "rejected"}
    | {"correct", "incorrect", "is_correct", "keep", "selected", "flag", "flagged", "done", "manual", "edited"}
    | {"reject", "invalid", "is_incorrect", "is_false_positive", "discard", "discarded", "exclude", "excluded"}
    | {"delete", "deleted", "remove"}
    | {"true_positive", "false_positive", "false_negative", "tp", "fp", "fn", "uncertain", "certainty", "overlap"}
    | {"comment", "comments", "note", "notes", "annotator", "observer", "user", "snr", "rms", "amplitude"}
    | {"peak_freq", "peak_freq_hz", "peak_freq_khz", "max_power", "latitude", "longitude", "prob", "probability"}
)
"""Headings that are no names of classes, as keys."""


COLUMN_OPTION = "--label-column ([corpus] label_column)"
"""How a user chooses the label column: as an option of a command, or in the project file."""


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
