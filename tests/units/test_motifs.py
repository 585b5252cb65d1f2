import numpy as np
import pytest

from ossicle.units.bpe.merges import Merges
from ossicle.units.motifs import motif_counts, token_uses

MERGES = Merges(3, ((0, 1), (3, 2)))
SEGMENTS = [[0, 1, 2, 0, 1], [2, 0, 1], [], [0, 1, 2], [1, 0]]
FRAMES = [[1, 2, 3, 4, 5], [1, 1, 1], [], [2, 2, 2], [1, 1]]
GROUPS = ["a", "b", "b", "b", "c"]


def uses():
    tokens = MERGES.encode([np.array(one, np.int16) for one in SEGMENTS])
    return token_uses(tokens, [np.array(one, np.int32) for one in FRAMES], MERGES)


def test_every_token_has_its_place() -> None:
    result = uses()
    assert result.token.tolist() == [4, 3, 2, 3, 4, 1, 0]
    assert result.segment.tolist() == [0, 0, 1, 1, 3, 4, 4]
    assert result.first_run.tolist() == [0, 3, 0, 1, 0, 0, 1]
    assert result.first_frame.tolist() == [0, 6, 0, 1, 0, 0, 1]
    assert result.frames.tolist() == [6, 9, 1, 2, 6, 1, 1]
    assert result.frames.sum() == sum(map(sum, FRAMES))


def test_motifs_are_counted_by_hand() -> None:
    result = motif_counts(uses(), MERGES, GROUPS)
    assert result.count.tolist() == [2, 2]
    assert result.segments.tolist() == [2, 2]
    assert result.groups.tolist() == [2, 2]
    assert result.frames.tolist() == [11, 12]
    assert result.mean_frames.tolist() == [5.5, 6.0]
    assert result.sd_frames.tolist() == [3.5, 0.0]


def test_examples_come_from_different_groups_first() -> None:
    merges = Merges(2, ((0, 1),))
    frames = [[5, 5], [1, 1], [2, 3], [9, 9], [2, 2]]
    tokens = merges.encode([np.array([0, 1])] * 5)
    result = token_uses(tokens, [np.array(frame, np.int32) for frame in frames], merges)
    # The mean is 7.8 frames: 10 is nearest in "a", 5 in "b"; then come the second best ones.
    counts = motif_counts(result, merges, ["a", "a", "b", "b", "b"], most_examples=4)
    assert counts.examples.tolist() == [[0, 2, 4, 1]]
    assert motif_counts(result, merges, ["a"] * 5, most_examples=7).examples.tolist() == [[0, 2, 4, 1, 3, -1, -1]]


def test_an_unused_motif_and_an_empty_corpus_have_no_durations() -> None:
    counts = motif_counts(token_uses([], [], MERGES), MERGES, [])
    assert counts.count.tolist() == counts.groups.tolist() == [0, 0]
    assert np.isnan(counts.mean_frames).all()
    assert counts.examples.tolist() == [[-1] * 5] * 2


def test_tokens_and_runs_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="segment 0: its tokens have 3 units, and it has 2 runs"):
        token_uses([np.array([4], np.int16)], [np.array([1, 1], np.int32)], MERGES)
