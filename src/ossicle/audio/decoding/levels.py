"""Levels of a recording, in one pass that also finds out how much of it decodes."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ossicle.audio.decoding.decode import AudioSource, DecodeReport
from ossicle.audio.info import AudioInfo

# 16-bit full scale is 0.99997; anything this close to it is clipped.
CLIPPED_LEVEL = 0.9995
SILENCE_DBFS = -200.0


@dataclass(frozen=True, slots=True)
class Levels:
    """Levels over all channels, relative to full scale: ``rms_dbfs`` and ``peak_dbfs`` are -200 for digital silence.

    ``dc`` is the mean sample in [-1, 1], ``clipped_share`` the share of samples at full scale. If the channels cancel
    each other, ``cancel_db`` is how many dB their mean lies below the loudest one (negative), in all or a part of the
    recording.
    """

    rms_dbfs: float
    peak_dbfs: float
    dc: float
    clipped_share: float
    cancel_db: float | None = None


def measure(path: Path) -> tuple[AudioInfo, DecodeReport, Levels]:
    """Decode a recording once, block by block at its own rate, and return its header, report and levels.

    Raises
    ------
    AudioError
        If the file cannot be read.
    """
    source = AudioSource(path)
    total = power = 0.0
    count = clipped = 0
    peak = 0.0
    for block in source.blocks():
        magnitude = np.abs(block)
        total += float(block.sum(dtype=np.float64))
        power += float(np.square(block, dtype=np.float64).sum())
        peak = max(peak, float(magnitude.max(initial=0.0)))
        clipped += int(np.count_nonzero(magnitude >= CLIPPED_LEVEL))
        count += block.size
    levels = Levels(
        rms_dbfs=_dbfs(np.sqrt(power / max(count, 1))),
        peak_dbfs=_dbfs(peak),
        dc=round(total / max(count, 1), 6),
        clipped_share=round(clipped / max(count, 1), 9),
        cancel_db=source.report.cancel_db,
    )
    return source.info, source.report, levels


def _dbfs(amplitude: float) -> float:
    return round(20 * float(np.log10(amplitude)), 2) if amplitude > 1e-10 else SILENCE_DBFS
