"""Counts of every decision of a grid of onsets on every recording, from scores written once (invariant 3).

The peaks of a label are found once for each smoothing and distance; a threshold then only selects among them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ossicle.core.decisions.decision import PEAKS, Decision
from ossicle.core.intervals import Intervals
from ossicle.core.tracks import ScoreTrack
from ossicle.inference.decisions.grid import Counts, DecisionGrid
from ossicle.inference.decisions.peaks import Peaks, find_peaks, reach_frames
from ossicle.inference.decisions.smooth import smooth
from ossicle.metrics.columns.event_lists import EventLists
from ossicle.metrics.events import list_counts
from ossicle.metrics.matching.rules import Criterion, RecordingMatch


@dataclass(frozen=True)
class OnsetGrid:
    """The decisions on onsets to choose from: the thresholds, smoothings and distances of ``[decision]``.

    ``off_ratio`` and ``min_length_s`` of the settings have no meaning for onsets.
    """

    settings: DecisionGrid

    @property
    def on(self) -> tuple[float, ...]:
        """The thresholds, rising."""
        return self.settings.on

    @property
    def n_on(self) -> int:
        """Number of thresholds on the last and fastest axis of :meth:`decisions`."""
        return len(self.on)

    def decisions(self) -> list[Decision]:
        """Return all decisions, ``on`` fastest, the simpler of the other settings first."""
        return [decision for row in self.rows() for decision in row]

    def rows(self) -> list[list[Decision]]:
        """Return the decisions that differ in ``on`` alone, row by row."""
        return [
            [
                Decision(on=on, off=on, smoothing=kind, smoothing_frames=frames, min_gap_s=gap, pick=PEAKS)
                for on in self.on
            ]
            for kind, frames in self.settings.smoothings()
            for gap in self.settings.min_gap_s
        ]


def count_onsets(
    tracks: Mapping[str, ScoreTrack],
    references: Mapping[str, Mapping[str, Intervals]],
    grid: OnsetGrid,
    labels: Sequence[str],
    rule: Criterion | RecordingMatch,
) -> Counts:
    """Count true positives, false positives and false negatives: int32, (n_settings, n_recordings, n_labels, 3).

    Parameters
    ----------
    tracks
        Scores of the recordings, in the order of the counts; they may be read lazily.
    references
        Recording id to label to annotated times (n, 2) in seconds; a recording that is absent has none.
    grid
        The decisions; the first axis is in the order of ``grid.decisions()``.
    labels
        The labels, in the order of the counts.
    rule
        How onsets are counted.
    """
    rows = grid.rows()
    counts = np.zeros((len(rows), grid.n_on, len(tracks), len(labels), 3), dtype=np.int32)
    references_of_labels = [EventLists.gather(references, list(tracks), [label]) for label in labels]
    hops = {rid: tracks[rid].hop_s for rid in tracks}
    for row_index, row in enumerate(rows):
        peaks_of_recordings = _peaks_of(tracks, row[0], labels)
        for column_index, decision in enumerate(row):
            for column, reference in enumerate(references_of_labels):
                times = [
                    _times(peaks[column].reaching(decision.on), hop_s)
                    for peaks, hop_s in zip(peaks_of_recordings, hops.values(), strict=True)
                ]
                predicted = EventLists.of(times)
                counts[row_index, column_index, :, column] = list_counts(reference, predicted, rule)
    return counts.reshape(-1, *counts.shape[2:])


def _peaks_of(tracks: Mapping[str, ScoreTrack], decision: Decision, labels: Sequence[str]) -> list[list[Peaks]]:
    """Return the peaks of every recording and label that reach the threshold of ``decision``, the lowest of a row."""
    peaks_of_recordings = []
    for rid in tracks:
        track = tracks[rid]
        reach = reach_frames(decision.min_gap_s, track.hop_s)
        peaks_of_labels = []
        for label in labels:
            raw = np.ascontiguousarray(track.scores[:, track.labels.index(label)], dtype=np.float32)
            peaks_of_labels.append(find_peaks(raw, smooth(raw, decision), reach, decision.on))
        peaks_of_recordings.append(peaks_of_labels)
    return peaks_of_recordings


def _times(peaks: Peaks, hop_s: float) -> Intervals:
    """Return onsets as times (n, 2) in seconds."""
    starts = peaks.places * hop_s
    return np.stack([starts, starts + hop_s], axis=1)
