"""The difference between two lists of answers to the same clips, with paired intervals."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ossicle.core.digest import seed_of
from ossicle.metrics.clip_answers.answers import Answers
from ossicle.metrics.clip_answers.single_label import answer_counts, answer_figures
from ossicle.metrics.reports.event_report import Estimate
from ossicle.metrics.resampling.bootstrap import Bootstrap, bootstrap_interval


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """The figures of the second list minus those of the first; ``f1`` and ``recall`` are by label."""

    accuracy: Estimate
    macro_f1: Estimate
    loss: Estimate
    f1: dict[str, Estimate]
    recall: dict[str, Estimate]


def paired_difference(
    first: Answers,
    second: Answers,
    labels: Sequence[str],
    recording: NDArray[np.int64],
    groups: Sequence[str],
    n_bootstrap: int = 1000,
    seed: int = 0,
) -> PairedDifference:
    """Return the difference between two answers to each clip; both are resampled together.

    Parameters
    ----------
    first, second
        Answers to the same clips in the same order.
    labels
        Names of the columns.
    recording
        int64 (n,): the place of each clip's recording in ``groups``.
    groups
        The group of each recording.
    n_bootstrap, seed
        Number of resamples, and their seed.

    Raises
    ------
    ValueError
        If the true labels differ.
    """
    if not np.array_equal(first.truth, second.truth):
        raise ValueError("the answers are of different clips: their true labels differ")
    names = tuple(labels)
    counts, recording_ids = zip(
        *(answer_counts(answers, len(names), recording) for answers in (first, second)), strict=True
    )
    bootstrap = bootstrap_interval(
        np.stack(counts, axis=1),
        [groups[recording_index] for recording_index in recording_ids[0].tolist()],
        partial(_differences, n_labels=len(names)),
        n_bootstrap,
        seed_of("paired clips", seed),
    )
    overall, n = 5, len(names)
    return PairedDifference(
        accuracy=_estimate(bootstrap, 0),
        macro_f1=_estimate(bootstrap, 1),
        loss=_estimate(bootstrap, 4),
        recall={label: _estimate(bootstrap, overall + n + c) for c, label in enumerate(names)},
        f1={label: _estimate(bootstrap, overall + 2 * n + c) for c, label in enumerate(names)},
    )


def paired_share(
    first: NDArray[np.bool_],
    second: NDArray[np.bool_],
    recording: NDArray[np.int64],
    groups: Sequence[str],
    n_bootstrap: int = 1000,
    seed: int = 0,
) -> Estimate:
    """Return how much more often something is true in ``second`` than in ``first``, bool (n,) each, as a share.

    Other parameters are those of :func:`paired_difference`. NaN without clips.
    """
    used, row = np.unique(recording, return_inverse=True)
    counts = np.zeros((len(used), 3), dtype=np.int64)
    np.add.at(counts, row, np.stack([first, second, np.ones(len(first), dtype=np.bool_)], axis=1).astype(np.int64))
    group_of_recording = [groups[recording_index] for recording_index in used.tolist()]
    return _estimate(
        bootstrap_interval(counts, group_of_recording, _share_difference, n_bootstrap, seed_of("paired share", seed)), 0
    )


def _differences(sums: NDArray[np.int64], n_labels: int) -> NDArray[np.float64]:
    return answer_figures(sums[:, 1], n_labels) - answer_figures(sums[:, 0], n_labels)


def _share_difference(sums: NDArray[np.int64]) -> NDArray[np.float64]:
    n = sums[:, 2].astype(np.float64)
    more = (sums[:, 1] - sums[:, 0]).astype(np.float64)
    difference: NDArray[np.float64] = np.divide(more, n, out=np.full(n.shape, np.nan), where=n > 0)[:, None]
    return difference


def _estimate(bootstrap: Bootstrap, column: int) -> Estimate:
    return Estimate(float(bootstrap.value[column]), float(bootstrap.low[column]), float(bootstrap.high[column]))
