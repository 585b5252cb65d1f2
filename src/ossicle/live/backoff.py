"""Pauses between attempts: they double up to a bound, without chance, so that tests and logs can be followed."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Pauses between attempts in seconds: ``first_s``, then twice as long each, at most ``most_s``.

    Examples
    --------
    >>> [Backoff(0.5, 4.0).pause_s(attempt) for attempt in range(5)]
    [0.5, 1.0, 2.0, 4.0, 4.0]
    """

    first_s: float
    most_s: float

    def pause_s(self, failures: int) -> float:
        """Return the pause after ``failures`` earlier failures."""
        # Doubling for days would overflow.
        return min(self.most_s, self.first_s * 2.0 ** min(failures, 64))
