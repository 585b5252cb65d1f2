"""The time of one step of a vocoder's training on this machine, measured with noise: for an estimate of the whole."""

import time
from collections.abc import Callable

import numpy as np
import torch

from ossicle.models.vocoder.discriminators import VocoderDiscriminators
from ossicle.models.vocoder.durations import PitchModel
from ossicle.models.vocoder.generator import UNKNOWN
from ossicle.models.vocoder.losses import LogMelDistance, SpectrogramLoss
from ossicle.models.vocoder.network import VocoderNetwork, VocoderSpec
from ossicle.training.vocoder.crops import CropReader, Crops
from ossicle.training.vocoder.draws import Draw
from ossicle.training.vocoder.objective import Objective
from ossicle.training.vocoder.segments import SpeechSegment, VocoderCorpus
from ossicle.training.vocoder.settings import VocoderSettings

_HOP_S, _ORIGIN_S = 0.02, 0.0125
# More crops take longer in proportion, and an estimate should not take longer than it is worth.
_MEASURED_S = 1.6


def vocoder_step_seconds(settings: VocoderSettings, k: int, rate: int, threads: int = 1, device: str = "cpu") -> float:
    """Return the mean seconds of a step, over those of the warm-up and those with discriminators.

    Parameters
    ----------
    settings
        The settings of the training.
    k
        Number of units.
    rate
        Sample rate in Hz.
    threads
        Threads on a CPU.
    device
        Where to compute, as in torch.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with torch.random.fork_rng(devices=[]):
            return _mean_seconds(settings, k, rate, threads, device)
    finally:
        torch.set_num_threads(before)


def _mean_seconds(settings: VocoderSettings, k: int, rate: int, threads: int, device: str) -> float:
    spec = VocoderSpec(k, "", _HOP_S, _ORIGIN_S, rate, settings.pitch, (), settings.network)
    network, discriminators = VocoderNetwork(spec).to(device), VocoderDiscriminators(settings.network).to(device)
    mel, spectrogram = LogMelDistance(rate).to(device), SpectrogramLoss(rate).to(device)
    objective = Objective(network.generator, discriminators, settings, mel, spectrogram, settings.batch)
    n_crops = min(settings.batch, max(1, int(_MEASURED_S / settings.crop_s)))
    crops = _crops(settings, k, rate, n_crops).to(device)
    generator, judges = (torch.optim.AdamW(part.parameters(), lr=1e-9) for part in (network.generator, discriminators))

    def judged() -> None:
        for _ in range(settings.discriminator_steps):
            objective.discriminator_step(crops, judges)
        objective.generator_step(crops, generator, True)

    share = min(settings.warmup_epochs, settings.epochs) / settings.epochs
    plain_s = _seconds(lambda: objective.generator_step(crops, generator, False), threads, device) if share else 0.0
    judged_s = _seconds(judged, threads, device) if share < 1 else 0.0
    return (share * plain_s + (1 - share) * judged_s) * settings.batch / n_crops


def _seconds(step: Callable[[], object], threads: int, device: str) -> float:
    """Return the seconds of the second of two calls: the first one also prepares."""
    # The time that the processor worked does not depend on what else the machine does; a GPU works by itself.
    clock, at_a_time = (time.process_time, threads) if device == "cpu" else (time.perf_counter, 1)
    step()
    began = clock()
    step()
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)
    return (clock() - began) / at_a_time


def _crops(settings: VocoderSettings, k: int, rate: int, n_crops: int) -> Crops:
    random, n = np.random.default_rng(0), max(1, round(settings.crop_s / _HOP_S))
    units, f0_hz = random.integers(0, k, n), np.full(n, 120.0, np.float32)
    sound = (random.standard_normal(round((n + 1) * _HOP_S * rate)) / 10).astype(np.float32)
    segment = SpeechSegment("", "", units, lambda: sound, f0_hz)
    corpus = VocoderCorpus([segment], [segment], k, _HOP_S, _ORIGIN_S, rate)
    pitch = PitchModel.fit([units], [f0_hz], [UNKNOWN], k, 0) if settings.pitch else None
    draws = [Draw(segment=0, first=0, last=n, speaker=UNKNOWN, seed=number) for number in range(n_crops)]
    return CropReader(corpus, corpus.training, pitch).read(draws)
