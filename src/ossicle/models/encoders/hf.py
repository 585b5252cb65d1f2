"""Models of transformers as encoders: wav2vec 2.0, HuBERT, WavLM and AST, with the preprocessor of each model.

Models of waveforms give a token every 20 ms. AST reads a spectrogram of fixed length: its tokens are patches of 160 ms
and 16 mel bands, 100 ms and 10 bands apart, and only those that lie wholly in the waveform are kept, time by time, low
sounds first.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ossicle.audio.encoders.settings import HF
from ossicle.audio.encoders.spec import EncoderSpec, refuse_waveforms
from ossicle.core.errors import ArtefactError, UsageError
from ossicle.models.encoders.batching import embed
from ossicle.models.encoders.hub import PREPROCESSOR, model_digest

OF_WAVEFORMS = ("hubert", "wav2vec2", "wavlm")
OF_SPECTROGRAMS = "audio-spectrogram-transformer"

_EXTRA = "this encoder needs transformers: pip install 'ossicle[encoders]'"
# The frames of AST's spectrogram.
_FRAME_S, _FRAME_HOP_S = 0.025, 0.01


@dataclass(frozen=True, slots=True)
class _Patches:
    """The patches of AST: their length and distances in frames and bands, the bands, and the longest spectrogram."""

    size: int
    time_step: int
    band_step: int
    n_bands: int
    most_frames: int

    @property
    def rows(self) -> int:
        """Number of patches at one time."""
        return 1 + (self.n_bands - self.size) // self.band_step

    def columns(self, frames: int) -> int:
        """Number of patches in time."""
        return 1 + (frames - self.size) // self.time_step


class HfEncoder:
    """A model of transformers as an encoder.

    Parameters
    ----------
    folder
        The folder of the model, with ``config.json``, ``preprocessor_config.json`` and its weights. No code in it runs.
    layer
        The layer whose tokens are taken, counted from 1; -1: the output of the model.
    device
        A device of torch.

    Raises
    ------
    UsageError
        transformers is not installed, or the model has no such layer.
    ArtefactError
        The folder holds no model that is supported.
    """

    def __init__(self, folder: Path, layer: int = -1, device: str = "cpu") -> None:
        try:
            import transformers
        except ImportError as error:
            raise UsageError(_EXTRA) from error
        self._source = str(folder)
        if not (folder / PREPROCESSOR).is_file():
            raise ArtefactError(f"{folder}: has no {PREPROCESSOR}, which says how waveforms are normalised; get it too")
        with _quiet(transformers):
            config = self._load(transformers.AutoConfig, folder)
            if config.model_type not in (*OF_WAVEFORMS, OF_SPECTROGRAMS):
                known = ", ".join((*OF_WAVEFORMS, OF_SPECTROGRAMS))
                raise ArtefactError(f"{folder}: models of type {config.model_type!r} are not supported; use {known}")
            if layer > config.num_hidden_layers:
                raise UsageError(f"[encoder] layer = {layer}: {folder.name} has {config.num_hidden_layers} layers")
            self._preprocess = self._load(transformers.AutoFeatureExtractor, folder)
            self._model = self._load(transformers.AutoModel, folder).eval().requires_grad_(False).to(device)
        self._device, self._layer = torch.device(device), layer
        self._rate = int(self._preprocess.sampling_rate)
        self._patches = None if config.model_type in OF_WAVEFORMS else _patches(config)
        self.spec = self._described(config, model_digest(folder))

    def encode(self, waveforms: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the tokens (batch, tokens, dim) of waveforms (batch, n_samples).

        Raises
        ------
        ValueError
            The waveforms are shorter than one token, or longer than the model reads.
        """
        refuse_waveforms(waveforms, self.spec)
        if self._patches is not None and self._frames(waveforms.shape[1]) > self._patches.most_frames:
            raise ValueError(
                f"a waveform has {waveforms.shape[1] / self._rate:g} s; {self._source} reads at most "
                f"{self._patches.most_frames * _FRAME_HOP_S:g} s; use shorter windows"
            )
        return embed(waveforms, self._tokens, self._source)

    def _load(self, kind: Any, folder: Path) -> Any:
        try:
            return kind.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        except Exception as error:  # transformers has no base class of errors
            first_line = str(error).split("\n", 1)[0]
            raise ArtefactError(f"{folder}: not a model that transformers can read ({first_line})") from error

    def _described(self, config: Any, sha256: str) -> EncoderSpec:
        if self._patches is None:
            least, hop = _receptive_samples(config.conv_kernel, config.conv_stride), prod(config.conv_stride)
            hop_s, origin_s = hop / self._rate, least / 2 / self._rate
        else:
            length_s = (self._patches.size - 1) * _FRAME_HOP_S + _FRAME_S
            least, hop_s, origin_s = round(length_s * self._rate), self._patches.time_step * _FRAME_HOP_S, length_s / 2
        return EncoderSpec(
            HF,
            self._rate,
            int(config.hidden_size),
            hop_s=hop_s,
            origin_s=origin_s,
            layer=self._layer,
            sha256=sha256,
            least_samples=least,
        )

    def _tokens(self, waveforms: NDArray[np.float32]) -> Tensor:
        inputs = self._preprocess(list(waveforms), sampling_rate=self._rate, return_tensors="np")["input_values"]
        values = torch.from_numpy(np.asarray(inputs, dtype=np.float32)).to(self._device)
        output = self._model(values, output_hidden_states=self._layer != -1)
        tokens: Tensor = output.last_hidden_state if self._layer == -1 else output.hidden_states[self._layer]
        return tokens if self._patches is None else self._patches_heard(tokens, self._patches, waveforms.shape[1])

    def _patches_heard(self, tokens: Tensor, patches: _Patches, n_samples: int) -> Tensor:
        """Return the patches that lie in the waveform, time by time, without the tokens that stand for no patch."""
        rows = patches.rows
        columns = patches.columns(patches.most_frames)
        n_kept = patches.columns(self._frames(n_samples))
        of_patches = tokens[:, tokens.shape[1] - rows * columns :]
        by_time = of_patches.reshape(len(tokens), rows, columns, -1).transpose(1, 2)[:, :n_kept]
        return by_time.reshape(len(tokens), n_kept * rows, -1)

    def _frames(self, n_samples: int) -> int:
        frame, hop = round(_FRAME_S * self._rate), round(_FRAME_HOP_S * self._rate)
        return 1 + (n_samples - frame) // hop


def _patches(config: Any) -> _Patches:
    return _Patches(
        int(config.patch_size),
        int(config.time_stride),
        int(config.frequency_stride),
        int(config.num_mel_bins),
        int(config.max_length),
    )


def _receptive_samples(kernels: list[int], strides: list[int]) -> int:
    """Return the samples that one token of stacked convolutions reads.

    >>> _receptive_samples([10, 3, 3, 3, 3, 2, 2], [5, 2, 2, 2, 2, 2, 2])
    400
    """
    samples = 1
    for kernel, stride in zip(reversed(kernels), reversed(strides), strict=True):
        samples = (samples - 1) * stride + kernel
    return samples


@contextmanager
def _quiet(transformers: Any) -> Iterator[None]:
    """Keep progress bars and notes of transformers off the terminal; its errors remain."""
    log = transformers.utils.logging
    level, bars = log.get_verbosity(), log.is_progress_bar_enabled()
    log.set_verbosity_error()
    log.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            # AST's lowest mel bands are narrower than a bin and stay empty, as they were in its training.
            warnings.filterwarnings("ignore", message="At least one mel filter has all zero values")
            yield
    finally:
        log.set_verbosity(level)
        if bars:
            log.enable_progress_bar()
