from typing import Any

import pytest

from ossicle.training.vocoder.collapse import collapse_advice

from .made_up_speech import tiny_settings

SETTINGS = tiny_settings(collapse_epochs=4, discriminator_steps=2, discriminator_learning_rate=4e-4)


def epochs(count: int, **figures: Any) -> list[dict[str, Any]]:
    return [{"mel": 8.0, "discriminator": 1e-4, "adversarial": 0.99, **figures} for _ in range(count)]


def test_discriminators_that_won_are_named_with_what_to_change() -> None:
    advice = collapse_advice(epochs(4), SETTINGS)
    for part in ("0.0001", "discriminator_learning_rate = 0.0001", "discriminator_steps = 1", "gradient_penalty = 1"):
        assert part in advice


def test_the_old_log_is_one() -> None:
    """The earlier training: the discriminators' loss fell to 0.00011, and the mel loss stayed."""
    old = [
        {"mel": 8.0 + 0.001 * number, "discriminator": 0.13 * 0.5**number + 1.1e-4, "adversarial": 0.9}
        for number in range(8)
    ]
    assert not collapse_advice(old[:4], tiny_settings(collapse_epochs=8))
    assert collapse_advice(old, SETTINGS)


@pytest.mark.parametrize(
    "history",
    [
        epochs(3),
        epochs(4, discriminator=0.4, adversarial=0.4),
        [*epochs(3), *epochs(1, mel=7.5)],
        [{"mel": 8.0}, *epochs(3)],
        [*epochs(1), *epochs(1, advice="lower it"), *epochs(3)],
    ],
)
def test_these_are_none(history: list[dict[str, Any]]) -> None:
    """Too few epochs, a draw, progress, warm-up, and epochs since the last advice."""
    assert not collapse_advice(history, SETTINGS)
