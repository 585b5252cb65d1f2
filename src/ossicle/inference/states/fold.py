"""From score frames to changes of state, frame by frame with carried state (invariant 4).

``core.decisions.states`` defines the rule. The fold never looks ahead, so batch, file stream and microphone decide the
same at the same time, whatever the size of the feeds. A change is timed in the middle of the frame whose smoothed score
crossed the threshold, or at the end of the minimum time of the state before, if that is later. Where a masking label
turns on or off, the labels that it hides change at the same time. Times of one label never go back.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ossicle.core.decisions.states import OFF, ON, UNKNOWN, StateChange, StateDecision, StateRule, masking_order
from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.inference.decisions.regions import fewest_frames_lasting
from ossicle.inference.states.frames import first_full_frame, frame_arrival_s, frame_centre_s
from ossicle.inference.states.smoothing import CausalSmoother


class LabelFold:
    """The state of one label by its rule, without masks.

    ``state`` is None before the first frame, ``since`` the frame in whose middle it began, and ``score`` the latest
    smoothed score.
    """

    def __init__(self, rule: StateRule, hop_s: float) -> None:
        self._rule, self._smoother = rule, CausalSmoother(rule)
        self._min_frames = {ON: fewest_frames_lasting(rule.min_on_s, hop_s)}
        self._min_frames[OFF] = fewest_frames_lasting(rule.min_off_s, hop_s)
        self._n_against, self._crossed = 0, 0
        self.state: str | None = None
        self.since, self.score = 0, 0.0

    def step(self, raw: float, frame: int) -> bool:
        """Add the score of a frame; return whether the state is a new one."""
        self.score = self._smoother.step(raw)
        if self.state is None:
            self.state, self.since = ON if self.score >= self._rule.on else OFF, frame
            return True
        against = self.score < self._rule.off if self.state == ON else self.score >= self._rule.on
        if not against:
            self._n_against = 0
            return False
        if self._n_against == 0:
            self._crossed = frame
        self._n_against += 1
        earliest = self.since + self._min_frames[self.state]
        if self._n_against < self._rule.debounce or frame < earliest:
            return False
        self.state = OFF if self.state == ON else ON
        self.since, self._n_against = max(self._crossed, earliest), 0
        return True


@dataclass(slots=True)
class _Shown:
    """What was last reported of a label."""

    state: str = UNKNOWN
    time_s: float = 0.0


class StateFold:
    """Turn one recording's scores into changes of state, block by block, all labels at once.

    Parameters
    ----------
    decision
        The rules, masks and priority.
    labels
        The labels in the order of the scores' columns.
    plan
        The grid of the frames.

    Raises
    ------
    ValueError
        If a label has no rule.

    Examples
    --------
    >>> plan = ChunkPlan(rate=8000, hop_samples=8000, window_samples=16000, core_frames=1, context_frames=0)
    >>> fold = StateFold(StateDecision({"ac": StateRule(on=0.6, off=0.4)}), ("ac",), plan)
    >>> changes = fold.feed(np.array([[0.9], [0.1], [0.5], [0.7]], dtype=np.float32))
    >>> [(one.time_s, one.state, one.decided_at_s) for one in changes]
    [(1.5, 'off', 2.5), (3.5, 'on', 4.5)]
    """

    def __init__(self, decision: StateDecision, labels: tuple[str, ...], plan: ChunkPlan) -> None:
        missing = [label for label in labels if label not in decision.rules]
        if missing:
            raise ValueError(f"no state rule for the labels: {', '.join(missing)}")
        self._decision, self._labels, self._plan = decision, labels, plan
        self._first = first_full_frame(plan)
        hiders = [label for label in masking_order(decision.masks) if label in labels]
        # A label comes after those that may hide it, whose reported changes it follows.
        self._order = [*hiders, *(label for label in labels if label not in hiders)]
        self._hidden_by = {label: [hider for hider in hiders if label in decision.masks[hider]] for label in labels}
        self._shown = {label: _Shown() for label in labels}
        self._restart(0.0)

    def _restart(self, origin_s: float) -> None:
        self._origin_s, self._frame = origin_s, 0
        self._folds = {label: LabelFold(self._decision.rules[label], self._plan.hop_s) for label in self._labels}

    @property
    def states(self) -> dict[str, str]:
        """The state of each label after the last frame."""
        return {label: shown.state for label, shown in self._shown.items()}

    def feed(self, scores: NDArray[np.float32]) -> list[StateChange]:
        """Add the next score frames, float32 (n, n_labels), n >= 0; return the changes that they decide, in order."""
        changes: list[StateChange] = []
        for row in scores.tolist():
            frame = self._frame
            self._frame += 1
            if frame < self._first:
                continue
            new = [fold.step(raw, frame) for fold, raw in zip(self._folds.values(), row, strict=True)]
            if any(new):
                changes += self._report(frame)
        return changes

    def gap(self, start_s: float, end_s: float) -> list[StateChange]:
        """Mark sound from ``start_s`` to ``end_s`` as lost: every label is unknown until a full window after it.

        The next frame is frame 0 of a recording that begins at ``end_s``. Smoothing, holds and debounce begin again.
        """
        changes = []
        for label in self._labels:
            shown = self._shown[label]
            if shown.state != UNKNOWN:
                time_s = max(start_s, shown.time_s)
                changes.append(StateChange(time_s, label, UNKNOWN, self._folds[label].score, time_s))
                self._shown[label] = _Shown(UNKNOWN, time_s)
        self._restart(end_s)
        return changes

    def _report(self, frame: int) -> list[StateChange]:
        states = self._decision.hidden({label: fold.state or UNKNOWN for label, fold in self._folds.items()})
        arrival_s = self._origin_s + frame_arrival_s(self._plan, frame)
        changes = {}
        for label in self._order:
            shown, fold = self._shown[label], self._folds[label]
            if states[label] == shown.state:
                continue
            time_s = max(shown.time_s, self._began_s(label, states))
            changes[label] = StateChange(time_s, label, states[label], fold.score, arrival_s)
            self._shown[label] = _Shown(states[label], time_s)
        return [changes[label] for label in self._labels if label in changes]

    def _began_s(self, label: str, states: dict[str, str]) -> float:
        """Return when the new state of a label began: with its own crossing, or with the last change of its maskers."""
        hiders = self._hidden_by[label]
        if states[label] == UNKNOWN:
            return min(self._shown[hider].time_s for hider in hiders if states[hider] == ON)
        own_s = self._origin_s + frame_centre_s(self._plan, self._folds[label].since)
        return max([own_s, *(self._shown[hider].time_s for hider in hiders)])
