"""Agreement of the scores of two runs of one model: the limits for an export, and the measured differences.

Half precision is judged by the top label of frames in which something is heard. In silence all scores are near 0, and
which of them is the highest is chance. The same holds for labels that half precision cannot tell apart.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ossicle.core.errors import OssicleError

TOLERANCE = 1e-4
"""Largest difference between float32 scores of one network."""
LEAST_SAME_TOP = 0.99
"""Share of the heard frames whose top label must not change in half precision."""
HEARD = 0.1
"""A frame is heard if a score reaches this, about the lowest threshold that decisions try."""
HALF_TIE = 2**-6
"""Scores this close are tied in half precision: bfloat16 keeps 8 bits, so each of the two scores may move by 2^-8 when
it is rounded, and by as much again inside the network."""
_MIDDLE = 0.5


@dataclass(frozen=True, slots=True)
class Agreement:
    """Scores of ``n_frames`` frames compared with those of the reference.

    Attributes
    ----------
    n_frames
        Number of frames.
    max_difference
        Largest difference of any score.
    same_top
        Share of the heard frames (:data:`HEARD`, in either run) with the same top label (with one label: on the same
        side of 0.5) or with a tie (:data:`HALF_TIE`) in both runs; NaN if nothing is heard.
    same_top_outside
        Share of all frames with the same top label among those whose two highest scores (with one label: score and
        0.5) differ by more than twice the tolerance; NaN without such frames.
    n_heard
        Number of heard frames.
    """

    n_frames: int
    max_difference: float
    same_top: float
    same_top_outside: float
    n_heard: int


def agreement(expected: NDArray[np.float32], scores: NDArray[np.float32]) -> Agreement:
    """Compare scores (n, n_labels), n >= 1, with the expected ones of the same shape.

    >>> agreement(np.float32([[0.9, 0.1], [0.4, 0.6]]), np.float32([[0.9, 0.1], [0.6, 0.4]])).same_top
    0.5
    """
    if expected.shape != scores.shape or len(expected) == 0:
        raise ValueError(f"scores of shape {scores.shape} cannot be compared with those of shape {expected.shape}")
    if expected.shape[1] == 1:
        same = (expected[:, 0] >= _MIDDLE) == (scores[:, 0] >= _MIDDLE)
        gap = np.abs(expected[:, 0] - _MIDDLE)
        tied = np.maximum(gap, np.abs(scores[:, 0] - _MIDDLE)) <= HALF_TIE
    else:
        rows, expected_top, top = np.arange(len(scores)), expected.argmax(axis=1), scores.argmax(axis=1)
        same = expected_top == top
        ordered = np.sort(expected, axis=1)
        gap = ordered[:, -1] - ordered[:, -2]
        lead = np.maximum(
            expected[rows, expected_top] - expected[rows, top], scores[rows, top] - scores[rows, expected_top]
        )
        tied = lead <= HALF_TIE
    # The export may hear what the model does not, so both runs are asked. Broken scores (NaN) count as heard.
    heard = ~((expected.max(axis=1) < HEARD) & (scores.max(axis=1) < HEARD))
    return Agreement(
        n_frames=len(expected),
        max_difference=float(np.abs(expected.astype(np.float64) - scores).max()),
        same_top=_share(same | tied, heard),
        same_top_outside=_share(same, gap > 2 * TOLERANCE),
        n_heard=int(heard.sum()),
    )


def _share(which: NDArray[np.bool_], among: NDArray[np.bool_]) -> float:
    return float(which[among].mean()) if among.any() else float("nan")


def require_agreement(name: str, precision: str, measured: Agreement) -> None:
    """Raise OssicleError if an export in float32 or half precision differs too much from its model.

    float32: scores within 1e-4, and every top label outside that margin. Half precision: the top label of at least
    99 % of the heard frames; if nothing is heard, there is nothing to judge. Int8 is judged by its metric instead.
    """
    if precision == "int8":
        return
    if precision == "fp32":
        if not measured.max_difference <= TOLERANCE or measured.same_top_outside < 1.0:
            raise OssicleError(
                f"{name}: its scores differ from torch's by up to {measured.max_difference:.2e}, more than "
                f"{TOLERANCE:g}"
            )
    elif measured.n_heard > 0 and not measured.same_top >= LEAST_SAME_TOP:
        raise OssicleError(
            f"{name}: the top label of only {100 * measured.same_top:.1f} % of {measured.n_heard} frames in which "
            f"something is heard is that of float32, less than {100 * LEAST_SAME_TOP:g} %; leave {precision} out"
        )
