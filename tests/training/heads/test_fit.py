from dataclasses import replace

import numpy as np
import pytest
import torch

from ossicle.core.errors import OssicleError
from ossicle.models.heads.settings import HeadSettings
from ossicle.training.heads import fit
from ossicle.training.heads.fit import HeadFit, fit_head
from ossicle.training.heads.windows import HeadWindows

TOKENS, DIM = 8, 4
SMALL = HeadSettings(hidden=8, dropout=0.0, epochs=40, batch_size=32, learning_rate=0.02)


def marked(n: int, seed: int, groups: int = 4) -> HeadWindows:
    """Windows in which one marked token carries the label, and the others say the contrary as often as not."""
    rng = np.random.default_rng(seed)
    features = rng.choice([-1.0, 1.0], (n, TOKENS, DIM)).astype(np.float32)
    features[:, :, 0] = 0.1 * rng.normal(size=(n, TOKENS))
    labels = rng.integers(0, 2, n)
    place = rng.integers(0, TOKENS, n)
    features[np.arange(n), place, 0] = 1.0
    features[np.arange(n), place, 1] = 2.0 * labels - 1.0
    names = np.array([f"g{one % groups}" for one in range(n)])
    return windows(features, labels[:, None], names)


def windows(features: np.ndarray, targets: np.ndarray, groups: np.ndarray) -> HeadWindows:
    known = np.ones(targets.shape, dtype=bool)
    return HeadWindows(features, targets.astype(np.float32), known, np.ones(len(features), dtype=np.float32), groups)


def right(found: HeadFit, on: HeadWindows) -> float:
    """Share of windows on the right side."""
    with torch.no_grad():
        logits = found.head(torch.from_numpy(on.features.astype(np.float32)))[:, 0].numpy()
    return float(np.mean((logits > 0) == (on.targets[:, 0] > 0.5)))


@pytest.fixture(scope="module")
def attention() -> HeadFit:
    return fit_head(marked(400, 0), SMALL, 0)


def test_pooling_is_trained(attention: HeadFit) -> None:
    """The old system gave its optimiser the head without the attention, which stayed as it was drawn."""
    assert "pooling.attention.weight" in attention.trained
    assert attention.head.pooling.attention is not None
    weight = attention.head.pooling.attention.weight[0].detach().numpy()
    assert weight[0] > 2 * np.abs(weight[1:]).max()
    # Of the mean token, the label can be guessed in 2 of 3 windows.
    assert right(attention, marked(400, 1)) > 0.97
    mean = fit_head(marked(400, 0), HeadSettings(**{**vars(SMALL), "pooling": "mean"}), 0)
    assert right(mean, marked(400, 1)) < 0.8


def test_attention_over_roots_is_trained_where_a_value_is_always_zero() -> None:
    """The slope of a root at zero is infinite; encoders that end in a ReLU give zeros."""
    found = marked(80, 0)
    found.features[:, :, 3] = 0.0
    fitted = fit_head(found, replace(SMALL, pooling="attention", values="root", epochs=3), 0)
    assert all(np.isfinite(line.train_loss) for line in fitted.curve)
    assert all(torch.isfinite(values).all() for values in fitted.head.state_dict().values())


def test_a_training_that_diverges_ends_with_its_remedy() -> None:
    with pytest.raises(OssicleError, match=r"loss of the head is not a finite number in epoch 1 .*head.learning_rate"):
        fit_head(marked(80, 0), replace(SMALL, learning_rate=1e30, epochs=3), 0)


def test_an_untrained_pooling_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def without_pooling(head: torch.nn.Module) -> list[tuple[str, torch.nn.Parameter]]:
        return [(name, one) for name, one in head.named_parameters() if not name.startswith("pooling")]

    monkeypatch.setattr(fit, "trained_parameters", without_pooling)
    assert right(fit_head(marked(400, 0), SMALL, 0), marked(400, 1)) < 0.8


def test_equal_seeds_give_equal_heads_and_leave_the_random_state() -> None:
    settings = HeadSettings(hidden=4, epochs=2, batch_size=16)
    torch.manual_seed(7)
    before = torch.get_rng_state()
    head_fit, again, other = (fit_head(marked(40, 0), settings, seed) for seed in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), before)
    for name, value in head_fit.head.state_dict().items():
        assert torch.equal(again.head.state_dict()[name], value), name
    assert not torch.equal(other.head.output.weight, head_fit.head.output.weight)
    assert head_fit.curve == again.curve
    assert not head_fit.head.training


def test_few_groups_keep_the_last_epoch(attention: HeadFit) -> None:
    assert attention.held_out_groups == ()
    assert attention.epochs == SMALL.epochs
    assert [head_epoch.held_out_loss for head_epoch in attention.curve] == [None] * SMALL.epochs


def test_with_groups_enough_the_epochs_are_those_of_the_lowest_held_out_loss() -> None:
    rng = np.random.default_rng(0)
    # Nothing can be learned: the first epochs are the best, and the search ends soon after.
    noise = windows(
        rng.normal(size=(60, 1, 30)).astype(np.float32), rng.integers(0, 2, (60, 1)), np.arange(60).astype(str)
    )
    head_fit = fit_head(noise, HeadSettings(hidden=32, epochs=200, patience=4, batch_size=16, learning_rate=0.01), 0)
    assert len(head_fit.held_out_groups) == 12
    losses = [head_epoch.held_out_loss for head_epoch in head_fit.curve]
    assert None not in losses
    assert head_fit.epochs == 1 + int(np.argmin(np.array(losses, dtype=float)))
    assert len(head_fit.curve) == head_fit.epochs + 4 < 200


def test_after_the_search_all_windows_are_trained_on() -> None:
    given = marked(200, 0, groups=40)
    settings = HeadSettings(**{**vars(SMALL), "epochs": 3})
    head_fit = fit_head(given, settings, 0)
    assert head_fit.held_out_groups != ()
    mean = given.features.mean(axis=(0, 1), dtype=np.float64)
    np.testing.assert_allclose(head_fit.head.token_mean.numpy(), mean, rtol=1e-5, atol=1e-6)


def test_unknown_targets_teach_nothing() -> None:
    given = marked(120, 0)
    targets = np.concatenate([given.targets, given.targets], axis=1)
    known = np.ones_like(targets, dtype=bool)
    known[60:, 1] = False
    wrong = targets.copy()
    wrong[60:, 1] = np.nan
    settings = HeadSettings(**{**vars(SMALL), "epochs": 3})
    head_fit, two = (
        fit_head(HeadWindows(given.features, of, known, given.weights, given.groups), settings, 0)
        for of in (targets, wrong)
    )
    for name, value in head_fit.head.state_dict().items():
        assert torch.equal(two.head.state_dict()[name], value), name
        assert bool(torch.isfinite(value).all())


def test_half_precision_features_give_nearly_the_same_head() -> None:
    given = marked(80, 0)
    half = windows(given.features.astype(np.float16), given.targets, given.groups)
    settings = HeadSettings(**{**vars(SMALL), "epochs": 3})
    head_fit, two = fit_head(given, settings, 0), fit_head(half, settings, 0)
    torch.testing.assert_close(two.head.output.weight, head_fit.head.output.weight, atol=0.02, rtol=0.02)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"features": np.zeros((3, 4), dtype=np.float32)}, "must be"),
        ({"features": np.zeros((3, 1, 4))}, "float16 or float32"),
        ({"targets": np.full((3, 1), 1.5, dtype=np.float32)}, r"in \[0, 1\]"),
        ({"weights": np.array([1, -1, 1], dtype=np.float32)}, "at least 0"),
        ({"groups": np.array(["a"])}, "1 groups for 3 windows"),
        ({"known": np.ones((3, 2), dtype=bool)}, "must be"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(change: dict[str, np.ndarray], message: str) -> None:
    given = {
        "features": np.zeros((3, 1, 4), dtype=np.float32),
        "targets": np.zeros((3, 1), dtype=np.float32),
        "known": np.ones((3, 1), dtype=bool),
        "weights": np.ones(3, dtype=np.float32),
        "groups": np.array(["a", "b", "c"]),
    }
    with pytest.raises(ValueError, match=message):
        HeadWindows(**{**given, **change})  # type: ignore[arg-type]
