"""From imported events to hits: one row for each component that is an annotation, in tables of bounded size.

A table holds the hits of a run of recordings, in the order of their ids, so all tables one after the other are in the
order of the annotations: row by row, an annotation and its hit belong together.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from ossicle.artefacts.files import read_json, write_json
from ossicle.artefacts.records.record_tables import ANNOTATION_SCHEMA
from ossicle.artefacts.tables import write_table
from ossicle.core.records import Recording
from ossicle.corpus.notes import Note

RUN_ROWS = 1 << 19
"""Rows of a table; recordings are not divided, so a table may hold more."""
KEYS = ("recording_id", "start_s", "end_s", "label")
HIT_COLUMNS = (
    "event_id", "component", "velocity", "dynamic_bucket", "openness", "pre_s", "post_s", "duration_s", "is_synthetic",
    "techniques", "sample_id", "bleed_level", "mix_context", "lufs", "peak_db", "split",
)  # fmt: skip
"""Columns of a table of hits beside :data:`KEYS`, as in :data:`ossicle.corpus.manifest.event_table.EVENT_SCHEMA`."""
_END_TOLERANCE_S = 0.005
_PLAIN = ("beyond", "shortened", "negatives", "empty")


@dataclass(slots=True)
class HitCounts:
    """What became of the components of events: counts of those that are no annotation, by reason.

    ``not_kept``: by label. ``beyond``: they begin after the end of their recording. ``shortened``: their end was moved
    to that of the recording. ``negatives``: events that are negative examples. ``empty``: events without components.
    """

    labels: Counter[str] = field(default_factory=Counter)
    not_kept: Counter[str] = field(default_factory=Counter)
    beyond: int = 0
    shortened: int = 0
    negatives: int = 0
    empty: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        counts = {name: getattr(self, name) for name in _PLAIN}
        return {"labels": dict(self.labels), "not_kept": dict(self.not_kept), **counts}

    def add(self, counts: Mapping[str, Any]) -> None:
        """Add the counts of a record."""
        self.labels.update(counts["labels"])
        self.not_kept.update(counts["not_kept"])
        for name in _PLAIN:
            setattr(self, name, getattr(self, name) + int(counts[name]))

    def notes(self, where: str, wanted_labels: Sequence[str]) -> list[Note]:
        """Return a note for each count that is not zero, and for each wanted label that no event has."""
        plain = (
            ("negative_examples", self.negatives, "negative examples, which add no annotation", 0),
            ("without_components", self.empty, "events without components, which add no annotation", 0),
            ("beyond_end", self.beyond, "hits begin after the end of their recording and were skipped", self.beyond),
            ("clipped", self.shortened, "hits were shortened to the end of their recording", 0),
        )
        notes = [Note(kind, where, f"{n} {message}", lost) for kind, n, message, lost in plain if n]
        notes += [
            Note("label_not_kept", label, f"{n} annotations, not in labels", n)
            for label, n in sorted(self.not_kept.items())
        ]
        return notes + [
            Note("label_not_found", label, "is in labels, but no annotation has it")
            for label in wanted_labels
            if label not in self.labels
        ]


@dataclass(frozen=True, slots=True)
class Labelling:
    """How labels of a manifest become labels of the corpus.

    ``name`` maps each; ``kept_labels`` are kept (empty: all).
    """

    name: Callable[[str], str]
    kept_labels: Sequence[str] = ()


def write_hits(
    events: pl.LazyFrame, recordings: Sequence[Recording], labelling: Labelling, folder: Path, records: Path
) -> tuple[list[Path], HitCounts]:
    """Write the hits of recordings as tables; tables with a record, of an interrupted run, are kept.

    Parameters
    ----------
    events
        Events of all blocks (:class:`ossicle.corpus.manifest.block_import.Imported`).
    recordings
        The recordings to use.
    labelling
        How labels are mapped and which are kept.
    folder
        Folder of the tables.
    records
        Folder of the records: what each table counted.

    Returns
    -------
    tuple[list[Path], HitCounts]
        The tables in order, and what became of the components.
    """
    counts = HitCounts()
    lengths = pl.DataFrame(
        {
            "recording_id": [recording.id for recording in recordings],
            "length_s": [recording.duration_s for recording in recordings],
        },
        schema={"recording_id": pl.String, "length_s": pl.Float64},
    ).sort("recording_id")
    rows = events.group_by("recording_id").len().collect()
    sizes = lengths.join(rows, on="recording_id", how="left", maintain_order="left")["len"].fill_null(0).to_list()
    tables: list[Path] = []
    for number, (begin, end) in enumerate(_runs(sizes)):
        table, record = folder / f"{number:04d}.parquet", records / f"hits-{number:04d}.json"
        if not (table.is_file() and record.is_file()):
            run = lengths[begin:end]
            first, last = pl.lit(run["recording_id"][0]), pl.lit(run["recording_id"][-1])
            run_events = events.filter(pl.col("recording_id").is_between(first, last)).collect()
            hits, run_counts = _hits(run_events, run, labelling)
            write_table(table, hits, [*KEYS, "event_id", "component"])
            write_json(record, run_counts.to_json())
        counts.add(read_json(record))
        tables.append(table)
    return tables, counts


def annotations_in(tables: Sequence[Path]) -> pl.DataFrame:
    """Return the annotations of tables of hits, in their order (``ANNOTATION_SCHEMA``)."""
    parts = [pl.read_parquet(table, columns=list(KEYS), glob=False) for table in tables]
    keys = pl.concat(parts) if parts else pl.DataFrame(schema={name: ANNOTATION_SCHEMA[name] for name in KEYS})
    missing = [name for name in ANNOTATION_SCHEMA if name not in (*KEYS, "provenance")]
    return keys.with_columns(
        *(pl.lit(None, ANNOTATION_SCHEMA[name]).alias(name) for name in missing),
        pl.lit("annotated").alias("provenance"),
    ).select(list(ANNOTATION_SCHEMA))


def _runs(sizes: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield ranges of recordings with about :data:`RUN_ROWS` rows; at least one range if there are recordings."""
    begin = rows = 0
    for number, size in enumerate(sizes):
        if rows and rows + size > RUN_ROWS:
            yield begin, number
            begin, rows = number, 0
        rows += size
    if begin < len(sizes):
        yield begin, len(sizes)


def _hits(events: pl.DataFrame, run: pl.DataFrame, labelling: Labelling) -> tuple[pl.DataFrame, HitCounts]:
    """Return the hits of a run of recordings, and counts of the rest. Events of other recordings are left out."""
    counts = HitCounts()
    events = events.join(run, on="recording_id", how="inner")
    negative, empty = pl.col("negative_example"), pl.col("component") < 0
    counts.negatives += int(events.select((negative & (pl.col("component") <= 0)).sum()).item())
    counts.empty += int(events.select((~negative & empty).sum()).item())
    events = events.filter(~negative & ~empty)
    names = {label: labelling.name(label) for label in events["label"].unique().sort().to_list()}
    used_names = {old: new for old, new in names.items() if not labelling.kept_labels or new in labelling.kept_labels}
    tally = dict(events["label"].value_counts().iter_rows())
    for label in names.keys() - used_names.keys():
        counts.not_kept[names[label]] += tally[label]
    context_s = pl.col("pre_s") + pl.col("post_s")
    alone_s = pl.when(context_s > 0).then(pl.col("post_s")).otherwise(pl.col("duration_s").fill_null(0.0))
    events = events.filter(pl.col("label").is_in(list(used_names))).with_columns(
        pl.col("label").replace_strict(used_names, return_dtype=pl.String),
        pl.col("onset_s").alias("start_s"),
        pl.coalesce("offset_s", (pl.col("onset_s") + alone_s).round(6)).alias("end_s"),
    )
    within = pl.col("start_s") < pl.col("length_s")
    counts.beyond += int(events.select((~within).sum()).item())
    events = events.filter(within)
    counts.shortened += int(events.select((pl.col("end_s") - pl.col("length_s") > _END_TOLERANCE_S).sum()).item())
    counts.labels.update(dict(events["label"].value_counts().iter_rows()))
    hits = events.with_columns(pl.min_horizontal("end_s", "length_s").alias("end_s")).select(*KEYS, *HIT_COLUMNS)
    return hits, counts
