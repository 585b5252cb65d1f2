"""A quantiser of MFCC frames whose centres are frames of made-up speech, not trained."""

from pathlib import Path

import numpy as np

from ossicle.audio.encoders.frames.mfcc import MfccEncoder
from ossicle.units.normalisation import NONE, FrameStatistics, Normalisation, statistics_of
from ossicle.units.quantiser import Quantiser

from .speech_like import spoken

PLAIN = FrameStatistics(np.zeros(MfccEncoder.spec.dim, np.float32), np.ones(MfccEncoder.spec.dim, np.float32))


def drawn_quantiser(folder: Path, k: int = 20, kind: str = NONE) -> Quantiser:
    """Write a quantiser, and return it."""
    spec = MfccEncoder.spec
    samples, _ = spoken(["ai", "uea", "iu", "ae"], 0, 0)
    frames = MfccEncoder().encode(samples[None])[0]
    normalisation = Normalisation(kind, PLAIN if kind == NONE else statistics_of(frames))
    centres = normalisation.apply(frames)[np.linspace(0, len(frames) - 1, k).astype(int)]
    made = Quantiser(centres, normalisation, spec, spec.hop_s, spec.origin_s, seed=0)
    made.save(folder)
    return Quantiser.read(folder)
