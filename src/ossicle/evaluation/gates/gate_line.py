"""One line of a gate: what was compared with what, and whether it passed."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class GateLine:
    """One comparison of a gate.

    Attributes
    ----------
    name
        What is compared, for example ``clips.f1.kick > 0.9``.
    passed
        Whether it holds.
    value
        The figure; None if it is absent or undefined.
    limit
        What it was compared with; None if there was nothing to compare with.
    reason
        Why the line failed, in words; empty if it passed.
    note
        What else to know about a line that passed; may be empty.
    """

    name: str
    passed: bool
    value: float | None = None
    limit: float | None = None
    reason: str = ""
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)

    @property
    def in_words(self) -> str:
        """Return ``name: reason`` of a failed line, and ``name: value`` of one that passed."""
        value = "" if self.value is None else f"{self.value:.4g}"
        return f"{self.name}: {self.reason or ', '.join(filter(None, (value, self.note)))}"


def failed(lines: Iterable[GateLine]) -> tuple[str, ...]:
    """Return each failed line in words."""
    return tuple(line.in_words for line in lines if not line.passed)


def gate_table(lines: Sequence[GateLine]) -> list[tuple[str, str, str, str]]:
    """Return the rows (line, value, limit, result) of a table of lines."""
    return [
        (
            line.name,
            "–" if line.value is None else f"{line.value:.4g}",
            "–" if line.limit is None else f"{line.limit:.4g}",
            ", ".join(filter(None, ("passed" if line.passed else "FAILED", line.reason or line.note))),
        )
        for line in lines
    ]
