"""Groups held out within a training, on which it chooses its own course: plateau, patience and best epoch.

They come from the training clips alone, so the groups on which the model is judged choose nothing.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ossicle.core.columns.clip_columns import ClipColumns
from ossicle.core.digest import seed_of
from ossicle.core.errors import UsageError
from ossicle.training.settings import TrainingSettings

_LEAST_KEPT = 0.5


@dataclass(frozen=True, slots=True)
class InnerSplit:
    """The training clips in two parts that share no group and no recording.

    Attributes
    ----------
    train
        The clips to learn from.
    held_out
        The clips on which the training chooses its course.
    groups
        The groups of the second part, sorted.
    """

    train: ClipColumns
    held_out: ClipColumns
    groups: tuple[str, ...]


def inner_split(clips: ClipColumns, training: TrainingSettings) -> InnerSplit:
    """Hold out about ``training.inner_held_out`` of the clips, in whole groups.

    Groups with labels that no chosen group has come first, the others in an order that depends on ``training.seed``.
    Every label keeps at least half of its clips for learning. Clips without a group are grouped by recording.

    Raises
    ------
    UsageError
        No group can be held out.
    """
    names, group = _groups(clips)
    target = clips.has_role("target")
    by_label = np.zeros((len(names), len(clips.labels)), dtype=np.int64)
    np.add.at(by_label, (group[target], clips.label[target]), 1)
    sizes = np.bincount(group, minlength=len(names))
    order = np.random.default_rng(seed_of(training.seed, "inner groups")).permutation(len(names))
    chosen = _chosen_groups(by_label[order], sizes[order], training.inner_held_out * len(clips))
    if not chosen:
        raise UsageError(
            f"training.keep, patience and schedule need groups to hold out within the training, but each of its "
            f'{len(names)} groups holds more than half of the clips of a label; set keep = "last", patience = 0 and '
            'schedule = "cosine" in [training], or add groups'
        )
    held = np.isin(group, order[chosen])
    # A recording with clips in several groups goes to the inner part as a whole.
    held |= np.isin(clips.recording, np.unique(clips.recording[held]))
    return InnerSplit(
        train=clips.where(~held),
        held_out=clips.where(held),
        groups=tuple(sorted(names[group] for group in order[chosen])),
    )


def _groups(clips: ClipColumns) -> tuple[list[str], NDArray[np.int64]]:
    """Return the names of the groups, and the place of each clip's group in them: (n,)."""
    named = np.array([bool(name) for name in clips.group_names], dtype=np.bool_)[clips.group]
    places = np.where(named, clips.group, len(clips.group_names) + clips.recording)
    used, group = np.unique(places, return_inverse=True)
    names = (*clips.group_names, *clips.recording_ids)
    return [names[group_index] for group_index in used.tolist()], group.astype(np.int64)


def _chosen_groups(by_label: NDArray[np.int64], sizes: NDArray[np.int64], n_wanted: float) -> list[int]:
    """Return which groups to hold out: rows of ``by_label`` (n_groups, n_labels), which are in random order."""
    may_go = np.floor((1 - _LEAST_KEPT) * by_label.sum(axis=0)).astype(np.int64)
    gone, chosen = np.zeros_like(may_go), list[int]()

    def fits(rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        is_allowed: NDArray[np.bool_] = (gone + by_label[rows] <= may_go).all(axis=1)
        return is_allowed

    open_rows = np.arange(len(sizes))
    while sizes[chosen].sum() < n_wanted:
        open_rows = open_rows[fits(open_rows)]
        if not len(open_rows):
            break
        new = ((by_label[open_rows] > 0) & (gone == 0)).sum(axis=1)
        best = int(np.argmax(new))
        if new[best] == 0:
            # Every label that can be held out is there: the others follow in their order.
            for row in open_rows.tolist():
                if sizes[chosen].sum() >= n_wanted:
                    break
                if fits(np.array([row]))[0]:
                    chosen.append(row)
                    gone = gone + by_label[row]
            break
        row = int(open_rows[best])
        chosen.append(row)
        gone = gone + by_label[row]
        open_rows = np.delete(open_rows, best)
    return chosen
