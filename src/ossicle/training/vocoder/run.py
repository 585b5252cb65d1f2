"""One training in its folder: networks, optimisers, epochs, and what is on the disk after each."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from ossicle.artefacts.files import whole_folder
from ossicle.artefacts.filesystem.changes import remove_folder
from ossicle.artefacts.typed.units.vocoder import VocoderFolder
from ossicle.audio.wav import write_wav
from ossicle.core.digest import seed_of
from ossicle.models.averaging import WeightAverage
from ossicle.models.vocoder.discriminators import VocoderDiscriminators
from ossicle.models.vocoder.durations import DurationModel, PitchModel
from ossicle.models.vocoder.generator import UNKNOWN, VocoderGenerator
from ossicle.models.vocoder.losses import LogMelDistance, SpectrogramLoss
from ossicle.models.vocoder.network import VocoderNetwork, VocoderSpec
from ossicle.models.vocoder.vocoder import Vocoder
from ossicle.models.weights import load_weights, save_weights
from ossicle.training.vocoder.choosing import held_out_batches, held_out_distance, sample_draws, spread
from ossicle.training.vocoder.collapse import collapse_advice
from ossicle.training.vocoder.crops import CropReader, Crops
from ossicle.training.vocoder.draws import Draws
from ossicle.training.vocoder.objective import Objective
from ossicle.training.vocoder.segments import VocoderCorpus
from ossicle.training.vocoder.settings import VocoderSettings
from ossicle.training.vocoder.state import SAVE_EVERY_S, Parts, Progress, read_state, save_state

_BETAS = (0.8, 0.99)


class VocoderRun:
    """A training that begins, or resumes, and goes on epoch by epoch; all draws are functions of (seed, epoch, index).

    Parameters
    ----------
    corpus, settings
        What it reads, and how it trains.
    spec, durations, pitch
        What the vocoder reads and gives, and how long and high its units are.
    place
        Its folder.
    device
        Device of torch.
    made_from
        Digest of what it depends on.
    save_every_s
        Seconds after which the state is also saved within an epoch.
    """

    def __init__(
        self,
        corpus: VocoderCorpus,
        settings: VocoderSettings,
        spec: VocoderSpec,
        durations: DurationModel,
        pitch: PitchModel,
        folder: VocoderFolder,
        device: str,
        made_from: str,
        save_every_s: float = SAVE_EVERY_S,
    ) -> None:
        self._save_every_s, self._saved_s = save_every_s, time.monotonic()
        self._corpus, self._settings, self._spec, self._folder, self._device = corpus, settings, spec, folder, device
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed_of(settings.seed, "weights"))
            network, discriminators = VocoderNetwork(spec), VocoderDiscriminators(settings.network)
        network.set_models(durations, pitch)
        self._network, discriminators = network.to(device), discriminators.to(device)
        self._average = WeightAverage(self._network.generator, settings.ema)
        mel, spectrogram = LogMelDistance(spec.rate).to(device), SpectrogramLoss(spec.rate).to(device)
        self._objective = Objective(network.generator, discriminators, settings, mel, spectrogram, settings.batch)
        self._generator_optimiser, self._discriminator_optimiser = (
            torch.optim.AdamW(part.parameters(), lr=rate, betas=_BETAS)
            for part, rate in (
                (network.generator, settings.learning_rate),
                (discriminators, settings.discriminator_learning_rate),
            )
        )
        heard = pitch if settings.pitch else None
        numbers = {name: number for number, name in enumerate(spec.speakers)}
        self._draws = Draws(
            [len(speech_segment.units) for speech_segment in corpus.training],
            [numbers.get(speech_segment.voice, UNKNOWN) for speech_segment in corpus.training],
            max(1, round(settings.crop_s / corpus.hop_s)),
            settings.unknown_speaker if spec.speakers else 0.0,
            settings.seed,
            whispered=settings.whispered if settings.pitch else 0.0,
        )
        self._reader = CropReader(corpus, corpus.training, heard)
        self._held_out = CropReader(corpus, corpus.choosing, heard)
        self._batches = held_out_batches(
            corpus.choosing, spread(corpus.choosing, settings.choosing_segments), spec.speakers
        )
        self.progress = Progress(made_from)
        """How far it is."""

    @property
    def steps_per_epoch(self) -> int:
        """Steps of the generator in each epoch."""
        return -(-self._settings.draws // self._settings.batch)

    @property
    def parameters(self) -> dict[str, int]:
        """Numbers of parameters."""
        parts = {"generator": self._network.generator, "discriminators": self._objective.discriminators}
        return {name: sum(parameter.numel() for parameter in part.parameters()) for name, part in parts.items()}

    def begin(self) -> None:
        """Start, or take over the state in the folder."""
        folder = self._folder
        if folder.state_file.exists():
            state = read_state(folder.state_file, self.progress.made_from, self._state_parts())
            for name in self.progress.__dataclass_fields__:
                setattr(self.progress, name, getattr(state, name))
        else:
            self.progress.start = self.progress.best = self.progress.reference = self._distance()
            self._vocoder({"epoch": 0}).save(folder.start.path)
            self._save_best()
            self._save_state()
        folder.write_epochs(self.progress.epochs)

    def epoch(self, stepped: Callable[[], None]) -> None:
        """Train one more epoch, or the rest of one, judge it, and save the state.

        Parameters
        ----------
        stepped
            Called after each step of the generator.
        """
        settings, progress = self._settings, self.progress
        epoch = progress.epoch + 1
        adversarial = epoch > settings.warmup_epochs
        decayed = settings.learning_rate_decay ** (epoch - 1)
        for optimiser, rate in (
            (self._generator_optimiser, settings.learning_rate),
            (self._discriminator_optimiser, settings.discriminator_learning_rate),
        ):
            for group in optimiser.param_groups:
                group["lr"] = rate * decayed
        totals = progress.totals
        for first in range(progress.crops, settings.draws, settings.batch):
            indices = range(first, min(first + settings.batch, settings.draws))
            figures = {}
            for stream in range(settings.discriminator_steps if adversarial else 0):
                crops = self._crops(epoch, indices, stream)
                figures = self._objective.discriminator_step(crops, self._discriminator_optimiser)
            crops = self._crops(epoch, indices, 0)
            figures |= self._objective.generator_step(crops, self._generator_optimiser, adversarial)
            self._average.update(self._network.generator, progress.steps)
            progress.steps += 1
            for name, value in figures.items():
                totals[name] = totals.get(name, 0.0) + value * len(indices)
            progress.crops = indices.stop
            # A wall time may be shorter than an epoch. The end of the last step is saved with its judgement.
            if progress.crops < settings.draws and time.monotonic() - self._saved_s >= self._save_every_s:
                self._save_state()
            stepped()
        means = {name: round(value / settings.draws, 6) for name, value in sorted(totals.items())}
        self._judge(epoch, {**means, "learning_rate": settings.learning_rate * decayed})

    def finish(self, about: dict[str, Any]) -> None:
        """Write the vocoders of the best and of the last epoch, and remove what only an unfinished training needs.

        Parameters
        ----------
        about
            How it was trained.
        """
        self._vocoder({"epoch": self.progress.epoch}).save(self._folder.final.path)
        network = VocoderNetwork(self._spec)
        load_weights(network, self._folder.best_file)
        Vocoder(self._spec, network, about).save(self._folder.path)
        self._folder.forget_state()

    def _judge(self, epoch: int, figures: dict[str, Any]) -> None:
        """Note the figures of an epoch, and keep its weights if they are the best."""
        settings, progress = self._settings, self.progress
        distance = self._distance()
        progress.epoch, progress.crops, progress.totals = epoch, 0, {}
        progress.epochs.append({"epoch": epoch, "log_mel": round(distance, 6), **figures})
        if advice := collapse_advice(progress.epochs, settings):
            progress.epochs[-1]["advice"] = advice
        # The first epoch with discriminators replaces all before it: those only reconstruct, and sound muffled.
        first = epoch == settings.warmup_epochs + 1 > 1
        if first or distance < progress.best:
            progress.best, progress.best_epoch = distance, epoch
            self._save_best()
        if first or progress.reference - distance > settings.min_delta:
            progress.reference, progress.waited = distance, 0
        elif epoch > settings.warmup_epochs:
            progress.waited += 1
        if epoch % settings.save_every == 0:
            self._keep(epoch)
        self._save_state()
        self._folder.log_epoch(progress.epochs[-1])

    def _crops(self, epoch: int, indices: range, stream: int) -> Crops:
        return self._reader.read([self._draws.draw(epoch, index, stream) for index in indices]).to(self._device)

    def _distance(self) -> float:
        generator = self._average.average
        assert isinstance(generator, VocoderGenerator)
        return held_out_distance(generator, self._held_out, self._batches, self._objective.mel)

    def _averaged(self) -> VocoderNetwork:
        """Return the network with the averaged weights, on the CPU."""
        network = VocoderNetwork(self._spec)
        network.load_state_dict(self._network.state_dict())
        network.generator.load_state_dict(self._average.average.state_dict())
        return network

    def _vocoder(self, about: dict[str, Any]) -> Vocoder:
        return Vocoder(self._spec, self._averaged(), about)

    def _state_parts(self) -> Parts:
        objective = self._objective
        return Parts(
            {"generator": objective.generator, "discriminators": objective.discriminators, "average": self._average},
            {"of_generator": self._generator_optimiser, "of_discriminators": self._discriminator_optimiser},
        )

    def _save_best(self) -> None:
        save_weights(self._averaged(), self._folder.best_file)

    def _save_state(self) -> None:
        save_state(self._folder.state_file, self.progress, self._state_parts())
        self._saved_s = time.monotonic()

    def _keep(self, epoch: int) -> None:
        """Write a vocoder of this epoch with its samples, and remove those that are too many."""
        with whole_folder(self._folder.epoch(epoch).path, replace=True) as inner:
            vocoder = self._vocoder({"epoch": epoch})
            vocoder.save(inner)
            for number, draw in enumerate(sample_draws(self._batches, self._settings.samples)):
                segment = self._corpus.choosing[draw.segment]
                speaker = None if draw.speaker == UNKNOWN else self._spec.speakers[draw.speaker]
                generated = vocoder.synthesise(segment.units, segment.f0_hz if self._spec.pitch else None, speaker)
                real, _ = self._corpus.aligned(segment)
                for name, sound in (("made", generated), ("recorded", real)):
                    heard = np.clip(sound, -1.0, 1.0)
                    write_wav(inner / f"sample_{number}_{name}.wav", heard, self._spec.rate)
        for number in self._folder.kept_epochs()[: -self._settings.keep]:
            remove_folder(self._folder.epoch(number).path)
