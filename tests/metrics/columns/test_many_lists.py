"""Counting and matching of many lists at once, against the slow functions of one list, exactly."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from ossicle.core.decisions.decision import Decision
from ossicle.core.intervals import Intervals, part, union
from ossicle.core.time import first_frame_at_or_after, frames_covering
from ossicle.core.tracks import ScoreTrack, rasterise
from ossicle.inference.decisions.decide import decide
from ossicle.metrics.columns.event_lists import EventLists, lists_by
from ossicle.metrics.columns.frame_targets import list_targets
from ossicle.metrics.columns.greedy import greedy_hits
from ossicle.metrics.columns.grid_events import grid_events
from ossicle.metrics.columns.matching import list_candidates, match_lists, matched_at
from ossicle.metrics.columns.segments import segment_counts
from ossicle.metrics.columns.unions import gaps_between, part_lists, union_lists
from ossicle.metrics.events import count_events, list_counts
from ossicle.metrics.frames import frame_targets, frames_of
from ossicle.metrics.matching import rules as matching
from ossicle.metrics.matching.rules import CollarMatch, IouMatch, RecordingMatch, candidates, match, pair_iou
from ossicle.metrics.segments import count_segments

CRITERIA = [
    IouMatch(threshold=0.1),
    IouMatch(threshold=0.5),
    IouMatch(threshold=1.0),
    CollarMatch(collar_s=0.2),
    CollarMatch(collar_s=0.3, evaluate_offset=False),
    CollarMatch(collar_s=0.1, evaluate_onset=False),
]
SPAN_S = 8.0

Draw = Callable[[np.random.Generator, int], Intervals]


def continuous(generator: np.random.Generator, n: int) -> Intervals:
    """Return events anywhere, in any order."""
    start = generator.uniform(0, SPAN_S - 2, n)
    return np.stack([start, np.minimum(start + generator.exponential(0.4, n), SPAN_S)], axis=1)


def tied(generator: np.random.Generator, n: int) -> Intervals:
    """Return events on few times: touching, equal and empty ones are frequent."""
    return np.sort(generator.integers(0, 12, (n, 2)), axis=1) / 2


def decimal(generator: np.random.Generator, n: int) -> Intervals:
    """Return events whose times have few decimals, as tables have them."""
    return np.round(continuous(generator, n), int(generator.integers(1, 5)))


DRAWS = [continuous, tied, decimal]


def drawn(draw: Draw, seed: int, n_lists: int = 25, most: int = 9) -> list[Intervals]:
    generator = np.random.default_rng(seed)
    return [draw(generator, int(generator.integers(0, most))) for _ in range(n_lists)]


def moved(pairs: NDArray[np.int64], reference: EventLists, predicted: EventLists, k: int) -> list[list[int]]:
    """Return the pairs of list ``k`` by their places in the list."""
    mine = pairs[reference.owner[pairs[:, 0]] == k]
    assert (predicted.owner[mine[:, 1]] == k).all()
    return (mine - [reference.offsets[k], predicted.offsets[k]]).tolist()


@pytest.mark.parametrize("draw", DRAWS)
@pytest.mark.parametrize("criterion", CRITERIA, ids=str)
def test_candidates_and_matches_are_those_of_each_list(draw: Draw, criterion: matching.Criterion) -> None:
    for seed in range(8):
        lists = drawn(draw, seed), drawn(draw, 100 + seed)
        reference, predicted = map(EventLists.of, lists)
        near, matched = list_candidates(reference, predicted, criterion), match_lists(reference, predicted, criterion)
        for k, pair in enumerate(zip(*lists, strict=True)):
            assert moved(near, reference, predicted, k) == candidates(*pair, criterion).tolist()
            assert moved(matched, reference, predicted, k) == match(*pair, criterion).tolist()


@pytest.mark.parametrize("draw", DRAWS)
@pytest.mark.parametrize("criterion", [*CRITERIA, RecordingMatch()], ids=str)
def test_counts_are_those_of_each_list(draw: Draw, criterion: matching.Criterion | RecordingMatch) -> None:
    lists = drawn(draw, 1), drawn(draw, 2)
    result = list_counts(*map(EventLists.of, lists), criterion)
    assert result.tolist() == [list(count_events(*pair, criterion)) for pair in zip(*lists, strict=True)]


def test_lists_far_from_zero_never_meet() -> None:
    # Before zero, and long after it: neighbours on the common axis stay apart.
    shifted = [np.array([[at, at + 1.0]]) for at in (-5.0, 1e6, -3.0, 0.0, 1e6)]
    lists = EventLists.of(shifted)
    for criterion in CRITERIA:
        assert match_lists(lists, lists, criterion).tolist() == [[k, k] for k in range(5)]
    others = EventLists.of([shifted[4], shifted[0], shifted[1], np.zeros((0, 2)), shifted[3]])
    assert match_lists(lists, others, IouMatch(threshold=0.1)).tolist() == []


def test_numbers_of_lists_must_agree() -> None:
    with pytest.raises(ValueError, match="2 lists of references and 1 of predictions"):
        match_lists(EventLists.of([[], []]), EventLists.of([[]]), IouMatch(threshold=0.5))


@pytest.mark.parametrize("draw", DRAWS)
def test_the_sweep_counts_what_each_list_counts(draw: Draw) -> None:
    lists, thresholds = (drawn(draw, 3), drawn(draw, 4)), (0.2, 0.5, 0.8)
    expected = [
        sum(len(match(*pair, IouMatch(threshold=threshold))) for pair in zip(*lists, strict=True))
        for threshold in thresholds
    ]
    assert matched_at(*map(EventLists.of, lists), thresholds).tolist() == expected
    assert matched_at(*map(EventLists.of, lists), ()).shape == (0,)


def greedy_one_by_one(
    reference: Intervals, predicted: Intervals, scores: NDArray[np.float64], criterion: matching.Criterion
) -> list[bool]:
    """Take predictions from the highest score down, each with the best free reference."""
    allowed = candidates(reference, predicted, criterion)
    iou = np.round(pair_iou(reference, predicted, allowed), 9).tolist()
    free, hit = set(range(len(reference))), [False] * len(predicted)
    for j in sorted(range(len(predicted)), key=lambda j: (-scores[j], *predicted[j], j)):
        choices = []
        for (i, other), share in zip(allowed.tolist(), iou, strict=True):
            if other == j and i in free:
                apart = round(float(np.abs(reference[i] - predicted[j]).sum()), 9)
                choices.append((-share, apart, *reference[i].tolist(), i))
        if choices:
            free.remove(min(choices)[-1])
            hit[j] = True
    return hit


@pytest.mark.parametrize("draw", DRAWS)
@pytest.mark.parametrize("criterion", [IouMatch(threshold=0.2), CollarMatch(collar_s=0.4)], ids=str)
def test_greedy_hits_are_those_of_each_list(draw: Draw, criterion: matching.Criterion) -> None:
    lists, generator = (drawn(draw, 5), drawn(draw, 6)), np.random.default_rng(0)
    reference, predicted = map(EventLists.of, lists)
    scores = generator.choice([0.2, 0.5, 0.9], len(predicted.times))
    expected = [
        one
        for k, pair in enumerate(zip(*lists, strict=True))
        for one in greedy_one_by_one(*pair, scores[predicted.offsets[k] : predicted.offsets[k + 1]], criterion)
    ]
    assert greedy_hits(reference, predicted, scores, criterion).tolist() == expected


@pytest.mark.parametrize("draw", DRAWS)
@pytest.mark.parametrize("segment_s", [1.0, 0.3])
def test_segments_are_those_of_each_list(draw: Draw, segment_s: float) -> None:
    lists, durations_s = (drawn(draw, 7), drawn(draw, 8)), np.random.default_rng(0).uniform(0, SPAN_S, 25)
    n_segments = np.array([first_frame_at_or_after(one, segment_s) for one in durations_s.tolist()])
    result = segment_counts(*map(EventLists.of, lists), n_segments, segment_s)
    expected = [
        list(count_segments(*pair, duration_s, segment_s))
        for *pair, duration_s in zip(*lists, durations_s.tolist(), strict=True)
    ]
    assert result.tolist() == expected


@pytest.mark.parametrize("draw", DRAWS)
def test_unions_parts_and_gaps_are_those_of_each_list(draw: Draw) -> None:
    lists = drawn(draw, 9)
    merged = union_lists(EventLists.of(lists))
    apart = part_lists(merged, 0.15)
    for k, one in enumerate(lists):
        mine = slice(int(merged.offsets[k]), int(merged.offsets[k + 1]))
        assert merged.times[mine].tolist() == union(one).tolist()
        assert apart.times[mine].tolist() == part(union(one), 0.15).tolist()
    ordered = [one[np.argsort(one[:, 0], kind="stable")] for one in lists]
    gaps = np.concatenate([one[1:, 0] - one[:-1, 1] for one in ordered])
    assert gaps_between(EventLists.of(lists)).tolist() == gaps.tolist()


@pytest.mark.parametrize("draw", DRAWS)
@pytest.mark.parametrize("hop_s", [0.01, 0.25, 512 / 44100])
def test_grid_events_are_those_of_a_drawn_track(draw: Draw, hop_s: float) -> None:
    lists, durations_s = [union(one) for one in drawn(draw, 10)], np.random.default_rng(1).uniform(1, SPAN_S, 25)
    n_frames = np.array([frames_covering(round(one * 1e6), round(hop_s * 1e6)) for one in durations_s.tolist()])
    event_lists = grid_events(EventLists.of(lists), n_frames, durations_s, hop_s)
    for k, (one, n, duration_s) in enumerate(zip(lists, n_frames.tolist(), durations_s.tolist(), strict=True)):
        track = ScoreTrack(("call",), rasterise(one, n, hop_s)[:, None], hop_s, duration_s)
        expected = [[e.start_s, e.end_s] for e in decide(track, {"call": Decision(on=0.5, off=0.5)})]
        assert event_lists.times[event_lists.offsets[k] : event_lists.offsets[k + 1]].tolist() == expected


@pytest.mark.parametrize("draw", DRAWS)
@pytest.mark.parametrize("hop_s", [0.01, 0.25, 512 / 44100])
def test_frame_targets_are_those_of_each_list(draw: Draw, hop_s: float) -> None:
    for duration_s in (SPAN_S, 5.003, 4.000001):
        lists, n = drawn(draw, 11), int(np.ceil(duration_s / hop_s))
        edges_s = frames_of(ScoreTrack(("call",), np.zeros((n, 1), np.float32), hop_s, duration_s)).edges_s
        expected = [frame_targets(one, edges_s).tolist() for one in lists]
        assert list_targets(EventLists.of(lists), edges_s).tolist() == expected


def test_a_frame_covered_by_exactly_the_least_share_is_decided_as_one_list_decides_it() -> None:
    # 4.999 ms of 10 ms are half of it less the tolerance: the last bit decides.
    edges_s = np.arange(2001) * 0.01
    starts = np.round(np.arange(100) * 0.2 + 0.005001, 6)
    lists = [np.stack([starts + k * 0.01, starts + k * 0.01 + 0.004999], axis=1) for k in range(10)]
    expected = [frame_targets(one, edges_s).tolist() for one in lists]
    assert list_targets(EventLists.of(lists), edges_s).tolist() == expected


def test_empty_columns() -> None:
    nothing = EventLists.of([[], []])
    assert match_lists(nothing, nothing, IouMatch(threshold=0.5)).shape == (0, 2)
    assert union_lists(nothing).times.shape == (0, 2)
    assert gaps_between(nothing).shape == (0,)
    assert segment_counts(nothing, nothing, np.array([3, 0]), 1.0).tolist() == [[0, 0, 0, 3], [0, 0, 0, 0]]
    assert grid_events(nothing, np.array([3, 0]), np.array([3.0, 0.0]), 1.0).sizes.tolist() == [0, 0]
    assert list_targets(nothing, np.array([0.0, 1.0])).tolist() == [[False], [False]]
    assert EventLists.gather({}, [], []).times.shape == (0, 2)


def test_columns_are_gathered_by_recording_and_label() -> None:
    events = {"b": {"x": np.array([[0.0, 1.0], [2.0, 3.0]])}, "a": {"y": np.array([[4.0, 5.0]]), "z": np.ones((1, 2))}}
    lists = EventLists.gather(events, ["a", "b", "c"], ["x", "y"])
    assert lists.sizes.tolist() == [0, 1, 2, 0, 0, 0]
    assert lists.owner.tolist() == [1, 2, 2]
    assert lists.within.tolist() == [0, 0, 1]
    assert lists.times[:, 0].tolist() == [4.0, 0.0, 2.0]
    assert lists_by(lists.owner, lists.times, 6).offsets.tolist() == lists.offsets.tolist()
    with pytest.raises(ValueError, match="start <= end"):
        EventLists.of([np.array([[2.0, 1.0]])])
