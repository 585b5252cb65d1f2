"""The samples of a frame that FFmpeg decoded."""

from typing import Any

import av
import numpy as np
from av.audio.frame import format_dtypes
from numpy.typing import NDArray


def frame_samples(frame: av.AudioFrame) -> NDArray[np.float32]:
    """Return the samples of a frame, full scale 1.

    PyAV's own ``to_ndarray`` must not be used: in frames of 8 channels and more it takes the memory behind the last one
    for further channels, and the process ends there.

    Parameters
    ----------
    frame
        A decoded frame of any layout.

    Returns
    -------
    ndarray of float32, shape (n, channels)

    Raises
    ------
    ValueError
        The samples are integers of 64 bits.
    """
    channels, planar = frame.layout.nb_channels, frame.format.is_planar
    dtype = format_dtypes.get(frame.format.name)
    if dtype is None:
        raise ValueError(f"{frame.format.name} is not supported")
    planes = frame.planes[: channels if planar else 1]
    n_values = frame.samples if planar else frame.samples * channels
    raw: NDArray[Any] = np.stack([np.frombuffer(memoryview(plane), dtype, n_values) for plane in planes])
    samples = raw.T if planar else raw.reshape(-1, channels)
    floats: NDArray[np.float32] = np.ascontiguousarray(samples, dtype=np.float32)
    if samples.dtype.kind == "u":
        return (floats - np.float32(128)) / np.float32(128)
    if samples.dtype.kind == "i":
        return floats / np.float32(1 << (8 * samples.dtype.itemsize - 1))
    return floats
