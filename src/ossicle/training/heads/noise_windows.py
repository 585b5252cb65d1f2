"""Embeddings of noise crops: sound without targets, added to what a head on clips is fitted to.

The crops are those that networks are trained with (:mod:`ossicle.models.augmentation.noise_crops`).
"""

import numpy as np
import torch
from numpy.typing import NDArray

from ossicle.audio.encoders.spec import Encoder
from ossicle.core.digest import seed_of
from ossicle.core.model_input.encoder_windows import EncoderWindows
from ossicle.models.augmentation.noise_crops import noise_crops


def noise_embeddings(
    n: int, encoder: Encoder, windows: EncoderWindows, clip_samples: int, seed: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return the embeddings of noise crops, and their kinds.

    Parameters
    ----------
    n
        Number of crops, at least 1.
    encoder
        The encoder.
    windows
        The windows in which it reads a clip.
    clip_samples
        Length of a clip in samples at the encoder's rate.
    seed
        Equal seeds give equal crops.

    Returns
    -------
    tokens, kinds
        float32 (n, tokens, dim), the tokens of all windows of a crop one after the other; int64 (n,), indices into
        ``NOISE_KINDS``.
    """
    generator = torch.Generator().manual_seed(seed_of(seed, "head", "noise"))
    crops = noise_crops(n, clip_samples, encoder.spec.rate, generator)
    tokens = [encoder.encode(windows.of(wave)) for wave in crops.waveforms.numpy()]
    return np.stack([token.reshape(-1, token.shape[2]) for token in tokens]), crops.kinds.numpy()
