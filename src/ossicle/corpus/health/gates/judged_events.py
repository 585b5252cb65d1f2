"""The events that gates judge, as columns: from the index of a project, or from blocks of a manifest.

Both kinds of data give the same frames, so every figure and gate works for every recipe. A column that the data cannot
have (the dynamics of calls on a tape) is absent, and figures of it are undefined.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

EVENT_SCHEMA: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "recording": pl.Categorical,
    "start_s": pl.Float64,
    "label": pl.Categorical,
    "first": pl.Boolean,
    "length_s": pl.Float32,
}
"""Columns that every table of events has: ``first`` marks the first label of an event that has several.

``label`` is null for an event without one; ``length_s`` (seconds) is NaN where it is not known."""

STATED_SCHEMA: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "line": pl.UInt32,
    "event_id": pl.UInt64,
    "sample_id": pl.UInt64,
    "synthetic": pl.Boolean,
    "negative": pl.Boolean,
    "dynamic": pl.Categorical,
    "openness": pl.Float32,
    "bleed": pl.Categorical,
    "mix": pl.Categorical,
    "source": pl.Categorical,
    "session": pl.Categorical,
    "drummer": pl.Categorical,
    "kit": pl.Categorical,
    "loudness_db": pl.Float32,
    "peak_db": pl.Float32,
}
"""Columns that only manifests have; ``line`` counts from 1. Ids are 64-bit hashes: that two of three million different
ids get one hash by chance has a probability below one in a million."""


@dataclass(frozen=True)
class JudgedEvents:
    """What the gates judge.

    Attributes
    ----------
    events
        One row for each label of each event: ``EVENT_SCHEMA``, and columns of ``STATED_SCHEMA`` where the data have
        them.
    sounds
        One row for each sound whose level is known, Float64: ``loudness_db`` and ``peak_db``, NaN where not known.
    loudness_unit
        ``LUFS`` or ``dBFS``.
    digests
        The digest of each recording's bytes; None if no recording was read.
    techniques
        Number of events by technique; None if the data state none.
    """

    events: pl.DataFrame
    sounds: pl.DataFrame
    loudness_unit: str = "LUFS"
    digests: pl.DataFrame | None = None
    techniques: Mapping[str, int] | None = None

    def has(self, column: str) -> bool:
        """Return whether the data have a column, with at least one value in it."""
        return column in self.events.columns and self.events[column].null_count() < self.events.height


SOUND_SCHEMA = {"loudness_db": pl.Float64, "peak_db": pl.Float64}
