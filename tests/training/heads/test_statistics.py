import numpy as np
import pytest

from ossicle.core.errors import OssicleError
from ossicle.training.heads import statistics
from ossicle.training.heads.statistics import input_statistics


def test_moments_are_those_of_numpy_whatever_the_block(monkeypatch: pytest.MonkeyPatch) -> None:
    features = (100 + np.random.default_rng(0).normal(size=(7, 4, 3))).astype(np.float32)
    monkeypatch.setattr(statistics, "_BLOCK_VALUES", 24)
    result = input_statistics(features)
    wanted = features.astype(np.float64)
    np.testing.assert_allclose(result.token_mean, wanted.mean(axis=(0, 1)), rtol=1e-6)
    np.testing.assert_allclose(result.token_deviation, wanted.std(axis=(0, 1)), rtol=1e-5)
    np.testing.assert_allclose(result.window_mean, wanted.mean(axis=1).mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(result.window_deviation, wanted.mean(axis=1).std(axis=0), rtol=1e-5)


def test_roots_are_taken_of_window_means() -> None:
    features = np.random.default_rng(0).normal(size=(9, 4, 3)).astype(np.float32)
    result = input_statistics(features, "root")
    means = features.astype(np.float64).mean(axis=1)
    roots = np.sign(means) * np.sqrt(np.abs(means))
    np.testing.assert_allclose(result.window_mean, roots.mean(axis=0), rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(result.window_deviation, roots.std(axis=0), rtol=1e-5)
    np.testing.assert_allclose(result.token_mean, input_statistics(features).token_mean)


def test_constants_are_not_divided_by_their_rounding_errors() -> None:
    features = np.full((5, 2, 2), 0.1, dtype=np.float32)
    features[:, :, 1] += np.arange(5, dtype=np.float32)[:, None]
    result = input_statistics(features)
    assert float(result.window_deviation[0]) == 1.0
    assert float(result.window_deviation[1]) == pytest.approx(np.std(np.arange(5)))


def test_values_that_are_not_finite_are_refused() -> None:
    features = np.zeros((3, 1, 2), dtype=np.float16)
    features[1, 0, 1] = np.inf
    with pytest.raises(OssicleError, match="not finite"):
        input_statistics(features)
