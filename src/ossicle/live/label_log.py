"""How often and how long each label was on: counts, durations and duty cycle of a session."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class _Label:
    count: int = 0
    on_s: float = 0.0
    longest_s: float = 0.0
    unknown_s: float = 0.0
    covered_until_s: float = 0.0
    state: str = "unknown"
    since_s: float = 0.0
    seen_as_states: bool = field(default=False)


class LabelLog:
    """Counts and durations by label, from events or from changes of state; memory does not grow with time.

    Parameters
    ----------
    labels
        The labels to list, also if they never occur.

    Examples
    --------
    >>> log = LabelLog(["call"])
    >>> log.event("call", 1.0, 3.0)
    >>> log.summary(8.0, 8.0)[0]["duty_cycle"]
    0.25
    """

    def __init__(self, labels: list[str]) -> None:
        self._labels = {label: _Label() for label in labels}

    @property
    def labels(self) -> list[str]:
        """The labels."""
        return list(self._labels)

    def event(self, label: str, start_s: float, end_s: float) -> None:
        """Add an event; where events of a label overlap, their time counts once."""
        tally = self._labels.setdefault(label, _Label())
        tally.count += 1
        tally.longest_s = max(tally.longest_s, end_s - start_s)
        tally.on_s += max(0.0, end_s - max(start_s, tally.covered_until_s))
        tally.covered_until_s = max(tally.covered_until_s, end_s)

    def change(self, label: str, state: str, time_s: float) -> None:
        """Add a change of state: ``on``, ``off`` or ``unknown`` from ``time_s`` on."""
        tally = self._labels.setdefault(label, _Label())
        tally.seen_as_states = True
        self._settle(tally, time_s)
        tally.count += state == "on" and tally.state != "on"
        tally.state, tally.since_s = state, max(time_s, tally.since_s)

    def gap(self, start_s: float, end_s: float) -> list[str]:
        """Make all states unknown at a gap, whose time does not count; return the labels that were known."""
        known = [label for label, tally in self._labels.items() if tally.state != "unknown"]
        for tally in self._labels.values():
            self._settle(tally, start_s)
            tally.state, tally.since_s = "unknown", max(end_s, tally.since_s)
        return known

    def states(self) -> dict[str, str]:
        """Return the state of each label that had a change of state."""
        return {label: tally.state for label, tally in self._labels.items() if tally.seen_as_states}

    def summary(self, end_s: float, heard_s: float) -> list[dict[str, Any]]:
        """Return the figures of each label.

        Parameters
        ----------
        end_s
            The present second of the session.
        heard_s
            Seconds that were heard, gaps left out.

        Returns
        -------
        For each label ``label``, ``count``, ``on_s``, ``mean_s`` and ``longest_s`` (None if it was never on),
        ``duty_cycle`` (share of the time heard; of the time in which its state was known, for states; None for no
        time), and ``unknown_s`` for states.
        """
        return [self._figures(label, tally, end_s, heard_s) for label, tally in self._labels.items()]

    def _figures(self, label: str, tally: _Label, end_s: float, heard_s: float) -> dict[str, Any]:
        on_s, longest_s, unknown_s = tally.on_s, tally.longest_s, tally.unknown_s
        lasted_s = max(0.0, end_s - tally.since_s)
        if tally.state == "on":
            on_s, longest_s = on_s + lasted_s, max(longest_s, lasted_s)
        elif tally.state == "unknown":
            unknown_s += lasted_s
        known_s = heard_s - unknown_s if tally.seen_as_states else heard_s
        figures: dict[str, Any] = {
            "label": label,
            "count": tally.count,
            "on_s": round(on_s, 3),
            "mean_s": round(on_s / tally.count, 3) if tally.count else None,
            "longest_s": round(longest_s, 3) if tally.count else None,
            "duty_cycle": round(min(1.0, on_s / known_s), 4) if known_s > 0 else None,
        }
        return figures | ({"unknown_s": round(unknown_s, 3)} if tally.seen_as_states else {})

    def _settle(self, tally: _Label, time_s: float) -> None:
        """Count the time that the present state lasted until ``time_s``."""
        lasted_s = max(0.0, time_s - tally.since_s)
        if tally.state == "on":
            tally.on_s += lasted_s
            tally.longest_s = max(tally.longest_s, lasted_s)
        elif tally.state == "unknown":
            tally.unknown_s += lasted_s
