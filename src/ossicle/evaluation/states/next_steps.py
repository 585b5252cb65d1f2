"""What to try next with a model of states: labels, recordings, epochs, encoder, in the order that usually pays."""

from collections.abc import Mapping, Sequence
from typing import Any

from ossicle.core.text.counting import counted
from ossicle.evaluation.states.sufficiency import INSUFFICIENT

_GOOD = 0.98
_ENCODER_ADVICE = {
    "beats": "Stage 2: train the last blocks of the encoder in a variant, [head] unfreeze_blocks = 1; they are "
    "kept only where held-out groups gain.",
    "hf": "Encoder: compare other layers, [encoder] layer, and longer windows, [features] window_s = 6.0, in variants.",
}
_OTHER_ENCODER = (
    'Encoder: compare with a trained one in a variant, [encoder] name = "beats" or "hf", and with longer windows, '
    "[features] window_s = 6.0."
)


def next_steps(
    metrics: Mapping[str, Any],
    contradictions: Sequence[Mapping[str, Any]],
    heads: Mapping[str, Any],
    most_epochs: int,
    encoder: str,
) -> list[str]:
    """Return advice, the first to follow first.

    Parameters
    ----------
    metrics
        ``metrics.json``.
    contradictions
        Recordings whose out-of-fold scores contradict their labels.
    heads
        How each head was fitted, by model.
    most_epochs
        The largest number of epochs.
    encoder
        The kind of encoder.
    """
    advice = []
    whole = [contradiction for contradiction in contradictions if contradiction["whole"]]
    if whole:
        advice.append(
            f"Labels: listen to the {counted(len(whole), 'case')} below in which most windows contradict the label, "
            "the most confident first. Correct wrong names, or override them with a table ([corpus.metadata])."
        )
    if metrics[INSUFFICIENT]:
        advice.append(
            "Recordings: record each label on and off at least 5 times, independently, in every "
            f"{metrics['protocol']['group']}; until then the figures are {INSUFFICIENT}."
        )
    if any(head["epochs"] >= most_epochs and head["epochs_chosen_on"] for head in heads.values()):
        advice.append(
            f"Epochs: the loss on inner held-out recordings still fell at the last epoch. Set [head] epochs = "
            f"{2 * most_epochs}."
        )
    accuracy = metrics["states"]["state_accuracy"]
    if accuracy["value"] is not None and accuracy["value"] < _GOOD:
        if accuracy["gap"] is not None and accuracy["gap"] > 1 - _GOOD:
            advice.append(
                f"Conditions: the worst fold, {accuracy['fold']}, is {accuracy['gap']:.3f} below the best. Record more "
                "under its conditions, or add augmented copies ([features] copies = 2)."
            )
        tried = any("stage_two" in head for head in heads.values())
        advice.append(_OTHER_ENCODER if tried else _ENCODER_ADVICE.get(encoder, _OTHER_ENCODER))
    return advice
