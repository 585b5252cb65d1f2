import librosa
import numpy as np
import pytest
from tests.metrics.speech.pairs import made_pairs
from tests.metrics.speech.slow_references import slow_aligned_mcd, slow_log_mel, slow_mcd

from ossicle.metrics.speech.distortion import (
    DB_PER_CEPSTRUM,
    aligned_cepstral_distortion,
    cepstral_distortion,
    log_mel_distance,
)
from ossicle.metrics.speech.frames import mel_cepstra, mel_frames


@pytest.fixture(scope="module")
def cepstra():
    return [(mel_cepstra(reference, 16000), mel_cepstra(other, 16000)) for reference, other in made_pairs()]


def test_distortion_equals_that_of_twenty_pairs_number_by_number(cepstra):
    assert len(cepstra) == 20
    for reference, other in cepstra:
        assert cepstral_distortion(reference, other) == pytest.approx(
            slow_mcd(reference.tolist(), other.tolist()), rel=1e-9
        )


def test_aligned_distortion_equals_that_of_twenty_pairs_cell_by_cell_and_of_librosa(cepstra):
    for reference, other in cepstra:
        distortion = aligned_cepstral_distortion(reference, other)
        assert distortion == pytest.approx(slow_aligned_mcd(reference.tolist(), other.tolist()), rel=1e-9)
        costs, path = librosa.sequence.dtw(reference[:, 1:].T, other[:, 1:].T, metric="euclidean")
        assert distortion == pytest.approx(DB_PER_CEPSTRUM * costs[-1, -1] / len(path), rel=1e-9)


def test_log_mel_distance_equals_that_of_twenty_pairs_number_by_number():
    for reference, other in made_pairs(rate=8000):
        first, second = mel_frames(reference, 8000), mel_frames(other, 8000)
        slow = slow_log_mel(first[:, ::8].tolist(), second[:, ::8].tolist())
        assert log_mel_distance(first[:, ::8], second[:, ::8]) == pytest.approx(slow, rel=1e-6)


def test_equal_speech_has_no_distance_and_slower_speech_none_when_aligned(cepstra):
    reference, _ = cepstra[0]
    assert cepstral_distortion(reference, reference) == 0.0
    assert aligned_cepstral_distortion(reference, np.repeat(reference, 3, axis=0)) == 0.0
    assert cepstral_distortion(reference, np.repeat(reference, 3, axis=0)) > 1.0


def test_frames_of_different_kinds_are_refused_and_none_give_no_figure():
    with pytest.raises(ValueError, match="must be the same"):
        log_mel_distance(np.zeros((2, 80)), np.zeros((2, 40)))
    with pytest.raises(ValueError, match="must be the same"):
        aligned_cepstral_distortion(np.zeros((2, 13)), np.zeros((2, 20)))
    for function, width in ((log_mel_distance, 80), (cepstral_distortion, 13), (aligned_cepstral_distortion, 13)):
        assert np.isnan(function(np.zeros((0, width)), np.zeros((4, width))))
