"""Scores of one recording on a frame grid, and the events decided from them.

Both validate themselves when they are created, so a value that exists is valid.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ossicle.core.value_checks import INFINITY, number_fault, raise_first, text_fault, times_fault


@dataclass(frozen=True, slots=True, init=False)
class ScoreTrack:
    """Scores of one recording on a frame grid.

    Frame k covers [k * hop_s, (k + 1) * hop_s), so its centre is ``origin_s + k * hop_s`` with ``origin_s = hop_s /
    2``.

    Parameters
    ----------
    labels
        Names of the columns of ``scores``: not empty and unique.
    scores
        Shape (n_frames, n_labels), finite, kept as float32. Models give scores in [0, 1]; -1 marks frames in which no
        event may be found. Nested lists are accepted.
    hop_s
        Seconds from frame to frame, more than 0.
    duration_s
        Length of the recording in seconds, at least 0. Frames end at most one frame after it.

    Raises
    ------
    ValueError
        Naming the field and what is wrong with it. Scores that are memory-mapped from a file are not checked.

    Examples
    --------
    >>> track = ScoreTrack(["call"], [[0.1], [0.9], [0.2]], hop_s=0.5, duration_s=1.5)
    >>> track.scores.shape, track.origin_s
    ((3, 1), 0.25)
    >>> ScoreTrack(["call", "song"], [[0.1], [0.9]], hop_s=0.5, duration_s=1.0)
    Traceback (most recent call last):
    ValueError: ScoreTrack: scores have 1 column for 2 labels
    """

    labels: tuple[str, ...]
    scores: NDArray[np.float32]
    hop_s: float
    duration_s: float

    def __init__(self, labels: Sequence[str], scores: ArrayLike, hop_s: float, duration_s: float) -> None:
        names = labels if type(labels) is tuple else _names(labels)
        try:
            array: NDArray[np.float32] = np.asarray(scores, dtype=np.float32)
        except (TypeError, ValueError) as error:
            raise ValueError(f"ScoreTrack: scores are not an array of numbers: {error}") from None
        if array.size == 0 and array.ndim == 1:
            array = array.reshape(0, len(names))
        raise_first("ScoreTrack", _label_fault(names) or _score_fault(array, len(names)))
        raise_first("ScoreTrack", _length_fault(len(array), hop_s, duration_s))
        object.__setattr__(self, "labels", names)
        object.__setattr__(self, "scores", array)
        object.__setattr__(self, "hop_s", hop_s)
        object.__setattr__(self, "duration_s", duration_s)

    @property
    def origin_s(self) -> float:
        """Centre of frame 0 in seconds."""
        return self.hop_s / 2


def _names(labels: Sequence[str]) -> tuple[str, ...]:
    if isinstance(labels, str):
        raise ValueError(f"ScoreTrack: labels = {labels!r} is one text; give a list of names")
    return tuple(labels)


def _label_fault(labels: tuple[str, ...]) -> str:
    if not labels:
        return "labels are empty: name the columns of the scores"
    for index, label in enumerate(labels):
        if text_fault("labels", label):
            return f"labels contain {label!r}, which is not a name"
        if label in labels[:index]:
            return f"labels contain {label!r} twice"
    return ""


def _score_fault(scores: NDArray[np.float32], n_labels: int) -> str:
    if scores.ndim != 2:
        return f"scores have the shape {scores.shape}; give (n_frames, n_labels)"
    if scores.shape[1] != n_labels:
        columns = "1 column" if scores.shape[1] == 1 else f"{scores.shape[1]} columns"
        return f"scores have {columns} for {n_labels} {'label' if n_labels == 1 else 'labels'}"
    # A memory-mapped track was checked when it was written; checking it here would read the whole file.
    if isinstance(scores.base, np.memmap) or np.isfinite(np.sum(scores, dtype=np.float64)):
        return ""
    frame, column = (int(indices[0]) for indices in np.nonzero(~np.isfinite(scores)))
    return f"scores[{frame}, {column}] = {scores[frame, column]} is not a finite number"


def _length_fault(n_frames: int, hop_s: float, duration_s: float) -> str:
    if fault := number_fault("hop_s", hop_s) or number_fault("duration_s", duration_s, 0.0):
        return fault
    if hop_s <= 0:
        return f"hop_s = {hop_s} must be more than 0"
    # The length of a resampled recording is rounded to samples, so it may reach into one more frame.
    if (n_frames - 2) * hop_s > duration_s * (1 + 1e-9):
        return f"duration_s = {duration_s} is shorter than the {n_frames} frames of {hop_s:g} s in scores"
    return ""


@dataclass(frozen=True, slots=True)
class Event:
    """A stretch of a recording in which a label was detected.

    Parameters
    ----------
    start_s, end_s
        Seconds from the start of the recording, ``0 <= start_s <= end_s``.
    label
        The detected label; not empty.
    score
        In [0, 1]: the score of its highest frame, calibrated or re-scored if the bundle defines that.

    Raises
    ------
    ValueError
        Naming the field and the value.

    Examples
    --------
    >>> Event(1.0, 1.25, "call", 0.9).score
    0.9
    >>> Event(1.0, 1.25, "call", -0.5)
    Traceback (most recent call last):
    ValueError: Event: score = -0.5 must be at least 0
    """

    start_s: float
    end_s: float
    label: str
    score: float

    def __post_init__(self) -> None:
        try:
            if 0.0 <= self.start_s <= self.end_s < INFINITY and self.label > "" and 0.0 <= self.score < INFINITY:
                return
        except TypeError:
            pass
        raise_first(
            "Event",
            times_fault(self.start_s, self.end_s),
            text_fault("label", self.label),
            number_fault("score", self.score, 0.0),
        )


def event_order(event: Event) -> tuple[float, float, str]:
    """Return the sorting key of an event: start, end, label."""
    return (event.start_s, event.end_s, event.label)


def rasterise(intervals: NDArray[np.float64], n_frames: int, hop_s: float, start_s: float = 0.0) -> NDArray[np.float32]:
    """Return the share of each frame that ``intervals`` cover: float32, shape (n_frames,), in [0, 1].

    Parameters
    ----------
    intervals
        Shape (n, 2), seconds. Intervals of one call must not overlap (``core.intervals.union`` merges them); overlaps
        would count twice and are clipped at 1.
    n_frames
        Number of frames.
    hop_s, start_s
        Frame k covers [start_s + k * hop_s, start_s + (k + 1) * hop_s).

    Examples
    --------
    >>> rasterise(np.array([[0.005, 0.02]]), 3, 0.01).tolist()
    [0.5, 1.0, 0.0]
    """
    shares = np.zeros(n_frames, dtype=np.float64)
    scaled = (intervals - start_s) / hop_s
    begins, ends = np.maximum(scaled[:, 0], 0.0), np.minimum(scaled[:, 1], float(n_frames))
    met = ends > begins
    for lo, hi in zip(begins[met].tolist(), ends[met].tolist(), strict=True):
        first, last = int(lo), min(int(np.ceil(hi)), n_frames)
        edges = np.arange(first, last)
        shares[first:last] += np.minimum(edges + 1, hi) - np.maximum(edges, lo)
    # Decimal times give shares like 0.9999999; rounding to six decimals changes nothing audible.
    return np.clip(np.round(shares, 6), 0.0, 1.0).astype(np.float32)
