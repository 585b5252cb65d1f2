"""Figures of the units that one quantiser gives to some segments: with words, and without."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ossicle.evaluation.units.unit_boundaries import boundary_counts
from ossicle.evaluation.units.words import NO_WORD, FrameTimes, JudgedSegment, SpokenWords
from ossicle.metrics.reports.event_report import Estimate, plain
from ossicle.metrics.units.abx import AbxError
from ossicle.metrics.units.boundaries import BoundaryRates, boundary_rates
from ossicle.metrics.units.label_agreement import Agreement, label_agreement
from ossicle.metrics.units.symbol_rates import SymbolRates, symbol_counts, symbol_rates

Units = NDArray[np.integer]


@dataclass(frozen=True, slots=True)
class Resampling:
    """Number of resamples of the intervals, and the seed of all draws."""

    resamples: int = 1000
    seed: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class WordFigures:
    """Figures against words.

    Attributes
    ----------
    agreement
        Agreement frame by frame.
    boundaries
        Changes of unit against edges of words.
    random_f1, random_r_value
        F1 and R-value of as many random boundaries.
    """

    agreement: Agreement
    boundaries: BoundaryRates
    random_f1: float
    random_r_value: float

    def to_json(self) -> dict[str, Any]:
        """Return plain values; None where a figure is undefined."""
        boundaries = self.boundaries.to_json()
        return {
            **self.agreement.to_json(),
            **boundaries,
            "boundary_f": {**boundaries["boundary_f"], "random": plain(self.random_f1)},
            "r_value": {**boundaries["r_value"], "random": plain(self.random_r_value)},
        }


@dataclass(frozen=True, slots=True, eq=False)
class UnitFigures:
    """Figures of some segments.

    Attributes
    ----------
    rates
        Bitrates and repeat rate.
    words
        Figures against words; None without words.
    abx
        ABX errors of the units by name (``abx_within``, ``abx_across``); empty without words.
    recordings, segments, seconds
        What was judged.
    units_used
        Units that occur.
    """

    rates: SymbolRates
    words: WordFigures | None
    abx: Mapping[str, AbxError]
    recordings: int
    segments: int
    seconds: float
    units_used: int

    @property
    def figures(self) -> dict[str, Estimate]:
        """The figures that are compared over folds, by their keys."""
        figures = {
            "bitrate": self.rates.bitrate,
            "bitrate_runs": self.rates.bitrate_runs,
            "repeat_rate": self.rates.repeat_rate,
        }
        if self.words is not None:
            agreement, boundaries = self.words.agreement, self.words.boundaries
            figures |= {"ami": agreement.ami, "nmi": agreement.nmi, "purity": agreement.purity}
            figures |= {
                "boundary_precision": boundaries.precision,
                "boundary_recall": boundaries.recall,
                "boundary_f": boundaries.f1,
            }
            figures |= {"r_value": boundaries.r_value}
        return figures | {name: abx_error.error for name, abx_error in self.abx.items()}

    def to_json(self) -> dict[str, Any]:
        """Return plain values; None where a figure is undefined."""
        return {
            "recordings": self.recordings,
            "segments": self.segments,
            "seconds": round(self.seconds, 3),
            "units_used": self.units_used,
            **self.rates.to_json(),
            **({} if self.words is None else self.words.to_json()),
            **{name: abx_error.to_json() for name, abx_error in self.abx.items()},
        }


def unit_figures(
    segments: Sequence[JudgedSegment],
    units: Sequence[Units],
    k: int,
    times: FrameTimes,
    words: SpokenWords | None,
    abx: Mapping[str, AbxError],
    resampling: Resampling,
) -> UnitFigures:
    """Return the figures of some segments.

    Parameters
    ----------
    segments
        The segments to judge.
    units
        Unit of each frame of each segment.
    k
        Number of units of the quantiser.
    times
        The times of frames.
    words
        The words of the corpus; None without.
    abx
        ABX errors by name, worked out before.
    resampling
        Settings of the intervals.

    Raises
    ------
    ValueError
        If a segment has another number of frames than of units.
    """
    by_recording: dict[str, list[int]] = {}
    for index, (segment, of_segment) in enumerate(zip(segments, units, strict=True)):
        if len(of_segment) != segment.n_frames:
            raise ValueError(f"{segment.segment_id} has {segment.n_frames} frames and {len(of_segment)} units")
        by_recording.setdefault(segment.recording_id, []).append(index)
    counts = [symbol_counts([units[index] for index in places], k, times.hop_s) for places in by_recording.values()]
    totals = np.stack(counts) if counts else np.zeros((0, 2 * k + 3), dtype=np.int64)
    groups = [segments[places[0]].group for places in by_recording.values()]
    return UnitFigures(
        rates=symbol_rates(totals, groups, resampling.resamples, resampling.seed),
        words=None if words is None else _word_figures(segments, units, by_recording, groups, times, words, resampling),
        abx=abx,
        recordings=len(by_recording),
        segments=len(segments),
        seconds=sum(segment.n_frames for segment in segments) * times.hop_s,
        units_used=int((totals[:, :k].sum(axis=0) > 0).sum()),
    )


def _word_figures(
    segments: Sequence[JudgedSegment],
    units: Sequence[Units],
    by_recording: Mapping[str, Sequence[int]],
    groups: Sequence[str],
    times: FrameTimes,
    words: SpokenWords,
    resampling: Resampling,
) -> WordFigures:
    generator = np.random.default_rng(resampling.seed)
    boundaries = np.zeros((2, len(by_recording), 3), dtype=np.int64)
    labels: list[NDArray[np.int64]] = []
    spoken_units: list[Units] = []
    heard: list[NDArray[np.int64]] = []
    for row, (recording_id, places) in enumerate(by_recording.items()):
        intervals = words.intervals(recording_id)
        for index in places:
            centres = times.of(segments[index])
            boundaries[:, row] += np.array(boundary_counts(units[index], centres, intervals, generator))
            of_frames = words.of_frames(recording_id, centres)
            spoken = of_frames != NO_WORD
            labels.append(of_frames[spoken])
            spoken_units.append(units[index][spoken])
            heard.append(np.full(int(spoken.sum()), row))
    random = boundary_rates(boundaries[1], groups, resamples=0)
    return WordFigures(
        agreement=label_agreement(
            _joined_arrays(labels), _joined_arrays(spoken_units), _joined_arrays(heard), resampling.seed
        ),
        boundaries=boundary_rates(boundaries[0], groups, resampling.resamples, resampling.seed),
        random_f1=random.f1.value,
        random_r_value=random.r_value.value,
    )


def _joined_arrays(parts: Sequence[Units]) -> NDArray[np.int64]:
    return np.concatenate([np.zeros(0, dtype=np.int64), *parts]).astype(np.int64)
