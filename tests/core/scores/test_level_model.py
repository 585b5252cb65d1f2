"""Class models as arrays: what is written is read, and what does not fit is refused by name."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from ossicle.core.scores.level_model import level_model_of
from ossicle.training.heads.level_fit import fit_level

from .level_models import DIRECTION, embeddings, small_model


def test_what_is_written_is_read():
    model = small_model()
    again = level_model_of(model.arrays(), 4, 2)
    for name, array in model.arrays().items():
        assert again.arrays()[name].tolist() == array.tolist()


def test_lines_are_the_log_likelihoods_of_normal_distributions():
    """Up to a constant that is the same for all states and levels."""
    rng = np.random.default_rng(3)
    on = rng.integers(0, 2, (200, 2)).astype(bool)
    x = rng.normal(size=(200, 4)) @ rng.normal(size=(4, 4)) + on @ rng.normal(0, 4, (2, 4))
    model = fit_level(x, on, np.ones_like(on), DIRECTION, shrinkage=0.4)
    means = np.stack([x[(on == state).all(axis=1)].mean(axis=0) for state in model.states])
    state_index = np.array([np.flatnonzero((model.states == row).all(axis=1))[0] for row in on])
    covariance = np.cov((x - means[state_index]).T, bias=True)
    shrunk = 0.6 * covariance + 0.4 * np.diag(np.diag(covariance)) + 1e-2 * np.eye(4)
    probe = rng.normal(size=4).astype(np.float32)
    constant, linear = model.lines(probe)
    levels = np.array([-3.0, 0.0, 4.5])
    log_likelihoods = constant[:, None] + linear[:, None] * levels - model.curve / 2 * levels**2
    expected = [[multivariate_normal.logpdf(probe, row + g * DIRECTION, shrunk) for g in levels] for row in means]
    np.testing.assert_allclose(
        log_likelihoods - log_likelihoods[0, 0], np.array(expected) - expected[0][0], rtol=1e-6, atol=1e-6
    )


def test_windows_with_an_unknown_label_are_left_out():
    on = np.repeat(np.array([[0, 0], [0, 1], [1, 0], [1, 1]], bool), 20, axis=0)
    x = np.concatenate([embeddings(*map(int, row), 1)[:, 0] for row in on])
    known = np.ones_like(on)
    known[3, 1] = False
    cut = fit_level(np.delete(x, 3, axis=0), np.delete(on, 3, axis=0), np.delete(known, 3, axis=0), DIRECTION, 0.9)
    x[3] = 1e6
    assert fit_level(x, on, known, DIRECTION, 0.9).weights.tolist() == cut.weights.tolist()


def test_there_is_no_model_where_a_label_is_never_off():
    on = np.array([[1, 0], [1, 1]] * 5, bool)
    assert fit_level(np.random.default_rng(0).normal(size=(10, 4)), on, np.ones_like(on), DIRECTION, 0.9) is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"slope": np.zeros(3)}, "slope of shape"),
        ({"weights": np.full((4, 4), np.nan)}, "weights of shape"),
        ({"bias": np.zeros(4, np.float32)}, "bias of shape"),
        ({"curve": np.array([-1.0])}, "curve = -1 must be at least 0"),
        ({"states": np.zeros((4, 2), np.int32)}, "a label is on, or off, in every joint state"),
        ({"states": np.zeros((1, 2), np.int32)}, "are no joint states"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        level_model_of({**small_model().arrays(), **change}, 4, 2)


def test_a_missing_array_and_other_labels_are_refused():
    arrays = small_model().arrays()
    with pytest.raises(ValueError, match="read 4 values for 2 labels, not 4 for 3"):
        level_model_of(arrays, 4, 3)
    del arrays["cross"]
    with pytest.raises(ValueError, match="the array 'cross' is missing"):
        level_model_of(arrays, 4, 2)
