"""Events as a table with one row for each component, and the faults that their types do not show."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import polars as pl

from ossicle.corpus.formats.cells.rows import label_text
from ossicle.corpus.manifest.event_fields import (
    Component,
    Event,
    Loudness,
    name_fault,
    order_fault,
    path_fault,
    recording_path,
)

EVENT_SCHEMA: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "line": pl.Int64,
    "event_id": pl.String,
    "session_id": pl.String,
    "source_set": pl.String,
    "audio_path": pl.String,
    "onset_s": pl.Float64,
    "offset_s": pl.Float64,
    "pre_s": pl.Float64,
    "post_s": pl.Float64,
    "duration_s": pl.Float64,
    "is_synthetic": pl.Boolean,
    "negative_example": pl.Boolean,
    "techniques": pl.List(pl.String),
    "sample_id": pl.String,
    "drummer_id": pl.String,
    "kit_id": pl.String,
    "bleed_level": pl.String,
    "mix_context": pl.String,
    "lufs": pl.Float64,
    "peak_db": pl.Float64,
    "split": pl.String,
    "component": pl.Int32,
    "label": pl.String,
    "velocity": pl.Float64,
    "dynamic_bucket": pl.String,
    "openness": pl.Float64,
}
"""Columns of a table of events. Times in seconds; ``line`` from 1; ``lufs`` in LUFS, ``peak_db`` in dB below full
scale; ``velocity`` and ``openness`` in [0, 1]. What an event does not state is null. An event without components has
one row, with ``component`` -1 and no label; other rows count the components of their event from 0.
"""

_NO_LOUDNESS = Loudness()
_NO_COMPONENT = Component("-")


def event_table(events: Sequence[Event], numbers: Sequence[int]) -> pl.DataFrame:
    """Return events as a table (:data:`EVENT_SCHEMA`), in the order of their lines and components.

    Paths get forward slashes, labels lose outer blanks, and both are in Unicode NFC.

    Parameters
    ----------
    events
        Events without faults (:func:`event_fault`).
    numbers
        Their lines.
    """
    event_rows = [k for k, event in enumerate(events) for _ in range(len(event.components) or 1)]
    parts = [component for event in events for component in event.components or (_NO_COMPONENT,)]
    loudness = [event.loudness or _NO_LOUDNESS for event in events]
    by_event: dict[str, Sequence[Any]] = {
        "line": list(numbers),
        "event_id": [_text(event.event_id) for event in events],
        "session_id": [event.session_id for event in events],
        "source_set": [event.source_set for event in events],
        "audio_path": _mapped(recording_path, [event.audio_path for event in events]),
        "onset_s": [event.onset_time for event in events],
        "offset_s": [event.offset_time for event in events],
        "pre_s": [event.context_ms.pre / 1000 for event in events],
        "post_s": [event.context_ms.post / 1000 for event in events],
        "duration_s": [event.duration_seconds for event in events],
        "is_synthetic": [event.is_synthetic for event in events],
        "negative_example": [event.negative_example for event in events],
        "sample_id": [_text(event.sample_id) for event in events],
        "drummer_id": [_text(event.drummer_id) for event in events],
        "kit_id": [_text(event.kit_id) for event in events],
        "bleed_level": [_level(event.bleed_level) for event in events],
        "mix_context": [_text(event.mix_context) for event in events],
        "lufs": [component_loudness.LUFS_i for component_loudness in loudness],
        "peak_db": [component_loudness.peak_dbfs for component_loudness in loudness],
        "split": [_text(event.split) for event in events],
    }
    by_part: dict[str, Sequence[Any]] = {
        "component": [k for event in events for k in (range(len(event.components)) if event.components else (-1,))],
        "label": [None if part is _NO_COMPONENT else part.label for part in parts],
        "velocity": [part.velocity for part in parts],
        "dynamic_bucket": [_text(part.dynamic_bucket) for part in parts],
        "openness": [part.openness for part in parts],
    }
    by_part["label"] = _mapped(label_text, by_part["label"])
    columns = [pl.Series(name, values, EVENT_SCHEMA[name]).gather(event_rows) for name, values in by_event.items()]
    columns.insert(
        list(EVENT_SCHEMA).index("techniques"), _lists([event.techniques or () for event in events]).gather(event_rows)
    )
    columns += [pl.Series(name, values, EVENT_SCHEMA[name]) for name, values in by_part.items()]
    return pl.DataFrame(columns)


def _lists(techniques: Sequence[Sequence[str]]) -> pl.Series:
    """Return a column of lists, of which few differ: polars takes long to read each from Python."""
    places: dict[tuple[str, ...], int] = {}
    rows = [places.setdefault(tuple(technique), len(places)) for technique in techniques]
    return pl.Series("techniques", [list(index) for index in places], EVENT_SCHEMA["techniques"]).gather(rows)


def _mapped(function: Callable[[str], str], texts: Sequence[str | None]) -> list[str | None]:
    """Return texts after a function, which is called once for each different text."""
    known: dict[str | None, str | None] = {text: function(text) for text in set(texts) if text is not None}
    return [known.get(text) for text in texts]


def _text(value: str | int | None) -> str | None:
    """Return an optional name as text; None for one that is missing or blank."""
    return None if value is None else str(value).strip() or None


def _level(value: float | str | None) -> str | None:
    return f"{value:g}" if isinstance(value, float) else _text(value)


class EventCheck:
    """Finds what is wrong with events beyond their types. Names that were checked are remembered, but not ids."""

    def __init__(self) -> None:
        self._known: set[tuple[object, ...]] = set()

    def fault(self, event: Event) -> str:
        """Return why an event cannot be used, or no text: times in the wrong order, a path that leaves its root, a
        name that holds a control character.
        """
        if event.offset_time is not None and (fault := order_fault(event.onset_time, event.offset_time)):
            return fault
        # Most events of a recording have the names of the one before.
        names = (
            event.audio_path,
            event.session_id,
            event.source_set,
            event.drummer_id,
            event.kit_id,
            event.bleed_level,
            event.mix_context,
            event.split,
        )
        if names not in self._known:
            if fault := path_fault(event.audio_path) or _names_fault(zip(_NAMES, names[1:], strict=True)):
                return fault
            self._known.add(names)
        for part in event.components:
            of_part = (part.label, part.dynamic_bucket)
            if of_part not in self._known:
                if fault := name_fault("label", part.label) or _names_fault([("dynamic_bucket", part.dynamic_bucket)]):
                    return fault
                self._known.add(of_part)
        for technique in event.techniques or ():
            if fault := name_fault("techniques", technique):
                return fault
        return _names_fault((("event_id", event.event_id), ("sample_id", event.sample_id)))


_NAMES = ("session_id", "source_set", "drummer_id", "kit_id", "bleed_level", "mix_context", "split")


def _names_fault(names: Iterable[tuple[str, object]]) -> str:
    """Return what is wrong with the first bad name of several, or no text; numbers and missing names are good."""
    for key, value in names:
        if isinstance(value, str) and value and (fault := name_fault(key, value)):
            return fault
    return ""
