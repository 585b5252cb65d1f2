import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ossicle.units.bpe.merges import Merges

MERGES = Merges(4, ((0, 1), (4, 4), (5, 4), (2, 3), (7, 0)))


@given(st.lists(st.lists(st.integers(0, 3), max_size=40), max_size=5))
def test_tokens_hold_all_units_of_any_sequence(sequences: list[list[int]]) -> None:
    tokens = MERGES.encode([np.array(one, np.int16) for one in sequences])
    assert [MERGES.decode(one).tolist() for one in tokens] == sequences
    assert all(int(MERGES.lengths[one].sum()) == len(units) for one, units in zip(tokens, sequences, strict=True))


def test_equal_neighbours_are_merged_from_the_left() -> None:
    assert MERGES.encode([np.array([0, 1] * 3)])[0].tolist() == [6]
    assert Merges(4, ((0, 1), (4, 4))).encode([np.array([0, 1] * 3)])[0].tolist() == [5, 4]


def test_a_merge_joins_tokens_that_exist() -> None:
    with pytest.raises(ValueError, match="merge 1 joins"):
        Merges(3, ((0, 1), (4, 0)))
