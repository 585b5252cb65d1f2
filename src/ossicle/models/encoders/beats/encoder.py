"""BEATs as an encoder: waveforms at 16 kHz to tokens of one of its layers."""

import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ossicle.audio.encoders.settings import BEATS
from ossicle.audio.encoders.spec import EncoderSpec, refuse_waveforms
from ossicle.audio.features.kaldi_fbank import FRAME_SAMPLES, HOP_SAMPLES, N_MELS, RATE, kaldi_fbank
from ossicle.bundle.encoders.weights import weights_digest
from ossicle.core.errors import UsageError
from ossicle.models.encoders.batching import embed
from ossicle.models.encoders.beats.checkpoint import load_beats

# Mean and twice the deviation of the energies of AudioSet, by which the published models divide.
_MEAN, _TWICE_DEVIATION = 15.41663, 2 * 6.55582
_FULL_SCALE = 32768.0


def beats_energies(waveforms: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return what the network reads: normalised log-mel energies, float32 of shape (batch, n_frames, 128).

    ``waveforms``: float32 (batch, n_samples), mono at 16 kHz, full scale being -1 to 1.
    """
    energies = kaldi_fbank(waveforms * np.float32(_FULL_SCALE))
    normalised: NDArray[np.float32] = ((energies - _MEAN) / _TWICE_DEVIATION).astype(np.float32)
    return normalised


class BeatsEncoder:
    """A BEATs checkpoint as an encoder.

    Each step in time of 0.16 s gives eight tokens, one for every group of 16 mel bands, low sounds first.

    Parameters
    ----------
    path
        The checkpoint.
    layer
        The layer whose tokens are taken, counted from 1; -1: the last one.
    device
        A device of torch.

    Raises
    ------
    ArtefactError
        The file is not a BEATs checkpoint that is supported; the message names what does not fit.
    UsageError
        The network has no such layer.
    """

    def __init__(self, path: Path, layer: int = -1, device: str = "cpu") -> None:
        self.network = load_beats(path).to(device)
        self._device = torch.device(device)
        config = self.network.config
        if layer > config.encoder_layers:
            raise UsageError(f"[encoder] layer = {layer}: {path.name} has {config.encoder_layers} layers")
        self._layers = config.encoder_layers if layer == -1 else layer
        self._source = str(path)
        patch = config.input_patch_size
        patch_samples = FRAME_SAMPLES + (patch - 1) * HOP_SAMPLES
        self.tokens_per_step = N_MELS // patch
        self.spec = EncoderSpec(
            BEATS,
            RATE,
            config.encoder_embed_dim,
            hop_s=patch * HOP_SAMPLES / RATE,
            origin_s=patch_samples / 2 / RATE,
            layer=layer,
            sha256=weights_digest(path),
            least_samples=patch_samples,
        )

    def before(self, n_blocks: int) -> "BeatsEncoder":
        """Return the same network, which gives the tokens before its last blocks.

        Raises
        ------
        UsageError
            No block is left.
        """
        config = self.network.config
        if not 0 < n_blocks < config.encoder_layers:
            raise UsageError(
                f"[head] unfreeze_blocks = {n_blocks}: this BEATs has {config.encoder_layers} blocks, of which 1 to "
                f"{config.encoder_layers - 1} can be trained"
            )
        beats_encoder = copy.copy(self)
        beats_encoder._layers = config.encoder_layers - n_blocks
        beats_encoder.spec = replace(self.spec, layer=beats_encoder._layers)
        return beats_encoder

    def encode(self, waveforms: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the tokens (batch, tokens, dim) of waveforms (batch, n_samples).

        Raises
        ------
        ValueError
            The waveforms are shorter than one token.
        """
        refuse_waveforms(waveforms, self.spec)
        return embed(waveforms, self._tokens, self._source)

    def _tokens(self, waveforms: NDArray[np.float32]) -> Tensor:
        energies = torch.from_numpy(beats_energies(waveforms)).to(self._device)
        tokens: Tensor = self.network(energies, self._layers)
        return tokens
