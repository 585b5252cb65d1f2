"""A vocoder with random weights and true durations and pitch of units, which nobody trained."""

from pathlib import Path

import numpy as np
import torch

from ossicle.models.vocoder.durations import DurationModel, PitchModel
from ossicle.models.vocoder.network import VocoderNetwork, VocoderSpec
from ossicle.models.vocoder.settings import VocoderNetworkSettings
from ossicle.models.vocoder.vocoder import Vocoder
from ossicle.units.quantiser import Quantiser

from .quantiser import drawn_quantiser

SMALL = VocoderNetworkSettings(width=8, unit_blocks=1, frame_blocks=1)
RATE, HOP = 8000, 160


def drawn_vocoder(
    folder: Path, *, k: int = 20, pitch: bool = True, speakers: tuple[str, ...] = ("ada", "bob")
) -> Quantiser:
    """Write a vocoder with its quantiser, as a project publishes it, and return the quantiser.

    Each run of a unit lasts 3 frames, and every unit is voiced: ``ada`` speaks at 100 Hz and ``bob`` at 200 Hz.
    """
    quantiser = drawn_quantiser(folder, k)
    units = np.repeat(np.arange(k), 3)
    voices = list(range(len(speakers))) or [-1]
    spec = VocoderSpec(k, quantiser.digest, quantiser.hop_s, quantiser.origin_s, RATE, pitch, speakers, SMALL)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = VocoderNetwork(spec)
    runs, frames = [np.arange(k)] * len(voices), [np.full(k, 3)] * len(voices)
    contours = [np.full(len(units), 100.0 * (1 + number), np.float32) for number in range(len(voices))]
    network.set_models(
        DurationModel.fit(runs, frames, voices, k, len(speakers)),
        PitchModel.fit([units] * len(voices), contours, voices, k, len(speakers)),
    )
    Vocoder(spec, network).save(folder)
    return quantiser
