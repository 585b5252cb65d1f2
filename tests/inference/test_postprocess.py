"""Kernel and file prior against slow loops, in blocks of any size."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ossicle.core.errors import UsageError
from ossicle.core.scores.postprocess import Postprocess
from ossicle.core.tracks import ScoreTrack
from ossicle.inference.postprocess import PostprocessFold, mean_of_top, postprocessed, refuse_in_stream

KERNEL = (0.1, 0.2, 0.4, 0.2, 0.1)


def slow_kernel(scores, kernel):
    half, out = len(kernel) // 2, np.zeros_like(scores, dtype=np.float64)
    for k in range(len(scores)):
        total = weight = 0.0
        for j in range(-half, half + 1):
            if 0 <= k + j < len(scores):
                total = total + kernel[half + j] * scores[k + j].astype(np.float64)
                weight += kernel[half + j]
        out[k] = total / weight
    return out


def slow_prior(scores, top, power):
    out = np.zeros_like(scores, dtype=np.float64)
    for label in range(scores.shape[1]):
        highest = sorted(scores[:, label].tolist(), reverse=True)[:top]
        out[:, label] = scores[:, label] * (sum(highest) / len(highest)) ** power
    return out


def drawn(n_frames, n_labels=3, seed=0):
    return np.random.default_rng(seed).random((n_frames, n_labels)).astype(np.float32)


def track(scores):
    return ScoreTrack(tuple("abcdefgh"[: scores.shape[1]]), scores, 5.0, 5.0 * len(scores))


@pytest.mark.parametrize("n_frames", [0, 1, 2, 3, 4, 5, 12, 40])
@pytest.mark.parametrize("kernel", [KERNEL, (1.0, 2.0, 0.0), (0.0, 0.0, 1.0, 2.0, 3.0), (1.0,) * 9])
def test_the_kernel_is_the_weighted_mean_of_the_neighbours_there_are(n_frames, kernel):
    scores = drawn(n_frames)
    smoothed = postprocessed(track(scores), Postprocess(kernel=kernel)).scores
    np.testing.assert_allclose(smoothed, slow_kernel(scores, kernel), atol=1e-7)
    assert smoothed.dtype == np.float32


def test_the_kernel_of_a_lone_call_is_the_kernel():
    scores = np.zeros((9, 1), dtype=np.float32)
    scores[4] = 1
    smoothed = postprocessed(track(scores), Postprocess(kernel=KERNEL)).scores[:, 0]
    np.testing.assert_allclose(smoothed, [0, 0, 0.1, 0.2, 0.4, 0.2, 0.1, 0, 0], atol=1e-7)


def test_a_steady_score_stays_to_the_ends():
    scores = np.full((7, 2), 0.3, dtype=np.float32)
    np.testing.assert_allclose(postprocessed(track(scores), Postprocess(kernel=KERNEL)).scores, scores, atol=1e-7)


@given(
    blocks=st.lists(st.integers(0, 7), max_size=8),
    kernel=st.sampled_from([(), KERNEL, (1.0, 2.0, 4.0)]),
    top=st.integers(0, 5),
)
def test_blocks_of_any_size_give_the_same_bits(blocks, kernel, top):
    how, scores = Postprocess(kernel=kernel, file_prior_top=top, file_prior_power=0.5), drawn(sum(blocks))
    fold = PostprocessFold(how, 3)
    edges = np.cumsum([0, *blocks])
    parts = [fold.feed(scores[a:b]) for a, b in itertools.pairwise(edges)]
    in_blocks = np.concatenate([*parts, fold.finish()]) if parts else fold.finish()
    assert in_blocks.tobytes() == postprocessed(track(scores), how).scores.tobytes()
    assert in_blocks.shape == scores.shape
    if top:
        assert not any(len(block) for block in parts)


def test_the_kernel_delays_by_half_its_length():
    how = Postprocess(kernel=KERNEL)
    fold = PostprocessFold(how, 1)
    assert how.delay_frames == 2
    assert [len(fold.feed(drawn(1, 1))) for _ in range(5)] == [0, 0, 1, 1, 1]
    assert len(fold.finish()) == 2


@pytest.mark.parametrize(("top", "power"), [(1, 1.0), (3, 0.5), (100, 2.0)])
def test_the_prior_scales_by_the_mean_of_the_highest(top, power):
    scores = drawn(20)
    scaled = postprocessed(track(scores), Postprocess(file_prior_top=top, file_prior_power=power)).scores
    np.testing.assert_allclose(scaled, slow_prior(scores, top, power), atol=1e-7)
    np.testing.assert_allclose(mean_of_top(scores, 100), scores.mean(axis=0), rtol=1e-6)


def test_kernel_then_prior():
    scores = drawn(11)
    how = Postprocess(kernel=KERNEL, file_prior_top=2)
    smoothed = slow_kernel(scores, KERNEL).astype(np.float32)
    np.testing.assert_allclose(postprocessed(track(scores), how).scores, slow_prior(smoothed, 2, 1.0), atol=1e-6)


def test_nothing_is_done_unless_asked():
    score_track = track(drawn(4))
    assert postprocessed(score_track, Postprocess()) is score_track
    assert postprocessed(score_track, Postprocess(kernel=(3.0,))) is score_track
    assert postprocessed(score_track, Postprocess(kernel=(0.0, 1.0, 0.0))) is score_track


@pytest.mark.parametrize("kernel", [(1.0, 1.0), (1.0, 0.0, 1.0), (-0.1, 1.0, 0.1)])
def test_kernels_without_a_middle_are_refused(kernel):
    with pytest.raises(ValueError, match="kernel"):
        Postprocess(kernel=kernel)


def test_a_stream_has_no_whole_recording():
    refuse_in_stream(Postprocess(kernel=KERNEL))
    with pytest.raises(UsageError, match="ossicle predict"):
        refuse_in_stream(Postprocess(file_prior_top=3))
