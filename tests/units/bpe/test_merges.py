import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ossicle.units.bpe.merges import Merges

MERGES = Merges(4, ((0, 1), (4, 4), (5, 4), (2, 3), (7, 0)))


@given(st.lists(st.lists(st.integers(0, 3), max_size=40), max_size=5))
def test_tokens_hold_all_units_of_any_sequence(sequences: list[list[int]]) -> None:
    tokens = MERGES.encode([np.array(sequence, np.int16) for sequence in sequences])
    assert [MERGES.decode(token).tolist() for token in tokens] == sequences
    assert all(int(MERGES.lengths[token].sum()) == len(units) for token, units in zip(tokens, sequences, strict=True))


def test_equal_neighbours_are_merged_from_the_left() -> None:
    assert MERGES.encode([np.array([0, 1] * 3)])[0].tolist() == [6]
    assert Merges(4, ((0, 1), (4, 4))).encode([np.array([0, 1] * 3)])[0].tolist() == [5, 4]


def test_a_merge_joins_tokens_that_exist() -> None:
    with pytest.raises(ValueError, match="merge 1 joins"):
        Merges(3, ((0, 1), (4, 0)))


def test_a_vocabulary_comes_back_from_a_file() -> None:
    assert Merges.from_json(json.loads(json.dumps(MERGES.to_json()))) == MERGES


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 2}, "not a vocabulary of format 1"),
        ({"n_units": "4"}, "n_units = '4'"),
        ({"n_units": 10**9}, "n_units = 1000000000"),
        ({"merges": [[0, 1, 2]]}, "not pairs of tokens"),
        ({"merges": [[0, True]]}, "not pairs of tokens"),
        ({"merges": [[0, 4]]}, "merge 0 joins 0 and 4"),
        ({"merges": [[0, 1]] * 5000}, "at most 4092 pairs"),
        # 2 to the power of 40 units would fill the memory.
        ({"merges": [[0, 1], *([n, n] for n in range(4, 44))]}, "a token of 8192 units"),
    ],
)
def test_a_vocabulary_of_a_stranger_is_not_trusted(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Merges.from_json({**MERGES.to_json(), **change})


def test_what_is_no_vocabulary_is_refused() -> None:
    with pytest.raises(ValueError, match="not a vocabulary"):
        Merges.from_json([1])
