"""Recordings labelled as a whole, by their folder or their name.

Each gives one row from 0 to its end, or a reviewed recording without rows if its folder or name says that the sound is
absent. Class folders follow BirdNET-Analyzer: files in ``noise``, ``other``, ``background`` or ``silence`` (in any
case) and in folders that begin with ``-`` contain none of the classes.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ossicle.audio.decoding.levels import measure
from ossicle.audio.probe import SUFFIXES, probe
from ossicle.core.digest import normal_path
from ossicle.core.errors import AudioError, UsageError
from ossicle.corpus.formats.cells.rows import RawSelection, label_text
from ossicle.corpus.formats.event_table import EventTable
from ossicle.corpus.naming.audio_listing import audio_below
from ossicle.corpus.naming.file_listing import Listing, shown
from ossicle.corpus.naming.name_template import Template, stem_of, top_folder

NEGATIVES = frozenset({"noise", "other", "background", "silence"})
"""Class folders, in lower case, whose recordings contain none of the classes."""


@dataclass(frozen=True, slots=True)
class NamedAudio:
    """Labels from names and folders, and the files that were left out, each with its reason."""

    table: EventTable
    left_out: tuple[tuple[str, str], ...]


def read_folders(folder: Path) -> NamedAudio:
    """Label the recordings below ``folder`` with the first folder they lie in; raises UsageError if there are none."""

    def labels(path: str) -> list[str] | str:
        top = top_folder(path)
        if top == ".":
            return "is in no class folder"
        return [] if top.lower() in NEGATIVES or top.startswith("-") else [top]

    return _read(folder, labels)


def read_names(folder: Path, template: str, label_fields: Sequence[str]) -> NamedAudio:
    """Label the recordings below ``folder`` from the fields of their names (``corpus.fields``).

    Parameters
    ----------
    folder
        Folder of recordings.
    template
        Template of their names.
    label_fields
        ``digit`` labels a recording with the value of that field; ``ac=on`` labels it ``ac`` if the value is ``on``.

    Raises
    ------
    UsageError
        If the template or an entry is invalid, or no recording matches.
    """
    parsed = Template(template)
    wanted_fields = [entry.partition("=")[::2] for entry in label_fields]
    known = ", ".join(parsed.names) or "none"
    for name, _ in wanted_fields:
        if name not in parsed.names:
            raise UsageError(f"the label field {name!r} is not in the template {template!r}, which has {known}")
    if not wanted_fields:
        raise UsageError(f"no label field is given: choose from {known}")

    def labels(path: str) -> list[str] | str:
        fields = parsed.parse(normal_path(stem_of(path, SUFFIXES)))
        if fields is None:
            return f"its name does not fit {template!r}"
        return [name if value else fields[name] for name, value in wanted_fields if not value or fields[name] == value]

    named_audio = _read(folder, labels)
    rows_by_label = Counter(row.label for row in named_audio.table.rows)
    for name, value in wanted_fields:
        if value and name not in rows_by_label:
            raise UsageError(f"the label field {name}={value}: no recording of {folder} has that value")
    return named_audio


def duration_of(path: Path) -> float:
    """Return the seconds of a recording, decoded if its header does not hold them; raises AudioError if unreadable."""
    info = probe(path)
    if not info.n_samples or info.estimated:
        _, report, _ = measure(path)
        return report.n_samples / info.rate
    return info.n_samples / info.rate


def _read(folder: Path, labels: Callable[[str], list[str] | str]) -> NamedAudio:
    """Return rows of the files below ``folder``; ``labels`` maps a path to its labels, or to the reason for having
    none.
    """
    rows: list[RawSelection] = []
    durations: dict[str, float] = {}
    left_out: list[tuple[str, str]] = []
    listing = audio_below(folder) if folder.is_dir() else Listing(())
    paths = listing.files
    left_out += [(path, f"is a folder that cannot be opened ({reason})") for path, reason in listing.unreadable]
    if not paths:
        raise UsageError(f"{folder}: contains no recordings (searched for {', '.join(sorted(SUFFIXES))})")
    for path in paths:
        labels_or_reason = labels(path)
        try:
            duration_s = 0.0 if isinstance(labels_or_reason, str) else duration_of(folder / path)
        except AudioError as problem:
            labels_or_reason = str(problem).removeprefix(f"{folder / path}: ")
        if isinstance(labels_or_reason, str):
            left_out.append((shown(path), labels_or_reason))
            continue
        durations[path] = duration_s
        rows += [RawSelection(0.0, duration_s, label_text(label), begin_path=path) for label in labels_or_reason]
    if not durations:
        raise UsageError(
            f"{folder}: none of its {len(paths)} recordings can be used; {left_out[0][0]}: {left_out[0][1]}"
        )
    return NamedAudio(EventTable(tuple(rows), tuple(durations), durations_s=durations), tuple(left_out))
