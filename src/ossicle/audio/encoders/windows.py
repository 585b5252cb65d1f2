"""Recordings to embeddings: full windows on the grid of the hop, whatever the size of the blocks they come from.

Window k covers samples [k * hop, k * hop + window) of the recording at the encoder's rate. The rest of a recording
after its last full window gives nothing.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ossicle.audio.encoders.spec import Encoder

BATCH_WINDOWS = 32
"""Windows that are encoded together: memory is bounded by them, whatever the length of a recording."""
LEVEL_FLOOR_DB = -120.0

Samples = NDArray[np.float32]
Change = Callable[[int, Samples], Samples]
"""Returns an augmented window (n_samples,) from its number and the window."""


@dataclass(frozen=True, slots=True)
class EncodedWindows:
    """Some windows of a recording, one after the other.

    Attributes
    ----------
    first
        Number of the first window.
    embeddings
        Of the recording and of each augmented copy: float32, shape (k, tokens, dim).
    levels_db
        Level (RMS) of each window in dB relative to full scale, float32 of shape (k,).
    """

    first: int
    embeddings: tuple[NDArray[np.float32], ...]
    levels_db: NDArray[np.float32]


def full_windows(n_samples: int, window_samples: int, hop_samples: int) -> int:
    """Return the number of full windows in ``n_samples``.

    >>> full_windows(5, 2, 1), full_windows(1, 2, 1)
    (4, 0)
    """
    return 0 if n_samples < window_samples else 1 + (n_samples - window_samples) // hop_samples


def filled(blocks: Iterable[Samples], multiple: int) -> Iterator[Samples]:
    """Yield the samples of a recording, and zeros up to a multiple of so many samples; with 0 there are none.

    >>> [block.tolist() for block in filled([np.ones(3, np.float32)], 2)]
    [[1.0, 1.0, 1.0], [0.0]]
    """
    n_samples = 0
    for block in blocks:
        n_samples += len(block)
        yield block
    if multiple and (beyond := n_samples % multiple):
        yield np.zeros(multiple - beyond, dtype=np.float32)


def batches(
    blocks: Iterable[Samples], window_samples: int, hop_samples: int, batch: int = BATCH_WINDOWS
) -> Iterator[tuple[int, Samples]]:
    """Yield the full windows of a recording: the number of the first, and the windows (k, window_samples), k >= 1.

    Parameters
    ----------
    blocks
        The samples, block by block, of any sizes.
    window_samples, hop_samples
        The grid.
    batch
        Most windows at a time.
    """
    waiting: list[Samples] = []
    held, skip, first = 0, 0, 0
    needed = window_samples + (batch - 1) * hop_samples

    def windows(samples: Samples, count: int) -> Samples:
        strided = np.lib.stride_tricks.sliding_window_view(samples, window_samples)[::hop_samples]
        return np.ascontiguousarray(strided[:count])

    for block in blocks:
        # A hop longer than a window leaves samples between windows that nobody needs.
        dropped = min(skip, len(block))
        skip -= dropped
        waiting.append(block[dropped:])
        held += len(block) - dropped
        if held < needed:
            continue
        samples = np.concatenate(waiting)
        while len(samples) >= needed:
            yield first, windows(samples, batch)
            first += batch
            skip = max(0, batch * hop_samples - len(samples))
            samples = samples[batch * hop_samples :]
        waiting, held = [samples.copy()], len(samples)
    rest = np.concatenate(waiting) if waiting else np.zeros(0, np.float32)
    if count := full_windows(len(rest), window_samples, hop_samples):
        yield first, windows(rest, count)


def encode_recording(
    blocks: Iterable[Samples],
    encoder: Encoder,
    window_samples: int,
    hop_samples: int,
    changes: Sequence[Change] = (),
) -> Iterator[EncodedWindows]:
    """Yield the embeddings of a recording and of its augmented copies, which are made in the same pass.

    Parameters
    ----------
    blocks
        The samples at ``encoder.spec.rate``, block by block.
    encoder
        The encoder.
    window_samples, hop_samples
        The grid.
    changes
        What makes each copy.
    """
    for first, windows in batches(blocks, window_samples, hop_samples):
        power = np.square(windows, dtype=np.float64).mean(axis=1)
        levels = 10 * np.log10(np.maximum(power, 10 ** (LEVEL_FLOOR_DB / 10)))
        embeddings = [encoder.encode(windows)]
        for change in changes:
            changed = [change(first + k, window) for k, window in enumerate(windows)]
            embeddings.append(encoder.encode(np.stack(changed)))
        yield EncodedWindows(first, tuple(embeddings), levels.astype(np.float32))
