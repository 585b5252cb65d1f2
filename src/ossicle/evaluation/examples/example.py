"""Examples of events and recordings for a page to show."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

ExampleKind = Literal["best", "worst", "missed", "false alarm", "confused"]


EXAMPLE_KINDS: tuple[ExampleKind, ...] = get_args(ExampleKind)


EVENT_KINDS: tuple[ExampleKind, ...] = ("best", "worst", "missed", "false alarm")


RECORDING_KINDS: tuple[ExampleKind, ...] = ("confused", "missed", "false alarm")


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """A stretch of a recording to show and play.

    Its event is at [``start_s``, ``end_s``]; ``score`` is the prediction's and ``iou`` the pair's, None if there is
    none. ``samples``: float32, shape (n,), at ``rate`` Hz, beginning at ``window_start_s``. ``references`` are (start,
    end, label), ``predictions`` (start, end, label, score).
    """

    kind: ExampleKind
    recording: str
    label: str
    start_s: float
    end_s: float
    score: float | None
    iou: float | None
    samples: NDArray[np.float32]
    rate: int
    window_start_s: float
    references: Sequence[tuple[float, float, str]] = ()
    predictions: Sequence[tuple[float, float, str, float]] = ()
