"""The frames of a stretch of any length, in memory that does not grow with it.

An encoder of frames gives one vector for each step of its grid: frame k is computed from samples [k * hop, k * hop +
window), and perhaps from what is around them. A stretch of up to 34 s is encoded at once. A longer one is encoded in
blocks of 30 s, each with 2 s of what is before and after it, which are then cut off. So networks with attention see at
most 34 s at a time; features that look a few frames around themselves are the same as without blocks.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ossicle.audio.encoders.spec import Encoder, EncoderSpec
from ossicle.core.errors import UsageError
from ossicle.core.time import to_samples

BLOCK_S, CONTEXT_S = 30.0, 2.0
LEVEL_FLOOR_DB = -120.0

Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class FrameGrid:
    """The grid of an encoder of frames, in samples at its rate."""

    window_samples: int
    hop_samples: int

    def n_frames(self, n_samples: int) -> int:
        """Return the number of whole frames in ``n_samples``.

        >>> FrameGrid(400, 320).n_frames(16000), FrameGrid(400, 320).n_frames(399)
        (49, 0)
        """
        return max(0, 1 + (n_samples - self.window_samples) // self.hop_samples)

    def samples(self, n_frames: int) -> int:
        """Return the samples that so many frames are computed from; 0 for none."""
        return 0 if n_frames == 0 else (n_frames - 1) * self.hop_samples + self.window_samples


def without_frames(name: str) -> str:
    """Return why an encoder of this name gives no frames of speech, and what to use instead."""
    return (
        f'[encoder] name = "{name}": it has no vector for every 20 ms of any length of speech; use mfcc, logmel, or a '
        "wav2vec 2.0, HuBERT or WavLM model with hf"
    )


def frame_grid(spec: EncoderSpec) -> FrameGrid:
    """Return the grid of an encoder of frames.

    Raises
    ------
    UsageError
        The encoder gives one vector for a whole window, or reads windows of one length only.

    Examples
    --------
    >>> frame_grid(EncoderSpec("hf", rate=16000, dim=8, hop_s=0.02, origin_s=0.0125, least_samples=400))
    FrameGrid(window_samples=400, hop_samples=320)
    """
    if spec.one_token or spec.window_samples:
        raise UsageError(without_frames(spec.name))
    return FrameGrid(max(1, to_samples(2 * spec.origin_s, spec.rate)), max(1, to_samples(spec.hop_s, spec.rate)))


@dataclass(frozen=True, slots=True)
class EncodedFrames:
    """Some frames of a stretch, one after the other.

    Attributes
    ----------
    values
        float32, shape (k, dim).
    levels_db
        Level (RMS) of the samples of each frame in dB relative to full scale, float32 of shape (k,).
    """

    values: NDArray[np.float32]
    levels_db: NDArray[np.float32]


def encode_frames(
    blocks: Iterable[Samples], encoder: Encoder, block_s: float = BLOCK_S, context_s: float = CONTEXT_S
) -> Iterator[EncodedFrames]:
    """Yield the frames of a stretch, in order; the values do not depend on the size of its blocks of samples.

    Parameters
    ----------
    blocks
        The samples at ``encoder.spec.rate``, of any sizes. A stretch shorter than a frame has none.
    encoder
        An encoder of frames.
    block_s, context_s
        Seconds that are encoded together, and what is read around them.

    Raises
    ------
    UsageError
        The encoder does not give one vector for each frame of its grid.
    """
    grid = frame_grid(encoder.spec)
    core, context = (max(1, to_samples(s, encoder.spec.rate) // grid.hop_samples) for s in (block_s, context_s))
    held = np.zeros(0, dtype=np.float32)
    waiting: list[Samples] = []
    n_waiting = 0
    # ``held`` starts ``lead`` frames before the frames that are still to be encoded.
    lead = 0
    for block in blocks:
        waiting.append(block)
        n_waiting += len(block)
        if len(held) + n_waiting <= grid.samples(lead + core + 2 * context):
            continue
        held, waiting, n_waiting = np.concatenate([held, *waiting]), [], 0
        while len(held) > grid.samples(lead + core + 2 * context):
            yield _encoded(held[: grid.samples(lead + core + context)], encoder, grid, lead, core)
            kept_from = max(0, lead + core - context)
            held, lead = held[kept_from * grid.hop_samples :], lead + core - kept_from
    held = np.concatenate([held, *waiting])
    if (n := grid.n_frames(len(held)) - lead) > 0:
        yield _encoded(held, encoder, grid, lead, n)


def _encoded(samples: Samples, encoder: Encoder, grid: FrameGrid, lead: int, n: int) -> EncodedFrames:
    """Return ``n`` frames of ``samples`` from frame ``lead`` on, encoded together with what is around them."""
    vectors = encoder.encode(samples[None])[0]
    if len(vectors) != grid.n_frames(len(samples)):
        raise UsageError(
            f"[encoder] {encoder.spec.name}: it gives {len(vectors)} vectors for {grid.n_frames(len(samples))} frames; "
            "use an encoder with one vector a frame: mfcc, logmel, or a wav2vec 2.0, HuBERT or WavLM model with hf"
        )
    frame_samples = samples[lead * grid.hop_samples :]
    windows = np.lib.stride_tricks.sliding_window_view(frame_samples, grid.window_samples)[:: grid.hop_samples][:n]
    power = np.einsum("ij,ij->i", windows, windows, dtype=np.float64) / grid.window_samples
    levels = 10 * np.log10(np.maximum(power, 10 ** (LEVEL_FLOOR_DB / 10)))
    return EncodedFrames(vectors[lead : lead + n], levels.astype(np.float32))
