import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ossicle.models.losses import detection_loss, masked_bce, masked_cross_entropy, masked_focal, smooth


def slow(logits: np.ndarray, targets: np.ndarray, mask: np.ndarray) -> float:
    """Cross-entropy by the book, a value at a time."""
    total, known = 0.0, 0
    for z, y, m in zip(logits.ravel().tolist(), targets.ravel().tolist(), mask.ravel().tolist(), strict=True):
        if m:
            p = 1 / (1 + math.exp(-z))
            total -= y * math.log(p) + (1 - y) * math.log(1 - p)
            known += 1
    return total / known if known else 0.0


@given(seed=st.integers(0, 10_000), share=st.sampled_from([0.0, 0.3, 1.0]))
def test_against_the_book(seed: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    shape = (2, 5, 3)
    logits, targets = rng.normal(0, 3, shape), rng.random(shape)
    mask = (rng.random(shape) < share).astype(float)
    got = masked_bce(torch.tensor(logits), torch.tensor(targets), torch.tensor(mask))
    assert math.isclose(float(got), slow(logits, targets, mask), rel_tol=1e-9, abs_tol=1e-12)


def test_unknown_targets_send_no_gradient_and_extreme_logits_stay_finite() -> None:
    logits = torch.tensor([[[200.0, -200.0, 0.0]]], requires_grad=True)
    loss = masked_bce(logits, torch.tensor([[[0.0, 1.0, 1.0]]]), torch.tensor([[[1.0, 1.0, 0.0]]]))
    loss.backward()
    assert math.isclose(float(loss.detach()), 200.0, rel_tol=1e-6)
    assert logits.grad is not None
    assert logits.grad[0, 0].tolist() == [0.5, -0.5, 0.0]


@given(seed=st.integers(0, 10_000))
def test_focal_loss_by_the_book(seed: int) -> None:
    rng = np.random.default_rng(seed)
    logits, targets = rng.normal(0, 3, (4, 3)), rng.integers(0, 2, (4, 3)).astype(float)
    mask = rng.integers(0, 2, (4, 3)).astype(float)
    total = 0.0
    for z, y, m in zip(logits.ravel().tolist(), targets.ravel().tolist(), mask.ravel().tolist(), strict=True):
        p = 1 / (1 + math.exp(-z))
        right, alpha = (p, 0.25) if y else (1 - p, 0.75)
        total -= m * alpha * (1 - right) ** 2 * math.log(right)
    given_ = [torch.tensor(one) for one in (logits, targets, mask)]
    expected = total / max(mask.sum(), 1)
    assert math.isclose(float(masked_focal(*given_)), expected, rel_tol=1e-7, abs_tol=1e-12)
    both = (expected + slow(logits, targets, mask)) / 2
    assert math.isclose(float(detection_loss(*given_, "bce_focal")), both, rel_tol=1e-7, abs_tol=1e-12)


def test_smoothing_keeps_the_mean_and_leaves_silence_alone() -> None:
    targets = torch.tensor([[1.0, 0.0, 0.0, 1.0], [0.0, 0.0, 0.0, 0.0]])
    result = smooth(targets, 0.1)
    np.testing.assert_allclose(result[0].numpy(), [0.95, 0.05, 0.05, 0.95], rtol=1e-6)
    assert not result[1].any()


N, K = 6, 4
WEIGHTS = np.array([0.25, 1.0, 2.0, 5.0])


def gradient(loss: str, softmax: bool, logits: np.ndarray, truth: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
    """What torch says of the loss of clips with one label each: (n, n_labels), float64."""
    given_ = torch.tensor(logits, requires_grad=True)
    targets = torch.eye(K, dtype=torch.float64)[torch.tensor(truth)]
    of_labels = None if weights is None else torch.tensor(weights)
    detection_loss(given_, targets, torch.ones_like(targets), loss, of_labels, softmax).backward()
    assert given_.grad is not None
    return given_.grad.numpy()


def softmax_gradient(logits: np.ndarray, truth: np.ndarray, weights: np.ndarray, gamma: int) -> np.ndarray:
    """``-w (1 - p)^g log p`` of the true label, differentiated by hand."""
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    own = p[np.arange(len(p)), truth][:, None]
    by_p = (1 - own) ** gamma / own
    if gamma:
        by_p = by_p - gamma * (1 - own) ** (gamma - 1) * np.log(own)
    return -weights[truth][:, None] * by_p * own * (np.eye(K)[truth] - p) / len(p)


def sigmoid_gradient(logits: np.ndarray, truth: np.ndarray, weights: np.ndarray, gamma: int) -> np.ndarray:
    """Lin et al. (2017), appendix B, with the class weight on the presence of a label; alpha is 0.25 for focal loss."""
    p, there = 1 / (1 + np.exp(-logits)), np.eye(K)[truth] == 1
    alpha, absent = (0.25, 0.75) if gamma else (1.0, 1.0)
    present = alpha * weights * (1 - p) ** gamma * (gamma * p * np.log(p) + p - 1)
    missing = absent * p**gamma * (p - gamma * (1 - p) * np.log(1 - p))
    return np.where(there, present, missing) / logits.size


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["equal", "weighted"])
@pytest.mark.parametrize(("loss", "gamma"), [("bce", 0), ("focal", 2)])
@pytest.mark.parametrize("softmax", [False, True], ids=["sigmoid", "softmax"])
def test_gradients_of_weights_and_focal_loss_match_the_closed_form(
    softmax: bool, loss: str, gamma: int, weights: np.ndarray | None
) -> None:
    rng = np.random.default_rng(0)
    logits, truth = rng.normal(0, 2, (N, K)), rng.integers(0, K, N)
    by_hand = softmax_gradient if softmax else sigmoid_gradient
    expected = by_hand(logits, truth, np.ones(K) if weights is None else weights, gamma)
    np.testing.assert_allclose(gradient(loss, softmax, logits, truth, weights), expected, rtol=1e-6, atol=1e-9)
    both = (by_hand(logits, truth, np.ones(K) if weights is None else weights, 2) + expected) / 2
    if gamma == 0:
        result = gradient("bce_focal", softmax, logits, truth, weights)
        np.testing.assert_allclose(result, both, rtol=1e-6, atol=1e-9)


def test_a_class_weight_scales_the_gradient_of_its_class_alone() -> None:
    rng = np.random.default_rng(1)
    logits, truth = rng.normal(0, 1, (N, K)), np.array([0, 0, 1, 2, 3, 3])
    for softmax in (True, False):
        plain = gradient("bce", softmax, logits, truth, None)
        weighted = gradient("bce", softmax, logits, truth, WEIGHTS)
        own = np.arange(N), truth
        np.testing.assert_allclose(weighted[own], WEIGHTS[truth] * plain[own], rtol=1e-9)


def test_cross_entropy_is_that_of_torch() -> None:
    rng = np.random.default_rng(2)
    logits, truth = torch.tensor(rng.normal(0, 3, (N, K))), torch.tensor(rng.integers(0, K, N))
    targets = torch.nn.functional.one_hot(truth, K).double()
    result = masked_cross_entropy(logits, targets, torch.ones_like(targets))
    torch.testing.assert_close(result, torch.nn.functional.cross_entropy(logits, truth))
    soft = torch.softmax(torch.tensor(rng.normal(0, 1, (N, K))), dim=1)
    weights = torch.tensor(WEIGHTS)
    expected = torch.nn.functional.cross_entropy(logits, soft, weight=weights)
    torch.testing.assert_close(masked_cross_entropy(logits, soft, torch.ones_like(soft), weights), expected)


def test_two_labels_at_once_are_halves_and_a_clip_without_labels_is_drawn_to_equal_scores() -> None:
    logits = torch.zeros(2, 4, dtype=torch.float64)
    logits[0, 0] = 1.0
    targets = torch.tensor([[1.0, 1.0, 0.0, 0.0], [0.0] * 4], dtype=torch.float64)
    halves = torch.nn.functional.cross_entropy(logits[:1], torch.tensor([[0.5, 0.5, 0.0, 0.0]], dtype=torch.float64))
    result = masked_cross_entropy(logits, targets, torch.ones_like(targets), torch.tensor([1.0, 1.0, 9.0, 9.0]))
    # Equal scores have the cross-entropy log n, and class weights do not scale it.
    torch.testing.assert_close(result, (halves + math.log(4)) / 2)


def test_unknown_labels_leave_the_softmax_and_clips_without_known_ones_do_not_count() -> None:
    logits = torch.tensor([[0.3, 50.0, -0.2], [9.0, 1.0, -4.0]], dtype=torch.float64, requires_grad=True)
    targets = torch.tensor([[1.0, 1.0, 0.0], [1.0, 1.0, 1.0]], dtype=torch.float64)
    mask = torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, 0.0]], dtype=torch.float64)
    for gamma in (0.0, 2.0):
        result = masked_cross_entropy(logits, targets, mask, gamma=gamma)
        p = 1 / (1 + math.exp(-0.5))
        assert math.isclose(float(result.detach()), -((1 - p) ** gamma) * math.log(p), rel_tol=1e-9)
        (of_logits,) = torch.autograd.grad(result, logits)
        assert torch.isfinite(of_logits).all()
        assert of_logits[0, 1] == 0
        assert not of_logits[1].any()
    assert float(masked_cross_entropy(logits, targets, torch.zeros_like(mask)).detach()) == 0
