"""``[features]``: the windows that are encoded, and the augmented copies of them for training."""

import math

from ossicle.core.settings import setting, settings
from ossicle.core.time import to_samples

# Quotients of decimal fractions differ from whole numbers by less.
_ROUNDING = 1e-6


@settings
class CopySettings:
    """``[features.augment]``: how an augmented copy of a window differs from it. Only training reads copies."""

    gain_db: float = setting(default=6.0, help="largest change of level, up or down", unit="dB", ge=0, le=60)
    tilt_probability: float = setting(default=0.3, help="share of windows whose spectrum is tilted", ge=0, le=1)
    tilt_db: float = setting(
        default=3.0,
        help="largest tilt: low sounds by this much up and high ones down, or reverse",
        unit="dB",
        ge=0,
        le=30,
    )
    mix_probability: float = setting(
        default=0.5,
        help="share of windows to which a stretch without any label is added, from another recording of the same group",
        ge=0,
        le=1,
    )
    snr_low_db: float = setting(default=8.0, help="lowest level of a window above the added sound", unit="dB")
    snr_high_db: float = setting(default=25.0, help="highest level of a window above the added sound", unit="dB")
    seed: int = setting(default=1, help="seed of the copies", ge=0)

    def __post_init__(self) -> None:
        """Reject an empty range."""
        if self.snr_low_db > self.snr_high_db:
            raise ValueError(f"snr_low_db = {self.snr_low_db:g} dB is above snr_high_db = {self.snr_high_db:g} dB")


@settings
class FeatureSettings:
    """``[features]``: what is computed once from recordings and kept: embeddings of windows, or spectrograms."""

    cache: bool = setting(
        default=False,
        help="keep the log-mel spectrograms that a network reads, instead of computing them in every epoch; excludes "
        "augmentation of waveforms",
        digest=False,
    )

    window_s: float = setting(default=2.0, help="length of a window", unit="s", gt=0, le=600)
    hop_s: float = setting(default=0.5, help="distance between the starts of two windows", unit="s", gt=0, le=600)
    copies: int = setting(
        default=0, help="augmented copies of each recording for training, beside the recording itself", ge=0, le=100
    )
    augment: CopySettings = setting(default=CopySettings(), help="how copies differ from the recording")

    def window_samples(self, rate: int) -> int:
        """Return the length of a window in samples at ``rate`` Hz."""
        return to_samples(self.window_s, rate)

    def hop_samples(self, rate: int) -> int:
        """Return the distance between windows in samples at ``rate`` Hz, at least 1."""
        return max(1, to_samples(self.hop_s, rate))

    def clip_hops(self, clip_s: float) -> int:
        """Return the hops of a clip: the least number that is as long as ``clip_s``.

        >>> FeatureSettings(hop_s=0.5).clip_hops(5.0), FeatureSettings(hop_s=0.5).clip_hops(5.01)
        (10, 11)
        """
        return max(1, math.ceil(clip_s / self.hop_s - _ROUNDING))

    def hops_within(self, seconds: float) -> int:
        """Return how many hops fit into ``seconds``."""
        return math.floor(seconds / self.hop_s + _ROUNDING)
