"""One decision told the plain way equals the sweep's; and what a threshold can and cannot do."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ossicle.core.decisions.decision import Decision
from ossicle.core.intervals import iou, union
from ossicle.core.model_input.chunks import window_plan
from ossicle.core.model_input.frontend import FrontEndSettings
from ossicle.core.tracks import ScoreTrack
from ossicle.inference.decisions.decide import decide
from ossicle.inference.decisions.grid import DecisionGrid, found_by_grid
from ossicle.inference.decisions.one_decision import found_by_decisions
from ossicle.metrics.matching.rules import CollarMatch, IouMatch

LABELS = ("a", "b")
CRITERIA = (IouMatch(threshold=0.3), CollarMatch(collar_s=0.05))


def corpus(seed: int) -> tuple[dict[str, ScoreTrack], dict[str, dict[str, np.ndarray]]]:
    rng = np.random.default_rng(seed)
    tracks, references = {}, {}
    for name in ("x", "empty", "y"):
        n = 0 if name == "empty" else int(rng.integers(1, 80))
        scores = np.repeat(rng.random((n, 2)).round(1), 3, axis=0)[:n].astype(np.float32)
        tracks[name] = ScoreTrack(LABELS, scores, 0.01, n * 0.01)
        starts = np.sort(rng.integers(0, 70, 4)) * 0.01
        references[name] = {"a": np.stack([starts, starts + 0.04], axis=1)}
    return tracks, references


@given(seed=st.integers(0, 10_000), on=st.sampled_from([0.2, 0.5, 0.9]), smoothing=st.sampled_from(["none", "median"]))
def test_one_decision_is_told_as_the_grid_tells_it(seed: int, on: float, smoothing: str) -> None:
    tracks, references = corpus(seed)
    frames = 3 if smoothing == "median" else 1
    grid = DecisionGrid(on=(on,), off_ratio=(0.5,), median_frames=(frames,), min_length_s=(0.02,), min_gap_s=(0.01,))
    (decision,) = grid.decisions()
    (swept,) = found_by_grid(tracks, references, grid, LABELS, CRITERIA)
    plain = found_by_decisions(tracks, references, dict.fromkeys(LABELS, decision), LABELS, CRITERIA)
    for label_events, other in zip(swept, plain, strict=True):
        np.testing.assert_array_equal(label_events.recording, other.recording)
        np.testing.assert_allclose(label_events.times, other.times, rtol=0, atol=1e-12)
        np.testing.assert_array_equal(label_events.scores, other.scores)
        np.testing.assert_array_equal(label_events.reference, other.reference)
        np.testing.assert_array_equal(label_events.reference_times, other.reference_times)
        assert [len(pairs) for pairs in label_events.pairs] == [len(pairs) for pairs in other.pairs]
        for pairs in other.pairs:
            np.testing.assert_array_equal(other.reference[pairs[:, 0]], other.recording[pairs[:, 1]])


@given(seed=st.integers(0, 10_000))
def test_what_a_threshold_covers_never_grows_with_it(seed: int) -> None:
    """Events of a higher threshold lie within those of a lower one; their number, and recall, may well rise."""
    tracks, _ = corpus(seed)
    for track in tracks.values():
        covered = None
        for on in (0.1, 0.3, 0.5, 0.7, 0.9):
            events = decide(track, dict.fromkeys(LABELS, Decision(on=on, off=on)))
            frames = {
                (one.label, frame)
                for one in events
                for frame in range(round(one.start_s * 100), round(one.end_s * 100))
            }
            assert covered is None or frames <= covered
            covered = frames


def test_a_merged_giant_is_no_match_of_all_it_covers() -> None:
    """Low thresholds join calls into one: it counts once at most, and at a usual IoU not at all."""
    scores = np.full((300, 1), 0.3, np.float32)
    starts = (0.2, 1.0, 1.8)
    for start in starts:
        scores[round(start * 100) : round(start * 100) + 30] = 0.9
    tracks = {"x": ScoreTrack(("a",), scores, 0.01, 3.0)}
    references = {"x": {"a": np.array([(start, start + 0.3) for start in starts])}}
    grid = DecisionGrid(on=(0.2, 0.8), off_ratio=(1.0,), min_length_s=(0.0,), min_gap_s=(0.0,))
    for criterion, giant in (
        (IouMatch(threshold=0.4), 0),
        (IouMatch(threshold=0.05), 1),
        (CollarMatch(collar_s=9.0), 1),
    ):
        low, high = (found[0] for found in found_by_grid(tracks, references, grid, ("a",), [criterion]))
        assert (len(low.times), len(low.pairs[0])) == (1, giant)
        assert (len(high.times), len(high.pairs[0])) == (3, 3)


def test_events_of_window_models_are_not_a_window_longer_than_their_calls() -> None:
    """Windows are scored around their centres; the union of positive windows is longer by a whole window (defect 7)."""
    front = FrontEndSettings(rate=48000, n_fft=2048, hop_samples=1024, fmin_hz=0.0, fmax_hz=4000.0)
    plan = window_plan(front, 0.4, 0.05, 4.0)
    window_s, call = plan.window_samples / plan.rate, np.array([[2.0, 2.3]])
    centres = (np.arange(round(5 / plan.hop_s)) + 0.5) * plan.hop_s
    inside = np.minimum(centres + window_s / 2, call[0, 1]) - np.maximum(centres - window_s / 2, call[0, 0])
    # A model that scores the share of the call that its window holds.
    scores = np.clip(inside / (call[0, 1] - call[0, 0]), 0, 1).astype(np.float32)[:, None]
    track = ScoreTrack(("hum",), scores, plan.hop_s, 5.0)
    (event,) = decide(track, {"hum": Decision(on=0.6, off=0.6)})
    positive = centres[scores[:, 0] >= 0.6]
    joined = union(np.stack([positive - window_s / 2, positive + window_s / 2], axis=1))
    ours, joined_iou = iou(np.array([[event.start_s, event.end_s]]), call).item(), iou(joined, call).item()
    assert (event.end_s - event.start_s) - 0.3 < window_s / 4
    assert ours > 0.7
    assert joined_iou < 0.5
