"""Scores of stretches in windows of their own, against windows cut by hand from the whole recording."""

from collections.abc import Iterator

import numpy as np
import pytest

from ossicle.core.errors import OssicleError
from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.inference.stretches import score_stretches

RATE = 8000


class Stream:
    """A recording in blocks of uneven sizes."""

    def __init__(self, samples: np.ndarray, block: int) -> None:
        self._samples, self._block = samples, block
        self.report = None

    def __iter__(self) -> Iterator[np.ndarray]:
        for start in range(0, len(self._samples), self._block):
            yield self._samples[start : start + self._block]


class Mean:
    """Scores a window by the mean of its samples and by its first sample."""

    labels = ("mean", "first")

    def __init__(self, plan: ChunkPlan) -> None:
        self.plan, self.batches = plan, 0

    def predict(self, chunks: np.ndarray) -> np.ndarray:
        self.batches += 1
        plan, out = self.plan, []
        for frame in range(plan.context_frames, plan.context_frames + plan.core_frames):
            window = chunks[:, frame * plan.hop_samples :][:, : plan.window_samples]
            out.append(np.stack([window.mean(axis=1), window[:, 0]], axis=-1))
        return np.stack(out, axis=1).astype(np.float32)


def plan(core: int = 1, context: int = 0, hop: int = 100, window: int = 100) -> ChunkPlan:
    return ChunkPlan(rate=RATE, hop_samples=hop, window_samples=window, core_frames=core, context_frames=context)


def samples() -> np.ndarray:
    return np.random.default_rng(3).random(5000).astype(np.float32)


@pytest.mark.parametrize("block", [37, 1000, 5000])
@pytest.mark.parametrize(("core", "context"), [(1, 0), (3, 2)])
def test_a_stretch_of_one_window_is_that_window_wherever_it_lies(block: int, core: int, context: int) -> None:
    whole, model = samples(), Mean(plan(core, context))
    starts = np.array([4000, 17, 250, 251])
    scores = score_stretches(Stream(whole, block), model, starts, np.full(4, 100), batch_chunks=3)
    expected = [[whole[at : at + 100].mean(), whole[at]] for at in starts]
    np.testing.assert_allclose(scores, expected, rtol=1e-6)


def test_before_the_start_and_beyond_the_end_there_is_silence() -> None:
    whole = samples()
    scores = score_stretches(Stream(whole, 64), Mean(plan()), np.array([-40, 4960]), np.array([100, 100]))
    np.testing.assert_allclose(scores[0], [whole[:60].sum() / 100, 0.0], rtol=1e-6)
    np.testing.assert_allclose(scores[1], [whole[4960:].sum() / 100, whole[4960]], rtol=1e-6)


@pytest.mark.parametrize("core", [1, 2])
def test_a_longer_stretch_is_pooled_over_windows_that_cover_it(core: int) -> None:
    whole = samples()
    starts, lengths = np.array([1000]), np.array([300])
    windows = [[whole[start : start + 100].mean(), whole[start]] for start in (1000, 1100, 1200)]
    highest = score_stretches(Stream(whole, 999), Mean(plan(core)), starts, lengths)
    np.testing.assert_allclose(highest[0], np.max(windows, axis=0), rtol=1e-6)
    mean = score_stretches(Stream(whole, 999), Mean(plan(core)), starts, lengths, pool="mean")
    np.testing.assert_allclose(mean[0], np.mean(windows, axis=0), rtol=1e-6)


def test_a_stretch_shorter_than_a_window_lies_in_its_middle() -> None:
    whole = samples()
    scores = score_stretches(Stream(whole, 512), Mean(plan()), np.array([2000]), np.array([40]))
    np.testing.assert_allclose(scores[0], [whole[1970:2070].mean(), whole[1970]], rtol=1e-6)


def test_no_stretches_need_no_model_and_broken_models_are_refused() -> None:
    model = Mean(plan())
    assert score_stretches(Stream(samples(), 512), model, np.zeros(0, int), np.zeros(0, int)).shape == (0, 2)
    assert model.batches == 0
    with pytest.raises(OssicleError, match="NaN"):
        score_stretches(Stream(samples() * np.nan, 512), model, np.array([5]), np.array([100]))
    with pytest.raises(ValueError, match="pool"):
        score_stretches(Stream(samples(), 512), model, np.array([5]), np.array([100]), pool="median")
