import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ossicle.units.bpe.token_stream import TokenStream

SEQUENCES = st.lists(st.lists(st.integers(0, 2), max_size=12), max_size=4)
MERGES = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=5)


@given(SEQUENCES, MERGES)
def test_counts_stay_those_of_the_sequences(sequences: list[list[int]], merges: list[tuple[int, int]]) -> None:
    stream = TokenStream([np.array(sequence, np.int64) for sequence in sequences], 3, 9)
    for token, (first, second) in enumerate(merges, 3):
        before = len(stream)
        made = stream.merge(first, second, token)
        assert len(stream) == before - made == sum(map(len, stream.sequences()))
        counted = np.zeros((9, 9), np.int64)
        for sequence in stream.sequences():
            np.add.at(counted, (sequence[:-1], sequence[1:]), 1)
        assert (stream.counts == counted).all()
    assert len(stream.sequences()) == len(sequences)


def test_pairs_do_not_reach_into_the_next_sequence() -> None:
    stream = TokenStream([np.array([0, 1]), np.array([0, 1])], 2, 3)
    assert stream.counts[:2, :2].tolist() == [[0, 2], [0, 0]]


def test_more_tokens_than_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="there must be 1 to 4096"):
        TokenStream([], 3, 5000)
