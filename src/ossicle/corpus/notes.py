"""What an index says about its files to the user: notes, and files that were left out."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Note:
    """A note for the user about the corpus: ``kind`` for programs, ``where`` (a file), and ``message``.

    ``lost`` is the number of annotations that are not used because of it.
    """

    kind: str
    where: str
    message: str
    lost: int = 0


def shortened(notes: Iterable[Note], kinds: Collection[str], most: int = 5) -> list[Note]:
    """Return notes with at most ``most`` of each of these kinds, and one note on how many more there are.

    >>> [one.message for one in shortened([Note("empty", str(k), "is empty") for k in range(9)], ["empty"], most=1)]
    ['is empty', 'and 8 more like it']
    """
    kept_notes: list[Note] = []
    n_of_kind: Counter[str] = Counter()
    lost: Counter[str] = Counter()
    for note in notes:
        n_of_kind[note.kind] += 1
        if note.kind not in kinds or n_of_kind[note.kind] <= most:
            kept_notes.append(note)
        else:
            lost[note.kind] += note.lost
    more = {kind: n_of_kind[kind] - most for kind in kinds if n_of_kind[kind] > most}
    firsts = {kind: next(note.where for note in kept_notes if note.kind == kind) for kind in more}
    return kept_notes + [
        Note(kind, firsts[kind], f"and {count} more like it", lost[kind]) for kind, count in more.items()
    ]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An audio file that is not part of the corpus, and why.

    Attributes
    ----------
    path
        The file, or the line of a table that names it.
    reason
        Why it is left out; after the last semicolon what to do, if that is more than to repair the file.
    """

    path: str
    reason: str

    @property
    def parted(self) -> tuple[str, str]:
        """The reason, and what to do about it; the latter is empty where the file itself is at fault.

        >>> LeftOut("a.wav", "its name is not valid UTF-8; rename it").parted
        ('its name is not valid UTF-8', 'rename it')
        >>> LeftOut("a.wav", "contains no samples").parted
        ('contains no samples', '')
        """
        reason, semicolon, remedy = self.reason.rpartition("; ")
        return (reason, remedy) if semicolon else (self.reason, "")
