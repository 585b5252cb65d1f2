"""An ensemble of predictors: each reads the chunks that it would read alone."""

import numpy as np
import pytest

from ossicle.audio.decoding.resample import Resampler
from ossicle.core.decisions.decision import Decision
from ossicle.core.errors import UsageError
from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.core.scores.combination import Combination
from ossicle.inference.ensembles.combining import combine, rank_table
from ossicle.inference.ensembles.ensemble import Ensemble, joint_plan
from ossicle.inference.finder import EventFinder
from ossicle.inference.predictor import FakePredictor
from ossicle.inference.scorer import Scorer

LABELS = ("low", "high")
PLAN = ChunkPlan(rate=8000, hop_samples=80, window_samples=256, core_frames=20, context_frames=5)
WIDER = ChunkPlan(rate=8000, hop_samples=80, window_samples=512, core_frames=30, context_frames=9)
NARROW = ChunkPlan(rate=8000, hop_samples=80, window_samples=40, core_frames=10, context_frames=0)
FASTER = ChunkPlan(rate=16000, hop_samples=160, window_samples=512, core_frames=25, context_frames=3)
UNEVEN = ChunkPlan(rate=22050, hop_samples=220, window_samples=512, core_frames=25, context_frames=3)
EVEN = ChunkPlan(rate=22000, hop_samples=220, window_samples=512, core_frames=25, context_frames=3)


class Watched(FakePredictor):
    """Keeps the chunks it is given."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.seen = []

    def predict(self, chunks):
        self.seen += list(chunks)
        return super().predict(chunks)


def sound(rate, seconds, seed=0):
    """Band-limited noise below 3 kHz whose loudness comes and goes."""
    n = round(rate * seconds)
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(n))
    spectrum[np.fft.rfftfreq(n, 1 / rate) > 3000] = 0
    swell = 0.05 * (1 + np.sin(2 * np.pi * 0.8 * np.arange(n) / rate))
    return (np.fft.irfft(spectrum, n) * swell).astype(np.float32)


def scored(predictor, samples, batch=3, feed=997):
    scorer = Scorer(predictor, batch)
    blocks = [scorer.feed(samples[start : start + feed]) for start in range(0, len(samples), feed)]
    return np.concatenate([*blocks, scorer.finish()])


def test_equal_plans_stay_as_they_are():
    assert joint_plan([("a", PLAN), ("b", PLAN)]) == PLAN


@pytest.mark.parametrize("other", [WIDER, NARROW, PLAN])
@pytest.mark.parametrize("seconds", [0.01, 0.7, 3.21])
def test_members_see_their_own_chunks_and_their_scores_are_combined(other, seconds):
    samples = sound(8000, seconds)
    alone = [Watched(LABELS, PLAN), Watched(LABELS[::-1], other, -35.0)]
    together = [Watched(LABELS, PLAN), Watched(LABELS[::-1], other, -35.0)]
    scores = scored(Ensemble([("a", together[0]), ("b", together[1])], Combination(rule="vlom")), samples)
    first, second = (scored(watched, samples) for watched in alone)
    expected = combine(np.stack([first, second[:, ::-1]]), Combination(rule="vlom"))
    np.testing.assert_allclose(scores, expected, atol=1e-6)
    for watched, joined in zip(alone, together, strict=True):
        n = len(watched.seen)
        # A joint chunk may reach beyond the end of the recording; those frames are dropped.
        np.testing.assert_array_equal(np.stack(joined.seen[:n]), np.stack(watched.seen))


@pytest.mark.parametrize("feed", [80, 333, 5000])
@pytest.mark.parametrize("batch", [1, 4])
def test_scores_do_not_depend_on_feed_and_batch(feed, batch):
    samples = sound(16000, 2.3)
    ensemble = Ensemble([("a", FakePredictor(LABELS, PLAN)), ("b", FakePredictor(LABELS, FASTER))], Combination())
    np.testing.assert_array_equal(scored(ensemble, samples, batch, feed), scored(ensemble, samples, 2, 1111))


@pytest.mark.parametrize("fast", [FASTER, EVEN])
def test_a_member_of_a_lower_rate_gets_its_chunks_resampled(fast):
    samples = sound(fast.rate, 3.0)
    lower = Resampler(fast.rate, 8000).feed(samples, last=True)
    ensemble = Ensemble([("slow", FakePredictor(LABELS, PLAN)), ("fast", FakePredictor(LABELS, fast))], Combination())
    assert ensemble.plan.rate == fast.rate
    expected = (scored(FakePredictor(LABELS, PLAN), lower) + scored(FakePredictor(LABELS, fast), samples)) / 2
    assert np.ptp(expected) > 0.2
    scores = scored(ensemble, samples)
    np.testing.assert_allclose(scores[2:-2], expected[2:-2], atol=1e-4)
    # A recording that is cut off in the middle of its sound rings on for a moment in one case, and not in the other.
    np.testing.assert_allclose(scores, expected, atol=1e-3)


def test_the_rank_rule_ranks_in_the_set_it_is_given():
    samples = sound(8000, 2.0)
    members = [FakePredictor(LABELS, PLAN), FakePredictor(LABELS, PLAN, -20.0)]
    own = np.stack([scored(member, samples) for member in members])
    tables = np.stack([rank_table(member_scores) for member_scores in own])
    ensemble = Ensemble(list(zip("ab", members, strict=True)), Combination(rule="rank"), tables)
    np.testing.assert_array_equal(scored(ensemble, samples), combine(own, Combination(rule="rank"), tables))


def test_an_ensemble_is_a_detector():
    """Through the engine of batch and stream, with one decision."""
    samples = np.zeros(8000 * 3, dtype=np.float32)
    samples[8000:12000] = np.sin(2 * np.pi * 500 * np.arange(4000) / 8000).astype(np.float32)
    ensemble = Ensemble([("a", FakePredictor(LABELS, PLAN)), ("b", FakePredictor(LABELS, WIDER))], Combination())
    finder = EventFinder(ensemble, {label: Decision() for label in LABELS})
    (event,) = finder.feed(samples) + finder.finish(3.0)
    assert event.label == "low"
    assert (event.start_s, event.end_s) == pytest.approx((1.0, 1.5), abs=0.05)


def test_other_hops_are_refused_with_the_remedy():
    with pytest.raises(UsageError, match=r"'b' has a frame every 9\.97\d* ms and 'a' one every 10 ms.*hop_samples"):
        joint_plan([("a", PLAN), ("b", UNEVEN)])


def test_cores_that_never_meet_are_refused_with_the_remedy():
    plans = [
        ChunkPlan(rate=8000, hop_samples=80, window_samples=256, core_frames=n, context_frames=0) for n in (499, 503)
    ]
    with pytest.raises(UsageError, match="core_s"):
        joint_plan([("a", plans[0]), ("b", plans[1])])


def test_other_labels_are_refused_by_name():
    with pytest.raises(UsageError, match="'b' are not those of 'a': it lacks 'high' and also has 'mid'"):
        Ensemble([("a", FakePredictor(LABELS, PLAN)), ("b", FakePredictor(("low", "mid"), PLAN))], Combination())


def test_weights_must_fit_the_members():
    with pytest.raises(ValueError, match="the length 1, but there are 2 members"):
        Ensemble([(name, FakePredictor(LABELS, PLAN)) for name in "ab"], Combination(weights=(1.0,)))
