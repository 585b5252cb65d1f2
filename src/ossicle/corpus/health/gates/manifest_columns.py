"""The events of a manifest as columns for the health gates, collected from its blocks.

A block holds every field as text; what is kept of it takes about 90 bytes an event, because names become codes and ids
become hashes.
"""

from collections import Counter
from collections.abc import Callable, Mapping

import polars as pl

from ossicle.corpus.health.gates.judged_events import EVENT_SCHEMA, SOUND_SCHEMA, STATED_SCHEMA, JudgedEvents
from ossicle.corpus.health.gates.stated_values import bleed_level, technique_counts

_SCHEMA = {**EVENT_SCHEMA, **STATED_SCHEMA}
_PLAIN = {
    "synthetic": "is_synthetic",
    "negative": "negative_example",
    "dynamic": "dynamic_bucket",
    "openness": "openness",
    "mix": "mix_context",
    "source": "source_set",
    "session": "session_id",
    "drummer": "drummer_id",
    "kit": "kit_id",
    "loudness_db": "lufs",
    "peak_db": "peak_db",
    "start_s": "onset_s",
    "line": "line",
}
_ROUNDING_S = 1e-9


class ManifestCollector:
    """Collects blocks of a manifest, in any order.

    Parameters
    ----------
    name
        Returns the name of a label; None keeps labels as they are written.

    Examples
    --------
    >>> ManifestCollector().columns().events.height
    0
    """

    def __init__(self, name: Callable[[str], str] | None = None) -> None:
        self._name = name
        self._parts: list[pl.DataFrame] = [pl.DataFrame(schema=_SCHEMA)]
        self._techniques: Counter[str] = Counter()

    def add(self, events: pl.DataFrame) -> None:
        """Add a block: a table of :data:`ossicle.corpus.manifest.event_table.EVENT_SCHEMA`.

        Components of a negative example are no events of their labels.
        """
        if self._name is not None:
            labels = events["label"].drop_nulls().unique().to_list()
            events = events.with_columns(pl.col("label").replace(labels, [self._name(label) for label in labels]))
        stated_s = pl.coalesce("duration_s", pl.col("offset_s") - pl.col("onset_s"), _window_s())
        part = events.select(
            pl.concat_str("source_set", "audio_path", separator="/").alias("recording"),
            pl.when("negative_example").then(None).otherwise("label").alias("label"),
            (pl.col("component") <= 0).alias("first"),
            stated_s.fill_null(float("nan")).alias("length_s"),
            pl.when(pl.col("event_id").is_not_null()).then(pl.col("event_id").hash()).alias("event_id"),
            pl.when(pl.col("sample_id").is_not_null()).then(pl.col("sample_id").hash()).alias("sample_id"),
            bleed_level().alias("bleed"),
            *(pl.col(name).alias(column_name) for column_name, name in _PLAIN.items()),
        )
        self._parts.append(part.select(pl.col(name).cast(kind) for name, kind in _SCHEMA.items()))
        first = events.filter(pl.col("component") <= 0)
        self._techniques.update(technique_counts(first.lazy().select("techniques")) or {})

    def columns(self) -> JudgedEvents:
        """Return what was collected."""
        events = pl.concat(self._parts)
        sounds = (
            events.lazy()
            .filter("first")
            .select(pl.col(name).fill_null(float("nan")).cast(kind) for name, kind in SOUND_SCHEMA.items())
        )
        techniques: Mapping[str, int] | None = dict(self._techniques) or None
        return JudgedEvents(events=events, sounds=sounds.collect(), loudness_unit="LUFS", techniques=techniques)


def _window_s() -> pl.Expr:
    """Return the window around an onset in seconds, null where it has no length."""
    window = pl.col("pre_s") + pl.col("post_s")
    return pl.when(window > _ROUNDING_S).then(window)
