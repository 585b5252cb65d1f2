"""Where the sound of a recording begins, after the silence that a recorder, an editor or a codec put before it."""

from itertools import chain
from pathlib import Path

import numpy as np

from ossicle.audio.decoding.decode import AudioSource
from ossicle.core.model_input.channel import MEAN

BELOW_PEAK_DB = 30.0
"""The sound begins where its level is first this far below the highest; noise and pre-echoes lie lower."""
_FRAME_S = 0.001
_OFFSET_S = 0.05
"""The constant offset of a channel is the median of its first samples: of silence, if silence comes first."""


def first_sound_s(path: Path, channel: str = MEAN) -> float | None:
    """Return where the sound of a recording begins, to a millisecond. A constant offset is no sound.

    Parameters
    ----------
    path
        The file. It is decoded block by block at its own rate, once, or twice to find the loudest channel.
    channel
        The channel that will be read, as in :mod:`ossicle.core.model_input.channel`. With ``mean`` the sound begins
        where it does in any channel.

    Returns
    -------
    float or None
        Seconds from the start of the recording; None if no sample differs from the first ones.

    Raises
    ------
    AudioError
        The file cannot be read, or lacks the channel.
    """
    source = AudioSource(path)
    frame = max(1, round(_FRAME_S * source.info.rate))
    index = source.channel(channel)
    read = slice(None) if index is None else slice(index, index + 1)
    n_first = max(1, round(_OFFSET_S * source.info.rate))
    blocks, first, n_read = source.blocks(), [], 0
    for block in blocks:
        first.append(block)
        n_read += len(block)
        if n_read >= n_first:
            break
    offset = np.median(np.concatenate(first)[:n_first, read], axis=0).astype(np.float32)
    parts, n_given = [], 0
    for block in chain(first, blocks):
        loudest = np.abs(block[:, read] - offset).max(axis=1)
        # Frames count from the start of the recording, so blocks may divide one.
        edges = np.unique(np.r_[0, np.arange(-n_given % frame, len(loudest), frame)])
        parts.append(np.column_stack([(n_given + edges) // frame, np.maximum.reduceat(loudest, edges)]))
        n_given += len(loudest)
    frames = np.concatenate(parts)
    peak = float(frames[:, 1].max())
    if not peak:
        return None
    begin = int(np.argmax(frames[:, 1] >= peak * 10 ** (-BELOW_PEAK_DB / 20)))
    return float(frames[begin, 0]) * frame / source.info.rate
