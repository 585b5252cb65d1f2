"""Held-out clips with their scores, and how well the scores distinguish the labels."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ossicle.artefacts.typed.scores import TracksFolder
from ossicle.core.intervals import as_intervals, overlap
from ossicle.core.records import Annotation, Clip
from ossicle.corpus.splits.folds import SplitSettings
from ossicle.metrics.clips import ClipFigures, clip_figures, clip_scores


def clip_rows(
    clips: Collection[Clip], labels: Collection[str], annotations: Collection[Annotation], tracks: TracksFolder
) -> Iterator[dict[str, Any]]:
    """Return one row per clip and label: whether the clip has the label, and its score.

    A target of another label that touches an annotation of this one is neither positive nor negative, and gives no row.
    """
    by_recording: dict[str, list[Clip]] = {}
    for clip in clips:
        by_recording.setdefault(clip.recording_id, []).append(clip)
    notes: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for note in annotations:
        notes.setdefault((note.recording_id, note.label), []).append((note.start_s, note.end_s))
    for key, recording_clips in sorted(by_recording.items()):
        track = tracks.track(key)
        spans = as_intervals([(clip.start_s, clip.end_s) for clip in recording_clips])
        scores = clip_scores(track, spans)
        for column, label in enumerate(track.labels):
            if label not in labels:
                continue
            shared_s = overlap(spans, as_intervals(notes.get((key, label), []))).sum(axis=1)
            for row, clip in enumerate(recording_clips):
                positive = clip.role == "target" and clip.label == label
                if shared_s[row] > 0 and not positive:
                    continue
                facts = {name: getattr(clip, name) for name in ("recording_id", "start_s", "end_s", "role", "fold")}
                score = float(scores[row, column])
                yield {**facts, "clip_label": clip.label, "label": label, "positive": positive, "score": score}


def clip_figures_json(
    table: pl.DataFrame, labels: Collection[str], split: SplitSettings, audit: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the figures of held-out clips by label as plain values; ``audit`` is the content of ``split.json``."""
    judged = split.kind.judged_folds(table["fold"])
    return {
        "strategy": audit["strategy"],
        "leaky": audit["leaky"],
        "group": split.group,
        "scores": "highest frame score in the clip, by a model that did not learn from it",
        "decision": split.kind.threshold_from,
        "labels": {label: figure.to_json() for label, figure in figures_of(table, labels, judged).items()},
    }


def figures_of(table: pl.DataFrame, labels: Collection[str], judged: Collection[int]) -> dict[str, ClipFigures]:
    """Return the figures of each label, from the table of clips."""
    return {label: clip_figures(*columns(table.filter(pl.col("label") == label)), judged) for label in labels}


def columns(table: pl.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.int64]]:
    """Return scores, truth and folds of the rows (n,)."""
    return (
        table["score"].to_numpy().astype(np.float64),
        table["positive"].to_numpy().astype(np.bool_),
        table["fold"].to_numpy().astype(np.int64),
    )
