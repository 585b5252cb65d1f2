"""A small corpus of made-up speech: each unit is a vowel, of two voices and a third that chooses."""

from typing import Any

import numpy as np

from ossicle.models.vocoder.settings import VocoderNetworkSettings
from ossicle.training.vocoder.segments import SpeechSegment, VocoderCorpus
from ossicle.training.vocoder.settings import VocoderSettings

RATE, HOP, K = 8000, 160, 4
ORIGIN_S = 0.0125
TINY = VocoderNetworkSettings(
    width=8,
    unit_blocks=1,
    frame_blocks=1,
    expansion=1,
    frames_per_unit=2,
    period_channels=(2, 3),
    scale_channels=(2, 4),
    periods=(2, 3),
    scales=2,
)


def tiny_settings(**changed: Any) -> VocoderSettings:
    """Settings of a training of a fraction of a second."""
    given: dict[str, Any] = {
        "preset": "small", "epochs": 3, "draws": 4, "batch": 2, "crop_s": 0.2, "warmup_epochs": 1, "save_every": 1,
        "keep": 2, "learning_rate": 1e-2, "learning_rate_decay": 0.9, "ema": 0.5, "samples": 1, "network": TINY,
    }  # fmt: skip
    return VocoderSettings(**given | changed)


def segment(name: str, speaker: str, n: int, seed: int, f0_hz: float = 120.0) -> SpeechSegment:
    """A segment of ``n`` units in runs of three; every fifth run is unvoiced."""
    generator = np.random.default_rng(seed)
    units = np.repeat(generator.integers(K, size=n // 3 + 1), 3)[:n]
    f0 = np.where(np.arange(n) // 3 % 5 == 4, 0.0, f0_hz * (1 + 0.02 * np.sin(np.arange(n)))).astype(np.float32)
    start = round((ORIGIN_S - HOP / RATE / 2) * RATE)
    samples = np.zeros(start + n * HOP + 40, np.float32)
    times = np.arange(n * HOP) / RATE
    sound = sum(
        np.repeat(np.where((units + band) % K == 0, 0.2, 0.02), HOP) * np.sin(2 * np.pi * f0_hz * band * times)
        for band in range(1, 5)
    )
    samples[start : start + n * HOP] = sound + 0.005 * generator.standard_normal(n * HOP)
    return SpeechSegment(name, speaker, units, lambda: samples, f0)


def corpus(**changed: Any) -> VocoderCorpus:
    """Segments of 8 to 30 units: two voices to train on, one to choose."""
    training = [
        segment(f"{voice}#{i}", voice, 8 + 11 * i, i, f0)
        for voice, f0 in (("a", 110.0), ("b", 200.0))
        for i in range(3)
    ]
    choosing = [segment(f"c#{i}", "c", 10 + 5 * i, 10 + i, 150.0) for i in range(2)]
    given: dict[str, Any] = {
        "training": training, "choosing": choosing, "k": K, "hop_s": HOP / RATE, "origin_s": ORIGIN_S, "rate": RATE,
        "speakers": ("a", "b"), "quantiser": "0" * 64,
    }  # fmt: skip
    return VocoderCorpus(**given | changed)
