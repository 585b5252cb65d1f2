"""Content of the page of a project for acoustic units, as values; ``ossicle.report.pages.units_page`` draws them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class UnitRow:
    """One unit of the inventory.

    Attributes
    ----------
    unit
        Its number.
    share
        Share of all frames.
    runs, segments
        Its uses (repeats joined), and the segments that have one.
    mean_s
        Mean duration of a use in seconds.
    samples
        Some of its uses, after each other; empty without sound.
    """

    unit: int
    share: float
    runs: int
    segments: int
    mean_s: float
    samples: Samples


@dataclass(frozen=True, slots=True, eq=False)
class MotifRow:
    """One motif of the table, as the artefact ``motifs`` holds it, with the sound of its first example.

    Attributes
    ----------
    units
        Its units.
    count, segments, groups
        Its uses, and the segments and groups with one.
    coverage
        Share of all frames.
    mean_s, sd_s
        Duration of a use in seconds.
    where
        Recording and time of the example.
    samples
        The example; empty without sound.
    """

    units: Sequence[int]
    count: int
    segments: int
    groups: int
    coverage: float
    mean_s: float
    sd_s: float
    where: str
    samples: Samples


@dataclass(frozen=True, slots=True, eq=False)
class SegmentCard:
    """The beginning of a segment with its units.

    Attributes
    ----------
    path
        The recording.
    start_s
        First sample in seconds from the start of the recording.
    samples
        The sound.
    times_s
        Centre of each frame in seconds from the start of the recording, shape (n,).
    units
        Unit of each frame, shape (n,).
    words
        Start, end and text of the words in it.
    """

    path: str
    start_s: float
    samples: Samples
    times_s: NDArray[np.float64]
    units: NDArray[np.int64]
    words: Sequence[tuple[float, float, str]]


@dataclass(frozen=True, slots=True, eq=False)
class UnitsReportData:
    """What the page shows.

    Attributes
    ----------
    title
        Name of the project.
    summary
        Key facts, name to text.
    metrics
        ``metrics.json``.
    lengths_s
        Length of every segment in seconds, shape (n_segments,).
    segments
        Lines about how segments were found.
    units
        The inventory, the most frequent unit first.
    spectra
        Mean level in dB of each unit and mel band, shape (n_units, n_bands), in the order of ``units``; NaN where no
        frame was heard.
    bands_hz
        Centre of each mel band in Hz, shape (n_bands,).
    motifs
        The motifs that cover most, in the order of coverage.
    motif_notes
        Lines about the vocabulary: tokens asked for and reached, and why.
    cards
        Some segments.
    sweep
        Numbers of units that were tried, each with ``k``, ``inertia``, ``held_out_inertia``; empty without a sweep.
    rate
        Sample rate of all samples in Hz.
    hop_s
        Seconds from frame to frame.
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
    lengths_s: NDArray[np.float64]
    segments: Sequence[str]
    units: Sequence[UnitRow]
    spectra: NDArray[np.float64]
    bands_hz: NDArray[np.float64]
    motifs: Sequence[MotifRow]
    motif_notes: Sequence[str]
    cards: Sequence[SegmentCard]
    sweep: Sequence[Mapping[str, float | None]]
    rate: int
    hop_s: float
    problems: Sequence[tuple[str, str, str]]
    budget: Sequence[tuple[str, float]]
    files: Mapping[str, str]
