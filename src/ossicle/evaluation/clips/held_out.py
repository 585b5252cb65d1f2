"""The held-out clips: one for each annotated hit, whatever else sounds at the same time.

A clip has the one label of its annotation. Merging simultaneous hits into one training target (``[dataset] merge_s``)
changes neither the clips nor their labels.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ossicle.core.columns.annotation_columns import AnnotationColumns
from ossicle.core.records import Recording
from ossicle.corpus.clips.settings import DatasetSettings
from ossicle.corpus.clips.target_rows import clip_times
from ossicle.evaluation.clips.slices import slice_of
from ossicle.evaluation.ground_truth import Truth
from ossicle.evaluation.settings import EvaluationSettings

CLIP_SCHEMA = {
    "recording_id": pl.String,
    "onset_s": pl.Float64,
    "start_s": pl.Float64,
    "end_s": pl.Float64,
    "label": pl.String,
}


@dataclass(frozen=True, eq=False)
class HeldOutClips:
    """Clips by recording, onset and label; all arrays have one row for each.

    Attributes
    ----------
    recording_ids
        The recordings.
    labels
        The labels of the model.
    recording, label
        int64 (n,): places in ``recording_ids`` and ``labels``.
    onset_s
        float64 (n,): the start of the annotation.
    start_s, end_s
        float64 (n,): the clip, in seconds from the start of the recording.
    """

    recording_ids: tuple[str, ...]
    labels: tuple[str, ...]
    recording: NDArray[np.int64]
    label: NDArray[np.int64]
    onset_s: NDArray[np.float64]
    start_s: NDArray[np.float64]
    end_s: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.recording)

    def where(self, rows: NDArray[np.generic]) -> "HeldOutClips":
        """Return the clips of ``rows``, a mask or places; the recordings stay."""
        return HeldOutClips(
            self.recording_ids,
            self.labels,
            self.recording[rows],
            self.label[rows],
            self.onset_s[rows],
            self.start_s[rows],
            self.end_s[rows],
        )

    @classmethod
    def joined(cls, parts: Sequence["HeldOutClips"]) -> "HeldOutClips":
        """Return the clips of parts of the same recordings and labels, by recording, onset and label."""
        first = parts[0]
        recording, label, onset_s, start_s, end_s = (
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("recording", "label", "onset_s", "start_s", "end_s")
        )
        order = np.lexsort((label, onset_s, recording))
        whole = cls(first.recording_ids, first.labels, recording, label, onset_s, start_s, end_s)
        return whole.where(order)

    def rows(self, recording_id: str) -> slice:
        """Return the rows of a recording; raises KeyError for one that is not among the recordings."""
        index = self._places[recording_id]
        low, high = np.searchsorted(self.recording, [index, index + 1])
        return slice(int(low), int(high))

    @cached_property
    def _places(self) -> dict[str, int]:
        return {key: index for index, key in enumerate(self.recording_ids)}

    def table(self) -> pl.DataFrame:
        """Return the clips as a table of :data:`CLIP_SCHEMA`."""
        ids, names = np.array(self.recording_ids, dtype=object), np.array(self.labels, dtype=object)
        columns = {
            "recording_id": ids[self.recording].tolist(),
            "onset_s": self.onset_s,
            "start_s": self.start_s,
            "end_s": self.end_s,
            "label": names[self.label].tolist(),
        }
        return pl.DataFrame(columns, schema=CLIP_SCHEMA)

    @classmethod
    def from_table(cls, table: pl.DataFrame, recording_ids: Sequence[str], labels: Sequence[str]) -> "HeldOutClips":
        """Return the clips of a table, in its order: only those of ``recording_ids``, which are sorted."""
        chosen = table.filter(pl.col("recording_id").is_in(list(recording_ids)))
        places = {key: index for index, key in enumerate(recording_ids)}
        columns = {name: column for column, name in enumerate(labels)}
        return cls(
            tuple(recording_ids),
            tuple(labels),
            np.array([places[key] for key in chosen["recording_id"]], dtype=np.int64),
            np.array([columns[label] for label in chosen["label"]], dtype=np.int64),
            *(chosen[name].to_numpy().astype(np.float64) for name in ("onset_s", "start_s", "end_s")),
        )


def held_out_clips(truth: Truth, dataset: DatasetSettings) -> HeldOutClips:
    """Return the clips of the recordings of ``truth``; an annotation that is there twice gives one clip.

    Parameters
    ----------
    truth
        The held-out recordings with their annotations.
    dataset
        The window around an onset; without one, a clip has the times of its annotation.
    """
    return target_clips(truth.notes, {key: truth.recordings[key] for key in truth.ids}, truth.labels, dataset)


def target_clips(
    notes: AnnotationColumns, recordings: Mapping[str, Recording], labels: Sequence[str], dataset: DatasetSettings
) -> HeldOutClips:
    """Return the clips of annotations in ``recordings`` with one of ``labels``; others are left out.

    Parameters
    ----------
    notes
        The annotations.
    recordings
        The recordings by id.
    labels
        The labels of the model.
    dataset
        The window around an onset.
    """
    ids = tuple(sorted(recordings))
    places = {key: index for index, key in enumerate(ids)}
    recording = np.array([places.get(key, -1) for key in notes.recording_ids], dtype=np.int64)[notes.recording]
    columns = {name: column for column, name in enumerate(labels)}
    label = np.array([columns.get(name, -1) for name in notes.labels], dtype=np.int64)[notes.label]
    rows = np.flatnonzero((recording >= 0) & (label >= 0))
    order = np.lexsort((label[rows], notes.start_s[rows], recording[rows]))
    rows = rows[order]
    keys = (recording[rows], notes.start_s[rows], label[rows])
    fresh = np.ones(len(rows), dtype=np.bool_)
    fresh[1:] = np.any([key[1:] != key[:-1] for key in keys], axis=0)
    rows = rows[fresh]
    durations = np.array([recordings[key].duration_s for key in ids], dtype=np.float64)[recording[rows]]
    start_s, end_s = clip_times(notes.start_s[rows], notes.end_s[rows], durations, dataset)
    return HeldOutClips(ids, tuple(labels), recording[rows], label[rows], notes.start_s[rows], start_s, end_s)


def chosen_clips(
    truth: Truth, judged: Collection[str], dataset: DatasetSettings, evaluation: EvaluationSettings
) -> HeldOutClips:
    """Return the clips that are scored: the fraction of those that are judged, and of those that choose thresholds.

    Parameters
    ----------
    truth
        All held-out recordings.
    judged
        Ids of the recordings that give the figures.
    dataset, evaluation
        The window around an onset; fraction, floor and seed.
    """
    every = held_out_clips(truth, dataset)
    is_judged = np.array([key in judged for key in every.recording_ids], dtype=np.bool_)[every.recording]
    parts = [
        sliced(every.where(which), evaluation.fraction, evaluation.floor, evaluation.seed)
        for which in (is_judged, ~is_judged)
    ]
    return HeldOutClips.joined(parts)


def sliced(clips: HeldOutClips, fraction: float, floor: int, seed: int) -> HeldOutClips:
    """Return a fraction of the clips, stratified by label (:mod:`ossicle.evaluation.clips.slices`).

    Parameters
    ----------
    clips
        The clips.
    fraction
        Share of the clips of each label, in (0, 1].
    floor
        Least number of clips of a label, if it has as many.
    seed
        Seed of the choice.
    """
    if fraction >= 1:
        return clips
    ids = np.array(clips.recording_ids, dtype=object)
    names = [
        f"{key}\0{onset_s!r}"
        for key, onset_s in zip(ids[clips.recording].tolist(), clips.onset_s.tolist(), strict=True)
    ]
    return clips.where(slice_of(clips.label, names, fraction, floor, seed))
