"""What an index says about its files to the user: notes, and files that were left out."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Note:
    """A note for the user about the corpus: ``kind`` for programs, ``where`` (a file), and ``message``."""

    kind: str
    where: str
    message: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An audio file that is not part of the corpus, and why."""

    path: str
    reason: str
