import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ossicle.core.errors import OssicleError
from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.inference.predictor import FakePredictor
from ossicle.inference.scorer import Scorer

PLAN = ChunkPlan(rate=8000, hop_samples=80, window_samples=256, core_frames=20, context_frames=6)
plans = st.builds(
    lambda hop, window, core, context: ChunkPlan(
        rate=8000, hop_samples=2 * hop, window_samples=2 * window, core_frames=core, context_frames=context
    ),
    st.integers(1, 12),
    st.integers(1, 24),
    st.integers(1, 9),
    st.integers(0, 12),
)


def oracle(samples, predictor):
    """Every chunk cut from the padded recording, one at a time."""
    plan, out = predictor.plan, []
    for chunk in range(plan.n_chunks(len(samples))):
        position = np.arange(plan.chunk_samples) + plan.start_sample(chunk)
        inside = (position >= 0) & (position < len(samples))
        cut = np.where(inside, samples[np.clip(position, 0, len(samples) - 1)], 0).astype(np.float32)
        out.append(predictor.predict(cut[None])[0])
    return np.concatenate([np.zeros((0, len(predictor.labels)), np.float32), *out])[: plan.n_frames(len(samples))]


def scored(samples, predictor, feeds, batch):
    scorer, out, start = Scorer(predictor, batch), [], 0
    while start < len(samples):
        for feed in feeds:
            out.append(scorer.feed(samples[start : start + feed]))
            start += feed
    out.append(scorer.finish())
    assert all(block.dtype == np.float32 and block.shape[1:] == (len(predictor.labels),) for block in out)
    return np.concatenate(out)


@settings(deadline=None, max_examples=80)
@given(
    plan=plans,
    n=st.integers(0, 900),
    feeds=st.lists(st.integers(1, 400), min_size=1, max_size=4),
    batch=st.integers(1, 5),
    seed=st.integers(0, 9),
)
def test_any_feed_and_batch_gives_the_chunks_of_the_plan(plan, n, feeds, batch, seed):
    samples = np.random.default_rng(seed).normal(size=n).astype(np.float32) * 0.1
    predictor = FakePredictor(("low", "high"), plan)
    scores, expected = scored(samples, predictor, feeds, batch), oracle(samples, predictor)
    assert scores.shape == expected.shape == (plan.n_frames(n), 2)
    np.testing.assert_allclose(scores, expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize("feed_s", [0.02, 0.1, 1.0, 10.0])
@pytest.mark.parametrize("batch", [1, 8, 32])
def test_feeds_of_seconds_and_usual_batches(feed_s, batch):
    samples = np.random.default_rng(1).normal(size=8000 * 11 + 123).astype(np.float32) * 0.05
    predictor = FakePredictor(("call",), PLAN)
    scores = scored(samples, predictor, [round(feed_s * 8000)], batch)
    np.testing.assert_allclose(scores, oracle(samples, predictor), atol=1e-6, rtol=0)


@pytest.mark.parametrize("feed", [1, 7, 100, 5000])
@pytest.mark.parametrize("batch", [1, 3])
def test_windows_shorter_than_hops_skip_the_samples_between(feed, batch):
    plan = ChunkPlan(rate=8000, hop_samples=80, window_samples=32, core_frames=3, context_frames=0)
    assert plan.lead_samples < 0
    samples = np.random.default_rng(4).normal(size=1777).astype(np.float32) * 0.1
    predictor = FakePredictor(("low", "high"), plan)
    np.testing.assert_allclose(scored(samples, predictor, [feed], batch), oracle(samples, predictor), atol=1e-6, rtol=0)


def test_a_stream_waits_for_one_whole_chunk_and_no_longer():
    scorer = Scorer(FakePredictor(("call",), PLAN), batch_chunks=1)
    wait = round(PLAN.latency_s * PLAN.rate)
    assert scorer.feed(np.zeros(wait - 1, np.float32)).shape == (0, 1)
    assert scorer.feed(np.zeros(1, np.float32)).shape == (PLAN.core_frames, 1)


def test_nothing_in_nothing_out_and_then_closed():
    scorer = Scorer(FakePredictor(("a", "b"), PLAN))
    assert scorer.feed(np.zeros(0, np.float32)).shape == (0, 2)
    assert scorer.finish().shape == (0, 2)
    with pytest.raises(ValueError, match="finished"):
        scorer.feed(np.zeros(1, np.float32))


def test_memory_is_one_batch_however_long_the_recording():
    scorer = Scorer(FakePredictor(("a",), PLAN), batch_chunks=2)
    size = scorer._buffer.nbytes
    for _ in range(50):
        scorer.feed(np.zeros(7919, np.float32))
    assert scorer._buffer.nbytes == size == 4 * (PLAN.chunk_samples + PLAN.core_samples)


@pytest.mark.parametrize(("value", "frames", "message"), [(np.nan, 20, "NaN or Inf"), (0.5, 19, "shape")])
def test_a_model_that_breaks_its_promise_is_named(value, frames, message):
    class Broken(FakePredictor):
        def predict(self, chunks):
            return np.full((len(chunks), frames, 1), value, np.float32)

    with pytest.raises(OssicleError, match=message):
        Scorer(Broken(("a",), PLAN), 1).feed(np.zeros(8000, np.float32))


def test_fake_predictor_is_loud_where_the_sound_is():
    samples = np.zeros(8000, np.float32)
    samples[4000:4800] = 0.5 * np.sin(2 * np.pi * 3000 * np.arange(800) / 8000)
    scores = scored(samples, FakePredictor(("low", "high"), PLAN), [777], 3)
    assert scores[52:58, 1].min() > 0.9
    assert scores[:48].max() < 0.1
    assert scores[52:58, 0].max() < 0.1
