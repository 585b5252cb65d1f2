"""What a user should know about a corpus, beside its index."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Note:
    """Something the user should know about the corpus: ``kind`` for machines, ``where`` (a file), ``message``."""

    kind: str
    where: str
    message: str
