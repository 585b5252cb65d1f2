"""A result of a check before a run."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One checked item; ``blocks`` says whether a run would fail because of it if it is not ``ok``."""

    what: str
    ok: bool
    message: str
    blocks: bool = True
