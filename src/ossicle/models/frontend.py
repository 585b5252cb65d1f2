"""The front end in torch: the same values as ``ossicle.audio.features.logmel``.

They agree to 1e-4 of the power of a frame's loudest band; in dB to 1e-3 for noise, and to 1e-2 for any band within 60
dB of the loudest (values further below are rounding errors of float32 in all forms).

There are two forms of one transform: :class:`LogMel` uses an FFT (training, torch inference). :class:`ExportableLogMel`
uses a convolution with the Fourier basis, restricted to the bins that the mel bands read, because a fixed convolution
can be exported to every runtime.
"""

import math

import numpy as np
import torch
from torch import Tensor, nn

from ossicle.core.model_input.chunks import ChunkPlan, framing
from ossicle.core.model_input.frontend import FrontEndSettings, analysis_window, filter_bank


class LogMel(nn.Module):
    """Waveform to log-mel in dB, ``center=False``.

    Input (..., n_samples) float32; output (..., n_frames, n_mels) with ``n_frames = 1 + (n_samples - n_fft) // hop``.
    """

    window: Tensor
    mel: Tensor

    def __init__(self, front: FrontEndSettings) -> None:
        super().__init__()
        self.front = front
        self.register_buffer(
            "window", torch.from_numpy(analysis_window(front.n_fft, front.window_scale)), persistent=False
        )
        self.register_buffer("mel", torch.from_numpy(filter_bank(front)).T.contiguous(), persistent=False)

    def forward(self, waveform: Tensor) -> Tensor:
        """Return the log-mel spectrogram of a waveform; in float32 whatever the precision of the network after it."""
        with torch.autocast(waveform.device.type, enabled=False):
            if self.front.preemphasis:
                # The first sample stays unchanged: it is multiplied by the window's zero.
                shifted = nn.functional.pad(waveform[..., :-1], (1, 0))
                waveform = waveform - self.front.preemphasis * shifted
            frames = waveform.unfold(-1, self.front.n_fft, self.front.hop_samples) * self.window
            spectrum = torch.fft.rfft(frames)
            power = spectrum.real.square() + spectrum.imag.square()
            return to_db(power @ self.mel, self.front.floor_db)


class ExportableLogMel(nn.Module):
    """The same transform as one convolution and one matrix product; (batch, n_samples) -> (batch, n_frames, n_mels)."""

    basis: Tensor
    mel: Tensor

    def __init__(self, front: FrontEndSettings) -> None:
        super().__init__()
        self.front = front
        mel = filter_bank(front)
        used = np.flatnonzero(mel.any(axis=0))
        angle = 2 * math.pi * np.outer(used, np.arange(front.n_fft)) / front.n_fft
        basis = np.concatenate([np.cos(angle), -np.sin(angle)]) * analysis_window(front.n_fft, front.window_scale)
        # The part of a sample in the next difference; the first difference of a frame is multiplied by the window's
        # zero.
        basis[:, :-1] -= front.preemphasis * basis[:, 1:]
        self.n_bins = len(used)
        self.register_buffer("basis", torch.from_numpy(basis.astype(np.float32))[:, None, :], persistent=False)
        self.register_buffer("mel", torch.from_numpy(mel[:, used]).T.contiguous(), persistent=False)

    def forward(self, waveform: Tensor) -> Tensor:
        """Return the log-mel spectrogram of a waveform."""
        spectrum = nn.functional.conv1d(waveform[:, None, :], self.basis, stride=self.front.hop_samples)
        power = spectrum[:, : self.n_bins].square() + spectrum[:, self.n_bins :].square()
        return to_db(power.transpose(1, 2) @ self.mel, self.front.floor_db)


class ChunkLogMel(nn.Module):
    """Whole chunks (batch, plan.chunk_samples) to their spectrograms (batch, n_frames, n_mels).

    :func:`ossicle.core.model_input.chunks.framing` gives ``n_frames`` and the rows of each frame of the plan. ``form``
    is one of the two transforms above.
    """

    def __init__(self, form: nn.Module, plan: ChunkPlan, front: FrontEndSettings) -> None:
        super().__init__()
        self.form = form
        self.n_mels = front.n_mels
        self.shared = framing(plan, front).shared
        self.window_samples = plan.window_samples
        self.starts = [frame * plan.hop_samples for frame in range(plan.chunk_frames)]

    def forward(self, chunks: Tensor) -> Tensor:
        """Return the spectrogram of the chunk, or those of its windows one after the other."""
        if self.shared:
            whole: Tensor = self.form(chunks)
            return whole
        windows = torch.stack([chunks[:, start : start + self.window_samples] for start in self.starts], dim=1)
        rows: Tensor = self.form(windows.flatten(0, 1))
        return rows.reshape(-1, len(self.starts) * rows.shape[1], self.n_mels)


def to_db(power: Tensor, floor_db: float) -> Tensor:
    """Convert power to decibels with a floor relative to full scale."""
    return 10.0 * torch.log10(power.clamp_min(10.0 ** (floor_db / 10.0)))
