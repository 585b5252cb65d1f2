"""Discriminators that win: how it is seen in the figures of epochs, and what helps."""

from collections.abc import Mapping, Sequence
from typing import Any

from ossicle.training.vocoder.settings import VocoderSettings

# Least-squares discriminators that cannot tell anything have a loss of 0.5, and their generator one of 0.25.
_WON = 0.05
_LOST = 0.8


def collapse_advice(epochs: Sequence[Mapping[str, Any]], settings: VocoderSettings) -> str:
    """Return what happened and what to change if the last epochs are a collapse; empty: they are none.

    It is one if in each of the last ``collapse_epochs`` epochs the discriminators tell nearly everything (their loss is
    below 0.05; 0.5 is a draw) or the generator convinces none of them (its adversarial loss is above 0.8), and in all
    of them together the log-mel distance of the training crops fell by less than ``min_delta``.

    Parameters
    ----------
    epochs
        Figures of all epochs so far: ``discriminator``, ``adversarial`` and ``mel``; those without discriminators have
        no ``adversarial``. The figure ``advice`` is one that was given: the epochs before it do not count again.
    settings
        The settings of the training.

    Examples
    --------
    >>> lost = {"discriminator": 1e-4, "adversarial": 0.99, "mel": 9.0}
    >>> collapse_advice([lost] * 10, VocoderSettings())[:33]
    'the discriminators won: their los'
    >>> collapse_advice([{**lost, "discriminator": 0.4, "adversarial": 0.3}] * 10, VocoderSettings())
    ''
    """
    last: list[Mapping[str, Any]] = []
    for epoch in reversed(epochs):
        if len(last) == settings.collapse_epochs or "adversarial" not in epoch or epoch.get("advice"):
            break
        last.insert(0, epoch)
    if len(last) < settings.collapse_epochs:
        return ""
    won = all(epoch["discriminator"] < _WON for epoch in last)
    lost = all(epoch["adversarial"] > _LOST for epoch in last)
    falling = last[0]["mel"] - min(epoch["mel"] for epoch in last[1:]) > settings.min_delta
    if falling or not (won or lost):
        return ""
    penalty = max(10 * settings.gradient_penalty, 1.0)
    steps = "" if settings.discriminator_steps == 1 else " discriminator_steps = 1,"
    return (
        f"the discriminators won: their loss is {last[-1]['discriminator']:.2g} (0.5 is a draw), that of the generator "
        f"against them {last[-1]['adversarial']:.2g}, and the log-mel distance has not fallen for "
        f"{settings.collapse_epochs} epochs ({last[-1]['mel']:.2f} dB); set in [vocoder]"
        f" discriminator_learning_rate = {settings.discriminator_learning_rate / 4:g},{steps} gradient_penalty = "
        f"{penalty:g}, or more warmup_epochs than {settings.warmup_epochs}, and run again"
    )
