"""The training of a unit vocoder."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ossicle.training.vocoder.segments import VocoderCorpus
from ossicle.training.vocoder.settings import VocoderSettings

Advance = Callable[[int, int], None]
"""Called with the finished steps and the most there can be."""
Log = Callable[[str], None]
"""Called with lines for people."""


@dataclass(frozen=True, slots=True)
class VocoderFit:
    """What became of a training.

    Attributes
    ----------
    best_epoch, epochs
        The epoch whose weights are kept, and the epochs that were computed; numbers from 1. Epoch 0 is the start.
    log_mel, start_log_mel
        Log-mel distance (mean absolute difference of natural logs) of the choosing group at the best epoch, and before
        training.
    stopped
        Why it ended: ``epochs`` or ``patience``.
    advice
        What was said about a collapse; empty: there was none.
    parameters
        Numbers of parameters: ``generator``, ``discriminators``.
    """

    best_epoch: int
    epochs: int
    log_mel: float
    start_log_mel: float
    stopped: str
    advice: tuple[str, ...]
    parameters: dict[str, int]

    def to_json(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__} | {"advice": list(self.advice)}


def train_vocoder(
    corpus: VocoderCorpus,
    settings: VocoderSettings,
    folder: Path,
    *,
    device: str = "cpu",
    advance: Advance = lambda done, most: None,
    log: Log = lambda line: None,
) -> VocoderFit:
    """Train a vocoder in a folder, or resume what an earlier call left there; the bytes in the end are the same.

    The folder then holds ``vocoder.json`` and ``vocoder.safetensors`` (the best epoch, for ``Vocoder.read``),
    ``start/`` and ``final/`` (vocoders before the first and after the last epoch), ``epochs/NNNN/`` (every
    ``save_every``-th epoch, at most ``keep``: a vocoder and sample sounds) and ``epochs.jsonl`` (figures by epoch).

    Parameters
    ----------
    corpus
        Segments, units and rates.
    settings
        Networks and training.
    folder
        An existing or new folder, which belongs to this training alone.
    device
        Device of torch.
    advance, log
        Called after each step, and with lines for people.

    Returns
    -------
    VocoderFit
        Also in ``vocoder.json`` under ``about``.

    Raises
    ------
    UsageError
        The corpus and the settings do not fit together.
    ArtefactError
        The state in the folder is damaged, or of another training.
    OssicleError
        A segment cannot be read, memory ran out, or the discriminators won and ``on_collapse`` is ``stop``; the
        state of the last complete epoch is in the folder.
    """
    raise RuntimeError("not yet there")
