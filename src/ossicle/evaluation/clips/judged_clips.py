"""Held-out clips with the scores of the model that held them out."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ossicle.artefacts.typed.scores import ClipScoresFolder
from ossicle.evaluation.clips.held_out import HeldOutClips
from ossicle.evaluation.ground_truth import Truth
from ossicle.metrics.clip_answers.answers import Answers, answers_of

_SOURCE = "source"
_UNKNOWN = "unknown"


@dataclass(frozen=True, eq=False)
class JudgedClips:
    """Clips with their scores.

    Attributes
    ----------
    clips
        The clips.
    scores
        float32 (n, n_labels), out of fold.
    known
        bool (n, n_labels): whether the presence of the label in the recording is known.
    folds
        int64 (n,): the fold that held out each clip.
    groups, sources
        Group and source of each recording of ``clips``; a source is empty where the recording states none.
    buckets
        Dynamic bucket of each clip (ghost, light, medium, accent), object (n,); None if no clip has one.
    """

    clips: HeldOutClips
    scores: NDArray[np.float32]
    known: NDArray[np.bool_]
    folds: NDArray[np.int64]
    groups: tuple[str, ...]
    sources: tuple[str, ...]
    buckets: NDArray[np.object_] | None = None

    @cached_property
    def answers(self) -> Answers:
        """The label with the highest score of each clip, beside its own."""
        return answers_of(self.scores, self.clips.label, self.known)

    @property
    def source_of_clips(self) -> NDArray[np.object_] | None:
        """The source of each clip, object (n,); None if no recording states one."""
        if not any(self.sources):
            return None
        source_of_recording = np.array([source or _UNKNOWN for source in self.sources], dtype=object)
        source_of_clip: NDArray[np.object_] = source_of_recording[self.clips.recording]
        return source_of_clip

    def where(self, rows: NDArray[np.generic]) -> "JudgedClips":
        """Return the clips of ``rows``, a mask or places."""
        chosen, buckets = self.clips.where(rows), None if self.buckets is None else self.buckets[rows]
        return JudgedClips(
            chosen, self.scores[rows], self.known[rows], self.folds[rows], self.groups, self.sources, buckets
        )


def read_clips(scored: ClipScoresFolder, truth: Truth, hits: pl.LazyFrame | None = None) -> JudgedClips:
    """Return the scored clips of the recordings of ``truth``.

    Parameters
    ----------
    scored
        The artefact of the step ``clip_scores``.
    truth
        The recordings that are evaluated, with their folds, groups and unknown labels.
    hits
        What a manifest says of each hit; None without a manifest.
    """
    ids = tuple(sorted(truth.ids))
    clips = HeldOutClips.from_table(scored.clips, ids, truth.labels)
    scores = [np.zeros((0, len(truth.labels)), dtype=np.float32)]
    for recording_index in np.unique(clips.recording).tolist():
        track = scored.track(ids[recording_index])
        scores.append(track.scores[:, [track.labels.index(label) for label in truth.labels]])
    known = np.array([[(key, label) not in truth.unknown for label in truth.labels] for key in ids], dtype=np.bool_)
    return JudgedClips(
        clips,
        np.concatenate(scores),
        known.reshape(len(ids), len(truth.labels))[clips.recording],
        np.array([truth.folds[key] for key in ids], dtype=np.int64)[clips.recording],
        tuple(truth.groups[key] for key in ids),
        tuple(truth.recordings[key].fields.get(_SOURCE, "") for key in ids),
        None if hits is None else _buckets(clips, hits),
    )


def _buckets(clips: HeldOutClips, hits: pl.LazyFrame) -> NDArray[np.object_] | None:
    """Return the dynamic bucket of each clip, ``unknown`` where the manifest states none."""
    key = ["recording_id", "onset_s", "label"]
    named = (
        hits.select("recording_id", pl.col("start_s").alias("onset_s"), "label", "dynamic_bucket")
        .filter(pl.col("dynamic_bucket").is_not_null())
        .unique(key, keep="first", maintain_order=True)
        .collect()
    )
    buckets = clips.table().select(key).join(named, on=key, how="left", maintain_order="left")["dynamic_bucket"]
    if buckets.null_count() == len(buckets):
        return None
    return np.array(buckets.fill_null(_UNKNOWN).to_list(), dtype=object)
