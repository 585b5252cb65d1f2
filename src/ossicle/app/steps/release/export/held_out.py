"""How each precision changes the figures: the model of each fold scores its held-out recordings in every row.

The final model has learned from all recordings, so no recording shows what its precision costs on new ones. The models
of the folds are therefore exported in the same way (int8 with the ranges of their own training recordings). The
out-of-fold loss of their scores is taken as the loss of the final model's export.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ossicle.app.project.load import Project
from ossicle.app.steps.release.export.graphs import Chunks, in_precision, predictor_of, stored_precision
from ossicle.app.steps.release.export.request import Row
from ossicle.artefacts.array_files.blocks import TrackWriter
from ossicle.artefacts.typed.scores import TracksFolder
from ossicle.audio.features.logmel import chunk_log_mel
from ossicle.bundle.runtimes.graph import ChunkGraph
from ossicle.core.digest import seed_of
from ossicle.evaluation.criteria.table import criterion_of
from ossicle.evaluation.ground_truth import Truth
from ossicle.evaluation.score_items import recording_items
from ossicle.export.agreement import Agreement, agreement
from ossicle.inference.batch import write_scores
from ossicle.inference.predictor import Predictor
from ossicle.metrics.calibration.out_of_fold import Items
from ossicle.metrics.ranking import roc_auc

_BATCH = 8
SECONDS_PER_HOUR = 3600.0
REFERENCE = "torch"


@dataclass(frozen=True, slots=True)
class Judged:
    """Out-of-fold figures of a row: agreement of its frames with torch, macro ROC AUC, accuracy (NaN if undefined)."""

    agreement: Agreement
    macro_auc: float
    accuracy: float


def drawn(truth: Truth, hours: float, seed: int) -> Truth:
    """Draw recordings in an order given by the seed until they fill ``hours``; at least one of each fold."""
    order = sorted(truth.ids, key=lambda key: seed_of(seed, "export recordings", key))
    first: dict[int, str] = {}
    for key in order:
        first.setdefault(truth.folds[key], key)
    chosen, left_s = set(first.values()), hours * SECONDS_PER_HOUR
    for key in order:
        left_s -= truth.durations_s[key]
        if left_s < 0:
            break
        chosen.add(key)
    ids = tuple(key for key in truth.ids if key in chosen)
    inside = np.array([key in chosen for key in truth.notes.recording_ids], dtype=np.bool_)
    return replace(truth, ids=ids, annotations=truth.notes.where(inside[truth.notes.recording]))


def score_fold(
    project: Project,
    truth: Truth,
    folds: Sequence[int],
    graph: ChunkGraph,
    reference: Predictor,
    rows: Sequence[Row],
    chunks: Chunks,
    threads: int,
    folder: Path,
) -> None:
    """Write the score tracks of the recordings in ``folds`` below ``folder``: those of torch, and those of each row."""
    plan, front = graph.plan, graph.front
    stored: dict[str, ChunkGraph] = {}
    for precision in {stored_precision(row) for row in rows}:
        data = in_precision(
            graph.data, precision, lambda: (chunk_log_mel(chunk[None], plan, front) for chunk in chunks())
        )
        stored[precision] = replace(graph, data=data)
    predictors: dict[str, Predictor] = {REFERENCE: reference}
    predictors |= {row.name: predictor_of(stored[stored_precision(row)], row, threads) for row in rows}
    for key in truth.ids:
        if truth.folds[key] not in folds:
            continue
        audio = project.roots.file(truth.recordings[key])
        for name, predictor in predictors.items():
            with TrackWriter(TracksFolder(folder / name).track_path(key), truth.labels, plan.hop_s) as writer:
                write_scores(audio, predictor, writer, _BATCH)


def judge(project: Project, truth: Truth, rows: Sequence[Row], folder: Path) -> Mapping[str, Judged]:
    """Return the figures of torch and of each row by name, from the tracks that :func:`score_fold` wrote."""
    expected = _frames(truth, TracksFolder(folder / REFERENCE))
    judged = {}
    for name in (REFERENCE, *(row.name for row in rows)):
        evaluation, postprocess, scores = (
            project.settings.evaluation,
            project.settings.postprocess,
            TracksFolder(folder / name),
        )
        pooled = recording_items(truth, scores, evaluation.pool, postprocess)
        judged[name] = Judged(
            agreement(expected, _frames(truth, scores)),
            macro_auc(criterion_of(evaluation).items(truth, scores, postprocess)),
            accuracy(pooled.scores, pooled.positive),
        )
    return judged


def macro_auc(items: Items) -> float:
    """Return the mean ROC AUC over the labels that some items have and others lack; NaN without such a label."""
    areas = []
    for label in range(items.scores.shape[1]):
        known = items.is_known[:, label]
        areas.append(roc_auc(items.scores[known, label], items.positive[known, label]))
    areas = [value for value in areas if not np.isnan(value)]
    return float(np.mean(areas)) if areas else float("nan")


def accuracy(scores: NDArray[np.float32], positive: NDArray[np.bool_]) -> float:
    """Return the share of items with exactly one label whose highest score is that label's.

    NaN without such items, or with only one label.
    """
    single = positive.sum(axis=1) == 1
    if not single.any() or scores.shape[1] < 2:
        return float("nan")
    return float(np.mean(scores[single].argmax(axis=1) == positive[single].argmax(axis=1)))


def _frames(truth: Truth, scores: TracksFolder) -> NDArray[np.float32]:
    return np.concatenate([scores.track(key).scores for key in truth.ids])
