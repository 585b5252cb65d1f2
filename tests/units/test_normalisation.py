import numpy as np
import pytest

from ossicle.units.normalisation import NORMALISATIONS, FrameStatistics, FrameSums, Normalisation, statistics_of


def frames(n: int = 200, dim: int = 5) -> np.ndarray:
    random = np.random.default_rng(0)
    return (random.standard_normal((n, dim)) * np.arange(1, dim + 1) + 3).astype(np.float32)


def test_statistics_are_those_of_numpy_whatever_the_blocks():
    sums = FrameSums(5)
    for block in np.array_split(frames(), 7):
        sums.add(block)
    statistics = sums.statistics()
    np.testing.assert_allclose(statistics.mean, frames().mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(statistics.scale, frames().std(axis=0), rtol=1e-5)
    assert sums.count == 200
    assert statistics.mean.dtype == statistics.scale.dtype == np.float32


def test_a_constant_dimension_and_no_frames_keep_a_scale_of_one():
    constant = np.c_[np.full(9, 1e4, np.float32), np.arange(9, dtype=np.float32)]
    assert statistics_of(constant).scale[0] == 1.0
    empty = FrameSums(2).statistics()
    assert empty.mean.tolist() == [0.0, 0.0]
    assert empty.scale.tolist() == [1.0, 1.0]


def test_each_kind_uses_the_statistics_that_it_names():
    x, corpus = frames(), FrameStatistics(np.full(5, 2.0, np.float32), np.full(5, 4.0, np.float32))
    applied = {kind: Normalisation(kind, corpus).apply(x) for kind in NORMALISATIONS}
    np.testing.assert_array_equal(applied["none"], x)
    np.testing.assert_allclose(applied["corpus"], (x - 2) / 4, rtol=1e-6)
    np.testing.assert_allclose(applied["segment"], (x - x.mean(axis=0)) / 4, atol=1e-5)
    np.testing.assert_allclose(applied["group"], (x - x.mean(axis=0)) / x.std(axis=0), atol=1e-5)


def test_a_group_is_normalised_by_its_own_statistics_not_by_those_of_a_segment():
    x = frames()
    group = Normalisation("group", statistics_of(x))
    np.testing.assert_array_equal(group.apply(x[:10], statistics_of(x)), group.apply(x, statistics_of(x))[:10])


def test_gain_and_offset_of_a_group_vanish():
    x = frames()
    group = Normalisation("group", statistics_of(x))
    np.testing.assert_allclose(group.apply(x * 3 + 7), group.apply(x), atol=1e-4)


def test_no_frames_stay_no_frames_of_half_precision_become_single():
    group = Normalisation("group", statistics_of(frames()))
    assert group.apply(np.zeros((0, 5), np.float16)).shape == (0, 5)
    assert group.apply(frames().astype(np.float16)).dtype == np.float32


@pytest.mark.parametrize(
    ("kind", "mean", "scale", "words"),
    [
        ("speaker", [0.0], [1.0], "speaker"),
        ("corpus", [0.0, 0.0], [1.0], "shapes"),
        ("corpus", [0.0], [0.0], "below 1e-06"),
        ("segment", [0.0], [1e-38], "below 1e-06"),
        ("corpus", [np.nan], [1.0], "not finite"),
    ],
)
def test_what_no_training_leaves_is_refused(kind, mean, scale, words):
    with pytest.raises(ValueError, match=words):
        Normalisation(kind, FrameStatistics(np.array(mean, np.float32), np.array(scale, np.float32)))
