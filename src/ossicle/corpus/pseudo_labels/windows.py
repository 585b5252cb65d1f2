"""Pseudo-labels as values: windows of unlabelled recordings, the scores of a model, and who may train on them.

A window is the core of one chunk of the models' plan: core frames ``[start_frame, start_frame + core_frames)`` on the
grid of ``core.model_input.chunks``. Its soft targets are the scores of these frames, with scores below a floor set to
0.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ossicle.core.digest import seed_of
from ossicle.core.records import Recording
from ossicle.corpus.indexing.corpus_index import CorpusIndex
from ossicle.corpus.splits.folds import group_of

Scores = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Labelled:
    """Labelled recordings on which models were trained, or which they hold out: ids, digests of their bytes, and
    groups.
    """

    ids: frozenset[str] = frozenset()
    digests: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()

    def shares(self, other: "Labelled") -> bool:
        """Return whether any recording, file or group is in both."""
        return bool(self.ids & other.ids or self.digests & other.digests or self.groups & other.groups)


def all_of(parts: Iterable[Labelled]) -> Labelled:
    """Return the recordings of all parts."""
    every = list(parts)
    ids, digests, groups = ([getattr(part, name) for part in every] for name in ("ids", "digests", "groups"))
    return Labelled(frozenset().union(*ids), frozenset().union(*digests), frozenset().union(*groups))


@dataclass(frozen=True, slots=True)
class Windows:
    """Pseudo-labelled windows as columns: n windows with m targets above 0.

    ``labels`` are those of the models. Of length n: ``recordings`` and ``digests`` (of the files' bytes),
    ``start_frames`` int64, ``top`` int64 (column of the highest label), ``scores`` float32 (its score), and ``heard``
    bool (the models were trained on the recording in an earlier round). Targets of window i are the rows
    ``offsets[i]:offsets[i + 1]`` of ``frames`` int64 (from the window's first), ``columns`` int64 and ``values``
    float32.
    """

    labels: tuple[str, ...]
    recordings: NDArray[np.str_]
    digests: NDArray[np.str_]
    start_frames: NDArray[np.int64]
    top: NDArray[np.int64]
    scores: Scores
    heard: NDArray[np.bool_]
    offsets: NDArray[np.int64]
    frames: NDArray[np.int64]
    columns: NDArray[np.int64]
    values: Scores

    def __len__(self) -> int:
        return len(self.start_frames)

    def target(self, window: int, core_frames: int) -> Scores:
        """Return the soft targets of a window: float32 (core_frames, len(labels))."""
        targets = np.zeros((core_frames, len(self.labels)), dtype=np.float32)
        rows = slice(self.offsets[window], self.offsets[window + 1])
        targets[self.frames[rows], self.columns[rows]] = self.values[rows]
        return targets

    def take(self, chosen: NDArray[np.bool_]) -> "Windows":
        """Return the windows where ``chosen`` (n,) is true."""
        counts = np.diff(self.offsets)
        rows = np.repeat(chosen, counts)
        return Windows(
            self.labels,
            self.recordings[chosen],
            self.digests[chosen],
            self.start_frames[chosen],
            self.top[chosen],
            self.scores[chosen],
            self.heard[chosen],
            np.concatenate([[0], np.cumsum(counts[chosen])]).astype(np.int64),
            self.frames[rows],
            self.columns[rows],
            self.values[rows],
        )

    def counts(self) -> dict[str, int]:
        """Return the number of windows by their highest label, in the order of ``labels``, without labels that
        have none.
        """
        counts = np.bincount(self.top, minlength=len(self.labels)).tolist()
        return {label: n for label, n in zip(self.labels, counts, strict=True) if n}


@dataclass(frozen=True, slots=True)
class Kept:
    """The kept windows of one recording, in time order, and the number of dropped ones, by reason."""

    start_frames: NDArray[np.int64]
    targets: Scores
    unsure: int
    too_many: int


def keep_windows(scores: Scores, core_frames: int, threshold: float, floor: float, most: int) -> Kept:
    """Return the windows of a recording whose highest score reaches ``threshold``; at most ``most``, highest scores
    first.

    ``scores``: float32 (n_frames, n_labels), the last window may be partial. ``targets`` of the result: float32
    (n_kept, core_frames, n_labels), 0 for scores below ``floor`` and for frames after the end. Of equal scores the
    earlier window counts.
    """
    n_windows = -(-len(scores) // core_frames)
    whole = np.zeros((n_windows * core_frames, scores.shape[1]), dtype=np.float32)
    whole[: len(scores)] = scores
    windows = whole.reshape(n_windows, core_frames, scores.shape[1])
    tops = windows.max(axis=(1, 2), initial=0.0)
    sure = np.flatnonzero(tops >= threshold)
    surest = sure[np.argsort(-tops[sure], kind="stable")][:most]
    chosen = np.sort(surest)
    targets = np.where(windows[chosen] >= floor, windows[chosen], np.float32(0.0))
    return Kept(chosen * core_frames, targets, n_windows - len(sure), len(sure) - len(chosen))


def gather(labels: tuple[str, ...], windows_of_recordings: Iterable[tuple[Recording, Kept, bool]]) -> Windows:
    """Return windows of recordings as columns; the third item of each says whether the models were trained on it
    before.
    """
    parts = [_columns(labels, *entry) for entry in windows_of_recordings]
    return together(parts) if parts else _columns(labels, None, _NOTHING, False)


_NOTHING = Kept(np.zeros(0, dtype=np.int64), np.zeros((0, 1, 1), dtype=np.float32), 0, 0)


def _columns(labels: tuple[str, ...], recording: Recording | None, windows: Kept, heard: bool) -> Windows:
    n, targets = len(windows.start_frames), windows.targets
    peaks = targets.max(axis=1)
    window_numbers, frames, columns = np.nonzero(targets)
    return Windows(
        labels,
        np.full(n, "" if recording is None else recording.id),
        np.full(n, "" if recording is None else recording.digest),
        windows.start_frames,
        peaks.argmax(axis=1),
        peaks.max(axis=1),
        np.full(n, heard),
        np.searchsorted(window_numbers, np.arange(n + 1)).astype(np.int64),
        frames,
        columns,
        targets[window_numbers, frames, columns],
    )


def together(parts: Sequence[Windows]) -> Windows:
    """Return windows of several rounds as one table; raises ValueError if there are none, or their labels differ."""
    if len({part.labels for part in parts}) != 1:
        raise ValueError("rounds with different labels cannot be one table")
    counts = np.concatenate([np.diff(part.offsets) for part in parts])
    return Windows(
        parts[0].labels,
        np.concatenate([part.recordings for part in parts]),
        np.concatenate([part.digests for part in parts]),
        np.concatenate([part.start_frames for part in parts]),
        np.concatenate([part.top for part in parts]),
        np.concatenate([part.scores for part in parts]),
        np.concatenate([part.heard for part in parts]),
        np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        np.concatenate([part.frames for part in parts]),
        np.concatenate([part.columns for part in parts]),
        np.concatenate([part.values for part in parts]),
    )


def relabelled(windows: Windows, labels: tuple[str, ...]) -> Windows:
    """Return the windows with labels in the order of ``labels``, which must contain them all; otherwise raises
    ValueError.
    """
    if windows.labels == labels:
        return windows
    places = np.array([labels.index(label) for label in windows.labels], dtype=np.int64)
    return replace(windows, labels=labels, top=places[windows.top], columns=places[windows.columns])


@dataclass(frozen=True, slots=True)
class Usable:
    """Unlabelled recordings that models may label, and the paths of the others by reason."""

    recordings: tuple[Recording, ...]
    dropped: Mapping[str, tuple[str, ...]]


def usable(unlabelled: CorpusIndex, corpus: CorpusIndex) -> Usable:
    """Return the recordings of ``unlabelled`` that are not labelled in ``corpus`` under another name, silent, or
    copies.

    Files are compared by the digests of their bytes; of equal ones the first by path is kept.
    """
    labelled = {recording.digest for recording in labelled_recordings(corpus)}
    usable_recordings: dict[str, Recording] = {}
    dropped: dict[str, list[str]] = {}
    if unlabelled.left_out:
        dropped["cannot be used (see `left_out`)"] = [left_out.path for left_out in unlabelled.left_out]
    for recording in sorted(unlabelled.recordings, key=lambda recording: recording.path):
        reason = ""
        if recording.digest in labelled:
            reason = "is a labelled recording of the project"
        elif recording.digest in usable_recordings:
            reason = "holds the same bytes as another"
        elif recording.status == "silent":
            reason = "is silent"
        if reason:
            dropped.setdefault(reason, []).append(recording.path)
        else:
            usable_recordings[recording.digest] = recording
    return Usable(tuple(usable_recordings.values()), {reason: tuple(paths) for reason, paths in dropped.items()})


def labelled_recordings(corpus: CorpusIndex) -> list[Recording]:
    """Return the recordings that are annotated, reviewed, or partly checked."""
    return [recording for recording in corpus.recordings if recording.reviewed or recording.id in corpus.partly]


def part_of(recording: Recording, group: str, parts: int) -> int:
    """Return in which of ``parts`` parts (from 0) a recording lies, together with its group."""
    return seed_of("pseudo part", group_of(recording, group)) % parts
