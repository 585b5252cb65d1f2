"""States that follow the level: any feed gives the changes of the whole recording, and a gap begins anew."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ossicle.audio.encoders.acoustic import AcousticEncoder
from ossicle.bundle.runtimes.bundled_encoded import bundled_encoded_predictor
from ossicle.core.decisions.states import UNKNOWN
from ossicle.inference.states.finder import StateFinder
from ossicle.inference.states.stream import StateStream

from ...made_up.level_bundle import write_level_bundle
from ...made_up.state_bundle import DECISION, RATE, hums


@pytest.fixture(scope="module")
def predictor(tmp_path_factory):
    return bundled_encoded_predictor(write_level_bundle(tmp_path_factory.mktemp("level") / "bundle"), AcousticEncoder())


def fed(stream, samples, feed_s):
    step = max(1, round(feed_s * stream.rate))
    out = [change for start in range(0, len(samples), step) for change in stream.feed(samples[start : start + step])]
    return out + stream.finish()


parts = st.lists(
    st.tuples(st.floats(2.6, 9.0), st.integers(0, 1), st.integers(0, 1), st.floats(-9.0, 9.0)), min_size=1, max_size=4
)


@settings(deadline=None, max_examples=8)
@given(parts=parts, seed=st.integers(0, 99))
def test_a_stream_of_any_feed_gives_the_changes_of_the_whole(predictor, parts, seed):
    samples = np.concatenate(
        [hums((s, ac, fridge), seed=seed) * np.float32(10 ** (db / 20)) for s, ac, fridge, db in parts]
    )
    finder = StateFinder(predictor, DECISION, batch_chunks=8, keep_scores=True)
    whole = finder.feed(samples) + finder.finish(len(samples) / RATE)
    for feed_s in (0.05, 0.25, 1.37, 5.0):
        assert fed(StateStream(predictor, DECISION), samples, feed_s) == whole


def test_the_level_is_followed_in_a_stream_and_forgotten_in_a_gap(predictor):
    """10 dB fainter, the head alone takes on for off; after a gap the level is that of the training again."""
    faint = hums((20.0, 0, 0), (20.0, 1, 0), (20.0, 0, 0)) * np.float32(10 ** (-8 / 20))
    once = StateStream(predictor, DECISION)
    first = once.feed(faint)
    gap = once.gap(10.0)
    again = once.feed(faint)
    assert {state_change.state for state_change in gap} == {UNKNOWN}
    shift_s = len(faint) / RATE + 10.0
    expected = [
        (state_change.label, state_change.state, state_change.score, round(state_change.time_s + shift_s, 6))
        for state_change in first
    ]
    assert [
        (state_change.label, state_change.state, state_change.score, round(state_change.time_s, 6))
        for state_change in again
    ] == expected
    assert len(first) >= 4
