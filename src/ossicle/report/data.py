"""Content of a report as values: the caller collects them, ``ossicle.report.pages.page`` draws them.

All times are seconds from the start of a recording. Empty sequences and None mean that a run lacks this part; the page
says so in a sentence instead.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ossicle.corpus.health.report import HealthReport
from ossicle.evaluation.examples.example import Example
from ossicle.inference.decisions.fit import ThresholdCurve
from ossicle.metrics.noise.noise_gate import Judged
from ossicle.metrics.reports.event_report import EventReport
from ossicle.metrics.reports.recording_report import RecordingReport
from ossicle.report.clips_section import ClipsSection


@dataclass(frozen=True, slots=True)
class TrainingCurve:
    """One training, by epoch: each has ``epoch`` and, where measured, ``train_loss``, ``val_loss``, ``learning_rate``,
    ``seconds``.
    """

    name: str
    epochs: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, eq=False)
class PrCurve:
    """Precision and recall of one label as the threshold falls; arrays or sequences of one length."""

    label: str
    precision: Sequence[float] | NDArray[np.float64]
    recall: Sequence[float] | NDArray[np.float64]
    thresholds: Sequence[float] | NDArray[np.float64]
    average_precision: float


@dataclass(frozen=True, slots=True)
class SweepRow:
    """The headline's events, matched at another IoU threshold."""

    iou: float
    f1: float
    precision: float
    recall: float


@dataclass(frozen=True, slots=True)
class QualityRow:
    """Annotations of one quality, and how many of them were found; ``recall`` is NaN if there are none."""

    quality: str
    annotated: int
    found: int
    recall: float


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """Quality of the scores of one label, or of all (``label`` None), over all thresholds; NaN where undefined.

    ``psds`` is None if times are not evaluated.
    """

    label: str | None
    psds: tuple[float, float] | None
    average_precision: float
    roc_auc: float
    ece: float
    brier: float


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Scores above ``above`` and up to ``up_to``: their weight, mean score and share of positives (NaN if none).

    The weight is the seconds of frames, or the number of recordings.
    """

    above: float
    up_to: float
    weight: float
    mean_score: float
    share_positive: float


@dataclass(frozen=True, slots=True)
class CalibrationRow:
    """ECE and Brier score before and after calibration, and the share of correct answers; None if there is none."""

    name: str
    ece: float
    brier: float
    accuracy: float | None
    bins: Sequence[ReliabilityBin]


@dataclass(frozen=True, slots=True)
class FoldRow:
    """One fold: its held-out data, the decision fitted on the other folds (label to text) and its results."""

    fold: int
    groups: tuple[str, ...]
    decisions: Mapping[str, str]
    f1: float
    precision: float
    recall: float
    n_reference: int
    n_predicted: int


@dataclass(frozen=True, kw_only=True, eq=False)
class ReportData:
    """One run.

    ``summary``: key facts in order. ``metrics``: the headline, out of fold with cross-fitted decisions; ``in_sample``:
    the same under the bundle's final decision; ``collar``: the headline's events matched by a 0.2 s collar. ``scores``:
    the out-of-fold scores without a decision, all labels first; ``reliability``: their frames by score. ``recordings``:
    set if whole recordings are evaluated; figures about times are then not shown. ``clips``: set if clips are.
    ``calibration``: before and after, if there was one, in words ``calibrated``. ``budget``: phases with their seconds.
    ``noise_gate``: results of the noise gate, in order; ``gate_exceptions``: sentences about sounds that could not
    refuse; ``gate_found_nothing``: that no annotated event is found, in words. ``notes``: warnings. ``curve_notes``:
    what the curves show. ``split``: the leak audit as ``corpus.splits.leak_audit`` writes it. ``files``: name to path
    relative to the page.
    """

    title: str
    summary: Mapping[str, str]
    health: HealthReport
    metrics: EventReport
    curves: Sequence[TrainingCurve] = ()
    curve_notes: Sequence[str] = ()
    in_sample: EventReport | None = None
    collar: EventReport | None = None
    threshold_curves: Sequence[ThresholdCurve] = ()
    pr_curves: Sequence[PrCurve] = ()
    iou_sweep: Sequence[SweepRow] = ()
    qualities: Sequence[QualityRow] = ()
    scores: Sequence[ScoreRow] = ()
    reliability: Sequence[ReliabilityBin] = ()
    recordings: RecordingReport | None = None
    clips: ClipsSection | None = None
    calibration: Sequence[CalibrationRow] = ()
    calibrated: str = ""
    folds: Sequence[FoldRow] = ()
    examples: Sequence[Example] = ()
    budget: Sequence[tuple[str, float]] = ()
    noise_gate: Sequence[Judged] = ()
    gate_exceptions: Sequence[str] = ()
    gate_found_nothing: str = ""
    notes: Sequence[str] = ()
    split: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
