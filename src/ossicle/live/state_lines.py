"""Changes of state as lines: those of one moment together, with the overall status after them."""

from collections.abc import Sequence
from itertools import groupby

from ossicle.core.decisions.states import UNKNOWN, StateChange, overall_status
from ossicle.live.lines import Line


class StateLines:
    """Follow the states of a stream and give the lines of its changes.

    Parameters
    ----------
    labels
        All labels; each is unknown at first.
    priority
        Labels of the overall status, the most important first; empty for no status.
    only_changes
        Whether to leave out moments that do not change the overall status, if there is one.

    Examples
    --------
    >>> lines = StateLines(["ac"], ["ac"])
    >>> lines.of([StateChange(12.0, "ac", "on", 0.9, 13.25)])
    [{'time_s': 12.0, 'label': 'ac', 'state': 'on', 'status': 'ac-on', 'score': 0.9, 'decided_at_s': 13.25}]
    """

    def __init__(self, labels: Sequence[str], priority: Sequence[str], *, only_changes: bool = False) -> None:
        self._states = dict.fromkeys(labels, UNKNOWN)
        self._priority, self._only_changes = tuple(priority), only_changes

    def of(self, changes: Sequence[StateChange]) -> list[Line]:
        """Return the lines of the next changes; changes decided at one moment must come in one call."""
        lines = []
        for _, together in groupby(changes, key=lambda change: change.decided_at_s):
            moment = list(together)
            before = overall_status(self._states, self._priority)
            self._states |= {state_change.label: state_change.state for state_change in moment}
            status = overall_status(self._states, self._priority)
            if not (self._only_changes and self._priority and status == before):
                lines += [_line(state_change, status) for state_change in moment]
        return lines


def _line(change: StateChange, status: str) -> Line:
    return {
        "time_s": round(change.time_s, 6),
        "label": change.label,
        "state": change.state,
        "status": status,
        "score": round(change.score, 6),
        "decided_at_s": round(change.decided_at_s, 6),
    }
