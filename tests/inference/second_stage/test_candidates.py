import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ossicle.audio.features.event_features import EventFeatureSettings, event_features, event_frames
from ossicle.core.decisions.decision import Decision
from ossicle.core.intervals import as_intervals, overlap
from ossicle.core.tracks import ScoreTrack, event_order
from ossicle.inference.decisions.decide import decide
from ossicle.inference.second_stage.candidates import CANDIDATE_FEATURES, LEAST_SCORE, CandidateFold, lowered
from ossicle.inference.second_stage.trees import logit

RATE, HOP = 8000, 80
HOP_S = HOP / RATE
LABELS = ("call", "song")
CHOSEN = EventFeatureSettings(rate=RATE, n_fft=256, hop_samples=HOP, fmax_hz=4000.0, surroundings_s=0.3, longest_s=1.0)


def recording(seed, n_frames):
    generator = np.random.default_rng(seed)
    smooth = np.convolve(generator.standard_normal(n_frames * 2), np.ones(9) / 3, mode="same").reshape(2, -1).T
    scores = (1 / (1 + np.exp(-smooth))).astype(np.float32)
    samples = generator.standard_normal(n_frames * HOP - generator.integers(HOP)).astype(np.float32)
    return samples, scores


def decisions(seed):
    generator = np.random.default_rng(seed)

    def draw():
        on = float(generator.uniform(0.4, 0.9))
        smoothing = [("none", 1), ("median", 5)][generator.integers(2)]
        return Decision(
            on=on,
            off=on * float(generator.uniform(0.5, 1)),
            smoothing=smoothing[0],
            smoothing_frames=smoothing[1],
            min_length_s=float(generator.choice([0.0, 0.03])),
            min_gap_s=float(generator.choice([0.0, 0.05])),
        )

    return {label: draw() for label in LABELS}


def folded(samples, scores, decisions_of, share, cuts):
    """The candidates from blocks that end at these shares of the recording; scores come later than their sound."""
    fold = CandidateFold(LABELS, decisions_of, HOP_S, CHOSEN, share)
    candidates, start, given_frames = [], 0, 0
    for cut in [*sorted(cuts), 1.0]:
        stop = int(cut * len(samples))
        frames = max(given_frames, int((stop - 300) / HOP))
        candidates += fold.feed(samples[start:stop], scores[given_frames:frames])
        start, given_frames = stop, frames
    candidates += fold.feed(samples[:0], scores[given_frames:])
    return candidates + fold.finish(len(samples) / RATE)


def slow(samples, scores, decisions_of, share):
    """The same from whole tracks, with everything at hand."""
    track = ScoreTrack(LABELS, scores, HOP_S, len(samples) / RATE)
    decided = decide(track, decisions_of)
    pairs = [(event, True) for event in decided]
    for candidate in decide(track, lowered(decisions_of, share)):
        same = as_intervals([(other.start_s, other.end_s) for other in decided if other.label == candidate.label])
        if not overlap(as_intervals([(candidate.start_s, candidate.end_s)]), same).any():
            pairs.append((candidate, False))
    padded = np.concatenate([np.zeros(RATE, np.float32), samples, np.zeros(RATE, np.float32)])
    out = []
    for event, is_decided in sorted(pairs, key=lambda pair: event_order(pair[0])):
        frames = event_frames(event.start_s, event.end_s, CHOSEN, len(samples))
        acoustic = event_features(padded[RATE + frames.first_sample : RATE + frames.stop_sample], frames, CHOSEN)
        first, stop = round(event.start_s / HOP_S), int(np.ceil(event.end_s / HOP_S - 1e-6))
        own = scores[max(first, stop - 101) : stop, LABELS.index(event.label)].astype(np.float64)
        mean = logit(own, LEAST_SCORE).mean()
        peak = float(logit(np.array(event.score), LEAST_SCORE))
        out.append((event, is_decided, [*acoustic, event.end_s - event.start_s, peak, mean]))
    return out


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 10_000),
    st.integers(20, 1500),
    st.sampled_from([0.3, 0.6, 1.0]),
    st.lists(st.floats(0, 1), max_size=30),
)
def test_blocks_of_any_size_give_the_candidates_of_the_whole(seed, n_frames, share, cuts):
    samples, scores = recording(seed, n_frames)
    decisions_of = decisions(seed)
    candidates = sorted(
        folded(samples, scores, decisions_of, share, cuts), key=lambda candidate: event_order(candidate.event)
    )
    expected = slow(samples, scores, decisions_of, share)
    assert [(candidate.event, candidate.decided) for candidate in candidates] == [
        (event, decided) for event, decided, _ in expected
    ]
    for candidate, (_, _, features) in zip(candidates, expected, strict=True):
        assert candidate.features.shape == (len(CANDIDATE_FEATURES),)
        np.testing.assert_allclose(candidate.features, features, rtol=1e-9, atol=1e-9)


def test_a_share_of_one_gives_the_events_alone():
    samples, scores = recording(5, 800)
    assert all(candidate.decided for candidate in folded(samples, scores, decisions(5), 1.0, [0.5]))
    assert not all(candidate.decided for candidate in folded(samples, scores, decisions(5), 0.5, [0.5]))


@pytest.mark.parametrize("level", [0.0, 1.0])
def test_memory_does_not_grow_with_the_recording(level):
    """Neither where nothing happens, nor where everything is one event that never ends."""
    decisions_of = {label: Decision(on=0.5, off=0.5) for label in LABELS}
    fold = CandidateFold(LABELS, decisions_of, HOP_S, CHOSEN, 0.5)
    sizes = []
    for _ in range(40):
        fold.feed(np.zeros(RATE, np.float32), np.full((100, 2), level, np.float32))
        sizes.append(len(fold._samples._rows) + len(fold._scores._rows))
    assert max(sizes) == max(sizes[:4])
    assert max(sizes) < 3 * RATE
