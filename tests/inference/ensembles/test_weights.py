"""Fitted weights against a search over all of them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ossicle.inference.ensembles.weights import fitted_weights, log_loss


def drawn(seed, n=400, noise=(0.5, 1.0, 3.0)):
    generator = np.random.default_rng(seed)
    targets = (generator.random(n) < 0.3).astype(np.float32)
    logits = [4 * targets - 2 + spread * generator.standard_normal(n) for spread in noise]
    return (1 / (1 + np.exp(-np.stack(logits)))).astype(np.float32), targets


@settings(max_examples=15)
@given(seed=st.integers(0, 10_000))
def test_no_weights_do_better(seed):
    scores, targets = drawn(seed, n=150)
    weights = fitted_weights(scores, targets)
    assert weights.sum() == pytest.approx(1)
    assert (weights >= 0).all()
    grid = [
        np.array([a, b, 1 - a - b]) for a in np.linspace(0, 1, 26) for b in np.linspace(0, 1, 26) if a + b <= 1 + 1e-9
    ]
    best = min(log_loss(scores, targets, np.clip(candidate, 0, 1)) for candidate in grid)
    assert log_loss(scores, targets, weights) <= best + 1e-4


def test_the_better_member_weighs_more_and_noise_nothing():
    scores, targets = drawn(1, n=5000)
    assert fitted_weights(scores[:2], targets)[0] > 0.6
    coin = np.random.default_rng(0).random(5000).astype(np.float32)
    assert fitted_weights(np.stack([scores[0], coin]), targets)[1] < 0.05


def test_equal_members_share():
    scores, targets = drawn(2)
    np.testing.assert_allclose(fitted_weights(np.stack([scores[0]] * 4), targets), 0.25)


def test_soft_targets_have_their_closed_form():
    """Two members that always say 0.2 and 0.8: the mixture that says the targets' mean, 0.35, is 3 to 1."""
    scores = np.repeat(np.float32([[0.2], [0.8]]), 10, axis=1)
    targets = np.full(10, 0.35, dtype=np.float32)
    np.testing.assert_allclose(fitted_weights(scores, targets), [0.75, 0.25], atol=2e-3)


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="do not fit"):
        fitted_weights(np.zeros((2, 3), np.float32), np.zeros(4, np.float32))
    with pytest.raises(ValueError, match="0 targets"):
        fitted_weights(np.zeros((2, 0), np.float32), np.zeros(0, np.float32))
