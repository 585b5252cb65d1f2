"""Where the sound of a recording begins, after the silence that a recorder, an editor or a codec put before it."""

from pathlib import Path

import numpy as np

from ossicle.audio.decoding.decode import AudioSource

BELOW_PEAK_DB = 30.0
"""The sound begins where its level is first this far below the highest; noise and pre-echoes lie lower."""
_FRAME_S = 0.001


def first_sound_s(path: Path) -> float | None:
    """Return where the sound of a recording begins, in seconds from its start, to a millisecond; None: all is silent.

    Parameters
    ----------
    path
        The file. It is decoded once, block by block, at its own rate; the loudest channel counts.

    Raises
    ------
    AudioError
        The file cannot be read.
    """
    source = AudioSource(path)
    frame = max(1, round(_FRAME_S * source.info.rate))
    parts, given = [], 0
    for block in source.blocks():
        loudest = np.abs(block).max(axis=1)
        # Frames count from the start of the recording, so blocks may divide one.
        edges = np.unique(np.r_[0, np.arange(-given % frame, len(loudest), frame)])
        parts.append(np.column_stack([(given + edges) // frame, np.maximum.reduceat(loudest, edges)]))
        given += len(loudest)
    frames = np.concatenate(parts) if parts else np.zeros((0, 2))
    peak = float(frames[:, 1].max(initial=0.0))
    if not peak:
        return None
    first = int(np.argmax(frames[:, 1] >= peak * 10 ** (-BELOW_PEAK_DB / 20)))
    return float(frames[first, 0]) * frame / source.info.rate
