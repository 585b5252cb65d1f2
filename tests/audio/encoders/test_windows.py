from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ossicle.audio.encoders.acoustic import AcousticEncoder
from ossicle.audio.encoders.windows import batches, encode_recording, full_windows


@given(
    n_samples=st.integers(0, 90),
    window=st.integers(1, 20),
    hop=st.integers(1, 30),
    batch=st.integers(1, 5),
    sizes=st.lists(st.integers(0, 40), max_size=6),
)
def test_windows_lie_on_the_grid_whatever_the_blocks(n_samples, window, hop, batch, sizes):
    samples = np.arange(n_samples, dtype=np.float32)
    edges = [*np.clip(np.cumsum([0, *sizes]), 0, n_samples), n_samples]
    blocks = [samples[a:b] for a, b in pairwise(edges)]
    expected = [samples[at : at + window] for at in range(0, n_samples - window + 1, hop)]
    result, counted = [], 0
    for first, windows in batches(blocks, window, hop, batch):
        assert first == counted
        assert 1 <= len(windows) <= batch
        counted += len(windows)
        result.extend(windows)
    assert counted == full_windows(n_samples, window, hop) == len(expected)
    for one, other in zip(result, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_recording_is_encoded_with_its_copies_and_levels():
    samples = (0.1 * np.random.default_rng(1).standard_normal(40000)).astype(np.float32)
    samples[:16000] = 0
    changes = [lambda window, one: one * np.float32(2), lambda window, one: one * np.float32(window)]
    (encoded_windows,) = encode_recording([samples], AcousticEncoder(), 16000, 8000, changes)
    assert [embedding.shape for embedding in encoded_windows.embeddings] == [(4, 1, AcousticEncoder.spec.dim)] * 3
    windows = np.stack([samples[at : at + 16000] for at in (0, 8000, 16000, 24000)])
    np.testing.assert_array_equal(encoded_windows.embeddings[0], AcousticEncoder().encode(windows))
    np.testing.assert_array_equal(encoded_windows.embeddings[1], AcousticEncoder().encode(2 * windows))
    np.testing.assert_array_equal(encoded_windows.embeddings[2][1], encoded_windows.embeddings[0][1])
    assert encoded_windows.levels_db[0] == -120
    rms = np.sqrt(np.mean(samples[16000:32000].astype(float) ** 2))
    assert encoded_windows.levels_db[2] == pytest.approx(20 * np.log10(rms), abs=1e-3)
