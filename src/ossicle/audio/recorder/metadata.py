"""Recorder metadata of a WAV file as a value, whoever wrote it."""

import math
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from ossicle.audio.containers.chunked.riff import recorder_chunks
from ossicle.audio.recorder.audiomoth import read_comment
from ossicle.audio.recorder.guano import read_guano
from ossicle.audio.recorder.values import RecorderMetadata
from ossicle.audio.recorder.wamd import read_wamd


def recorder_metadata(path: Path) -> RecorderMetadata:
    """Return what the recorder of a file says about it; nothing for files without such metadata.

    GUANO counts before wamd, and wamd before the comment of an AudioMoth. What cannot be understood is passed over:
    metadata never make a recording unusable.

    Raises
    ------
    OSError
        The file cannot be read.
    """
    chunks = recorder_chunks(path)
    metadata = RecorderMetadata()
    for name, read in (("guan", read_guano), ("wamd", read_wamd), ("ICMT", read_comment)):
        if name in chunks:
            metadata = _filled(metadata, read(chunks[name]))
    return metadata


def _filled(first: RecorderMetadata, second: RecorderMetadata) -> RecorderMetadata:
    """Return the values of ``first``, and those of ``second`` where it has none."""
    missing = {name: value for name, value in second.known.items() if name not in first.known}
    return replace(first, **missing)


def expansion_words(times: float) -> str:
    """Return what it means that a recording is time-expanded.

    >>> expansion_words(10.0)
    'slowed down 10 times: its times are 10 times as long, and its frequencies 1/10 of those that were recorded'
    """
    return (
        f"slowed down {times:g} times: its times are {times:g} times as long, and its frequencies 1/{times:g} of those "
        "that were recorded"
    )


def is_expanded(times: float | None) -> bool:
    """Return whether a recording is not in the time of its sound."""
    return times is not None and not math.isclose(times, 1.0)


def time_expansion_of(path: Path) -> float | None:
    """Return how many times slower a file is than its sound was; None if its recorder does not say that it is."""
    try:
        times = recorder_metadata(path).time_expansion
    except OSError:
        return None
    return times if is_expanded(times) else None


def start_of(stated: datetime | None) -> str:
    """Return a start as ISO 8601 to the second; empty for none."""
    return "" if stated is None else stated.isoformat(timespec="seconds" if stated.microsecond == 0 else "milliseconds")
