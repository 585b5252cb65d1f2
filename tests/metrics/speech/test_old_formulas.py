"""What was wrong with the figures of the system that Ossicle replaces (systems/units.md, section 8): a test for each.

There the "MCD" had c0 and neither 10 / ln 10 nor an alignment, the SNR decided though it depends on phase, results had
no length ratio, F0 errors were in Hz, and speech was judged that was trained on.
"""

import numpy as np
import pytest
from tests.metrics.speech.pairs import contours, voice

from ossicle.metrics.speech.distortion import (
    DB_PER_CEPSTRUM,
    aligned_cepstral_distortion,
    cepstral_distortion,
    log_mel_distance,
)
from ossicle.metrics.speech.frames import mel_cepstra, mel_frames
from ossicle.metrics.speech.pitch_errors import pitch_errors
from ossicle.metrics.speech.waveforms import length_ratio, si_sdr_db, snr_db

RATE = 16000


def spoken(seed=0, phases=0, seconds=0.6):
    f0_hz, formants = contours(seconds, RATE, np.random.default_rng(seed))
    return voice(np.maximum(f0_hz, 100.0), RATE, formants, np.random.default_rng(phases))


def old_mcd(reference, other):
    return float(np.mean(np.sqrt(2 * np.square(reference - other).sum(axis=1))))


def test_the_level_c0_has_no_part_in_the_distortion():
    loud, quiet = (mel_cepstra(spoken() * gain, RATE) for gain in (np.float32(1), np.float32(0.1)))
    assert cepstral_distortion(loud, quiet) < 0.05
    # 20 dB are 2.3 nepers: the old formula counted little else.
    assert old_mcd(loud, quiet) == pytest.approx(np.sqrt(2) * np.log(10), rel=0.02)


def test_the_distortion_is_in_db():
    reference = np.zeros((4, 13))
    other = reference.copy()
    other[:, 1] = 1.0
    assert cepstral_distortion(reference, other) == pytest.approx(10 * np.sqrt(2) / np.log(10))
    assert pytest.approx(6.1419, abs=1e-4) == DB_PER_CEPSTRUM
    assert old_mcd(reference, other) == pytest.approx(np.sqrt(2))


def test_timing_counts_without_alignment_only():
    reference = mel_cepstra(spoken(), RATE)
    slower = reference[np.minimum(np.arange(len(reference) * 5 // 4) * 4 // 5, len(reference) - 1)]
    assert aligned_cepstral_distortion(reference, slower) == 0.0
    assert cepstral_distortion(reference, slower) > 1.0


def test_a_voice_of_other_phases_is_near_in_spectrum_and_has_no_snr():
    voice, other = spoken(phases=1), spoken(phases=2)
    assert snr_db(voice, other) < 1.0
    assert si_sdr_db(voice, other) < 1.0
    assert cepstral_distortion(mel_cepstra(voice, RATE), mel_cepstra(other, RATE)) < 2.5
    assert log_mel_distance(mel_frames(voice, RATE), mel_frames(other, RATE)) < 4.0


def test_a_cut_to_equal_lengths_does_not_hide_a_wrong_length():
    voice = spoken()
    short = voice[: len(voice) // 2]
    assert log_mel_distance(mel_frames(voice, RATE), mel_frames(short, RATE)) < 0.5
    assert length_ratio(voice, short) == 0.5


def test_pitch_errors_are_ratios_and_not_hz():
    for hz in (80.0, 300.0):
        wrong = pitch_errors(np.full(9, hz), np.full(9, hz + 20))
        assert wrong.rmse_cents == pytest.approx(1200 * np.log2((hz + 20) / hz))
    assert pitch_errors(np.full(9, 50.0), np.full(9, 70.0)).rmse_cents > 5 * 107
