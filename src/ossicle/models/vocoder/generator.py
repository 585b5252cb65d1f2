"""The generator: convolution blocks over units, then over frames, whose output filters harmonics and noise.

It belongs to the family of Vocos: everything happens at the rate of frames, and one inverse short-time Fourier
transform gives the samples, which is much cheaper on a CPU than transposed convolutions.

References
----------
H. Siuzdak, "Vocos: closing the gap between time-domain and Fourier-based neural vocoders", ICLR 2024.
X. Wang, S. Takaki, J. Yamagishi, "Neural source-filter waveform models for statistical parametric speech synthesis",
IEEE/ACM TASLP 28, 2020.
"""

import math

import torch
from torch import Tensor, nn

from ossicle.core.errors import UsageError
from ossicle.models.vocoder.settings import VocoderNetworkSettings

PADDING = -1
"""What fills short rows of units; no unit has this number."""
UNKNOWN = -1
"""The speaker whose embedding is the mean of all."""

_KERNEL = 7
_WINDOW_FRAMES = 4
_LOUDEST = 6.0
# The windows of a frame that counts have a weight of at least 0.5 together, at the very end of a row.
_LEAST_WEIGHT = 1e-3


class ConvBlock(nn.Module):
    """A ConvNeXt block over time: depthwise convolution, normalisation, two layers at each time, residual."""

    def __init__(self, width: int, expansion: int, scale: float) -> None:
        super().__init__()
        self.depthwise = nn.Conv1d(width, width, _KERNEL, padding=_KERNEL // 2, groups=width)
        self.norm = nn.LayerNorm(width)
        self.inner = nn.Linear(width, width * expansion)
        self.outer = nn.Linear(width * expansion, width)
        self.scale = nn.Parameter(torch.full((width,), scale))

    def forward(self, values: Tensor, mask: Tensor) -> Tensor:
        """Return values of the same shape (b, n, width); what ``mask`` (b, n, 1) leaves out stays out."""
        mixed = self.depthwise((values * mask).transpose(1, 2)).transpose(1, 2)
        widened = self.outer(nn.functional.gelu(self.inner(self.norm(mixed))))
        return torch.add(values, self.scale * widened)


class VocoderGenerator(nn.Module):
    """Units, pitch and speaker to sound.

    Parameters
    ----------
    k
        Number of units.
    hop
        Samples of each unit, a multiple of ``settings.frames_per_unit``.
    pitch
        Whether pitch is an input. With it the network filters harmonics of F0; without, it gives magnitude and phase.
    n_speakers
        Number of speakers; 0: none is an input.
    settings
        Sizes.

    Raises
    ------
    UsageError
        A unit is not a whole number of frames.
    """

    window: Tensor

    def __init__(self, k: int, hop: int, pitch: bool, n_speakers: int, settings: VocoderNetworkSettings) -> None:
        super().__init__()
        if hop % settings.frames_per_unit:
            raise UsageError(
                f"[vocoder.network] frames_per_unit = {settings.frames_per_unit}: a unit of {hop} samples is not a "
                "whole number of so many frames; set it to 1, 2 or 4"
            )
        self.hop, self.pitch, self.settings = hop, pitch, settings
        self.frame_hop = hop // settings.frames_per_unit
        self.n_fft = _WINDOW_FRAMES * self.frame_hop
        self.bins = self.n_fft // 2 + 1
        width, blocks = settings.width, settings.unit_blocks + settings.frame_blocks
        self.units = nn.Embedding(k, width)
        self.pitch_in = nn.Linear(2, width) if pitch else None
        self.speakers = nn.Embedding(n_speakers, width) if n_speakers else None
        self.norm_in = nn.LayerNorm(width)
        self.unit_blocks = nn.ModuleList(
            ConvBlock(width, settings.expansion, 1 / blocks) for _ in range(settings.unit_blocks)
        )
        self.places = nn.Parameter(torch.randn(settings.frames_per_unit, width) * 0.1)
        self.frame_blocks = nn.ModuleList(
            ConvBlock(width, settings.expansion, 1 / blocks) for _ in range(settings.frame_blocks)
        )
        self.norm_out = nn.LayerNorm(width)
        self.head = nn.Linear(width, 3 * self.bins)
        nn.init.normal_(self.units.weight, std=1.0)
        if self.speakers is not None:
            nn.init.normal_(self.speakers.weight, std=0.3)
        self.register_buffer("window", torch.hann_window(self.n_fft), persistent=False)

    @property
    def context_units(self) -> int:
        """How many units on each side can change the sound of a unit."""
        frames = (_KERNEL // 2) * self.settings.frame_blocks + _WINDOW_FRAMES
        return (_KERNEL // 2) * self.settings.unit_blocks + math.ceil(frames / self.settings.frames_per_unit) + 1

    def forward(self, units: Tensor, pitch: Tensor | None, speaker: Tensor, sources: Tensor) -> Tensor:
        """Return the sound.

        Parameters
        ----------
        units
            int64, shape (b, n), ``PADDING`` after the end of a row.
        pitch
            float32, shape (b, n, 2): log F0 relative to the speaker's mean (0 if unvoiced), and voicing.
        speaker
            int64, shape (b,); ``UNKNOWN`` takes the mean of all.
        sources
            float32, shape (b, 2, n * hop): harmonics and noise.

        Returns
        -------
        Tensor
            float32, shape (b, n * hop); 0 in what is padded.
        """
        mask = (units >= 0).unsqueeze(-1).to(sources.dtype)
        values = self.units(units.clamp(min=0))
        if self.pitch_in is not None:
            assert pitch is not None
            values = values + self.pitch_in(pitch)
        if self.speakers is not None:
            known = self.speakers(speaker.clamp(min=0))
            mean = self.speakers.weight.mean(dim=0, keepdim=True)
            values = values + torch.where((speaker >= 0)[:, None], known, mean)[:, None]
        values = self.norm_in(values)
        for block in self.unit_blocks:
            values = block(values, mask)
        frames = self.settings.frames_per_unit
        values = (values[:, :, None] + self.places).flatten(1, 2)
        mask = mask.repeat_interleave(frames, dim=1)
        for block in self.frame_blocks:
            values = block(values, mask)
        sound = self._sound(self.head(self.norm_out(values)), sources, mask)
        return sound * mask.repeat_interleave(self.frame_hop, dim=1)[..., 0]

    def _sound(self, filters: Tensor, sources: Tensor, mask: Tensor) -> Tensor:
        """Return the sources after filters (b, frames, 3 * bins) as sound."""
        voiced, phase, breath = torch.split(filters.float(), self.bins, dim=-1)
        turned = torch.polar(torch.exp(voiced.clamp(max=_LOUDEST) - 3), phase)
        spectra = torch.fft.rfft(self._frames(sources.float()) * self.window)
        harmonics = turned * spectra[:, 0] if self.pitch else turned
        spectrum = harmonics + torch.exp(breath.clamp(max=_LOUDEST) - 5) * spectra[:, 1]
        return self._overlapped(torch.fft.irfft(spectrum, n=self.n_fft) * self.window, mask)

    def _frames(self, samples: Tensor) -> Tensor:
        """Return the windows (..., frames, n_fft) around the centres of frames."""
        around = self.n_fft - self.frame_hop
        padded = nn.functional.pad(samples, (around // 2, around - around // 2))
        return padded.unfold(-1, self.n_fft, self.frame_hop)

    def _overlapped(self, frames: Tensor, mask: Tensor) -> Tensor:
        """Return the weighted mean of windows (b, frames, n_fft) as samples (b, frames * frame_hop).

        Frames that ``mask`` leaves out have no weight, so a padded row ends as it does alone.
        """
        both = torch.stack([frames * mask, self.window.square() * mask])
        parts = both.reshape(*both.shape[:3], _WINDOW_FRAMES, self.frame_hop)
        # Part j of frame t lies at hop t + j.
        summed = torch.stack(
            [nn.functional.pad(parts[..., j, :], (0, 0, j, _WINDOW_FRAMES - 1 - j)) for j in range(_WINDOW_FRAMES)]
        ).sum(dim=0)
        start = (self.n_fft - self.frame_hop) // 2
        flat = summed.flatten(2)[..., start : start + frames.shape[1] * self.frame_hop]
        return flat[0] / flat[1].clamp(min=_LEAST_WEIGHT)
