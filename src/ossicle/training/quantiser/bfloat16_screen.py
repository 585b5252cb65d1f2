"""Approximate scores of centres in bfloat16, twice as fast as in float32 on processors that compute in it.

``ossicle.units.nearest`` computes again in float32 every frame for which the approximation does not decide, so labels
stay equal. The bound of the error has three parts, for a frame x and a centre c with the roundings x' and c':

- x is rounded: at most ``u |x| |c'|``, with u = 2^-8, half the distance of two bfloat16 relative to them.
- c is rounded: at most ``|x| |c - c'|``, with the difference as it is.
- The product is rounded to bfloat16, at most ``u |x'.c'|``, after sums in float32.
"""

import threading

import numpy as np
import torch

from ossicle.core.onednn import keep_from_amx
from ossicle.units.kmeans.cluster_sums import Centres
from ossicle.units.nearest import Frames, Screen

keep_from_amx()
# A shorter frame or fewer centres take as long to convert as they save.
_LEAST_DIM, _LEAST_CENTRES = 256, 32
_HALF, _SINGLE = 2.0**-8, 2.0**-23


def bfloat16_screen(centres: Centres) -> Screen | None:
    """Return the screen of some centres; None where it would not be faster.

    Parameters
    ----------
    centres
        float32, shape (k, dim).
    """
    long = len(centres) >= _LEAST_CENTRES and centres.shape[1] >= _LEAST_DIM
    return _screen(centres) if long and computes_in_bfloat16() else None


def computes_in_bfloat16() -> bool:
    """Return whether the processor multiplies bfloat16 and adds the products in float32."""
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def _screen(centres: Centres) -> Screen:
    thread_buffers = threading.local()
    exact = torch.from_numpy(np.ascontiguousarray(centres, np.float32))
    rounded = exact.to(torch.bfloat16)
    wide = rounded.to(torch.float64)
    longest = float(wide.norm(dim=1).max())
    difference = float((exact.to(torch.float64) - wide).norm(dim=1).max())
    columns = rounded.T
    squares = exact.to(torch.float64).square().sum(dim=1).to(torch.float32)
    # Sums in float32, and the score's own sum, err by less than these roundings.
    sums = (centres.shape[1] + 8) * _SINGLE

    def screen(frames: Frames) -> tuple[Frames, Frames]:
        lengths = np.sqrt(np.vecdot(frames, frames)) * np.float32(1 + _HALF)
        with torch.inference_mode():
            # Memory that was just freed is slow to write to again, so each thread keeps its own.
            if not hasattr(thread_buffers, "frames") or len(thread_buffers.frames) < len(frames):
                thread_buffers.frames = torch.empty(frames.shape, dtype=torch.bfloat16)
            buffer = thread_buffers.frames[: len(frames)]
            buffer.copy_(torch.from_numpy(frames))
            products = (buffer @ columns).to(torch.float32)
            largest = products.abs().amax(dim=1).numpy()
            scores = torch.sub(squares, products, alpha=2).numpy()
        error = lengths * np.float32(2 * (_HALF * longest + difference + sums * longest))
        error += largest * np.float32(2 * _HALF * (1 + _HALF)) + np.float32(sums * longest**2)
        return scores, error

    return screen
