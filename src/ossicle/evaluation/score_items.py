"""Out-of-fold scores of recordings and of frames with their truth, as tables for ranking and calibration."""

import numpy as np
from numpy.typing import NDArray

from ossicle.artefacts.typed.scores import TracksFolder
from ossicle.core.scores.pooling import pooled
from ossicle.core.scores.postprocess import Postprocess
from ossicle.evaluation.ground_truth import Truth, read_tracks
from ossicle.metrics.calibration.out_of_fold import Items
from ossicle.metrics.columns.event_lists import EventLists
from ossicle.metrics.columns.frame_targets import list_targets
from ossicle.metrics.frames import frames_of


def recording_items(truth: Truth, scores: TracksFolder, pool: str, postprocess: Postprocess) -> Items:
    """Return one item per recording, in the order of ``truth.ids``: its pooled scores and its labels."""
    pooled_scores = [np.zeros((0, len(truth.labels)), dtype=np.float32)]
    for key in truth.ids:
        track = read_tracks(scores, (key,), postprocess)[key]
        columns = [track.labels.index(label) for label in truth.labels]
        pooled_scores.append(pooled(track, pool)[None, columns])
    return Items(
        scores=np.concatenate(pooled_scores),
        positive=truth.holds,
        weights=np.ones(len(truth.ids)),
        folds=folds_of(truth),
        known=truth.known,
    )


def frame_items(truth: Truth, scores: TracksFolder, postprocess: Postprocess) -> Items:
    """Return one item per frame, recording after recording, weighted by its seconds."""
    references = truth.references
    values, positive, seconds, sizes = [], [], [], []
    for key in truth.ids:
        track = read_tracks(scores, (key,), postprocess)[key]
        frames = frames_of(track)
        values.append(frames.scores[:, [track.labels.index(label) for label in truth.labels]])
        targets = list_targets(EventLists.gather(references, [key], truth.labels), frames.edges_s)
        positive.append(targets.T)
        seconds.append(np.diff(frames.edges_s))
        sizes.append(len(frames.scores))
    return Items(
        scores=np.concatenate(values),
        positive=np.concatenate(positive),
        weights=np.concatenate(seconds),
        folds=np.repeat(folds_of(truth), sizes),
        known=np.repeat(truth.known, sizes, axis=0),
    )


def folds_of(truth: Truth) -> NDArray[np.int64]:
    """Return the fold of each recording in order, (n,)."""
    return np.array([truth.folds[key] for key in truth.ids], dtype=np.int64)
