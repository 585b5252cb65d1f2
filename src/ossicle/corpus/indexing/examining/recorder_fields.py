"""Fields of a recording from the metadata that its recorder wrote into the file.

They fill what the name of the recording and the metadata table of the corpus leave open.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from ossicle.audio.recorder.metadata import recorder_metadata, start_of
from ossicle.core.records import Recording

START, EXPANSION = "start_time", "time_expansion"


def recorder_fields(path: Path) -> dict[str, str]:
    """Return the fields of a file by its recorder: those of ``RecorderMetadata`` that are stated, as text."""
    try:
        known = recorder_metadata(path).known
    except OSError:
        # Decoding the file says what is wrong with it.
        return {}
    start = start_of(known.pop("start", None))
    fields = {name: value if isinstance(value, str) else f"{value:g}" for name, value in known.items()}
    for name in ("latitude", "longitude"):
        if name in known:
            fields[name] = f"{known[name]:.6f}".rstrip("0").rstrip(".")
    return fields | ({START: start} if start else {})


def with_recorder(recording: Recording, recorded: Mapping[str, str], *, is_clip: bool = False) -> Recording:
    """Return a recording with the fields of its recorder where it has none.

    A start in the name counts; if the recorder states the same local time with a zone, the zone is added. A clip keeps
    the start that follows from its tape (``is_clip``).
    """
    own_fields = recording.fields
    fields = {**recorded, **{name: value for name, value in own_fields.items() if value}}
    if is_clip and START not in own_fields:
        fields.pop(START, None)
    elif not is_clip and START in own_fields and START in recorded:
        fields[START] = _zoned(own_fields[START], recorded[START])
    return replace(recording, fields={**own_fields, **fields})


def _zoned(named: str, recorded: str) -> str:
    """Return the start in the name, with the zone of the recorder if both state the same second."""
    try:
        first, second = datetime.fromisoformat(named), datetime.fromisoformat(recorded)
    except ValueError:
        # A template may read anything as the start.
        return named
    same = first.tzinfo is None and abs((first - second.replace(tzinfo=None)).total_seconds()) < 1
    return recorded if same else named


def time_expansion(recording: Recording) -> float | None:
    """Return how many times slower a recording is than its sound was; None if nothing says so."""
    try:
        return float(recording.fields[EXPANSION])
    except (KeyError, ValueError):
        return None
