"""Notes for the user about a corpus, beside its index."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Note:
    """A note for the user about the corpus: ``kind`` for programs, ``where`` (a file), and ``message``."""

    kind: str
    where: str
    message: str
