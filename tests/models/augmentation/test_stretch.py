"""Stretched crops: tones at their new pitch, and targets where the sound now is."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ossicle.audio.features.logmel import log_mel
from ossicle.core.errors import UsageError
from ossicle.core.model_input.frontend import FrontEndSettings, band_centres_hz
from ossicle.core.tracks import rasterise
from ossicle.models.augmentation.stretch import stretch_pitch, stretch_time, vary_stretch
from ossicle.models.settings import AugmentSettings

FRONT = FrontEndSettings(rate=8000, n_fft=256, hop_samples=128, n_mels=48, fmin_hz=0.0, fmax_hz=4000.0)
LINEAR = FrontEndSettings(rate=8000, n_fft=256, hop_samples=128, n_mels=48, fmin_hz=0.0, fmax_hz=4000.0, scale="linear")
KNOWN = AugmentSettings(pitch_low=0.5, pitch_high=1.5, time_low=0.5, time_high=2.0)


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def crop(n_frames: int = 12, n_rows: int = 27) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Two crops of 12 steps of 2 rows, windows of 5: a call in the steps 4 to 7, from row 9 to row 17."""
    targets = torch.zeros(2, n_frames, 1)
    targets[:, 4:8] = 1
    spectrogram = torch.full((2, n_rows, 48), -100.0)
    spectrogram[:, 10:17] = -20.0
    spectrogram[:, [9, 17]] = -59.9
    return spectrogram, targets, torch.ones(2, n_frames, 1)


def test_off_is_the_identity_and_draws_nothing() -> None:
    given_crop, generator = crop(), seeded(0)
    before = generator.get_state()
    for one, two in zip(given_crop, vary_stretch(*given_crop, AugmentSettings(), FRONT, True, generator), strict=True):
        assert one is two
    assert torch.equal(generator.get_state(), before)


@pytest.mark.parametrize("front", [FRONT, LINEAR], ids=["mel", "linear"])
@pytest.mark.parametrize("factor", [0.5, 0.8, 1.0, 1.3, 1.5])
def test_a_tone_is_heard_at_its_new_pitch(front: FrontEndSettings, factor: float) -> None:
    hz = 1250.0
    tone = np.sin(2 * np.pi * hz * np.arange(2000) / front.rate).astype(np.float32)
    given_rows = torch.from_numpy(log_mel(tone, front))[None]
    stretched = stretch_pitch(given_rows, torch.tensor([factor], dtype=torch.float64), band_centres_hz(front))
    centres = band_centres_hz(front)
    band = int(stretched[0].mean(dim=0).argmax())
    assert abs(band - int(np.abs(centres - factor * hz).argmin())) <= 1
    if factor == 1.0:
        assert torch.allclose(stretched, given_rows)


@settings(max_examples=60)
@given(st.data())
def test_targets_are_those_of_the_stretched_events(data: st.DataObject) -> None:
    n_frames = data.draw(st.integers(2, 30))
    factor = 2.0 ** data.draw(st.floats(-1, 1))
    cuts = sorted(data.draw(st.sets(st.integers(0, n_frames), min_size=2, max_size=6)))
    # Whole frames: inside a frame nobody knows where a call began.
    events = np.array(list(zip(cuts[::2], cuts[1::2], strict=False)), dtype=np.float64).reshape(-1, 2)
    targets = torch.from_numpy(rasterise(events, n_frames, 1.0))[None, :, None]
    mask = torch.ones_like(targets)
    _, got, known = stretch_time(torch.zeros(1, n_frames, 4), targets, mask, torch.tensor([factor]).double())
    expected = rasterise(n_frames / 2 + (events - n_frames / 2) * factor, n_frames, 1.0)
    kept = known[0, :, 0] > 0
    assert np.abs(got[0, :, 0].numpy() - expected)[kept].max(initial=0) < 1e-4
    # A longer sound fills every frame; of a shorter one the frames beyond its ends are unknown.
    inside = n_frames * min(factor, 1.0)
    assert inside - 2 <= int(kept.sum()) <= inside + 1e-6 + (factor >= 1)


@pytest.mark.parametrize("factor", [0.5, 0.75, 1.0, 1.5, 2.0])
def test_sound_and_targets_move_together(factor: float) -> None:
    spectrogram, targets, mask = crop()
    rows, shares, known = stretch_time(spectrogram, targets, mask, torch.tensor([factor, factor]).double())
    centres = rows[0, 2 : 2 + 2 * 12 : 2, 0] > -60
    heard = shares[0, :, 0] > 0.5
    assert int((centres != heard).sum()) <= 1
    assert float(shares[0].sum()) == pytest.approx(min(4 * factor, 12), abs=0.01)
    assert bool(known.all()) is (factor >= 1.0)


def test_what_nobody_looked_at_stays_masked() -> None:
    spectrogram, targets, mask = crop()
    mask[:, 9:] = 0
    for factor in (0.5, 0.9, 1.7):
        _, _, known = stretch_time(spectrogram, targets, mask, torch.tensor([factor, factor]).double())
        borders = 6 + (np.arange(13) - 6) / factor
        expected = (borders[1:] <= 9 + 1e-9) & (borders[:-1] >= -1e-9)
        assert known[0, :, 0].bool().tolist() == expected.tolist()


def test_each_crop_has_its_own_factors_within_the_limits() -> None:
    spectrogram, targets, mask = (torch.cat([part] * 20) for part in crop())
    _, shares, _ = vary_stretch(spectrogram, targets, mask, KNOWN, FRONT, True, seeded(0))
    lengths = shares.sum(dim=(1, 2)) / 4
    assert len(set(lengths.tolist())) > 30
    assert 0.5 <= float(lengths.min()) < 0.65
    assert 1.6 < float(lengths.max()) <= 2.0
    again = vary_stretch(spectrogram, targets, mask, KNOWN, FRONT, True, seeded(0))
    assert torch.equal(again[1], shares)


def test_windows_with_frames_of_their_own_have_no_time_to_stretch() -> None:
    with pytest.raises(UsageError, match="exact step"):
        vary_stretch(*crop(), KNOWN, FRONT, False, seeded(0))
    pitch = AugmentSettings(pitch_low=0.5, pitch_high=1.5)
    assert not torch.equal(vary_stretch(*crop(), pitch, FRONT, False, seeded(0))[0] + 0, crop()[0] + 1)


def test_limits_upside_down_cannot_be_said() -> None:
    with pytest.raises(ValueError, match=r"time_low = 1\.2 must be at most 1"):
        AugmentSettings(time_low=1.2)
    with pytest.raises(ValueError, match=r"pitch_high = 0\.5 must be at least 1"):
        AugmentSettings(pitch_high=0.5)
