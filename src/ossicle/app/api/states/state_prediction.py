"""What a bundle of states found in one recording."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from ossicle.core.decisions.states import UNKNOWN, StateChange, StateStretch, overall_status, state_stretches
from ossicle.core.records import Status
from ossicle.core.tracks import ScoreTrack


@dataclass(frozen=True, slots=True)
class StatePrediction:
    """The states in one recording, and how reading it went.

    Parameters
    ----------
    name
        The recording: its path in the requested folder, else its file name.
    changes
        Changes of state in the order in which they were decided. Before its first change a label is unknown.
    labels, priority
        The labels of the bundle, and the priority of its overall status.
    status, reason, end_s
        As in ``RecordingPrediction``: ``ok``, ``silent``, ``partial`` or ``left_out``; why; seconds read.
    path
        The file; None for samples in memory.
    scores
        The model's scores, if requested.
    channels_cancel_db
        As in ``RecordingPrediction``.

    Examples
    --------
    >>> changes = (StateChange(1.0, "ac", "off", 0.1, 2.0), StateChange(4.0, "ac", "on", 0.9, 5.0))
    >>> found = StatePrediction("kitchen.wav", changes, ("ac",), ("ac",), "ok", "", 60.0)
    >>> found.states, found.overall
    ({'ac': 'on'}, 'ac-on')
    """

    name: str
    changes: tuple[StateChange, ...]
    labels: tuple[str, ...]
    priority: tuple[str, ...]
    status: Status
    reason: str
    end_s: float
    path: Path | None = None
    scores: ScoreTrack | None = field(default=None, compare=False)
    channels_cancel_db: float | None = None

    @property
    def stretches(self) -> list[StateStretch]:
        """The states as stretches that cover the recording, label by label."""
        return state_stretches(self.changes, self.labels, self.end_s)

    @property
    def states(self) -> dict[str, str]:
        """The state of each label for most of the time; ``unknown`` only where it never has another."""
        return {label: longest_state(self.stretches, label) for label in self.labels}

    @property
    def overall(self) -> str:
        """The overall status for most of the recording; empty without a priority."""
        seconds: dict[str, float] = {}
        for status, lasted_s in _status_seconds(self.stretches, self.labels, self.priority):
            seconds[status] = seconds.get(status, 0.0) + lasted_s
        known = {status: lasted_s for status, lasted_s in seconds.items() if status != UNKNOWN}
        if known:
            return max(known, key=known.__getitem__)
        return UNKNOWN if self.priority else ""


def longest_state(stretches: Sequence[StateStretch], label: str) -> str:
    """Return the state that a label has for most of the time in which it is known, of equal ones the first."""
    seconds: dict[str, float] = {}
    for stretch in stretches:
        if stretch.label == label and stretch.state != UNKNOWN:
            seconds[stretch.state] = seconds.get(stretch.state, 0.0) + stretch.end_s - stretch.start_s
    return max(seconds, key=seconds.__getitem__) if seconds else UNKNOWN


def _status_seconds(
    stretches: Sequence[StateStretch], labels: Sequence[str], priority: Sequence[str]
) -> list[tuple[str, float]]:
    """Return the overall status between any two changes, and how long it lasts."""
    edges = sorted({time_s for stretch in stretches for time_s in (stretch.start_s, stretch.end_s)})
    places: Mapping[str, list[StateStretch]] = {
        label: [stretch for stretch in stretches if stretch.label == label] for label in labels
    }
    indices = dict.fromkeys(labels, 0)
    durations = []
    for start_s, end_s in pairwise(edges):
        states = {}
        for label, label_stretches in places.items():
            while indices[label] < len(label_stretches) - 1 and label_stretches[indices[label]].end_s <= start_s:
                indices[label] += 1
            states[label] = label_stretches[indices[label]].state if label_stretches else UNKNOWN
        durations.append((overall_status(states, priority), end_s - start_s))
    return durations
