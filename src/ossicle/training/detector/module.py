"""The Lightning module: a training step, the optimiser with its schedule, and the figures of an epoch."""

from typing import Any

import lightning
import torch
from torch import Tensor, nn

from ossicle.core.digest import seed_of
from ossicle.core.model_input.chunks import ChunkPlan, framing
from ossicle.core.model_input.frontend import FrontEndSettings
from ossicle.models.augmentation.noise_crops import noise_count, noise_crops
from ossicle.models.augmentation.sounds import Sounds, to_full_scale
from ossicle.models.augmentation.spectral import vary_log_mel
from ossicle.models.augmentation.stages import vary_waveforms
from ossicle.models.augmentation.stretch import vary_stretch
from ossicle.models.averaging import EpochMean, WeightAverage
from ossicle.models.frontend import ChunkLogMel, LogMel
from ossicle.models.networks.averaged import networks_of
from ossicle.models.settings import AugmentSettings
from ossicle.training.batches.crops import Batch
from ossicle.training.optimisation.accumulation import Accumulation
from ossicle.training.optimisation.learning_rate import LearningRate
from ossicle.training.optimisation.objective import Said, each_output, said_of
from ossicle.training.optimisation.optimisers import build_optimiser
from ossicle.training.selection.epoch_selection import EpochSelection
from ossicle.training.settings import TrainingSettings


class FrameDetector(lightning.LightningModule):
    """Train a network on crops with frame targets; ``kept`` is the network with the weights to keep.

    ``steps``: optimiser steps per epoch. ``known_in_noise``: which labels are known to be absent in each kind of noise
    crop, 0 or 1, (n_kinds, n_labels); None for all. ``spectrograms``: batches hold kept log-mel spectrograms instead of
    waveforms, so the stages of waveforms are left out. ``class_weights``: weight of each label in the loss,
    (n_labels,); None for none.
    """

    class_weights: Tensor | None

    def __init__(
        self,
        network: nn.Module,
        plan: ChunkPlan,
        front: FrontEndSettings,
        training: TrainingSettings,
        augment: AugmentSettings,
        steps: int,
        known_in_noise: Tensor | None = None,
        spectrograms: bool = False,
        class_weights: Tensor | None = None,
    ) -> None:
        super().__init__()
        self.network = network
        self.steps = steps
        self.average = WeightAverage(network, training.ema_decay)
        self.mean = EpochMean(network) if training.average_epochs else None
        self.accumulation = Accumulation(training.accumulate) if training.accumulate > 1 else None
        self.selection = EpochSelection(network, training) if training.inner_held_out else None
        self.front_end = ChunkLogMel(LogMel(front), plan, front)
        self.training_settings = training
        self.augment = augment
        self.front = front
        self.plan = plan
        self.shared = framing(plan, front).shared
        self.hop_s = front.hop_samples / front.rate
        self.known_in_noise = known_in_noise
        self.spectrograms = spectrograms
        self.register_buffer("class_weights", class_weights, persistent=False)
        self._sums: dict[str, list[Tensor]] = {}

    def training_step(self, batch: Batch, index: int) -> Tensor:
        """Return the loss of one augmented batch."""
        generator = torch.Generator().manual_seed(
            seed_of(self.training_settings.seed, "augment", self.current_epoch, index)
        )
        # Dropout draws from the global generator; seeding it here makes each step independent of earlier ones.
        torch.manual_seed(seed_of(self.training_settings.seed, "dropout", self.current_epoch, index))
        waveforms, targets, mask = batch
        with torch.no_grad():
            sounds = Sounds(waveforms, targets, mask)
            if not self.spectrograms:
                sounds = vary_waveforms(sounds, self.augment, self.plan, generator)
            log_mel, targets, mask = vary_stretch(
                self._log_mel(sounds.waveforms),
                sounds.targets,
                sounds.mask,
                self.augment,
                self.front,
                self.shared,
                generator,
            )
            log_mel = vary_log_mel(log_mel, self.augment, self.hop_s, generator)
            log_mel, targets, mask = self._with_noise(log_mel, targets, mask, index)
        settings = self.training_settings
        outputs = each_output(self.network, log_mel, targets, mask, settings.weak)
        # The sum over networks has for each of them the gradients that it would have alone.
        loss = torch.stack([output.loss(settings, self.class_weights) for output in outputs]).sum()
        self._collect("train_loss", loss / len(outputs))
        return loss if self.accumulation is None else self.accumulation.add(loss, outputs[0].n_known())

    def _log_mel(self, read: Tensor) -> Tensor:
        """Return the spectrograms of a batch as it was read."""
        spectrograms: Tensor = read if self.spectrograms else self.front_end(read)
        return spectrograms

    def _with_noise(self, log_mel: Tensor, targets: Tensor, mask: Tensor, index: int) -> Batch:
        """Append crops of noise without targets to a batch.

        They have their own generator and are appended last, so that all other crops are the same as without them.
        """
        n = noise_count(len(log_mel), self.augment.noise_share)
        if n == 0:
            return log_mel, targets, mask
        seed = seed_of(self.training_settings.seed, "noise crops", self.current_epoch, index)
        noise = noise_crops(n, self.plan.chunk_samples, self.plan.rate, torch.Generator().manual_seed(seed))
        waveforms = noise.waveforms.to(log_mel.device)
        if self.augment.normalise != "none":
            waveforms = to_full_scale(waveforms)
        absent = targets.new_zeros(n, *targets.shape[1:])
        known = torch.ones_like(absent)
        if self.known_in_noise is not None:
            known *= self.known_in_noise[noise.kinds].to(known.device)[:, None]
        return (
            torch.cat([log_mel, self.front_end(waveforms)]),
            torch.cat([targets, absent]),
            torch.cat([mask, known]),
        )

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Update the average of the weights after an optimiser step."""
        if (batch_idx + 1) % self.training_settings.accumulate == 0:
            self.average.update(self.network, self.global_step - 1)

    def end_epoch(self) -> None:
        """Add the weights of a last epoch to their mean, before the state of the epoch is saved."""
        training = self.training_settings
        if self.mean is not None and self.current_epoch >= training.epochs - training.average_epochs:
            self.mean.take(self.average.average)

    @property
    def kept(self) -> nn.Module:
        """Return the network with the weights to keep."""
        if self.selection is not None and self.selection.best is not None:
            return self.selection.best
        return self.average.average if self.mean is None else self.mean.average

    def validation_step(self, batch: Batch, index: int) -> dict[str, Said]:
        """Return what the averaged weights say about held-out crops: for the curves, never for choosing weights."""
        predicted = self.judged(batch)
        self._collect("val_loss", predicted.loss(self.training_settings, self.class_weights))
        self._collect("val_error", predicted.error())
        return {"said": predicted}

    def judged(self, batch: Batch) -> Said:
        """Return the output of the averaged weights for a batch as it was read."""
        waveforms, targets, mask = batch
        return said_of(self.average.average, self._log_mel(waveforms), targets, mask, self.training_settings.weak)

    def end_inner(self, loss: float) -> None:
        """Take the loss of the averaged weights on inner held-out groups after an epoch: for figures and selection."""
        assert self.selection is not None
        self._collect("inner_loss", torch.tensor(loss))
        self.selection.take(self.average.average, loss, self.current_epoch)

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        """Divide the sums of several batches by what they are sums over, before gradients are clipped."""
        if self.accumulation is not None:
            self.accumulation.normalise(self.network.parameters())

    def configure_gradient_clipping(
        self,
        optimizer: torch.optim.Optimizer,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Clip the gradients of each network by their own norm, as if it were trained alone."""
        if gradient_clip_val:
            for network in networks_of(self.network):
                nn.utils.clip_grad_norm_(network.parameters(), gradient_clip_val)

    def configure_optimizers(self) -> Any:
        """Return the optimiser, and the learning rate of every step."""
        training = self.training_settings
        optimiser = build_optimiser(self.network.parameters(), training)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, LearningRate(training, self.steps))
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def epoch_figures(self) -> dict[str, float]:
        """Return the means of the figures collected since the last call."""
        means = {name: float(torch.stack(values).mean()) for name, values in sorted(self._sums.items())}
        self._sums = {}
        return means

    def _collect(self, name: str, value: Tensor) -> None:
        self._sums.setdefault(name, []).append(value.detach())
