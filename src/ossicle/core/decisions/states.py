"""Rules that turn scores into states, as data, and the changes of state that they give.

A label is at each moment ``on``, ``off`` or ``unknown``. ``ossicle.inference.states.fold`` applies the rules.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ossicle.core.decisions.hysteresis import SMOOTHINGS, refuse_even_median, refuse_hysteresis
from ossicle.core.settings import setting, settings
from ossicle.core.value_checks import number_fault, raise_first, text_fault

ON, OFF, UNKNOWN = "on", "off", "unknown"
STATES = (ON, OFF, UNKNOWN)

MOST_STATE_FRAMES = 10_001
"""Most frames that a state may wait for or be smoothed over: forty minutes of frames of 0.25 s."""
MOST_HOLD_S = 86_400.0
"""Longest minimum time of a state in seconds: a day."""


@settings
class StateRule:
    """The rule of one label: when it turns on, and when off.

    Scores are smoothed over this frame and earlier ones only. The label turns on when its smoothed score has been at
    least ``on`` for ``debounce`` frames in a row, and off when it has been below ``off`` for as many. A state lasts at
    least ``min_on_s`` or ``min_off_s``. The first state needs no waiting: on if the first score reaches ``on``, else
    off.

    Parameters
    ----------
    on, off
        Smoothed score at which the label turns on, and below which it turns off; from 0 to 1, ``off <= on``.
    smoothing, frames
        ``none``, ``median`` of this odd number of latest frames, or ``ema`` of this span. Both work from the first
        frame on, with the frames that there are.
    min_on_s, min_off_s
        Shortest time in seconds that the label stays on or off.
    debounce
        Number of frames in a row that must agree on a change; 1 for none.

    Raises
    ------
    ValueError
        A value is out of range, ``off`` is above ``on``, or the length of a median is even.

    Examples
    --------
    >>> StateRule(on=0.3, off=0.5)
    Traceback (most recent call last):
    ValueError: off = 0.5 must not be above on = 0.3
    """

    on: float = setting(default=0.5, help="smoothed score at which the label turns on", ge=0, le=1)
    off: float = setting(default=0.5, help="smoothed score below which it turns off; at most `on`", ge=0, le=1)
    smoothing: str = setting(default="none", help="smoothing of the scores over time", choices=SMOOTHINGS)
    frames: int = setting(
        default=1, help="length of the median (odd), or span of the EMA (2/alpha - 1)", ge=1, le=MOST_STATE_FRAMES
    )
    min_on_s: float = setting(default=0.0, help="shortest time on", unit="s", ge=0, le=MOST_HOLD_S)
    min_off_s: float = setting(default=0.0, help="shortest time off", unit="s", ge=0, le=MOST_HOLD_S)
    debounce: int = setting(
        default=1, help="frames in a row that must agree on a change; 1: none", ge=1, le=MOST_STATE_FRAMES
    )

    def __post_init__(self) -> None:
        """Reject ``off`` above ``on`` and a median over an even number of frames."""
        refuse_hysteresis(self.on, self.off)
        refuse_even_median(self.smoothing, "frames", self.frames)


@dataclass(frozen=True, slots=True)
class StateDecision:
    """How the scores of all labels become states.

    Parameters
    ----------
    rules
        The rule of each label. Empty: the decision is not fitted yet, and only ``masks`` and ``priority`` are known.
    masks
        Label to the labels that it hides: while it is on, their state is ``unknown``, because they cannot be heard.
        A hidden label hides nothing.
    priority
        Labels of the overall status, the most important first (:func:`overall_status`); empty for no status.

    Raises
    ------
    ValueError
        A label has no rule, is listed twice, or hides itself, directly or through others.

    Examples
    --------
    >>> decision = StateDecision({"ac": StateRule(), "fridge": StateRule()}, {"ac": ("fridge",)}, ("ac", "fridge"))
    >>> decision.hidden({"ac": "on", "fridge": "off"})
    {'ac': 'on', 'fridge': 'unknown'}
    """

    rules: Mapping[str, StateRule] = field(default_factory=dict)
    masks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    priority: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(set(self.priority)) < len(self.priority):
            raise ValueError(f"priority lists a label twice: {', '.join(self.priority)}")
        for name, labels in (("masks", self.named_in_masks), ("priority", set(self.priority))):
            if self.rules and (strangers := sorted(labels - self.rules.keys())):
                raise ValueError(f"{name} names {strangers[0]!r}, which has no rule")
        masking_order(self.masks)

    @property
    def fitted(self) -> bool:
        """Whether there are rules."""
        return bool(self.rules)

    @property
    def named_in_masks(self) -> set[str]:
        """The labels that hide others or are hidden."""
        return {*self.masks, *(label for hidden in self.masks.values() for label in hidden)}

    def hidden(self, states: Mapping[str, str]) -> dict[str, str]:
        """Return the states that are known: ``unknown`` for each label that another one hides, else unchanged."""
        known_states = dict(states)
        for label in masking_order(self.masks):
            if known_states.get(label) == ON:
                known_states |= {
                    hidden_label: UNKNOWN for hidden_label in self.masks[label] if hidden_label in known_states
                }
        return known_states


def masking_order(masks: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the labels that hide others, each after those that may hide it.

    Raises
    ------
    ValueError
        A label hides itself, directly or through others.

    Examples
    --------
    >>> masking_order({"fan": ["clock"], "ac": ["fan"]})
    ['ac', 'fan']
    """
    order: list[str] = []
    waiting = list(masks)
    while waiting:
        free = [label for label in waiting if not any(label in masks[other] for other in waiting)]
        if not free:
            raise ValueError(f"masks: {waiting[0]!r} is hidden by a label that it hides: remove one of the two")
        order += free
        waiting = [label for label in waiting if label not in free]
    return order


def overall_status(states: Mapping[str, str], priority: Sequence[str]) -> str:
    """Return one word for the states of all labels: the first label of ``priority`` that is on.

    Parameters
    ----------
    states
        Label to ``on``, ``off`` or ``unknown``.
    priority
        Labels, the most important first.

    Returns
    -------
    ``LABEL-on``; ``LABEL-off``, ``both-off`` or ``all-off`` if the one, two or more labels are off; ``unknown`` if a
    label before the first that is on is unknown; empty without a priority.

    Examples
    --------
    >>> overall_status({"ac": "on", "fridge": "unknown"}, ["ac", "fridge"])
    'ac-on'
    >>> overall_status({"ac": "off", "fridge": "off"}, ["ac", "fridge"])
    'both-off'
    """
    for label in priority:
        state = states.get(label, UNKNOWN)
        if state != OFF:
            return f"{label}-on" if state == ON else UNKNOWN
    if len(priority) < 2:
        return f"{priority[0]}-off" if priority else ""
    return "both-off" if len(priority) == 2 else "all-off"


@dataclass(frozen=True, slots=True)
class StateChange:
    """A label has a new state from ``time_s`` on. Before its first change a label is ``unknown``.

    Parameters
    ----------
    time_s
        Seconds from the start of the recording: the middle of the frame whose smoothed score crossed the threshold.
    label
        The label.
    state
        ``on``, ``off`` or ``unknown``.
    score
        Smoothed score of the frame at which the change was decided.
    decided_at_s
        Seconds from the start of the recording at which all samples had arrived that the change depends on.

    Raises
    ------
    ValueError
        Naming the field and the value.

    Examples
    --------
    >>> StateChange(12.0, "ac", "on", 0.9, 13.25).state
    'on'
    """

    time_s: float
    label: str
    state: str
    score: float
    decided_at_s: float

    def __post_init__(self) -> None:
        raise_first(
            "StateChange",
            number_fault("time_s", self.time_s, 0.0),
            text_fault("label", self.label),
            "" if self.state in STATES else f"state = {self.state!r} is not one of: {', '.join(STATES)}",
            number_fault("score", self.score),
            number_fault("decided_at_s", self.decided_at_s, 0.0),
        )


@dataclass(frozen=True, slots=True)
class StateStretch:
    """A label is in one state from ``start_s`` to ``end_s`` seconds.

    ``score`` is that of the change that began the stretch, None before the first change.
    """

    start_s: float
    end_s: float
    label: str
    state: str
    score: float | None


def state_stretches(changes: Iterable[StateChange], labels: Sequence[str], end_s: float) -> list[StateStretch]:
    """Return the states of a whole recording as stretches that cover it, label by label in time order.

    Parameters
    ----------
    changes
        Changes of one recording; those of a label in time order.
    labels
        All labels.
    end_s
        Length of the recording in seconds; the last state holds until then.

    Examples
    --------
    >>> changes = [StateChange(1.0, "ac", "off", 0.2, 2.0), StateChange(4.0, "ac", "on", 0.9, 5.0)]
    >>> [(one.start_s, one.end_s, one.state) for one in state_stretches(changes, ["ac"], 6.0)]
    [(0.0, 1.0, 'unknown'), (1.0, 4.0, 'off'), (4.0, 6.0, 'on')]
    """
    changes_by_label: dict[str, list[StateChange]] = {label: [] for label in labels}
    for change in changes:
        changes_by_label[change.label].append(change)
    stretches = []
    for label in labels:
        starts = [0.0, *(state_change.time_s for state_change in changes_by_label[label])]
        ends = [*starts[1:], end_s]
        states = [UNKNOWN, *(state_change.state for state_change in changes_by_label[label])]
        scores = [None, *(state_change.score for state_change in changes_by_label[label])]
        stretches += [
            StateStretch(start, min(end, end_s), label, state, score)
            for start, end, state, score in zip(starts, ends, states, scores, strict=True)
            if min(end, end_s) > start
        ]
    return stretches
