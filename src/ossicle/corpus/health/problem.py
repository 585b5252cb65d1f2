"""A problem of a corpus, with its remedy."""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding: ``code`` for programs, ``where`` a file or label, the problem, and what to do about it.

    ``error``: results would mislead. ``warning``: something is lost or doubtful. ``note``: for information.
    """

    severity: Severity
    code: str
    where: str
    message: str
    remedy: str
