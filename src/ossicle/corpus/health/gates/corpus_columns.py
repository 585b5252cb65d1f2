"""The annotations of a project as columns for the health gates, with what a manifest says of each."""

import json
from collections.abc import Mapping

import numpy as np
import polars as pl

from ossicle.audio.decoding.levels import Levels
from ossicle.corpus.health.gates.judged_events import SOUND_SCHEMA, STATED_SCHEMA, JudgedEvents
from ossicle.corpus.health.gates.stated_values import bleed_level, technique_counts

_FIELDS = ("source", "session", "drummer", "kit")
_OF_HIT = {
    "synthetic": "is_synthetic",
    "dynamic": "dynamic_bucket",
    "openness": "openness",
    "mix": "mix_context",
    "loudness_db": "lufs",
    "peak_db": "peak_db",
}


def corpus_columns(
    annotations: pl.DataFrame,
    recordings: pl.DataFrame,
    levels: Mapping[str, Levels],
    hits: pl.LazyFrame | None = None,
) -> JudgedEvents:
    """Return the columns of a corpus.

    Parameters
    ----------
    annotations
        Columns ``recording_id``, ``start_s``, ``end_s`` (seconds) and ``label``.
    recordings
        Columns ``id``, ``root``, ``path``, ``digest`` and ``fields`` (JSON).
    levels
        Levels of decoded recordings by id.
    hits
        What a manifest says of each annotation, row by row; None if they are from tables.
    """
    table = recordings.select(
        pl.col("id").alias("recording_id"),
        # Recordings of a manifest have several roots, and a path may occur in each.
        (pl.col("path") if hits is None else pl.concat_str("root", "path", separator="/"))
        .cast(pl.Categorical)
        .alias("recording"),
        *_stated_fields(recordings, hits),
    )
    events = annotations.select(
        "recording_id",
        "start_s",
        pl.col("label").cast(pl.Categorical),
        pl.lit(value=True).alias("first"),
        (pl.col("end_s") - pl.col("start_s")).cast(pl.Float32).alias("length_s"),
    )
    techniques = None
    if hits is not None:
        stated = _stated_columns(hits)
        events = events.with_columns(stated.get_columns())
        techniques = technique_counts(hits.select("techniques"), stated["first"])
    events = events.join(table, on="recording_id", how="left", maintain_order="left")
    rows = [(levels_of.rms_dbfs, levels_of.peak_dbfs) for levels_of in levels.values()]
    measured = pl.DataFrame(rows, schema=SOUND_SCHEMA, orient="row")
    # A large corpus may not have been decoded; then its manifest is the only source.
    uses_stated = not rows and hits is not None
    return JudgedEvents(
        events=events.drop("recording_id"),
        sounds=events.lazy().filter("first").select(map(_level, SOUND_SCHEMA)).collect() if uses_stated else measured,
        loudness_unit="LUFS" if uses_stated else "dBFS",
        digests=recordings.select("path", "digest"),
        techniques=techniques,
    )


def _stated_columns(hits: pl.LazyFrame) -> pl.DataFrame:
    """Return the columns of ``STATED_SCHEMA`` that hits have, and ``first``, row by row."""
    values = {name: pl.col(column_name) for name, column_name in _OF_HIT.items()} | {"bleed": bleed_level()}
    values |= {
        name: pl.when(pl.col(name).is_not_null()).then(pl.col(name).hash()) for name in ("event_id", "sample_id")
    }
    known = pl.col("event_id").is_not_null()
    # Texts are read and forgotten block by block; what is left of them are codes and hashes.
    stated = hits.select(
        *(value.cast(STATED_SCHEMA[name]).alias(name) for name, value in values.items()),
        pl.when(known).then(pl.struct("recording_id", "start_s", "event_id").hash()).alias("event"),
        "component",
    ).collect(engine="streaming")
    return stated.drop("event", "component").with_columns(_firsts(stated["event"], stated["component"]))


def _firsts(event: pl.Series, component: pl.Series) -> pl.Series:
    """Return for each row whether it is the first component of its event that became an annotation.

    Without an id of the event, only its first component in the manifest is. Equal components of one event are all the
    first: the event is there twice.
    """
    component_of = component.to_numpy()
    key = event.fill_null(0).to_numpy()
    order = np.lexsort((component_of, key))
    begins = np.concatenate([[True], key[order[1:]] != key[order[:-1]]])[: len(order)]
    least = component_of[order[np.flatnonzero(begins)]][np.cumsum(begins) - 1]
    first = np.empty(len(order), dtype=bool)
    first[order] = component_of[order] == least
    return pl.Series("first", np.where(event.is_null().to_numpy(), component_of <= 0, first))


def _stated_fields(recordings: pl.DataFrame, hits: pl.LazyFrame | None) -> list[pl.Series]:
    """Return what the recordings of a manifest say: source, session, drummer and kit."""
    if hits is None:
        return []
    fields = [json.loads(text) for text in recordings["fields"].to_list()]
    return [pl.Series(name, [field.get(name) for field in fields], dtype=pl.Categorical) for name in _FIELDS]


def _level(name: str) -> pl.Expr:
    return pl.col(name).fill_null(float("nan")).cast(SOUND_SCHEMA[name])
