import librosa
import numpy as np
import pytest
from tests.metrics.speech.pairs import made_pairs
from tests.metrics.speech.slow_references import slow_bands, slow_cepstra

from ossicle.metrics.speech.frames import FLOOR_DB, mel_cepstra, mel_frames


@pytest.mark.parametrize("rate", [8000, 16000])
def test_log_mel_is_that_of_librosa(rate):
    samples, _ = next(made_pairs(1, rate))
    n_fft, hop = round(0.064 * rate), rate // 100
    power = librosa.feature.melspectrogram(
        y=samples, sr=rate, n_fft=n_fft, hop_length=hop, n_mels=80, center=False, fmin=0.0, fmax=rate / 2
    )
    # librosa does not scale the window: a full-scale sine has power 1 here.
    levels = 10 * np.log10(np.maximum(power.T / (n_fft / 4) ** 2, 1e-8))
    log_mel = mel_frames(samples, rate)
    assert log_mel.shape == levels.shape
    assert np.abs(log_mel - levels).max() < 2e-3


@pytest.mark.parametrize("rate", [8000, 16000])
def test_cepstra_are_the_mfccs_of_librosa_on_the_scale_of_speech_synthesis(rate):
    samples, _ = next(made_pairs(1, rate))
    n_fft, hop = round(0.032 * rate), rate // 100
    power = librosa.feature.melspectrogram(
        y=samples, sr=rate, n_fft=n_fft, hop_length=hop, n_mels=40, center=False, fmin=0.0, fmax=rate / 2
    )
    logs = np.log(np.maximum(power, power.max() * 1e-6) / (n_fft / 4) ** 2)
    mfcc = librosa.feature.mfcc(S=logs, n_mfcc=13, dct_type=2, norm="ortho").T
    assert mel_cepstra(samples, rate)[:, 1:] == pytest.approx(mfcc[:, 1:] / np.sqrt(80), abs=2e-4)


def test_cepstra_are_those_of_their_definition():
    samples = next(made_pairs(1, 8000))[0][800:1300]
    cepstra = mel_cepstra(samples, 8000)
    wanted = slow_cepstra([slow_bands(samples.tolist(), 8000, frame) for frame in range(len(cepstra))])
    assert len(cepstra) == 4
    assert cepstra == pytest.approx(np.array(wanted), abs=2e-4)


def test_only_c0_depends_on_the_level():
    samples = next(made_pairs(1))[0]
    loud, faint = mel_cepstra(samples, 16000), mel_cepstra(samples * np.float32(1e-3), 16000)
    assert faint[:, 1:] == pytest.approx(loud[:, 1:], abs=2e-4)
    assert (loud - faint)[:, 0] == pytest.approx(np.full(len(loud), np.log(1000)), abs=2e-4)


def test_the_cosines_of_cepstra_give_the_log_spectrum():
    # A spectrum that 13 cepstra describe whole, in nepers of magnitude: a distance of cepstra is one of envelopes.
    angle = np.pi * (np.arange(40) + 0.5) / 40
    wanted = np.array([-2.0, 0.7, -0.3, *np.zeros(9), 0.2])
    envelope = sum(c * np.cos(k * angle) for k, c in enumerate(wanted))
    rms_db = 20 / np.log(10) * np.sqrt(np.mean((envelope - wanted[0]) ** 2))
    assert rms_db == pytest.approx(10 / np.log(10) * np.sqrt(2 * np.square(wanted[1:]).sum()))


def test_silence_is_at_the_floor_and_a_short_sound_has_one_frame():
    assert (mel_frames(np.zeros(16000, np.float32), 16000) == np.float32(FLOOR_DB)).all()
    assert mel_frames(np.zeros(0, np.float32), 16000).shape == (1, 80)
    assert mel_cepstra(np.ones(3, np.float32), 8000).shape == (1, 13)
    assert mel_cepstra(np.zeros(800, np.float32), 8000)[:, 1:] == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("function", [mel_frames, mel_cepstra])
def test_samples_that_are_no_numbers_are_refused(function):
    with pytest.raises(ValueError, match="1 of 800 samples are not finite"):
        function(np.append(np.zeros(799, np.float32), np.float32("nan")), 8000)
    with pytest.raises(ValueError, match="one channel"):
        function(np.zeros((2, 800), np.float32), 8000)
