import math

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from ossicle.models.losses import detection_loss, masked_bce, masked_focal, smooth


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
    found = smooth(targets, 0.1)
    np.testing.assert_allclose(found[0].numpy(), [0.95, 0.05, 0.05, 0.95], rtol=1e-6)
    assert not found[1].any()
