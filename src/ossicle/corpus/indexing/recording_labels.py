"""Labels of whole recordings from a field or a metadata table, as rows from the start to the end."""

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType

from ossicle.core.decisions.state_words import state_of_word
from ossicle.core.decisions.states import OFF, ON, UNKNOWN
from ossicle.core.records import Recording
from ossicle.corpus.formats.cells.rows import RawSelection, label_text
from ossicle.corpus.indexing.annotation_files import AnnotationFiles
from ossicle.corpus.indexing.metadata_table import Metadata
from ossicle.corpus.notes import Note

NEGATIVE = ("noise", "other", "background", "silence", "nocall")
"""Labels, in any case, that mean: reviewed, and none of the labels is present (BirdNET-Analyzer; BirdCLEF)."""


LEAST_SILENCE_S = 0.05
"""Silence at the start of a recording up to this length belongs to its label: machines and editors leave it."""
_BEFORE_S = 0.01
"""A label begins this long before the sound, so that nothing of its attack is cut."""


def label_start_s(sound_s: float) -> float:
    """Return where a label of a whole recording begins whose sound begins at ``sound_s``.

    >>> label_start_s(0.04), label_start_s(0.5)
    (0.0, 0.49)
    """
    return max(0.0, round(sound_s - _BEFORE_S, 3)) if sound_s > LEAST_SILENCE_S else 0.0


def is_negative(label: str, negative: Collection[str], folder: bool = False) -> bool:
    """Return whether a label means that nothing is present, like a class folder whose name begins with ``-``.

    >>> is_negative("Background", ("background",)), is_negative("-wren", (), folder=True)
    (True, True)
    """
    return _alike(label) in set(map(_alike, negative)) or (folder and label.startswith("-"))


def whole_labels(
    recordings: Sequence[Recording],
    label_field: str,
    negative: Collection[str],
    metadata: Metadata | None,
    sound_s: Mapping[str, float | None] = MappingProxyType({}),
) -> tuple[AnnotationFiles, dict[str, tuple[str, ...]]]:
    """Return rows over whole recordings, which thereby count as reviewed; and, by path, uncertain labels.

    A recording outside the class folders is not reviewed.

    Parameters
    ----------
    recordings
        Recordings with their fields.
    label_field
        The field that holds the label; empty: none.
    negative
        Labels that mean: reviewed, and nothing is present.
    metadata
        The table with labels where no field holds them; None: there is none.
    sound_s
        Where the sound of some recordings begins, by path, None for those without any sound. Labels begin there, and
        recordings without sound get none.

    Returns
    -------
    rows
        The rows, the reviewed recordings, and notes.
    unknown
        By path, labels that may or may not be present.
    """
    files = AnnotationFiles()
    unknown: dict[str, tuple[str, ...]] = {}
    stray: list[str] = []
    for recording in recordings:
        labels: tuple[str, ...] = ()
        row = metadata.rows.get(recording.path) if metadata is not None else None
        if label_field == "folder" and recording.fields[label_field] == ".":
            stray.append(recording.path)
        elif label_field:
            labels = (recording.fields[label_field],)
        elif row is not None:
            labels = row.labels
            if row.unknown:
                unknown[recording.path] = tuple(sorted(row.unknown))
        if labels and recording.path in sound_s and sound_s[recording.path] is None:
            reason = "every sample is zero" if recording.status == "silent" else "what is read of it holds no sound"
            message = f"is labelled {', '.join(labels)}, but {reason}: the label was skipped"
            files.notes.append(Note("silent_label", recording.path, message, len(labels)))
            continue
        if labels:
            files.reviewed.add(recording.path)
        start_s = label_start_s(sound_s.get(recording.path) or 0.0)
        files.rows += [
            (recording.path, RawSelection(start_s, recording.duration_s, label))
            for label in labels
            if not is_negative(label, negative, label_field == "folder")
        ]
    if stray:
        message = f"{len(stray)} recordings, including this one, are in no class folder and count as not annotated"
        files.notes.append(Note("no_class_folder", stray[0], message))
    return files, unknown


def field_labels(
    recordings: Sequence[Recording], label_fields: Mapping[str, str]
) -> tuple[AnnotationFiles, dict[str, tuple[str, ...]]]:
    """Return rows over whole recordings from several fields, each of which is a label; and, by path, unknown labels.

    A recording with a value in at least one of the fields counts as reviewed.

    Parameters
    ----------
    recordings
        Recordings with their fields.
    label_fields
        Each label, which is the name of a field, and the value (in any case) that means: present in the whole
        recording. If that is a word for on, so are other words for on. ``?`` and no value mean unknown, another value
        absent; those that are no words for off are noted.
    """
    files = AnnotationFiles()
    unknown: dict[str, tuple[str, ...]] = {}
    odd: dict[tuple[str, str], list[str]] = {}
    for recording in recordings:
        values = {label: recording.fields.get(label, "") for label in label_fields}
        states = {label: _state(value, label_fields[label]) for label, value in values.items()}
        for label, value in values.items():
            if states[label] is None:
                odd.setdefault((label, value), []).append(recording.path)
        missing = tuple(sorted(label for label, state in states.items() if state == UNKNOWN))
        if len(missing) == len(values):
            continue
        files.reviewed.add(recording.path)
        if missing:
            unknown[recording.path] = missing
        files.rows += [
            (recording.path, RawSelection(0.0, recording.duration_s, label))
            for label, state in states.items()
            if state == ON
        ]
    for (label, value), paths in sorted(odd.items()):
        where = f"{paths[0]}: " if len(paths) == 1 else f"{len(paths)} recordings, first {paths[0]}: "
        message = f"{where}{label} = {value!r} is no word for off, and counts as absent"
        files.notes.append(Note("odd_state", paths[0], message, len(paths)))
    return files, unknown


def _state(value: str, present: str) -> str | None:
    """Return the state of a label whose value means present if it is ``present``; None if it is no word for off."""
    if _alike(value) == _alike(present):
        return ON
    word = state_of_word(value)
    # Who says what means present in own words, as "humming", says by every other word that it is not.
    return word if word == UNKNOWN or state_of_word(present) == ON else OFF


def _alike(text: str) -> str:
    """Return the form in which words are compared: case and composed letters do not count."""
    return label_text(text).casefold()
