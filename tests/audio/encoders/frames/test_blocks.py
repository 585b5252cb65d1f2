"""Frames of stretches of any length."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from ossicle.audio.encoders.acoustic import AcousticEncoder
from ossicle.audio.encoders.frames.blocks import FrameGrid, encode_frames, frame_grid
from ossicle.audio.encoders.frames.mfcc import MfccEncoder
from ossicle.audio.encoders.spec import EncoderSpec
from ossicle.core.errors import UsageError


class Ramp:
    """Gives, for each frame of 5 samples every 4, its first and last sample: numbers that say where it was read."""

    spec = EncoderSpec("ramp", rate=100, dim=2, hop_s=0.04, origin_s=0.025, least_samples=5)

    def __init__(self) -> None:
        self.longest = 0

    def encode(self, waveforms: NDArray[np.float32]) -> NDArray[np.float32]:
        self.longest = max(self.longest, waveforms.shape[1])
        windows = np.lib.stride_tricks.sliding_window_view(waveforms, 5, axis=1)[:, ::4]
        return np.ascontiguousarray(windows[..., [0, -1]])


class Short(Ramp):
    def encode(self, waveforms: NDArray[np.float32]) -> NDArray[np.float32]:
        return super().encode(waveforms)[:, :-1]


def blocks_of(samples: NDArray[np.float32], sizes: list[int]) -> Iterator[NDArray[np.float32]]:
    first, k = 0, 0
    while first < len(samples):
        size = sizes[k % len(sizes)]
        yield samples[first : first + size]
        first, k = first + size, k + 1


@given(n=st.integers(0, 300), sizes=st.lists(st.integers(1, 120), min_size=1, max_size=4))
def test_every_frame_comes_once_and_in_order_whatever_the_blocks(n: int, sizes: list[int]) -> None:
    samples = np.arange(n, dtype=np.float32)
    encoder = Ramp()
    result = list(encode_frames(blocks_of(samples, sizes), encoder, block_s=0.4, context_s=0.08))
    firsts = np.concatenate([encoded_frames.values[:, 0] for encoded_frames in result]) if result else np.zeros(0)
    expected = 4 * np.arange(FrameGrid(5, 4).n_frames(n))
    np.testing.assert_array_equal(firsts, expected)
    assert sum(len(encoded_frames.levels_db) for encoded_frames in result) == len(expected)
    # 10 frames with 2 before and 2 after them; the last ones need not be 10.
    assert encoder.longest <= FrameGrid(5, 4).samples(10 + 3 * 2)


def test_blocks_change_nothing_for_features_of_few_frames() -> None:
    samples = (0.1 * np.random.default_rng(0).standard_normal(16000 * 5)).astype(np.float32)
    encoder = MfccEncoder()
    (whole,) = encode_frames([samples], encoder)
    parts = list(encode_frames([samples], encoder, block_s=1.0, context_s=0.1))
    assert len(parts) == 5
    np.testing.assert_allclose(np.concatenate([part.values for part in parts]), whole.values, atol=1e-3)
    np.testing.assert_array_equal(np.concatenate([part.levels_db for part in parts]), whole.levels_db)


def test_levels_are_those_of_the_samples_of_each_frame() -> None:
    samples = np.ones(4000, np.float32)
    samples[2000:] = 0
    (encoded_frames,) = encode_frames([samples], MfccEncoder())
    assert encoded_frames.levels_db[0] == 0
    assert encoded_frames.levels_db[-1] == -120
    np.testing.assert_allclose(encoded_frames.levels_db[5], 10 * np.log10(1.0), atol=1e-6)


def test_a_stretch_shorter_than_a_frame_has_none() -> None:
    assert list(encode_frames([np.zeros(399, np.float32)], MfccEncoder())) == []
    assert list(encode_frames([], MfccEncoder())) == []


def test_encoders_of_windows_are_refused_by_name() -> None:
    with pytest.raises(UsageError, match=r"acoustic.*use mfcc"):
        frame_grid(AcousticEncoder.spec)
    with pytest.raises(UsageError, match="short"):
        list(encode_frames([np.zeros(40, np.float32)], _named(Short())))


def _named(encoder: Ramp) -> Ramp:
    encoder.spec = EncoderSpec("short", rate=100, dim=2, hop_s=0.04, origin_s=0.025, least_samples=5)  # type: ignore[misc]
    return encoder
