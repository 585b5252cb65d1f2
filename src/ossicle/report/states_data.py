"""Content of the page of a project for states, as values; ``ossicle.report.pages.states_page`` draws them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ossicle.evaluation.examples.example import Example
from ossicle.report.data import TrainingCurve


@dataclass(frozen=True, slots=True, eq=False)
class ContradictionCard:
    """A recording whose out-of-fold scores contradict a label.

    ``state`` is what the label says, ``score`` the median of its windows, ``share`` the share of windows on the other
    side of ``threshold``. ``example`` is the window that contradicts most.
    """

    path: str
    group: str
    label: str
    state: str
    score: float
    threshold: float
    share: float
    whole: bool
    example: Example


@dataclass(frozen=True, slots=True, eq=False)
class StatesReportData:
    """What the page shows.

    Attributes
    ----------
    title
        Name of the project.
    summary
        Key facts, name to text.
    metrics
        ``metrics.json``.
    decision
        The artefact of the step ``state_decision``: curves and plateaus by label, decisions by fold.
    contradictions
        The most confident first.
    next_steps
        What to try next, in order.
    curves
        Losses of each head by epoch.
    curve_notes
        What they show.
    split
        The audit of the split.
    problems
        Where, what and remedy of each problem of the recordings.
    budget
        Steps and their seconds.
    files
        Other results of the run: name and place.
    """

    title: str
    summary: Mapping[str, str]
    metrics: Mapping[str, Any]
    decision: Mapping[str, Any]
    contradictions: Sequence[ContradictionCard]
    next_steps: Sequence[str]
    curves: Sequence[TrainingCurve]
    curve_notes: Sequence[str]
    split: Mapping[str, Any]
    problems: Sequence[tuple[str, str, str]]
    budget: Sequence[tuple[str, float]]
    files: Mapping[str, str]
