"""Random filters: attenuate frequencies of whole crops, as other microphones, rooms and distances do."""

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from ossicle.models.augmentation.draws import replaced, touched, uniform
from ossicle.models.augmentation.settings import SpectralSettings


def vary_frequencies(waveforms: Tensor, settings: SpectralSettings, generator: torch.Generator) -> Tensor:
    """Filter some of the crops (batch, n_samples), each with its own filter, without changing the phase.

    ``filter_points`` gains from ``-filter_db`` to 0 dB, evenly spaced from 0 Hz to half the rate, joined by lines in
    dB.
    """
    items = touched(len(waveforms), settings.filter_probability, generator)
    if len(items) == 0:
        return waveforms
    gains = uniform((len(items), settings.filter_points), -settings.filter_db, 0.0, generator).to(waveforms.device)
    return replaced(waveforms, items, filtered(waveforms[items.to(waveforms.device)], gains))


def filtered(waveforms: Tensor, gains_db: Tensor) -> Tensor:
    """Apply gains in dB (k, n_points) to each crop (k, n_samples); the filter wraps around the ends, as an FFT does."""
    spectrum = torch.fft.rfft(waveforms)
    curve = interpolate(gains_db[:, None], size=spectrum.shape[1], mode="linear", align_corners=True)[:, 0]
    samples: Tensor = torch.fft.irfft(spectrum * 10 ** (curve / 20), n=waveforms.shape[1])
    return samples
