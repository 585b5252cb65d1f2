from pathlib import Path

import numpy as np
import polars as pl
import pytest
import soundfile

from ossicle.app.api.features.embeddings import EmbeddingTables, embed_file
from ossicle.app.api.features.similar import example_embedding
from ossicle.audio.encoders.spec import EncoderSpec, refuse_waveforms
from ossicle.core.errors import UsageError

RATE = 16000


class FourTokens:
    """Each quarter of a second gives a token: its mean, and one."""

    spec = EncoderSpec("fake", RATE, 2, window_samples=RATE, hop_s=0.25, origin_s=0.125)

    def encode(self, waveforms: np.ndarray) -> np.ndarray:
        refuse_waveforms(waveforms, self.spec)
        means = waveforms.reshape(len(waveforms), 4, -1).mean(axis=2)
        return np.stack([means, np.ones_like(means)], axis=2)


@pytest.fixture
def steps(tmp_path: Path) -> Path:
    """Three seconds and a bit; the k-th quarter of a second has the value k / 100."""
    samples = np.repeat(np.arange(13) / 100, RATE // 4).astype(np.float32)
    soundfile.write(tmp_path / "steps.wav", samples, RATE, subtype="FLOAT")
    return tmp_path / "steps.wav"


def test_each_token_has_its_own_stretch(steps: Path) -> None:
    embeddings = embed_file(steps, FourTokens(), 1.0, 1.0, "mean")
    assert embeddings.token.tolist() == [0, 1, 2, 3] * 3
    np.testing.assert_allclose(embeddings.start_s, np.arange(12) / 4)
    np.testing.assert_allclose(embeddings.end_s, np.arange(1, 13) / 4)
    np.testing.assert_allclose(embeddings.values[:, 0], np.arange(12) / 100, atol=1e-6)


def test_a_recording_shorter_than_a_window_has_an_empty_table(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "short.wav", np.zeros(100, np.float32), RATE)
    embeddings = embed_file(tmp_path / "short.wav", FourTokens(), 1.0, 1.0, "mean")
    table = EmbeddingTables(tmp_path / "out", ["short.wav"]).write("short.wav", embeddings)
    assert pl.read_parquet(table).schema["embedding"] == pl.Array(pl.Float32, 2)
    assert len(pl.read_parquet(table)) == 0


def test_an_example_is_encoded_whole_or_repeated_to_the_length_that_the_encoder_needs() -> None:
    long = np.repeat(np.arange(8) / 100, RATE // 4).astype(np.float32)
    result = example_embedding(long, FourTokens(), 1.0, 1.0, "a.wav")
    np.testing.assert_allclose(result, [[0.015, 1.0], [0.055, 1.0]], atol=1e-6)
    short = np.full(RATE // 3, 0.25, np.float32)
    np.testing.assert_allclose(example_embedding(short, FourTokens(), 1.0, 1.0, "a.wav"), [[0.25, 1.0]], atol=1e-6)
    with pytest.raises(UsageError, match=r"a\.wav: there is no sound"):
        example_embedding(np.zeros(0, np.float32), FourTokens(), 1.0, 1.0, "a.wav")
    with pytest.raises(UsageError, match=r"a\.wav: there is no sound"):
        # Digital silence is like everything and nothing.
        example_embedding(np.zeros(16000, np.float32), FourTokens(), 1.0, 1.0, "a.wav")
