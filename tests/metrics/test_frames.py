"""Frames of a track, and what annotations say of them."""

import numpy as np
import pytest

from ossicle.core.tracks import ScoreTrack
from ossicle.metrics.frames import FrameScores, frame_targets, frames_of
from ossicle.metrics.psds.intersections import covered_before, layers


@pytest.mark.parametrize(
    ("n_frames", "duration_s", "edges"), [(4, 1.75, [0, 0.5, 1, 1.5, 1.75]), (4, 1.0, [0, 0.5, 1])]
)
def test_frames_end_with_the_recording(n_frames: int, duration_s: float, edges: list[float]) -> None:
    track = ScoreTrack(("call",), np.ones((n_frames, 1), np.float32), 0.5, duration_s)
    frames = frames_of(track)
    assert frames.edges_s.tolist() == edges
    assert len(frames.scores) == len(edges) - 1


def test_a_track_shorter_than_its_recording_stays_as_it_is() -> None:
    assert frames_of(ScoreTrack(("call",), np.ones((2, 1), np.float32), 0.5, 9.0)).edges_s.tolist() == [0, 0.5, 1]
    assert frames_of(ScoreTrack(("call",), np.ones((0, 1), np.float32), 0.5, 0.0)).edges_s.tolist() == [0]


def test_half_a_frame_makes_a_target() -> None:
    edges = np.arange(5) * 0.1
    assert frame_targets(np.array([[0.05, 0.14]]), edges).tolist() == [True, False, False, False]
    # Two events that share time cover it once.
    assert frame_targets(np.array([[0.0, 0.03], [0.0, 0.03]]), edges).tolist() == [False] * 4
    assert frame_targets(np.empty((0, 2)), edges).tolist() == [False] * 4


def test_what_cannot_be_scored_is_refused() -> None:
    for edges, scores, words in (
        ([0.0, 1.0], np.zeros((2, 1)), "do not bound"),
        ([0.0, 1.0, 1.0], np.zeros((2, 1)), "ascend"),
        ([0.0, 1.0, 2.0], np.array([[0.0], [np.nan]]), "not a finite number"),
    ):
        with pytest.raises(ValueError, match=words):
            FrameScores(np.array(edges), scores)


def test_layers_hold_every_event_once_and_none_that_overlap() -> None:
    generator = np.random.default_rng(2)
    edges = np.arange(101) * 0.1
    for _ in range(30):
        events = np.sort(np.round(generator.uniform(0, 10, (generator.integers(1, 20), 2)), 1), axis=1)
        dealt = layers(events, edges)
        valid = events[events[:, 0] < events[:, 1]]
        assert sorted(np.concatenate([layer.events for layer in dealt]).tolist() if dealt else []) == sorted(
            valid.tolist()
        )
        for layer in dealt:
            assert np.all(layer.events[1:, 0] >= layer.events[:-1, 1])
        sums = [np.maximum(np.minimum(events[:, 1], edge) - events[:, 0], 0).sum() for edge in edges]
        np.testing.assert_allclose(covered_before(events, edges), sums, atol=1e-12)
