"""Which labels are in clips that follow each other."""

import numpy as np
import pytest

from ossicle.core.records import Annotation
from ossicle.corpus.windows.clip_truth import clip_truth


def notes(*rows):
    return [Annotation("a", start_s, end_s, label) for start_s, end_s, label in rows]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([(0.0, 11.0, "wren")], [1, 1, 1]),
        ([(0.0, 10.25, "wren")], [1, 1, -1]),
        ([(0.0, 10.5, "wren")], [1, 1, 1]),
        ([(1.0, 1.2, "wren")], [1, 0, 0]),
        ([(4.9, 5.9, "wren")], [-1, 1, 0]),
        ([(4.5, 5.5, "wren")], [1, 1, 0]),
        ([(3.0, 8.0, "wren")], [-1, 1, 0]),
        ([(4.9, 5.9, "wren"), (1.0, 2.0, "wren")], [1, 1, 0]),
        ([(1.0, 2.0, "rook")], [0, 0, 0]),
        ([], [0, 0, 0]),
    ],
)
def test_a_label_is_in_the_clips_that_hold_half_of_it_or_half_full(rows, expected):
    assert clip_truth(3, 5.0, 11.0, notes(*rows), ["wren"])[:, 0].tolist() == expected


def test_unknown_labels_are_unknown_in_every_clip():
    truth = clip_truth(2, 5.0, 10.0, notes((0.0, 10.0, "rook")), ["rook", "wren"], ["wren"])
    assert truth.tolist() == [[1, -1], [1, -1]]
    assert truth.dtype == np.int8


def test_a_recording_without_clips_has_none():
    assert clip_truth(0, 5.0, 0.0, [], ["wren"]).shape == (0, 1)
