from pathlib import Path

import numpy as np

from ossicle.audio.features.kaldi_fbank import kaldi_fbank, n_frames

GOLDEN = Path(__file__).parents[2] / "golden" / "beats.npz"


def noise(n: int = 16000) -> np.ndarray:
    """The first waveform of ``tests/golden/make_beats.py``."""
    return (0.4 * np.random.default_rng(1).random(n) - 0.2).astype(np.float32) * np.float32(32768)


def test_energies_are_those_of_transformers() -> None:
    with np.load(GOLDEN) as kept:
        np.testing.assert_allclose(kaldi_fbank(noise()[None])[0], kept["fbank_16000"], atol=1e-5)


def test_frames_are_whole_and_each_waveform_is_alone() -> None:
    two = np.stack([noise(1000), noise(1000)[::-1]])
    result = kaldi_fbank(two)
    assert result.shape == (2, 4, 128) == (2, n_frames(1000), 128)
    assert np.array_equal(result[1], kaldi_fbank(two[1:])[0])
    assert kaldi_fbank(two[:, :399]).shape == (2, 0, 128)
    assert kaldi_fbank(noise(400)[None]).shape == (1, 1, 128)


def test_blocks_join_without_a_seam() -> None:
    long = noise(400 + 160 * 1100)
    whole = kaldi_fbank(long[None])[0]
    alone = kaldi_fbank(long[None, 160 * 510 : 160 * 520 + 400])[0]
    np.testing.assert_allclose(whole[510:521], alone, atol=1e-5)


def test_silence_is_the_floor() -> None:
    assert np.unique(kaldi_fbank(np.zeros((1, 800), np.float32))).tolist() == [
        np.float32(np.log(np.finfo(np.float32).eps))
    ]
