"""The windows of the annotated recordings with what is on in each of them, for training and for figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ossicle.artefacts.typed.shards.features import FeaturesFolder
from ossicle.core.records import Annotation
from ossicle.corpus.windows.window_truth import window_truth
from ossicle.evaluation.ground_truth import Truth


@dataclass(frozen=True)
class LabelledWindows:
    """The recordings that have windows, in order, and the state of each label in each window.

    Attributes
    ----------
    ids
        The recordings.
    labels
        The labels, in the order of the columns.
    truth
        By recording: int8, shape (n_windows, n_labels), 1 on, 0 off, -1 unknown.
    groups, folds
        Group and fold of each recording.
    paths
        Path of each recording below the audio folder.
    """

    ids: tuple[str, ...]
    labels: tuple[str, ...]
    truth: Mapping[str, NDArray[np.int8]]
    groups: Mapping[str, str]
    folds: Mapping[str, int]
    paths: Mapping[str, str]

    def steady(self, recording_id: str) -> NDArray[np.int8]:
        """Return the state of each label in a whole recording, -1 where it changes or is unknown, (n_labels,)."""
        rows = self.truth[recording_id]
        same: NDArray[np.int8] = np.where(rows.min(axis=0) == rows.max(axis=0), rows[0], -1).astype(np.int8)
        return same


def labelled_windows(truth: Truth, features: FeaturesFolder) -> LabelledWindows:
    """Return the windows that have features, with their labels; recordings shorter than a window have none."""
    featured_ids = set(features.recording_ids)
    ids = tuple(key for key in truth.ids if key in featured_ids and features.n_windows(key) > 0)
    known = {key: {label for label in truth.labels if (key, label) in truth.unknown} for key in ids}
    return LabelledWindows(
        ids,
        truth.labels,
        {key: _truth(features.n_windows(key), features, truth.notes_in[key], truth.labels, known[key]) for key in ids},
        {key: truth.groups[key] for key in ids},
        {key: truth.folds[key] for key in ids},
        {key: truth.recordings[key].path for key in ids},
    )


def _truth(
    n_windows: int, features: FeaturesFolder, notes: Sequence[Annotation], labels: Sequence[str], unknown: set[str]
) -> NDArray[np.int8]:
    starts_s = np.arange(n_windows, dtype=np.float64) * features.hop_s
    return window_truth(starts_s, features.window_s, notes, labels, unknown)
