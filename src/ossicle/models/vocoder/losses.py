"""Losses of a vocoder, each a mean over what counts of one crop: over samples, frames, bands, layers and networks.

Every function returns one value for each crop, shape (b,). A batch is their mean weighted by the samples that count,
so a batch in parts has the same gradient as the whole, and what is padded has none.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ossicle.core.model_input.frontend import FrontEndSettings
from ossicle.models.frontend import LogMel
from ossicle.models.vocoder.discriminators import Layers

NEPERS_PER_DB = 0.11512925464970229
"""ln(10) / 20: from dB to the natural log of a magnitude."""

_RESOLUTIONS_S = ((0.015, 0.003125), (0.0375, 0.0075), (0.075, 0.015))
_QUIETEST = 1e-3


class LogMelDistance(nn.Module):
    """Mean absolute difference of log-mel spectrograms in dB: 64 ms windows every 10 ms, 80 bands to half the rate.

    The same as ``ossicle.metrics.speech``: at least -80 dB of full scale, windows within the sound.

    Parameters
    ----------
    rate
        Sample rate.
    """

    def __init__(self, rate: int) -> None:
        super().__init__()
        n_fft, hop = 2 * round(0.032 * rate), 2 * round(0.005 * rate)
        self.mel = LogMel(
            FrontEndSettings(
                rate=rate, n_fft=n_fft, hop_samples=hop, n_mels=80, fmin_hz=0.0, fmax_hz=rate / 2, floor_db=-80.0
            )
        )

    def forward(self, generated: Tensor, real: Tensor, mask: Tensor) -> Tensor:
        """Return the distance of each crop in dB, shape (b,).

        Parameters
        ----------
        generated, real
            Sound, float32, shape (b, n), 0 where ``mask`` is 0.
        mask
            float32, shape (b, n): 1 for samples that count, from the start of each row.
        """
        front = self.mel.front
        missing = max(0, front.n_fft - generated.shape[-1])
        generated_mel, real_mel = (self.mel(nn.functional.pad(samples, (0, missing))) for samples in (generated, real))
        # A frame counts if its window lies within what counts; the first one always does.
        frames = 1 + torch.div(mask.sum(dim=-1) - front.n_fft, front.hop_samples, rounding_mode="floor").clamp(min=0)
        counts = torch.arange(generated_mel.shape[1], device=mask.device) < frames[:, None]
        return _mean((generated_mel - real_mel).abs().mean(dim=-1), counts.to(generated_mel.dtype))


class SpectrogramLoss(nn.Module):
    """Multi-resolution spectrogram loss: spectral convergence and log magnitude, the mean over three resolutions.

    Parameters
    ----------
    rate
        Sample rate.

    References
    ----------
    R. Yamamoto, E. Song, J.-M. Kim, "Parallel WaveGAN", ICASSP 2020.
    """

    def __init__(self, rate: int) -> None:
        super().__init__()
        self.sizes = [(round(window * rate), max(1, round(hop * rate))) for window, hop in _RESOLUTIONS_S]
        for number, (window, _) in enumerate(self.sizes):
            self.register_buffer(f"window_{number}", torch.hann_window(window), persistent=False)

    def forward(self, generated: Tensor, real: Tensor, mask: Tensor) -> Tensor:
        """Return the loss of each crop, shape (b,); arguments as in :class:`LogMelDistance`."""
        losses = []
        for number, (_, hop) in enumerate(self.sizes):
            window = getattr(self, f"window_{number}")
            generated_magnitudes, real_magnitudes = (
                self._magnitudes(samples, window, hop) for samples in (generated, real)
            )
            places = (torch.arange(generated_magnitudes.shape[1], device=mask.device) * hop).clamp(
                max=mask.shape[-1] - 1
            )
            counts = mask[:, places]
            difference = ((generated_magnitudes - real_magnitudes).square().mean(dim=-1) * counts).sum(dim=-1)
            power = (real_magnitudes.square().mean(dim=-1) * counts).sum(dim=-1)
            convergence = (difference + 1e-12).sqrt() / power.clamp(min=_QUIETEST**2).sqrt()
            logs = (
                (generated_magnitudes.clamp(min=_QUIETEST).log() - real_magnitudes.clamp(min=_QUIETEST).log())
                .abs()
                .mean(dim=-1)
            )
            losses.append(convergence + _mean(logs, counts))
        return torch.stack(losses).mean(dim=0)

    @staticmethod
    def _magnitudes(samples: Tensor, window: Tensor, hop: int) -> Tensor:
        size = len(window)
        # Frame i is centred at sample i * hop.
        padded = nn.functional.pad(samples, (size // 2, size - size // 2))
        n_fft = 1 << (size - 1).bit_length()
        spectrum = torch.fft.rfft(padded.unfold(-1, size, hop) * window, n=n_fft)
        return torch.sqrt(spectrum.real.square() + spectrum.imag.square() + 1e-12)


def discriminator_loss(real: Sequence[Layers], generated: Sequence[Layers]) -> Tensor:
    """Return the least-squares loss of the discriminators for each crop, shape (b,): the mean over them.

    Parameters
    ----------
    real, generated
        Layers for recordings and for what the generator made of them.
    """
    losses = []
    for real_layers, generated_layers in zip(real, generated, strict=True):
        (yes, counts), (no, _) = real_layers[-1], generated_layers[-1]
        losses.append(_mean((1 - yes[:, 0]).square() + no[:, 0].square(), counts))
    return torch.stack(losses).mean(dim=0)


def adversarial_loss(generated: Sequence[Layers]) -> Tensor:
    """Return the least-squares loss of the generator for each crop, shape (b,): the mean over discriminators.

    Parameters
    ----------
    generated
        Layers for what the generator made.
    """
    return torch.stack([_mean((1 - layers[-1][0][:, 0]).square(), layers[-1][1]) for layers in generated]).mean(dim=0)


def feature_loss(real: Sequence[Layers], generated: Sequence[Layers]) -> Tensor:
    """Return the mean absolute difference of inner layers for each crop, shape (b,): the mean over layers and networks.

    Parameters
    ----------
    real, generated
        As in :func:`discriminator_loss`.
    """
    losses = [
        _mean((real_features.detach() - generated_features).abs().mean(dim=1), counts)
        for real_layers, generated_layers in zip(real, generated, strict=True)
        for (real_features, counts), (generated_features, _) in zip(
            real_layers[:-1], generated_layers[:-1], strict=True
        )
    ]
    return torch.stack(losses).mean(dim=0)


def gradient_penalty(real: Sequence[Layers], samples: Tensor, mask: Tensor) -> Tensor:
    """Return the gradient penalty R1 for each crop, shape (b,): how steeply answers to recordings change.

    Parameters
    ----------
    real
        Layers for ``samples``.
    samples
        Recordings, shape (b, n), with ``requires_grad``.
    mask
        Which samples count, shape (b, n).

    References
    ----------
    L. Mescheder, A. Geiger, S. Nowozin, "Which training methods for GANs do actually converge?", ICML 2018.
    """
    answers = torch.stack([_mean(layers[-1][0][:, 0], layers[-1][1]) for layers in real]).mean(dim=0)
    (slope,) = torch.autograd.grad(answers.sum(), samples, create_graph=True)
    # An answer is a mean over the crop, so each sample has a share of it: without the factor, long crops have no slope.
    return (slope.square() * mask).sum(dim=-1) * mask.sum(dim=-1)


def _mean(values: Tensor, counts: Tensor) -> Tensor:
    """Return the mean of values (b, n) that count."""
    return (values * counts).sum(dim=-1) / counts.sum(dim=-1).clamp(min=1)
