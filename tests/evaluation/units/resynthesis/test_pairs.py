import numpy as np
import pytest
from tests.metrics.speech.pairs import contours, made_pairs, voice

from ossicle.audio.pitch.track import track_f0
from ossicle.evaluation.units.resynthesis.pairs import judge_pair
from ossicle.metrics.speech.distortion import aligned_cepstral_distortion, cepstral_distortion, log_mel_distance
from ossicle.metrics.speech.frames import mel_cepstra, mel_frames
from ossicle.metrics.speech.waveforms import si_sdr_db, snr_db

RATE = 16000


def test_a_pair_has_the_figures_of_its_two_sounds():
    one, other = next(made_pairs(1))
    judged_pair = judge_pair(one, other, RATE)
    assert judged_pair.log_mel_db == log_mel_distance(mel_frames(one, RATE), mel_frames(other, RATE))
    cepstra = mel_cepstra(one, RATE), mel_cepstra(other, RATE)
    assert (judged_pair.mcd_db, judged_pair.mcd_aligned_db) == (
        cepstral_distortion(*cepstra),
        aligned_cepstral_distortion(*cepstra),
    )
    assert judged_pair.mcd_aligned_db <= judged_pair.mcd_db
    assert (judged_pair.si_sdr_db, judged_pair.snr_db) == (si_sdr_db(one, other), snr_db(one, other))
    assert judged_pair.length_ratio == len(other) / len(one)
    assert judged_pair.made_pitch.f0_hz.tolist() == track_f0(other, RATE).f0_hz.tolist()


def test_a_higher_voice_is_so_many_cents_away():
    f0_hz, formants = contours(0.5, RATE, np.random.default_rng(3))
    f0_hz = np.maximum(f0_hz, 110.0)
    low, high = (voice(f0_hz * 2 ** (up / 12), RATE, formants, np.random.default_rng(0)) for up in (0, 3))
    judged_pair = judge_pair(low, high, RATE)
    assert judged_pair.pitch.rmse_cents == pytest.approx(300, abs=10)
    assert judge_pair(low, low, RATE).pitch.rmse_cents == 0.0


def test_a_contour_that_is_known_is_not_tracked_again(monkeypatch):
    one, other = next(made_pairs(1))
    known = track_f0(one, RATE)
    tracked = []
    module = "ossicle.evaluation.units.resynthesis.pairs.track_f0"
    monkeypatch.setattr(module, lambda samples, *_, **__: tracked.append(len(samples)) or known)
    judged_pair = judge_pair(one, other, RATE, original_pitch=known)
    assert tracked == [len(other)]
    assert judged_pair.original_pitch is known


@pytest.mark.parametrize("which", ["both", "original", "made"])
def test_silence_has_no_pitch_and_no_ratio(which):
    one, other = next(made_pairs(1))
    silence = np.zeros_like(one)
    original, made = {"both": (silence, silence), "original": (silence, other), "made": (one, silence)}[which]
    judged_pair = judge_pair(original, made, RATE)
    assert np.isnan(judged_pair.pitch.rmse_cents)
    assert np.isnan(judged_pair.si_sdr_db)
    assert judged_pair.pitch.voicing_error == (
        0.0 if which == "both" else pytest.approx(judged_pair.pitch.voicing_error)
    )
    assert judged_pair.log_mel_db == 0.0 if which == "both" else judged_pair.log_mel_db > 5
    assert np.isfinite(judged_pair.mcd_db)


@pytest.mark.parametrize(("n", "m"), [(0, 0), (0, 500), (500, 0), (1, 1), (3, 900)])
def test_very_short_sounds_are_judged(n, m):
    judged_pair = judge_pair(np.full(n, 0.1, np.float32), np.full(m, 0.1, np.float32), RATE)
    assert np.isnan(judged_pair.log_mel_db) == (not n or not m)
    assert np.isnan(judged_pair.mcd_db) == (not n or not m)
    assert np.isnan(judged_pair.length_ratio) == (not n)
    assert np.isnan(judged_pair.pitch.rmse_cents)


def test_defects_of_the_made_sound_are_counted():
    one, other = next(made_pairs(1))
    assert judge_pair(one, other, RATE, seams=np.arange(320, len(other), 320)).defects.none
    broken = other.copy()
    broken[3200:] += 3 * np.abs(np.diff(other, n=2)).max()
    judged = judge_pair(one, broken, RATE, seams=np.array([1600, 3200, 10**6]))
    defects, beside = judged.defects, judged.original_defects
    assert (defects.clicks, defects.seams, defects.none) == (1, 2, False)
    assert (beside.clicks, beside.seams, beside.none) == (0, 2, True)
    assert judge_pair(one, other + np.float32(0.05), RATE).defects.has_offset
    assert judge_pair(one, np.clip(20 * other, -1, 1), RATE).defects.clipped > 10


def test_the_length_is_compared_with_the_whole_recording_where_it_was_cut():
    one, _ = next(made_pairs(1))
    cut = one[: len(one) // 2]
    assert judge_pair(cut, cut, RATE).length_ratio == 1.0
    assert judge_pair(cut, cut, RATE, seconds=len(one) / RATE).length_ratio == pytest.approx(0.5)


def test_a_sound_that_is_no_number_is_refused():
    one, _ = next(made_pairs(1))
    with pytest.raises(ValueError, match="not finite"):
        judge_pair(one, np.full_like(one, np.nan), RATE)
