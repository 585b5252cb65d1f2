"""Values that an event of a manifest states, as they are counted."""

from collections.abc import Mapping

import polars as pl


def bleed_level() -> pl.Expr:
    """Return the level of bleed as stated, numbers in tenths: nearly every event may have a number of its own."""
    number = pl.col("bleed_level").cast(pl.Float64, strict=False)
    tenth = (number * 10).floor() / 10
    inside = (number >= 0) & (number < 1)
    label = pl.format("{} to {}", tenth.round(1), (tenth + 0.1).round(1))
    outside = pl.lit("1 or more, or negative")
    return pl.when(number.is_null()).then("bleed_level").when(inside).then(label).otherwise(outside)


def technique_counts(techniques: pl.LazyFrame, first: pl.Series | None = None) -> Mapping[str, int] | None:
    """Return the number of events by technique; None if no event states one.

    Parameters
    ----------
    techniques
        One column of lists.
    first
        Rows to count, as booleans; None counts all.
    """
    lists = techniques.select("techniques").collect(engine="streaming").to_series()
    chosen = lists if first is None else lists.filter(first)
    counts = chosen.explode(empty_as_null=True).drop_nulls().value_counts()
    return dict(counts.iter_rows()) or None
