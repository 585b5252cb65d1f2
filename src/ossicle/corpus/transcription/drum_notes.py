"""The MIDI note of each label: those of General MIDI for known drums, others as the user says."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files

from ossicle.core.errors import UsageError
from ossicle.core.text.suggestion import did_you_mean

LOWEST_NOTE, HIGHEST_NOTE = 0, 127
_TABLE = "drum_notes.toml"
_MOST_NAMED = 5


@cache
def drum_notes() -> Mapping[str, int]:
    """Return the notes of known drums by name, in lower case with underscores."""
    text = files(__package__).joinpath(_TABLE).read_text(encoding="utf-8")
    return {name: int(note) for name, note in tomllib.loads(text).items()}


def stated_notes(texts: Sequence[str]) -> dict[str, int]:
    """Return the notes that a user gave as ``LABEL=NOTE``.

    Raises
    ------
    UsageError
        For a text of another form, or a note that is not a number from 0 to 127.

    Examples
    --------
    >>> stated_notes(["gong=52"])
    {'gong': 52}
    """
    notes = {}
    for text in texts:
        label, mark, note = text.rpartition("=")
        if not (mark and label and re.fullmatch(r"[0-9]{1,3}", note) and int(note) <= HIGHEST_NOTE):
            raise UsageError(
                f"--midi-note {text}: write LABEL=NOTE with a note from {LOWEST_NOTE} to {HIGHEST_NOTE}, as crash=49"
            )
        notes[label] = int(note)
    return notes


def notes_of(labels: Sequence[str], stated: Mapping[str, int]) -> dict[str, int]:
    """Return the note of each label.

    Parameters
    ----------
    labels
        The labels of a bundle. Known drums are found whatever their case and with blanks or hyphens for underscores.
    stated
        Notes by label that count before those of the table.

    Raises
    ------
    UsageError
        For labels without a note, and for stated notes of labels that there are not.

    Examples
    --------
    >>> notes_of(["Kick", "hihat-open", "gong"], {"gong": 52})
    {'Kick': 36, 'hihat-open': 46, 'gong': 52}
    """
    for label in stated:
        if label not in labels:
            raise UsageError(
                f"--midi-note: {label!r} is not a label of the bundle ({', '.join(labels)}); "
                f"{did_you_mean(label, labels)}"
            )
    known = drum_notes()
    notes_by_label = {
        label: stated.get(label, known.get(re.sub(r"[\s-]+", "_", label.strip().lower()))) for label in labels
    }
    missing = [label for label, note in notes_by_label.items() if note is None]
    if missing:
        more = f" and {len(missing) - _MOST_NAMED} more" if len(missing) > _MOST_NAMED else ""
        raise UsageError(
            f"--format midi: no General MIDI note is known for {', '.join(missing[:_MOST_NAMED])}{more}; give each, "
            f"as --midi-note {missing[0]}=60"
        )
    return {label: note for label, note in notes_by_label.items() if note is not None}
