"""Stretches cut out of a stream, against slices of the whole recording."""

import numpy as np
import pytest

from ossicle.audio.decoding.stretches import stretches_of


@pytest.mark.parametrize("block", [1, 7, 64, 1000])
def test_stretches_are_slices_in_the_order_of_their_starts(block: int) -> None:
    whole = np.arange(1, 301, dtype=np.float32)
    starts = np.array([120, -5, 120, 297, 0, 400])
    blocks = [whole[at : at + block] for at in range(0, len(whole), block)]
    result = list(stretches_of(blocks, starts, 10))
    assert [place for place, _ in result] == [1, 4, 0, 2, 3, 5]
    padded = np.concatenate([np.zeros(5, np.float32), whole, np.zeros(200, np.float32)])
    for place, samples in result:
        np.testing.assert_array_equal(samples, padded[5 + starts[place] :][:10])
