"""Matching against sed_eval (collars), exhaustive search (IoU and collars), mir_eval, and its own properties."""

import time

import mir_eval
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ossicle.metrics.matching import assignment, rules
from ossicle.metrics.matching.rules import CollarMatch, IouMatch, candidates, match, match_brute_force, meets, pair_iou

CRITERIA = [
    IouMatch(threshold=0.2),
    IouMatch(threshold=0.5),
    IouMatch(threshold=0.9),
    CollarMatch(),
    CollarMatch(collar_s=0.5, evaluate_offset=False),
    CollarMatch(collar_s=0.1, percentage_of_length=0.3, evaluate_onset=False),
]
# Dyadic times: differences are exact, so that ties with a threshold are the same ties for every implementation.
TICK = 1 / 64


def random_events(generator: np.random.Generator, n: int, span_s: float = 4.0, dyadic: bool = False) -> NDArray:
    start = generator.uniform(0, span_s, n)
    events = np.stack([start, start + generator.exponential(0.6, n)], axis=1)
    return np.round(events / TICK) * TICK if dyadic else events


@st.composite
def event_lists(draw: st.DrawFn, least: int = 0) -> NDArray:
    pairs = draw(st.lists(st.tuples(st.integers(0, 200), st.integers(1, 60)), min_size=least, max_size=12))
    return np.array([[start * TICK, (start + length) * TICK] for start, length in pairs]).reshape(-1, 2)


def total_iou(reference: NDArray, predicted: NDArray, pairs: NDArray) -> float:
    return float(pair_iou(reference, predicted, pairs).sum())


@pytest.mark.parametrize("criterion", CRITERIA, ids=str)
@pytest.mark.parametrize("dense_cells", [1 << 14, 0], ids=["dense", "sparse"])
def test_equals_exhaustive_search(monkeypatch: pytest.MonkeyPatch, criterion, dense_cells: int) -> None:
    monkeypatch.setattr(assignment, "_DENSE_CELLS", dense_cells)
    generator = np.random.default_rng(1)
    several = 0
    for case in range(220):
        n, m = generator.integers(0, 7, 2)
        reference = random_events(generator, n, 2.0, dyadic=case % 2 == 0)
        predicted = random_events(generator, m, 2.0, dyadic=case % 2 == 0)
        if case % 3 and n:  # near misses and duplicates of the references, beside unrelated events
            predicted = reference[generator.integers(0, n, m)] + generator.normal(
                0, generator.choice([0.01, 0.1]), (m, 1)
            )
        got, want = match(reference, predicted, criterion), match_brute_force(reference, predicted, criterion)
        assert len(got) == len(want)
        assert total_iou(reference, predicted, got) == pytest.approx(total_iou(reference, predicted, want), abs=1e-9)
        assert meets(reference, predicted, got, criterion).all()
        assert len(set(got[:, 0])) == len(set(got[:, 1])) == len(got)
        several += len(got) > 1
    assert several > 20


@pytest.mark.parametrize("criterion", CRITERIA, ids=str)
def test_candidates_are_all_pairs_that_meet(monkeypatch: pytest.MonkeyPatch, criterion) -> None:
    monkeypatch.setattr(rules, "_BLOCK_PAIRS", 16)
    generator = np.random.default_rng(2)
    for _ in range(60):
        reference, predicted = (random_events(generator, n, dyadic=True) for n in generator.integers(0, 40, 2))
        every = np.argwhere(np.ones((len(reference), len(predicted)), dtype=bool))
        want = every[meets(reference, predicted, every, criterion)]
        np.testing.assert_array_equal(candidates(reference, predicted, criterion), want)


@pytest.mark.parametrize("n", [120, 400])
def test_sparse_and_dense_solutions_of_a_large_component_agree(monkeypatch: pytest.MonkeyPatch, n: int) -> None:
    generator = np.random.default_rng(6)
    start = generator.uniform(0, n / 2, n)
    reference = np.stack([start, start + 3.0], axis=1)
    predicted = reference + generator.normal(0, 1.0, (n, 1))
    result = []
    for cells in (0, 1 << 30):
        monkeypatch.setattr(assignment, "_DENSE_CELLS", cells)
        pairs = match(reference, predicted, IouMatch(threshold=0.3))
        result.append((len(pairs), total_iou(reference, predicted, pairs)))
    assert result[0] == pytest.approx(result[1], abs=1e-9)


def sed_eval_tp(sed_eval, reference: NDArray, predicted: NDArray, criterion: CollarMatch) -> int:
    metrics = sed_eval.sound_event.EventBasedMetrics(
        event_label_list=["a"],
        t_collar=criterion.collar_s,
        percentage_of_length=criterion.percentage_of_length,
        evaluate_onset=criterion.evaluate_onset,
        evaluate_offset=criterion.evaluate_offset,
        event_matching_type="optimal",
    )
    as_dicts = [
        [{"event_label": "a", "event_onset": s, "event_offset": e, "file": "f"} for s, e in events.tolist()]
        for events in (reference, predicted)
    ]
    metrics.evaluate(*as_dicts)
    return int(metrics.class_wise["a"]["Ntp"])


@pytest.mark.parametrize(
    "criterion",
    [
        CollarMatch(),
        CollarMatch(collar_s=0.25, percentage_of_length=0.25),
        CollarMatch(collar_s=0.125, evaluate_offset=False),
        CollarMatch(collar_s=0.0625, percentage_of_length=0.0, evaluate_onset=False),
    ],
    ids=str,
)
def test_equals_sed_eval(sed_eval, criterion: CollarMatch) -> None:
    generator = np.random.default_rng(3)
    matched = 0
    for case in range(220):
        n, m = generator.integers(0, 12, 2)
        if case % 20 == 0:
            n = 0
        # Ties are exact only for collars on the dyadic grid; the default collar of 0.2 s gets continuous times.
        dyadic = (criterion.collar_s / TICK).is_integer()
        reference = random_events(generator, n, 3.0, dyadic)
        if case % 4 == 0:  # touching events: each begins where the one before ends
            edges = np.sort(random_events(generator, n + 1, 3.0, dyadic)[:, 0])
            reference = np.stack([edges[:-1], edges[1:]], axis=1)
        predicted = random_events(generator, m, 3.0, dyadic)
        if case % 2 and n:
            jitter = np.round(generator.normal(0, 8, (m, 2))) * TICK
            predicted = np.sort(np.maximum(reference[generator.integers(0, n, m)] + jitter, 0), axis=1)
        got = len(match(reference, predicted, criterion))
        assert got == sed_eval_tp(sed_eval, reference, predicted, criterion), (case, reference, predicted)
        matched += got
    assert matched > 200


def test_equals_mir_eval() -> None:
    generator = np.random.default_rng(4)
    for _ in range(50):
        reference, predicted = (random_events(generator, n) for n in generator.integers(1, 20, 2))
        want = mir_eval.transcription.match_note_onsets(reference, predicted, onset_tolerance=0.05)
        assert len(match(reference, predicted, CollarMatch(collar_s=0.05, evaluate_offset=False))) == len(want)
        tolerances = {"onset_tolerance": 0.25, "offset_min_tolerance": 0.25, "offset_ratio": 0.5}
        pitches = np.full(len(reference), 440.0), np.full(len(predicted), 440.0)
        want = mir_eval.transcription.match_notes(reference, pitches[0], predicted, pitches[1], **tolerances)
        assert len(match(reference, predicted, CollarMatch(collar_s=0.25))) == len(want)


@pytest.mark.parametrize(
    ("predicted", "threshold"),
    [((0.0, 0.5), 0.5), ((0.1, 0.4), 0.3), ((0.3, 1.0), 0.7), ((0.0, 1.0), 1.0)],
)
@pytest.mark.parametrize("offset_s", [0.0, 1234.567, 36000.1])
def test_iou_of_exactly_the_threshold_counts(predicted, threshold: float, offset_s: float) -> None:
    reference = np.array([[0.0, 1.0]]) + offset_s
    inside = np.array([predicted]) + offset_s
    assert len(match(reference, inside, IouMatch(threshold=threshold))) == 1
    shorter = inside - [[0.0, 1e-6]]
    assert len(match(reference, shorter, IouMatch(threshold=threshold))) == 0


def test_onset_of_exactly_one_collar_counts() -> None:
    reference = np.array([[0.1, 1.0]])  # 0.3 - 0.1 is 0.19999999999999998, 0.7 - 0.5 is 0.19999999999999996
    for start in (0.3, -0.1):
        assert len(match(reference, np.array([[start, 1.0]]), CollarMatch(collar_s=0.2))) == 1
    assert len(match(np.array([[1.1, 2.0]]), np.array([[1.3, 2.0]]), CollarMatch(collar_s=0.2))) == 1  # 0.2 + 2e-16
    assert len(match(np.array([[1.1, 2.0]]), np.array([[1.3001, 2.0]]), CollarMatch(collar_s=0.2))) == 0


def test_number_of_pairs_comes_before_their_overlap() -> None:
    reference = np.array([[0.0, 1.0], [0.5, 1.5]])
    predicted = np.array([[0.5, 1.4], [1.0, 1.6]])  # alone, the first prediction fits the second reference best
    pairs = match(reference, predicted, IouMatch(threshold=0.3))
    assert pairs.tolist() == [[0, 0], [1, 1]]


def test_zero_length_events_match_by_collar_only() -> None:
    click = np.array([[1.0, 1.0]])
    assert len(match(click, click, IouMatch())) == 0
    assert len(match(click, click, CollarMatch())) == 1


def test_bad_times_and_criteria_are_refused() -> None:
    good = np.array([[0.0, 1.0]])
    for bad in ([[1.0, 0.0]], [[0.0, np.nan]]):
        with pytest.raises(ValueError, match="start <= end"):
            match(np.array(bad), good, IouMatch())
    with pytest.raises(ValueError, match="threshold"):
        IouMatch(threshold=0.0)
    with pytest.raises(ValueError, match="evaluate_onset"):
        CollarMatch(evaluate_onset=False, evaluate_offset=False)


@settings(deadline=None, max_examples=60)
@given(event_lists(), event_lists(), st.sampled_from([0.1, 0.5, 0.8]))
def test_iou_matching_is_symmetric(a: NDArray, b: NDArray, threshold: float) -> None:
    there, back = match(a, b, IouMatch(threshold=threshold)), match(b, a, IouMatch(threshold=threshold))
    assert len(there) == len(back)
    assert total_iou(a, b, there) == pytest.approx(total_iou(b, a, back), abs=1e-9)


@settings(deadline=None, max_examples=60)
@given(event_lists(), st.sampled_from(CRITERIA))
def test_a_list_matches_itself(events: NDArray, criterion) -> None:
    pairs = match(events, events, criterion)
    assert len(pairs) == len(events)
    assert total_iou(events, events, pairs) == pytest.approx(len(events))


@settings(deadline=None, max_examples=60)
@given(event_lists(), event_lists(), st.sampled_from(CRITERIA), st.randoms(use_true_random=False))
def test_order_and_origin_do_not_matter(a: NDArray, b: NDArray, criterion, random) -> None:
    mixed_a, mixed_b = (events[random.sample(range(len(events)), len(events))] for events in (a, b))
    pairs, mixed = match(a, b, criterion), match(mixed_a + 1024.0, mixed_b + 1024.0, criterion)
    assert len(pairs) == len(mixed)
    assert total_iou(a, b, pairs) == pytest.approx(total_iou(mixed_a, mixed_b, mixed), abs=1e-9)


@settings(deadline=None, max_examples=60)
@given(event_lists(), event_lists(), st.tuples(st.floats(0.01, 1), st.floats(0.01, 1)))
def test_fewer_match_at_higher_thresholds(a: NDArray, b: NDArray, thresholds: tuple[float, float]) -> None:
    low, high = sorted(thresholds)
    assert len(match(a, b, IouMatch(threshold=low))) >= len(match(a, b, IouMatch(threshold=high)))
    narrow, wide = CollarMatch(collar_s=low), CollarMatch(collar_s=high)
    assert len(match(a, b, narrow)) <= len(match(a, b, wide))


@pytest.mark.parametrize("criterion", [IouMatch(), CollarMatch(), CollarMatch(collar_s=0.5, evaluate_offset=False)])
def test_ten_hours_of_dense_events_take_seconds(criterion) -> None:
    generator = np.random.default_rng(5)
    reference = random_events(generator, 50_000, 36_000.0)
    predicted = np.sort(reference + generator.normal(0, 0.1, reference.shape), axis=1)
    began = time.perf_counter()
    pairs = match(reference, predicted, criterion)
    elapsed_s = time.perf_counter() - began
    assert len(pairs) > 30_000
    # 0.5 to 1.3 s on a busy 2-core machine; the bound only tells a quadratic search (minutes) from this one.
    assert elapsed_s < 20
