"""What was there before the stages: the same draws in the same order give the same bits, with all defaults.

The functions below are augmentation as it was before mixup, shifts, filters and the rest came, kept as their oracle.
"""

from dataclasses import replace

import pytest
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.core.model_input.frontend import FrontEndSettings, band_centres_hz
from ossicle.core.time import nearest_frames
from ossicle.models.augmentation.sounds import Sounds
from ossicle.models.augmentation.spectral import vary_log_mel
from ossicle.models.augmentation.stages import vary_waveforms
from ossicle.models.augmentation.stretch import _factors, stretch_pitch, stretch_time, vary_stretch
from ossicle.models.settings import AugmentSettings

FRONT = FrontEndSettings(rate=8000, n_fft=256, hop_samples=80, n_mels=32, fmax_hz=4000.0)
PLAN = ChunkPlan(rate=8000, hop_samples=80, window_samples=256, core_frames=40, context_frames=5)
SETTINGS = {
    "defaults": AugmentSettings(),
    "known windows": AugmentSettings(
        background_by="snr", background_low_db=-3.0, background_high_db=12.0, tilt_db=0.0, frequency_mask=0.0,
        pitch_low=0.5, pitch_high=1.5, time_low=0.5, time_high=2.0,
    ),
    "masks": AugmentSettings(time_mask_s=0.1, frequency_mask=0.4, background_probability=1.0),
    "off": AugmentSettings(gain_db=0.0, background_probability=0.0, tilt_db=0.0, frequency_mask=0.0),
}  # fmt: skip


def uniform(shape: tuple[int, ...], low: float, high: float, generator: torch.Generator) -> Tensor:
    return low + (high - low) * torch.rand(shape, generator=generator)


def old_waveforms(waveforms: Tensor, targets: Tensor, settings: AugmentSettings, generator: torch.Generator) -> Tensor:
    batch = len(waveforms)
    free = torch.nonzero(targets.amax(dim=(1, 2)) == 0)[:, 0]
    gain = uniform((batch, 1), -settings.gain_db, settings.gain_db, generator)
    waveforms = waveforms * 10 ** (gain / 20)
    if len(free) == 0:
        return waveforms
    partner = free[torch.randint(0, len(free), (batch,), generator=generator)]
    chosen = torch.rand(batch, 1, generator=generator) < settings.background_probability
    chosen &= (partner != torch.arange(batch))[:, None]
    level = uniform((batch, 1), settings.background_low_db, settings.background_high_db, generator)
    added = waveforms[partner]
    if settings.background_by == "snr":
        share = targets.amax(dim=2)
        share = torch.where(share.sum(dim=1, keepdim=True) > 0, share, 1.0)
        weight = interpolate(share[:, None], size=waveforms.shape[1], mode="nearest")[:, 0]
        above = ((waveforms.square() * weight).sum(dim=1, keepdim=True) / weight.sum(dim=1, keepdim=True)).sqrt()
        below = added.square().mean(dim=1, keepdim=True).sqrt()
        scale = torch.where(below > 0, above / below.clamp_min(1e-12), 0.0) * 10 ** (-level / 20)
        return waveforms + chosen * scale * added
    return waveforms + (chosen * 10 ** (level / 20)) * added


def old_stretch(crop: tuple[Tensor, ...], settings: AugmentSettings, generator: torch.Generator) -> tuple[Tensor, ...]:
    spectrogram, targets, mask = crop
    if settings.pitch_low != 1.0 or settings.pitch_high != 1.0:
        factors = _factors(len(spectrogram), settings.pitch_low, settings.pitch_high, generator)
        spectrogram = stretch_pitch(spectrogram, factors, band_centres_hz(FRONT))
    if settings.time_low != 1.0 or settings.time_high != 1.0:
        factors = _factors(len(spectrogram), settings.time_low, settings.time_high, generator)
        return stretch_time(spectrogram, targets, mask, factors)
    return spectrogram, targets, mask


def old_log_mel(log_mel: Tensor, settings: AugmentSettings, hop_s: float, generator: torch.Generator) -> Tensor:
    batch, n_frames, n_mels = log_mel.shape
    points = uniform((batch, 1, 5), -settings.tilt_db, settings.tilt_db, generator)
    varied = log_mel + interpolate(points, size=n_mels, mode="linear", align_corners=True)
    fill = varied.mean(dim=(1, 2), keepdim=True)
    bands = old_mask(batch, n_mels, int(settings.frequency_mask * n_mels), generator)
    varied = torch.where(bands[:, None, :], fill, varied)
    longest = min(n_frames, nearest_frames(settings.time_mask_s, hop_s))
    frames = old_mask(batch, n_frames, longest, generator)
    return torch.where(frames[:, :, None], fill, varied)


def old_mask(batch: int, size: int, longest: int, generator: torch.Generator) -> Tensor:
    width = torch.randint(0, longest + 1, (batch, 1), generator=generator)
    first = (torch.rand(batch, 1, generator=generator) * (size - width + 1)).long()
    place = torch.arange(size)[None]
    return (place >= first) & (place < first + width)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("free", [(), (1,), (0, 2, 5)])
@pytest.mark.parametrize("name", SETTINGS)
def test_what_was_there_before_is_the_same_to_the_bit(name: str, free: tuple[int, ...], seed: int) -> None:
    settings = SETTINGS[name]
    drawn = torch.Generator().manual_seed(100 + seed)
    waveforms = torch.randn(6, PLAN.chunk_samples, generator=drawn)
    targets = (torch.rand(6, PLAN.chunk_frames, 2, generator=drawn) > 0.7).float()
    targets[list(free)] = 0.0
    spectrogram = 20 * torch.randn(6, PLAN.chunk_frames, FRONT.n_mels, generator=drawn) - 50
    old, new = (torch.Generator().manual_seed(seed) for _ in range(2))

    expected = old_waveforms(waveforms, targets, settings, old)
    sounds = vary_waveforms(Sounds(waveforms, targets, torch.ones_like(targets)), settings, PLAN, new)
    assert torch.equal(sounds.waveforms, expected)
    assert sounds.targets is targets

    crop = (spectrogram, targets, torch.ones_like(targets))
    stretched = vary_stretch(*crop, settings, FRONT, True, new)
    for one, other in zip(stretched, old_stretch(crop, settings, old), strict=True):
        assert torch.equal(one, other)
    varied = vary_log_mel(stretched[0], settings, 0.01, new)
    assert torch.equal(varied, old_log_mel(stretched[0], settings, 0.01, old))
    # No stage that is off has drawn anything: what follows draws as before.
    assert torch.equal(new.get_state(), old.get_state())


def test_another_default_would_be_noticed() -> None:
    changed = replace(AugmentSettings(), gain_probability=0.5)
    waveforms, targets = torch.randn(6, PLAN.chunk_samples), torch.zeros(6, PLAN.chunk_frames, 1)
    sounds = vary_waveforms(
        Sounds(waveforms, targets, torch.ones_like(targets)), changed, PLAN, torch.Generator().manual_seed(0)
    )
    expected = old_waveforms(waveforms, targets, changed, torch.Generator().manual_seed(0))
    assert not torch.equal(sounds.waveforms, expected)
