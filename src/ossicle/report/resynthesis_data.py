"""Content of the page to listen to a vocoder, as values; ``ossicle.report.pages.resynthesis_page`` draws them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ossicle.evaluation.units.resynthesis.pairs import JudgedPair
from ossicle.evaluation.units.resynthesis.verdict import Verdict
from ossicle.metrics.reports.event_report import Estimate

Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class PairCard:
    """A recording, its resynthesis and the baseline.

    Attributes
    ----------
    path
        The recording.
    start_s
        First sample in seconds from the start of the recording.
    speaker
        Who speaks; empty if nobody is known.
    original, made
        Samples at the same rate.
    judged
        Figures and F0 contours of the two.
    baseline
        Samples of the baseline; empty without one.
    baseline_judged
        Figures and contours of the recording and the baseline; None without one.
    place
        Its path below the folder of sounds, without kind and ending; empty: it has no sound files.
    """

    path: str
    start_s: float
    speaker: str
    original: Samples
    made: Samples
    judged: JudgedPair
    baseline: Samples
    baseline_judged: JudgedPair | None
    place: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class ResynthesisReportData:
    """What the page shows.

    Attributes
    ----------
    title
        Name of the project or vocoder.
    summary
        Key facts, name to text: units and their source, speakers that trained, chose and are judged, rate, pitch.
    figures
        Figures of the vocoder from :func:`ossicle.evaluation.units.resynthesis.figures.resynthesis_figures`.
    baseline
        The same of the baseline; empty without one.
    verdict
        Which bars are reached.
    basis
        On what is judged, in one sentence: held-out speakers, held-out recordings of known speakers, or training data.
    held_out
        Whether nothing that is judged was trained on.
    notes
        Further sentences: the mean embedding of unseen speakers, segments left out.
    pairs
        The pairs, in the order in which they are shown.
    rate
        Sample rate of all samples in Hz.
    files
        Other results: name and place.
    start
        Figures of the vocoder before its training; empty where it is not known.
    sounds
        Folder of the sound files of the pairs relative to the page, with a slash; empty: that of the page.
    """

    title: str
    summary: Mapping[str, str]
    figures: Mapping[str, Estimate]
    baseline: Mapping[str, Estimate]
    verdict: Verdict
    basis: str
    held_out: bool
    notes: Sequence[str]
    pairs: Sequence[PairCard]
    rate: int
    files: Mapping[str, str]
    start: Mapping[str, Estimate] = field(default_factory=dict)
    sounds: str = ""
