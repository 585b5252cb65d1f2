"""Log-mel spectrograms in NumPy: the reference for every other runtime.

``10 * log10(max(bank @ |STFT|^2, floor))`` with ``center=False``, from the arrays of ``core.model_input.frontend``.
Frame k is computed from samples [k * hop, k * hop + n_fft). Fast Fourier transforms are scipy's in float32.
"""

import math
from collections.abc import Iterator
from concurrent.futures import Executor
from functools import lru_cache

import numpy as np
import scipy
from numpy.typing import NDArray

from ossicle.core.model_input.chunks import ChunkPlan, framing
from ossicle.core.model_input.frontend import FrontEndSettings, analysis_window, filter_bank

# Samples in the frames transformed at once, so that frames and spectra stay within a core's cache.
_BLOCK_VALUES = 1 << 16
# Threads get runs of blocks, so that starting a thread costs little compared with its work.
_RUN_BLOCKS = 4
# Neighbouring bands share a product over their own bins only. Products are then so small that BLAS starts no threads,
# which would cost far more than they save and compete with the caller's.
_GROUP_BANDS = 8


def n_frames(n_samples: int, front: FrontEndSettings) -> int:
    """Return the number of whole frames in ``n_samples``.

    >>> n_frames(16000, FrontEndSettings())
    97
    """
    return max(0, 1 + (n_samples - front.n_fft) // front.hop_samples)


def chunk_log_mel(
    chunks: NDArray[np.float32], plan: ChunkPlan, front: FrontEndSettings, pool: Executor | None = None
) -> NDArray[np.float32]:
    """Return the spectrograms (batch, n_frames, n_mels), in dB, of whole chunks (batch, plan.chunk_samples).

    :func:`ossicle.core.model_input.chunks.framing` gives ``n_frames`` and the rows of each frame of the plan. The
    threads of ``pool`` share the work; the values are the same without.
    """
    if framing(plan, front).shared:
        return log_mel(chunks, front, pool)
    windows = np.lib.stride_tricks.sliding_window_view(chunks, plan.window_samples, axis=-1)[:, :: plan.hop_samples]
    return np.concatenate(
        [log_mel(np.ascontiguousarray(chunk), front, pool).reshape(1, -1, front.n_mels) for chunk in windows]
    )


def log_mel(
    waveform: NDArray[np.float32], front: FrontEndSettings, pool: Executor | None = None
) -> NDArray[np.float32]:
    """Return the log-mel spectrogram in dB of waveforms.

    The values of a waveform depend neither on the rest of the batch nor on ``pool``.

    Parameters
    ----------
    waveform
        float32, shape (..., n_samples).
    front
        Settings of the front end.
    pool
        Threads that share the work.

    Returns
    -------
    ndarray
        float32, shape (..., n_frames, n_mels).
    """
    window, groups = _arrays(front)
    wave = np.ascontiguousarray(waveform, dtype=np.float32)
    rows = wave.reshape(math.prod(wave.shape[:-1]), wave.shape[-1])
    if front.preemphasis:
        # The first sample stays unchanged: it is multiplied by the window's zero.
        rows = rows.copy()
        rows[:, 1:] -= np.float32(front.preemphasis) * wave.reshape(rows.shape)[:, :-1]
    frames = n_frames(wave.shape[-1], front)
    step = max(1, _BLOCK_VALUES // front.n_fft)
    spectrogram = np.empty((len(rows), frames, front.n_mels), dtype=np.float32)
    low, high = min(bins.start for bins, *_ in groups), max(bins.stop for bins, *_ in groups)
    floor = np.float32(10 ** (front.floor_db / 10))

    def transform(run: tuple[int, range]) -> None:
        row, firsts = run
        strided = np.lib.stride_tricks.sliding_window_view(rows[row], front.n_fft)[:: front.hop_samples]
        for first in firsts:
            power = spectrogram[row, first : first + step]
            spectrum = scipy.fft.rfft(strided[first : first + step] * window, axis=-1)[:, low:high]
            energy = spectrum.real**2
            energy += spectrum.imag**2
            for bins, bands, filters in groups:
                np.matmul(energy[:, bins.start - low : bins.stop - low], filters, out=power[:, bands])
            np.maximum(power, floor, out=power)
            # The natural logarithm is vectorised in NumPy, the decimal one is not.
            np.log(power, out=power)
            power *= np.float32(10 / np.log(10))

    for _ in (map if pool is None else pool.map)(transform, _runs(len(rows), frames, step)):
        pass
    return spectrogram.reshape(*wave.shape[:-1], frames, front.n_mels)


def _runs(rows: int, frames: int, step: int) -> Iterator[tuple[int, range]]:
    """Yield runs of neighbouring blocks: a row, and the first frame of each of its blocks."""
    for row in range(rows):
        for first in range(0, frames, step * _RUN_BLOCKS):
            yield row, range(first, min(first + step * _RUN_BLOCKS, frames), step)


@lru_cache(maxsize=16)
def _arrays(
    front: FrontEndSettings,
) -> tuple[NDArray[np.float32], tuple[tuple[slice, slice, NDArray[np.float32]], ...]]:
    """Return the window (n_fft,), and for each group of bands its bins, bands and filters (bins, bands)."""
    bank = filter_bank(front)
    groups = []
    start = 0
    for first in range(0, front.n_mels, _GROUP_BANDS):
        bands = slice(first, min(first + _GROUP_BANDS, front.n_mels))
        used = np.flatnonzero(bank[bands].any(axis=0))
        # A group without any bin (far more bands than bins) still gives the floor.
        start, stop = (int(used[0]), int(used[-1]) + 1) if len(used) else (start, start + 1)
        groups.append((slice(start, stop), bands, np.ascontiguousarray(bank[bands, start:stop].T)))
    return analysis_window(front.n_fft, front.window_scale), tuple(groups)
