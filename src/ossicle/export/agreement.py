"""Agreement of the scores of two runs of one model: the limits for an export, and the measured differences."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ossicle.core.errors import OssicleError

TOLERANCE = 1e-4
"""Largest difference between float32 scores of one network."""
LEAST_SAME_TOP = 0.99
"""Share of frames whose top class must not change in half precision."""
_MIDDLE = 0.5


@dataclass(frozen=True, slots=True)
class Agreement:
    """Scores of ``n_frames`` frames compared with those of the reference.

    ``max_difference``: largest difference of any score. ``same_top``: share of frames with the same top label (with one
    label: on the same side of 0.5). ``same_top_outside``: that share among the frames whose two highest scores (with
    one label: score and 0.5) differ by more than twice the tolerance, NaN without such frames.
    """

    n_frames: int
    max_difference: float
    same_top: float
    same_top_outside: float


def agreement(expected: NDArray[np.float32], found: NDArray[np.float32]) -> Agreement:
    """Compare scores (n, n_labels), n >= 1, with the expected ones of the same shape.

    >>> agreement(np.float32([[0.9, 0.1], [0.4, 0.6]]), np.float32([[0.9, 0.1], [0.6, 0.4]])).same_top
    0.5
    """
    if expected.shape != found.shape or len(expected) == 0:
        raise ValueError(f"scores of shape {found.shape} cannot be compared with those of shape {expected.shape}")
    if expected.shape[1] == 1:
        same = (expected[:, 0] >= _MIDDLE) == (found[:, 0] >= _MIDDLE)
        gap = np.abs(expected[:, 0] - _MIDDLE)
    else:
        same = expected.argmax(axis=1) == found.argmax(axis=1)
        ordered = np.sort(expected, axis=1)
        gap = ordered[:, -1] - ordered[:, -2]
    clear = gap > 2 * TOLERANCE
    return Agreement(
        n_frames=len(expected),
        max_difference=float(np.abs(expected.astype(np.float64) - found).max()),
        same_top=float(same.mean()),
        same_top_outside=float(same[clear].mean()) if clear.any() else float("nan"),
    )


def require_agreement(name: str, precision: str, found: Agreement) -> None:
    """Raise OssicleError if an export in float32 or half precision differs too much from its model.

    float32: scores within 1e-4, and every top class outside that margin. Half precision: the top class of at least 99 %
    of the frames. Int8 is judged by its metric instead.
    """
    if precision == "int8":
        return
    if precision == "fp32":
        if not found.max_difference <= TOLERANCE or found.same_top_outside < 1.0:
            raise OssicleError(
                f"{name}: its scores differ from torch's by up to {found.max_difference:.2e}, more than {TOLERANCE:g}"
            )
    elif not found.same_top >= LEAST_SAME_TOP:
        raise OssicleError(
            f"{name}: the top class of only {100 * found.same_top:.1f} % of {found.n_frames} frames is that of "
            f"float32, less than {100 * LEAST_SAME_TOP:g} %; leave {precision} out"
        )
