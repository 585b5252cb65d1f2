"""One step of the generator or of the discriminators, of a batch as a whole or in parts with the same gradient."""

import math
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ossicle.core.errors import OssicleError
from ossicle.models.devices import is_out_of_memory
from ossicle.models.vocoder.discriminators import VocoderDiscriminators
from ossicle.models.vocoder.generator import VocoderGenerator
from ossicle.models.vocoder.losses import (
    NEPERS_PER_DB,
    LogMelDistance,
    SpectrogramLoss,
    adversarial_loss,
    discriminator_loss,
    feature_loss,
    gradient_penalty,
)
from ossicle.training.vocoder.crops import Crops
from ossicle.training.vocoder.settings import VocoderSettings

Figures = dict[str, float]
"""Losses of a step by name, before their weights."""
_Terms = dict[str, tuple[float, Tensor]]
"""Weight and value of each crop, by name."""


class OutOfMemory(OssicleError):
    """A step of ``batch`` crops needs more memory than there is; ``part`` of them at a time were tried."""

    def __init__(self, batch: int, part: int) -> None:
        super().__init__(f"out of memory with {part} of {batch} crops at a time")
        self.batch, self.part = batch, part


@dataclass(eq=False)
class Objective:
    """Networks, losses and settings of a training.

    Attributes
    ----------
    generator, discriminators
        The networks.
    settings
        Weights of the losses.
    mel, spectrogram
        The losses of spectra.
    part
        Most crops at a time; lowered where memory is short and ``settings.auto_batch`` is set.
    """

    generator: VocoderGenerator
    discriminators: VocoderDiscriminators
    settings: VocoderSettings
    mel: LogMelDistance
    spectrogram: SpectrogramLoss
    part: int

    def generator_step(self, crops: Crops, optimiser: torch.optim.Optimizer, adversarial: bool) -> Figures:
        """Take one step of the generator.

        Parameters
        ----------
        crops
            The whole batch.
        optimiser
            That of the generator.
        adversarial
            Whether the discriminators judge; False: reconstruction only.

        Returns
        -------
        Figures
            ``mel`` (dB), ``stft``, and where the discriminators judge ``adversarial`` and ``feature``.

        Raises
        ------
        OutOfMemory
            Memory ran out, and ``auto_batch`` is not set or one crop is too much.
        OssicleError
            The loss is not finite.
        """
        self.discriminators.requires_grad_(False)
        try:
            return self._step(crops, optimiser, lambda part: self._generator_terms(part, adversarial), self.generator)
        finally:
            self.discriminators.requires_grad_(True)

    def discriminator_step(self, crops: Crops, optimiser: torch.optim.Optimizer) -> Figures:
        """Take one step of the discriminators; ``discriminator``, and ``penalty`` where it has a weight.

        Parameters
        ----------
        crops
            The whole batch.
        optimiser
            That of the discriminators.

        Raises
        ------
        OutOfMemory, OssicleError
            As in :meth:`generator_step`.
        """
        return self._step(crops, optimiser, self._discriminator_terms, None)

    def _generator_terms(self, crops: Crops, adversarial: bool) -> _Terms:
        generated = self._generated(crops)
        weights = self.settings
        mel = self.mel(generated, crops.real, crops.mask)
        terms: _Terms = {
            "mel": (weights.mel_weight * NEPERS_PER_DB, mel),
            "stft": (weights.stft_weight, self.spectrogram(generated, crops.real, crops.mask)),
        }
        if adversarial:
            judged = self.discriminators(generated, crops.mask)
            with torch.no_grad():
                recorded = self.discriminators(crops.real, crops.mask)
            terms["adversarial"] = (weights.adversarial_weight, adversarial_loss(judged))
            terms["feature"] = (weights.feature_weight, feature_loss(recorded, judged))
        return terms

    def _discriminator_terms(self, crops: Crops) -> _Terms:
        with torch.no_grad():
            generated = self._generated(crops)
        penalised = self.settings.gradient_penalty > 0
        real = crops.real.detach().requires_grad_(penalised)
        recorded = self.discriminators(real, crops.mask)
        terms: _Terms = {
            "discriminator": (1.0, discriminator_loss(recorded, self.discriminators(generated, crops.mask)))
        }
        if penalised:
            terms["penalty"] = (self.settings.gradient_penalty / 2, gradient_penalty(recorded, real, crops.mask))
        return terms

    def _generated(self, crops: Crops) -> Tensor:
        """Return what the generator makes of crops, 0 where nothing counts."""
        generated: Tensor = self.generator(crops.units, crops.pitch, crops.speaker, crops.sources)
        return generated * crops.mask

    def _step(
        self,
        crops: Crops,
        optimiser: torch.optim.Optimizer,
        terms: Callable[[Crops], _Terms],
        clipped: nn.Module | None,
    ) -> Figures:
        while True:
            try:
                figures = self._backward(crops, optimiser, terms)
                break
            except RuntimeError as error:
                if not is_out_of_memory(error):
                    raise
                tried = min(self.part, len(crops))
                if not self.settings.auto_batch or tried == 1:
                    raise OutOfMemory(len(crops), tried) from error
                self.part = (tried + 1) // 2
        if clipped is not None and self.settings.gradient_clip:
            nn.utils.clip_grad_norm_(clipped.parameters(), self.settings.gradient_clip)
        optimiser.step()
        return figures

    def _backward(self, crops: Crops, optimiser: torch.optim.Optimizer, terms: Callable[[Crops], _Terms]) -> Figures:
        """Add up the gradient of all parts, and return the losses of the whole."""
        optimiser.zero_grad(set_to_none=True)
        figures: defaultdict[str, float] = defaultdict(float)
        for part in crops.parts(self.part):
            losses = terms(part)
            total = torch.stack([(part.weights * value).sum() * weight for weight, value in losses.values()]).sum()
            total.backward()  # type: ignore[no-untyped-call]
            for name, (_, value) in losses.items():
                figures[name] += float((part.weights * value.detach()).sum())
        wrong = [name for name, value in figures.items() if not math.isfinite(value)]
        if wrong:
            raise OssicleError(
                f"the loss {wrong[0]} is not a finite number any more; lower [vocoder] learning_rate (now "
                f"{self.settings.learning_rate:g}) or discriminator_learning_rate "
                f"({self.settings.discriminator_learning_rate:g}), or set gradient_clip"
            )
        return dict(figures)
