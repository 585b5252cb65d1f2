"""Warnings about recordings taken together: tapes in several groups, and copies of one file."""

from collections import defaultdict
from collections.abc import Sequence

from ossicle.core.records import Recording
from ossicle.corpus.notes import Note


def divided_tapes(recordings: Sequence[Recording], group: str) -> list[Note]:
    """Warn about clips of one tape in several groups: what a model learns from some helps it on the others."""
    groups: dict[str, set[str]] = defaultdict(set)
    for recording in recordings:
        groups[recording.fields["tape"]].add(recording.fields.get(group) or recording.path)
    divided = [tape for tape, tape_groups in sorted(groups.items()) if len(tape_groups) > 1]
    message = f"the recordings of {len(divided)} tapes are different groups by {group!r}, this one's among them"
    return [Note("tape_divided", divided[0], message)] if divided else []


def duplicates(recordings: Sequence[Recording]) -> list[Note]:
    """Warn about files that are equal byte for byte; files without a digest were not compared."""
    same: dict[str, list[str]] = defaultdict(list)
    for recording in recordings:
        if recording.digest:
            same[recording.digest].append(recording.path)
    return [
        Note("duplicate", paths[0], f"is the same file as {', '.join(paths[1:])}")
        for paths in same.values()
        if len(paths) > 1
    ]
