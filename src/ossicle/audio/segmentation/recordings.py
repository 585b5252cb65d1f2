"""Segments of a recording on disk: one pass over its sound, whatever its length."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ossicle.audio.decoding.mono import MonoStream
from ossicle.audio.segmentation.frame_levels import RATE, WINDOW_SAMPLES, frame_levels
from ossicle.audio.segmentation.pieces import GIVEN, SILENT_DBFS, peak_of, pieces_of, threshold_of
from ossicle.audio.segmentation.settings import FILES, TABLE, SegmentSettings
from ossicle.core.model_input.channel import MEAN
from ossicle.core.time import samples_at_rate, to_samples, to_seconds

# Times in tables are often rounded to milliseconds.
_ROUNDED_S = 0.001


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a recording.

    Attributes
    ----------
    start_s, end_s
        Seconds from the start of the recording: whole samples at its own rate.
    peak_db
        Level of its loudest 25 ms in dB relative to full scale.
    cut
        Why it ends: ``silence``, ``longest``, ``end`` or ``given``.
    """

    start_s: float
    end_s: float
    peak_db: float
    cut: str

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.end_s - self.start_s


@dataclass(frozen=True, slots=True)
class SegmentedRecording:
    """The segments of a recording, and how they were found.

    Attributes
    ----------
    segments
        In order, without overlap.
    duration_s
        Seconds that decode.
    loudest_db
        Level of the loudest 25 ms in dB relative to full scale.
    threshold_db
        Level below which frames are silent; None if segments are given.
    partial
        Why the recording ends early; empty if it does not.
    left_out
        Why there are no segments; empty if there are some.
    lost
        Stretches that are no segments, or not whole: a sentence for each.
    cancel_db
        How many dB the mean of its channels lies below the loudest one (negative), in all or a part of it; None unless
        they cancel.
    """

    segments: tuple[Segment, ...]
    duration_s: float
    loudest_db: float
    threshold_db: float | None
    partial: str = ""
    left_out: str = ""
    lost: tuple[str, ...] = ()
    cancel_db: float | None = None


def segment_recording(
    path: Path,
    settings: SegmentSettings,
    *,
    channel: str = MEAN,
    given: Sequence[tuple[float, float]] = (),
    watch: Callable[[], None] = lambda: None,
) -> SegmentedRecording:
    """Return the segments of a recording.

    Parameters
    ----------
    path
        The audio file.
    settings
        How it is cut.
    channel
        The channel to hear, as in :mod:`ossicle.core.model_input.channel`.
    given
        Starts and ends in seconds of ready segments, with ``settings.by = "table"``; what lies beyond the end of the
        recording is cut off, and said.
    watch
        Called before each block of samples; what it raises ends the work.

    Returns
    -------
    SegmentedRecording
        With the reason if there is no segment.

    Raises
    ------
    AudioError
        The file cannot be read.
    """
    stream = MonoStream(path, RATE, channel=channel)
    levels, n_samples = frame_levels(_watched(stream, watch))
    rate, n_own = stream.info.rate, stream.report.n_samples
    partial = stream.report.reason if stream.report.status == "partial" else ""
    duration_s = to_seconds(n_own, rate)
    loudest_db = round(peak_of(levels, 0, n_samples), 3)
    threshold_db: float | None = None
    lost: list[str] = []
    if settings.by == TABLE:
        stretches = [
            (to_samples(start_s, rate), min(to_samples(end_s, rate), n_own), GIVEN) for start_s, end_s in given
        ]
        lost = [
            f"the segment at {start_s:g} s ends after the recording, at {duration_s:g} s, and was cut off there"
            for start_s, end_s in given
            if start_s < duration_s < end_s - _ROUNDED_S
        ]
        reason = "the table has no segment within it"
    elif settings.by == FILES:
        stretches, reason = [(0, n_own, GIVEN)], ""
    else:
        threshold_db = round(threshold_of(levels, settings), 3)
        ends = {n_samples: n_own}
        stretches = [
            (
                samples_at_rate(piece.start, RATE, rate),
                ends.get(piece.end, min(n_own, samples_at_rate(piece.end, RATE, rate))),
                piece.cut,
            )
            for piece in pieces_of(levels, n_samples, threshold_db, settings)
        ]
        reason = f"no frame reaches {max(threshold_db, SILENT_DBFS):.1f} dBFS (the loudest: {loudest_db:.1f} dBFS)"
    segments = tuple(
        Segment(
            to_seconds(start, rate),
            to_seconds(end, rate),
            round(peak_of(levels, samples_at_rate(start, rate, RATE), samples_at_rate(end, rate, RATE)), 3),
            cut,
        )
        for start, end, cut in stretches
        if not _why_none(start, end, n_own, rate)
    )
    without = [(start, fault) for start, end, _ in stretches if (fault := _why_none(start, end, n_own, rate))]
    lost += [f"the segment at {to_seconds(start, rate):g} s {reason}" for start, reason in without]
    left_out = "" if segments else lost[-1] if lost else reason
    return SegmentedRecording(
        segments, duration_s, loudest_db, threshold_db, partial, left_out, tuple(lost), stream.report.cancel_db
    )


def _why_none(start: int, end: int, n_samples: int, rate: int) -> str:
    """Return why samples [start, end) of a recording at ``rate`` are no segment; empty if they are one."""
    if start >= n_samples:
        return f"begins after the recording ends, at {to_seconds(n_samples, rate):g} s"
    if end <= start:
        return "has no length"
    if samples_at_rate(end, rate, RATE) - samples_at_rate(start, rate, RATE) < WINDOW_SAMPLES:
        return "is shorter than a frame of 25 ms"
    return ""


def _watched(blocks: Iterable[NDArray[np.float32]], watch: Callable[[], None]) -> Iterator[NDArray[np.float32]]:
    for block in blocks:
        watch()
        yield block
