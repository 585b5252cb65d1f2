"""The encoder ``logmel``: the log-mel spectrum of every 25 ms frame of speech, in NumPy, without a file of weights."""

import numpy as np
from numpy.typing import NDArray

from ossicle.audio.encoders.settings import LOGMEL
from ossicle.audio.encoders.spec import EncoderSpec, refuse_waveforms
from ossicle.audio.features.logmel import log_mel
from ossicle.core.model_input.frontend import FrontEndSettings

FRONT = FrontEndSettings(
    rate=16000, n_fft=400, hop_samples=320, n_mels=40, fmin_hz=50.0, fmax_hz=8000.0, floor_db=-90.0
)
"""Frames of 25 ms every 20 ms. Frame k is computed from samples [320 k, 320 k + 400), so its centre is at 20 k + 12.5
ms, and n samples have 1 + (n - 400) // 320 frames. This is the grid of wav2vec 2.0, HuBERT and WavLM."""
HOP_S = FRONT.hop_samples / FRONT.rate
ORIGIN_S = FRONT.n_fft / 2 / FRONT.rate

VERSION = 1


class LogMelEncoder:
    """Encode each frame by the level of 40 mel bands in dB, from -90 dB on.

    Examples
    --------
    >>> LogMelEncoder().encode(np.zeros((2, 16000), np.float32)).shape
    (2, 49, 40)
    """

    spec = EncoderSpec(
        LOGMEL,
        rate=FRONT.rate,
        dim=FRONT.n_mels,
        hop_s=HOP_S,
        origin_s=ORIGIN_S,
        licence="Apache-2.0",
        least_samples=FRONT.n_fft,
        version=VERSION,
    )

    def encode(self, waveforms: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the levels (batch, frames, 40) of waveforms (batch, n_samples).

        Raises
        ------
        ValueError
            The waveforms are shorter than a frame.
        """
        refuse_waveforms(waveforms, self.spec)
        return log_mel(np.ascontiguousarray(waveforms, dtype=np.float32), FRONT)
