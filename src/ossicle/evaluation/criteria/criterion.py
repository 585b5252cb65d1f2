"""What every criterion answers; its facts that need no data are in :mod:`ossicle.evaluation.criteria.kinds`."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ossicle.artefacts.roots import Roots
from ossicle.artefacts.typed.scores import TracksFolder
from ossicle.core.model_input.channel import MEAN
from ossicle.core.scores.pooling import MAX
from ossicle.core.scores.postprocess import Postprocess
from ossicle.core.tracks import Event
from ossicle.evaluation.clips.judged_clips import JudgedClips
from ossicle.evaluation.criteria.kinds import CriterionKind
from ossicle.evaluation.examples.example import Example
from ossicle.evaluation.ground_truth import Truth
from ossicle.evaluation.settings import EvaluationSettings
from ossicle.inference.decisions.fit import Grid
from ossicle.inference.decisions.grid import DecisionGrid
from ossicle.metrics.calibration.out_of_fold import Items
from ossicle.metrics.matching.rules import CollarMatch, IouMatch, RecordingMatch
from ossicle.metrics.ranking import PrecisionRecall
from ossicle.metrics.reports.event_report import EventReport
from ossicle.metrics.reports.recording_report import RecordingReport

Counting = IouMatch | CollarMatch | RecordingMatch
"""Rules by which the headline counts."""


@dataclass(frozen=True)
class JudgedRun:
    """The data on which a run is evaluated: its truth, the held-out events, and the folder of out-of-fold score tracks.

    ``postprocess`` is applied to a recording's scores before decisions. ``hop_s`` is the hop of the score tracks;
    ``apart_frames`` is the distance that training keeps between neighbours of one label. ``clips``: the evaluated
    clips with their scores, where the criterion judges clips; ``held_out_clips``: these, and those that only choose
    thresholds; ``simple_scores``: what simple models say of them, where that is asked for.
    """

    truth: Truth
    events: Mapping[str, Sequence[Event]]
    scores: TracksFolder
    postprocess: Postprocess
    hop_s: float
    apart_frames: float
    clips: JudgedClips | None = None
    held_out_clips: JudgedClips | None = None
    simple_scores: pl.DataFrame | None = None


@dataclass(frozen=True)
class ExampleRequest:
    """The examples for a page: where the recordings are, their rate in Hz, how many of each kind, margins, and the
    channel to read.
    """

    roots: Roots
    rate: int
    count: int
    margin_s: float
    channel: str = MEAN


@dataclass(frozen=True, kw_only=True, eq=False)
class PageParts:
    """Parts of a page that exist under one criterion only; None or empty if the criterion does not have them.

    ``collar``: the headline's events matched by a collar. ``recordings``: figures by recording. ``curves``: label and
    precision over recall. ``iou_sweep``: rows of the headline's events at other IoU thresholds.
    """

    collar: EventReport | None = None
    recordings: RecordingReport | None = None
    curves: Sequence[tuple[str, PrecisionRecall]] = ()
    iou_sweep: Sequence[Mapping[str, float | None]] = ()
    examples: Sequence[Example] = ()


class Criterion(ABC):
    """What counts as detected, from ``[evaluation]``: the same for the decision, the headline and the report."""

    kind: CriterionKind

    def __init__(self, settings: EvaluationSettings) -> None:
        self.settings = settings

    @property
    @abstractmethod
    def rule(self) -> Counting:
        """The rule by which the headline counts events."""

    @property
    @abstractmethod
    def in_words(self) -> str:
        """The criterion for a page and for ``metrics.json``."""

    @property
    def pool(self) -> str:
        """How a decision sees a recording: ``max``, frame by frame; else its one pooled score."""
        return MAX

    def grid(self, settings: DecisionGrid) -> Grid:
        """Return the decisions to choose from: ``settings`` as they are, or what they mean for onsets."""
        return settings

    @property
    @abstractmethod
    def calibrated_on(self) -> str:
        """What the items of a calibration are, in words."""

    @property
    @abstractmethod
    def weight(self) -> str:
        """What an item of a calibration weighs: ``seconds`` or ``items``."""

    @abstractmethod
    def items(self, truth: Truth, scores: TracksFolder, postprocess: Postprocess) -> Items:
        """Return the out-of-fold scores with their truth that are ranked and calibrated."""

    def answers(self, items: Items, scores: NDArray[np.floating]) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
        """Return the label of each item and the one with the highest score, (n,) each; None without single answers."""
        return None

    @abstractmethod
    def figures(self, run: JudgedRun) -> dict[str, Any]:
        """Return what ``metrics.json`` has of this criterion beside what all criteria have."""

    @abstractmethod
    def page_parts(self, run: JudgedRun, request: ExampleRequest, drawn: frozenset[str]) -> PageParts:
        """Return what a page shows of this criterion; ``drawn``: labels whose curves are drawn where not all are."""
