"""What a check before a run found."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; ``blocks`` says whether a run would fail for it, where it is not ``ok``."""

    what: str
    ok: bool
    message: str
    blocks: bool = True
