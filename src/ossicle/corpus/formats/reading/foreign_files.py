"""Files of other programs, which no reader takes: what they are, and what to do about them.

What holds annotations is a warning, because calls that are not read become background. What may hold anything, such as
JSON, YAML or XML, is only listed, unless its beginning names starts and ends.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from ossicle.artefacts.filesystem.reading import open_regular
from ossicle.corpus.formats.reading.times_in_text import holds_times, is_review_export
from ossicle.corpus.notes import Note

_CONVERT = "save its content as a table with the columns start_time, end_time and label (seconds)"
_CROWSETTA = f"{_CONVERT}, for example with crowsetta"
_SHEET = "save each sheet as CSV"
_LABELS = "export its labels as text (File > Export Other > Export Labels)"
_ANNOTATIONS = {
    ".textgrid": ("TextGrid of Praat", _CROWSETTA),
    ".srt": ("file of subtitles", f"{_CONVERT}, or export labels from Audacity as text"),
    ".vtt": ("file of subtitles", f"{_CONVERT}, or export labels from Audacity as text"),
    ".eaf": ("ELAN file", "export it as tab-delimited text with headings start_time, end_time and label, in seconds"),
    ".jams": ("JAMS file", _CONVERT),
    ".svl": ("layer of Sonic Visualiser", "export it as an annotation layer in CSV, and give it headings"),
    ".lab": ("label file of HTK or Praat", _CROWSETTA),
    ".mid": ("MIDI file", f"{_CONVERT}; for drums write a manifest (docs/manifests.md)"),
    ".midi": ("MIDI file", f"{_CONVERT}; for drums write a manifest (docs/manifests.md)"),
    ".ctm": ("CTM file", f"{_CONVERT}, and a column file; its times are start and duration"),
    ".rttm": ("RTTM file", f"{_CONVERT}, and a column file; its times are start and duration"),
    ".stm": ("STM file", f"{_CONVERT}, and a column file"),
    ".phn": ("TIMIT phone file", _CROWSETTA),
    ".trs": ("Transcriber file", _CONVERT),
    ".exb": ("EXMARaLDA transcription", _CONVERT),
    ".antx": ("Annotation Pro file", _CONVERT),
    ".anvil": ("Anvil file", _CONVERT),
    ".cha": ("CHAT transcript", _CONVERT),
    ".xls": ("Excel workbook", _SHEET),
    ".xlsx": ("Excel workbook", _SHEET),
    ".xlsm": ("Excel workbook", _SHEET),
    ".ods": ("LibreOffice spreadsheet", _SHEET),
    ".numbers": ("Numbers spreadsheet", _SHEET),
}
_PERHAPS = {
    ".json": ("JSON file", _CONVERT),
    ".jsonl": ("JSON file", _CONVERT),
    ".xml": ("XML file", _CONVERT),
    ".yaml": ("YAML file", _CONVERT),
    ".yml": ("YAML file", _CONVERT),
    ".data": ("file of AviaNZ", f"{_CONVERT}; AviaNZ exports an Excel table with starts and ends"),
    ".aup": ("Audacity project", _LABELS),
    ".aup3": ("Audacity project", _LABELS),
    ".mat": ("MATLAB file", _CONVERT),
    ".rds": ("R data file", _CONVERT),
    ".rdata": ("R data file", _CONVERT),
    ".sqlite": ("SQLite database", _CONVERT),
    ".sqlite3": ("SQLite database", _CONVERT),
    ".db": ("SQLite database", _CONVERT),
    ".pgdf": ("binary file of PAMGuard", _CONVERT),
    ".h5": ("HDF5 file", _CONVERT),
    ".hdf5": ("HDF5 file", _CONVERT),
    ".npz": ("NumPy file", _CONVERT),
    ".pkl": ("Python pickle", _CONVERT),
    ".pickle": ("Python pickle", _CONVERT),
    ".feather": ("Arrow table", "save it as Parquet or CSV"),
    ".zip": ("compressed file", "unpack it"),
    ".gz": ("compressed file", "unpack it"),
}
FOREIGN: frozenset[str] = frozenset({*_ANNOTATIONS, *_PERHAPS})
"""Suffixes, lower-case with their dot, of files that may hold annotations but are read by no reader."""
# Files of these suffixes by their beginnings, wherever a name does not tell them.
_BEGINNINGS = (
    (re.compile(r"\s*File type = \"ooTextFile"), ".textgrid"),
    (re.compile(r"(?s)\s*(WEBVTT\b|\d+\s+(\d+:)?\d\d:\d\d[,.]\d{3} --> )"), ".srt"),
    (re.compile(r"\s*(<\?xml[^>]*>\s*)?<ANNOTATION_DOCUMENT"), ".eaf"),
    (re.compile(r"(?s)\s*(<\?xml[^>]*>\s*)?(<!DOCTYPE sonic[^>]*>\s*)?<sv>"), ".svl"),
)
_OF_EVSONGANALY = ("file of notes of evsonganaly", _CROWSETTA)
# Ossicle's own files beside predictions.
_OURS = frozenset({"predictions.json", "predictions.journal.jsonl", "predictions.tables.jsonl"})
_OF_TEXT = frozenset({".data", ".json", ".jsonl", ".xml", ".yaml", ".yml"})
_PACKED = frozenset({".gz", ".zip"})
_TABLES = frozenset({".csv", ".parquet", ".tsv", ".txt"})
_MOST_BYTES = 100_000
# Beginnings of words before which "an" stands, also of names that are spelled letter by letter.
_VOWELS = ("A", "E", "HDF", "R ", "RTTM", "SQL", "STM", "X")


def foreign_files(folder: Path, names: Iterable[str]) -> list[Note]:
    """Return what to report about files with suffixes of ``FOREIGN``, one note for each kind.

    Parameters
    ----------
    folder
        The folder.
    names
        Paths of the files below it.

    Returns
    -------
    list of Note
        Warnings about annotations, spreadsheets and files of times; others are only listed, and Ossicle's own are left
        out.
    """
    names_by_kind: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for name in names:
        path = PurePosixPath(name)
        suffix = path.suffix.lower()
        text = _beginning(folder / name) if suffix in _OF_TEXT else ""
        if path.name in _OURS or is_review_export(text):
            continue
        known = _OF_EVSONGANALY if path.name.lower().endswith(".not.mat") else _ANNOTATIONS.get(suffix)
        packed = suffix in _PACKED and PurePosixPath(path.stem).suffix.lower() in _TABLES
        sure = known is not None or packed or holds_times(text, suffix)
        kind = "table_not_read" if sure else "not_annotations"
        names_by_kind[(kind, *(known or _PERHAPS[suffix]))].append(name)
    return [
        Note(kind, files[0], f"{_counted(description, len(files))} not read; {remedy}")
        for (kind, description, remedy), files in names_by_kind.items()
    ]


def _beginning(path: Path) -> str:
    """Return the beginning of a text; other than its ASCII letters, nothing counts."""
    try:
        with open_regular(path) as file:
            # Without its NUL bytes, UTF-16 holds the same keys and numbers.
            return file.read(_MOST_BYTES).replace(b"\0", b"").decode("latin-1")
    except OSError:
        return ""


def foreign_content(text: str) -> str:
    """Return what a text is that another program wrote and that its suffix does not tell, and what to do with it.

    Parameters
    ----------
    text
        The text of a file whose suffix is that of a table.

    Returns
    -------
    str
        "" for other texts.

    Examples
    --------
    >>> foreign_content("WEBVTT\\n\\n00:01.000 --> 00:02.000\\nhum\\n")[:40]
    'is a file of subtitles and was not read;'
    """
    beginning = text[:_MOST_BYTES]
    suffix = next((suffix for form, suffix in _BEGINNINGS if form.match(beginning)), "")
    if not suffix and beginning.lstrip().startswith("<") and holds_times(beginning, ".xml"):
        suffix = ".xml"
    description, remedy = {**_ANNOTATIONS, **_PERHAPS}.get(suffix, ("", ""))
    return f"{_counted(description, 1)} not read; {remedy}" if description else ""


def why_foreign(name: str) -> str:
    """Return what a file of another program is and what to do with it; empty for other files.

    >>> why_foreign("a.Eaf")
    'ELAN file: export it as tab-delimited text with headings start_time, end_time and label, in seconds'
    """
    description, remedy = _ANNOTATIONS.get(PurePosixPath(name).suffix.lower(), ("", ""))
    return f"{description}: {remedy}" if description else ""


def _counted(description: str, count: int) -> str:
    article = "an" if description.startswith(_VOWELS) else "a"
    return (
        f"is {article} {description} and was"
        if count == 1
        else f"and {count - 1} more of its kind ({description}) were"
    )
