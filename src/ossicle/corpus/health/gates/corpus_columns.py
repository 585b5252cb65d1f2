"""The annotations of a project as columns for the health gates."""

from collections.abc import Mapping

import polars as pl

from ossicle.audio.decoding.levels import Levels
from ossicle.corpus.health.gates.event_columns import SOUND_SCHEMA, EventColumns


def corpus_columns(annotations: pl.DataFrame, recordings: pl.DataFrame, levels: Mapping[str, Levels]) -> EventColumns:
    """Return the columns of a corpus.

    Parameters
    ----------
    annotations
        Columns ``recording_id``, ``start_s``, ``end_s`` (seconds) and ``label``.
    recordings
        Columns ``id``, ``path`` and ``digest``.
    levels
        Levels of decoded recordings by id.
    """
    paths = recordings.select(pl.col("id").alias("recording_id"), pl.col("path").cast(pl.Categorical))
    events = annotations.join(paths, on="recording_id", how="left", maintain_order="left").select(
        pl.col("path").alias("recording"),
        "start_s",
        pl.col("label").cast(pl.Categorical),
        pl.lit(value=True).alias("first"),
        (pl.col("end_s") - pl.col("start_s")).cast(pl.Float32).alias("length_s"),
    )
    rows = [(of.rms_dbfs, of.peak_dbfs) for of in levels.values()]
    return EventColumns(
        events=events,
        sounds=pl.DataFrame(rows, schema=SOUND_SCHEMA, orient="row"),
        loudness_unit="dBFS",
        digests=recordings.select("path", "digest"),
    )
