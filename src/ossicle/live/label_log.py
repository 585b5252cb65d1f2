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
        one = self._labels.setdefault(label, _Label())
        one.count += 1
        one.longest_s = max(one.longest_s, end_s - start_s)
        one.on_s += max(0.0, end_s - max(start_s, one.covered_until_s))
        one.covered_until_s = max(one.covered_until_s, end_s)

    def change(self, label: str, state: str, time_s: float) -> None:
        """Add a change of state: ``on``, ``off`` or ``unknown`` from ``time_s`` on."""
        one = self._labels.setdefault(label, _Label())
        one.seen_as_states = True
        self._settle(one, time_s)
        one.count += state == "on" and one.state != "on"
        one.state, one.since_s = state, max(time_s, one.since_s)

    def gap(self, start_s: float, end_s: float) -> list[str]:
        """Make all states unknown at a gap, whose time does not count; return the labels that were known."""
        known = [label for label, one in self._labels.items() if one.state != "unknown"]
        for one in self._labels.values():
            self._settle(one, start_s)
            one.state, one.since_s = "unknown", max(end_s, one.since_s)
        return known

    def states(self) -> dict[str, str]:
        """Return the state of each label that had a change of state."""
        return {label: one.state for label, one in self._labels.items() if one.seen_as_states}

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
        return [self._figures(label, one, end_s, heard_s) for label, one in self._labels.items()]

    def _figures(self, label: str, one: _Label, end_s: float, heard_s: float) -> dict[str, Any]:
        on_s, longest_s, unknown_s = one.on_s, one.longest_s, one.unknown_s
        lasted_s = max(0.0, end_s - one.since_s)
        if one.state == "on":
            on_s, longest_s = on_s + lasted_s, max(longest_s, lasted_s)
        elif one.state == "unknown":
            unknown_s += lasted_s
        known_s = heard_s - unknown_s if one.seen_as_states else heard_s
        figures: dict[str, Any] = {
            "label": label,
            "count": one.count,
            "on_s": round(on_s, 3),
            "mean_s": round(on_s / one.count, 3) if one.count else None,
            "longest_s": round(longest_s, 3) if one.count else None,
            "duty_cycle": round(min(1.0, on_s / known_s), 4) if known_s > 0 else None,
        }
        return figures | ({"unknown_s": round(unknown_s, 3)} if one.seen_as_states else {})

    def _settle(self, one: _Label, time_s: float) -> None:
        """Count the time that the present state lasted until ``time_s``."""
        lasted_s = max(0.0, time_s - one.since_s)
        if one.state == "on":
            one.on_s += lasted_s
            one.longest_s = max(one.longest_s, lasted_s)
        elif one.state == "unknown":
            one.unknown_s += lasted_s
