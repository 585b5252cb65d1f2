"""Soundscapes with known truth: levels, times and windows are what they are said to be."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

RATE = 8000


def burst(seed: int, seconds: float = 1.0) -> NDArray[np.float32]:
    """Half a second of silence, noise, half a second of silence."""
    noise = np.random.default_rng(seed).standard_normal(round(seconds * RATE)).astype(np.float32)
    quiet = np.zeros(RATE // 2, dtype=np.float32)
    return np.concatenate([quiet, noise, quiet])


def clips(n: int = 12) -> list[tuple[str, str, NDArray[np.float32]]]:
    return [(f"class{k % 3}", str(k), burst(k)) for k in range(n)]


@pytest.mark.parametrize("seed", range(4))
def test_every_event_has_the_ratio_that_is_stated(seed: int) -> None:
    from scenes import mix_scene

    scene = mix_scene(clips(), RATE, seed, "a", least=1, most=1)
    (event,) = scene.events
    place = slice(event.start_sample, event.start_sample + event.n_samples)
    found_db = 10 * np.log10(np.mean(scene.sound[place] ** 2) / np.mean(scene.noise[place] ** 2))
    assert found_db == pytest.approx(event.snr_db, abs=0.01)
    assert event.n_samples == pytest.approx(RATE, abs=2)
    outside = np.ones(len(scene.sound), dtype=bool)
    outside[place] = False
    assert not scene.sound[outside].any()


def test_a_scene_follows_from_seed_and_name() -> None:
    from scenes import mix_scene

    first, again, other = (mix_scene(clips(), RATE, 0, name) for name in ("a", "a", "b"))
    assert first.events == again.events
    assert np.array_equal(first.samples, again.samples)
    assert first.events != other.events
    assert mix_scene(clips(), RATE, 1, "a").events != first.events


@pytest.mark.parametrize("seed", range(6))
def test_events_of_one_class_lie_apart_and_inside(seed: int) -> None:
    from scenes import SCENE_S, mix_scene

    scene = mix_scene(clips(40), RATE, seed, "a", least=30, most=30)
    assert 10 < len(scene.events) <= 30
    assert np.abs(scene.samples).max() <= 0.9 + 1e-6
    for label in ("class0", "class1", "class2"):
        spans = scene.truth(label)
        assert (spans[1:, 0] > spans[:-1, 1]).all()
        assert ((spans >= 0) & (spans <= SCENE_S)).all()


def test_silence_at_the_ends_is_cut_and_silent_clips_are_nothing() -> None:
    from scenes import active_part, mix_scene

    assert len(active_part(np.zeros(RATE, dtype=np.float32), RATE)) == 0
    assert len(active_part(np.zeros(0, dtype=np.float32), RATE)) == 0
    click = np.zeros(RATE, dtype=np.float32)
    click[100] = 1.0
    assert len(active_part(click, RATE)) == 0
    scene = mix_scene([("a", "1", np.zeros(RATE, dtype=np.float32))], RATE, 0, "x")
    assert scene.events == ()
    assert np.sqrt(np.mean(scene.samples**2)) == pytest.approx(10 ** (-45 / 20), rel=1e-3)


@given(
    st.lists(st.tuples(st.integers(0, 590), st.integers(1, 100)), max_size=6),
    st.sampled_from([1.0, 5.0]),
    st.sampled_from([0.1, 0.3, 1.0]),
)
def test_window_truth_is_the_sum_over_tenths_of_a_second(
    drawn: list[tuple[int, int]], window_s: float, least_s: float
) -> None:
    from scenes import window_truth

    # Disjoint spans on a grid of tenths: each tenth of a second is in one event or in none.
    inside = np.zeros(700, dtype=bool)
    for start, length in drawn:
        inside[start : start + length] = True
    edges = np.flatnonzero(np.diff(np.concatenate([[0], inside.astype(int), [0]])))
    spans = edges.reshape(-1, 2) / 10
    n = round(60 / window_s)
    result = window_truth({"a": spans}, ["a", "b"], n, window_s, least_s - 1e-9)
    tenths = inside[:600].reshape(n, -1).sum(axis=1)
    assert result[:, 0].tolist() == (tenths >= round(10 * least_s)).tolist()
    assert not result[:, 1].any()
