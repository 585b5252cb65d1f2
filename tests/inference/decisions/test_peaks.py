"""Onsets as peaks: where they lie, which are kept, and that blocks, grids and whole tracks agree."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ossicle.core.decisions.decision import PEAKS, Decision
from ossicle.core.tracks import Event, ScoreTrack
from ossicle.inference.decisions.decide import Decider, decide
from ossicle.inference.decisions.grid import DecisionGrid
from ossicle.inference.decisions.onset_grid import OnsetGrid, count_onsets
from ossicle.metrics.events import count_events
from ossicle.metrics.matching.rules import CollarMatch

HOP_S = 0.01
LABELS = ("kick",)


def onset(on: float = 0.5, gap_s: float = 0.03, **other: object) -> Decision:
    return Decision(on=on, off=on, min_gap_s=gap_s, pick=PEAKS, **other)  # type: ignore[arg-type]


def track(scores: object) -> ScoreTrack:
    column = np.asarray(scores, dtype=np.float32).reshape(-1, 1)
    return ScoreTrack(LABELS, column, HOP_S, len(column) * HOP_S)


def starts(scores: object, decision: Decision) -> list[float]:
    return [event.start_s for event in decide(track(scores), {"kick": decision})]


def bump(at_s: float, n: int = 60, width_s: float = 0.02) -> np.ndarray:
    """A parabola around a time, sampled in the middle of frames."""
    centres = HOP_S * (np.arange(n) + 0.5)
    return np.clip(0.9 - ((centres - at_s) / width_s) ** 2, 0.0, 1.0)


@pytest.mark.parametrize("at_s", [0.2, 0.2034, 0.2077, 0.215])
def test_an_onset_is_found_between_frames(at_s: float) -> None:
    assert starts(bump(at_s), onset()) == [pytest.approx(at_s, abs=1e-4)]


def test_hits_50_ms_apart_are_both_found() -> None:
    scores = np.maximum(bump(0.2), bump(0.25))
    assert starts(scores, onset(gap_s=0.05)) == [pytest.approx(0.2, abs=1e-3), pytest.approx(0.25, abs=1e-3)]
    # As regions at the same threshold of a score that stays above it they would be one.
    assert starts(np.maximum(scores, 0.6), onset(gap_s=0.05)) == starts(scores, onset(gap_s=0.05))
    assert len(starts(scores, onset(gap_s=0.08))) == 1


def test_of_equal_scores_the_first_counts_and_a_plateau_is_one_onset() -> None:
    assert len(starts([0.0] * 9 + [1.0] * 4 + [0.0] * 9, onset())) == 1
    assert starts([0.0] * 9 + [1.0] + [0.0] * 9, onset()) == [pytest.approx(0.095)]


def test_the_ends_of_a_recording_hold_onsets() -> None:
    assert starts([0.9, 0.2, 0.1, 0.1], onset()) == [pytest.approx(0.005)]
    assert starts([0.1, 0.1, 0.2, 0.9], onset()) == [pytest.approx(0.035)]
    assert starts([], onset()) == []


def test_an_onset_lasts_a_frame_and_has_the_raw_score() -> None:
    events = decide(track([0.0, 0.2, 0.9, 0.2, 0.0]), {"kick": onset(smoothing="median", smoothing_frames=3, on=0.1)})
    assert [(event.score, round(event.end_s - event.start_s, 9)) for event in events] == [(pytest.approx(0.2), HOP_S)]


def naive(scores: np.ndarray, on: float, reach: int) -> list[int]:
    """The definition, frame by frame."""
    peaks = []
    for k, score in enumerate(scores):
        before, after = scores[max(k - reach, 0) : k], scores[k + 1 : k + 1 + reach]
        lower = bool((np.concatenate([before, after]) < score).any())
        if lower and score >= np.float32(on) and (before < score).all() and (after <= score).all():
            peaks.append(k)
    return peaks


@given(
    hnp.arrays(np.float32, st.integers(0, 40), elements=st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0, 0.6, -1.0])),
    st.sampled_from([0.0, 0.01, 0.03, 0.06]),
    st.sampled_from([("none", 1), ("median", 3), ("ema", 3)]),
    st.lists(st.integers(0, 40), max_size=5),
)
def test_any_blocks_give_the_onsets_of_the_definition(
    scores: np.ndarray, gap_s: float, smoothing: tuple[str, int], cuts: list[int]
) -> None:
    decision = onset(gap_s=gap_s, smoothing=smoothing[0], smoothing_frames=smoothing[1])
    whole = decide(track(scores), {"kick": decision})
    decider, streamed = Decider(LABELS, {"kick": decision}, HOP_S), list[Event]()
    edges = [0, *sorted(min(cut, len(scores)) for cut in cuts), len(scores)]
    for begin, end in pairwise(edges):
        streamed += decider.feed(scores[begin:end].reshape(-1, 1))
    streamed += decider.finish(len(scores) * HOP_S)
    assert streamed == whole
    if smoothing[0] == "none":
        reach = max(1, round(gap_s / HOP_S) - 2)
        assert [int(event.start_s / HOP_S + 1e-6) for event in whole] == pytest.approx(naive(scores, 0.5, reach), abs=1)
        assert len(whole) == len(naive(scores, 0.5, reach))


def test_a_decision_comes_no_later_than_its_delay() -> None:
    scores = track(bump(0.3)).scores
    decider = Decider(LABELS, {"kick": onset(gap_s=0.05)}, HOP_S)
    for k in range(len(scores)):
        if events := decider.feed(scores[k : k + 1]):
            assert (k + 1) * HOP_S - events[0].start_s <= decider.delay_s + HOP_S
            return
    pytest.fail("nothing found")


def test_the_grid_counts_what_each_of_its_decisions_finds() -> None:
    rng = np.random.default_rng(0)
    tracks = {
        name: ScoreTrack(("kick", "snare"), rng.random((200, 2)).astype(np.float32), HOP_S, 2.0) for name in ("a", "b")
    }
    times = np.sort(rng.uniform(0, 2, 8))
    references = {"a": {"kick": np.stack([times, times + 0.1], axis=1)}}
    grid = OnsetGrid(DecisionGrid(on=(0.3, 0.6, 0.9), median_frames=(1, 3), min_gap_s=(0.0, 0.03, 0.05)))
    rule = CollarMatch(collar_s=0.03, evaluate_offset=False)
    counts = count_onsets(tracks, references, grid, ("kick", "snare"), rule)
    assert counts.shape == (18, 2, 2, 3)
    for row, decision in enumerate(grid.decisions()):
        for column_of_track, (name, score_track) in enumerate(tracks.items()):
            events = decide(score_track, {"kick": decision, "snare": decision})
            for column, label in enumerate(("kick", "snare")):
                predicted = np.array([(e.start_s, e.end_s) for e in events if e.label == label]).reshape(-1, 2)
                wanted = references.get(name, {}).get(label, np.zeros((0, 2)))
                assert counts[row, column_of_track, column].tolist() == list(count_events(wanted, predicted, rule))


def test_files_hold_the_kind_of_decision_only_where_it_is_not_the_first() -> None:
    assert "pick" not in Decision().to_plain()
    assert Decision(**onset().to_plain()) == onset()
