"""Numbers of the same things from two places, which must agree."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Total:
    """Two numbers that must agree, or whose difference must not exceed a share of the expected one.

    Attributes
    ----------
    name
        Name of the gate.
    what
        What is counted, in words.
    found, expected
        The two numbers.
    remedy
        What to do if they differ.
    tolerance
        Largest share of ``expected`` that may be missing, in [0, 1]; 1 shows the numbers without judging them. More
        than expected always differs.
    """

    name: str
    what: str
    found: int
    expected: int
    remedy: str
    tolerance: float = 0.0

    @property
    def agrees(self) -> bool:
        """Whether the numbers agree."""
        return 0 <= self.expected - self.found <= self.tolerance * self.expected + 1e-9

    @property
    def in_words(self) -> str:
        """Both numbers with what they count."""
        return f"{self.found} of {self.expected} {self.what}"

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self) | {"agrees": self.agrees}
