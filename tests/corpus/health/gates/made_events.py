"""Tables of events for the tests of the health gates."""

from collections.abc import Iterable, Sequence
from typing import Any

import polars as pl

from ossicle.corpus.health.gates.judged_events import EVENT_SCHEMA, SOUND_SCHEMA, STATED_SCHEMA, JudgedEvents

Hit = tuple[str, float, str | None]


def columns(
    hits: Iterable[Hit],
    *,
    lengths_s: Sequence[float] = (),
    sounds: Iterable[tuple[float, float]] = (),
    digests: Sequence[str] | None = None,
    techniques: dict[str, int] | None = None,
    **stated: Sequence[Any],
) -> JudgedEvents:
    """Columns of hits (recording, start, label), with columns of ``STATED_SCHEMA`` by name."""
    rows = list(hits)
    schema = {name: EVENT_SCHEMA[name] for name in ("recording", "start_s", "label")}
    frame = pl.DataFrame(rows, schema=schema, orient="row").with_columns(
        pl.Series("first", stated.pop("first", [True] * len(rows)), dtype=pl.Boolean),
        pl.Series("length_s", lengths_s or [float("nan")] * len(rows), dtype=pl.Float32),
    )
    more = [pl.Series(name, cells, dtype=STATED_SCHEMA[name]) for name, cells in stated.items()]
    read = None
    if digests is not None:
        read = pl.DataFrame({"path": [f"{n}.wav" for n in range(len(digests))], "digest": list(digests)})
    levels = pl.DataFrame(list(sounds), schema=SOUND_SCHEMA, orient="row")
    return JudgedEvents(frame.with_columns(more), levels, digests=read, techniques=techniques)
