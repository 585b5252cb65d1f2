"""Step ``motifs``: tokens of two or more units that occur more often than by chance, with times and examples."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from ossicle.app.steps.engine.step import Context, Step
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.artefacts.typed.units.motifs import MotifsFolder
from ossicle.artefacts.typed.units.sequences import SequencesFolder
from ossicle.core.errors import UsageError
from ossicle.core.settings import digestible
from ossicle.corpus.indexing.index_storage import read_index
from ossicle.units.bpe.learning import LearnedMerges, learn_merges
from ossicle.units.motifs import MotifCounts, TokenUses, first_runs, motif_counts, token_uses
from ossicle.units.sequences import begins_s

STEP_VERSION = 1

FALSE_PAIRS = 1.0
"""How many pairs of neighbouring tokens may be merged that are so frequent by chance."""


def run(context: Context) -> None:
    """Learn a vocabulary, and write it, the tokens of every segment, and the table of motifs."""
    output, sequences = context.own(MotifsFolder), context.read(SequencesFolder)
    settings, n_units = context.project.settings.motifs, int(sequences.summary["n_units"])
    if settings.vocabulary < n_units:
        raise UsageError(
            f"[motifs] vocabulary = {settings.vocabulary}: it includes the {n_units} units of [quantiser] k; set it to "
            f"{n_units} or more"
        )
    runs = sequences.column("runs")
    learned_merges = learn_merges(
        runs,
        n_units,
        settings.vocabulary,
        settings.min_count,
        FALSE_PAIRS,
        lambda done, total: context.progress.advance(done, total, "tokens"),
    )
    merges = learned_merges.merges
    uses = token_uses(learned_merges.tokens, sequences.column("run_frames"), merges)
    counts = motif_counts(uses, merges, sequences.table["group"].to_list())
    n_frames = max(1, int(sequences.summary["frames"]))
    table = _table(learned_merges, counts, uses, sequences, n_frames)
    output.write_merges({**merges.to_json(), "quantiser": sequences.summary["quantiser"]})
    output.write_tokens(
        pl.DataFrame(
            {
                "segment_id": sequences.table["segment_id"],
                "tokens": pl.Series(learned_merges.tokens, dtype=pl.List(pl.Int16)),
                "first_runs": pl.Series(
                    [first_runs(token, merges) for token in learned_merges.tokens], dtype=pl.List(pl.Int32)
                ),
            }
        )
    )
    output.write_table(table)
    paths = {recording.id: recording.path for recording in read_index(context.read(CorpusFolder)).recordings}
    output.write_tsv(_text(table, paths))
    output.write_summary(
        {
            "asked": learned_merges.asked,
            "reached": merges.n_tokens,
            "reason": learned_merges.reason,
            "min_count": settings.min_count,
            "n_units": n_units,
            "motifs": len(merges.pairs),
            "longest": int(merges.lengths.max()),
            "coverage": float(counts.frames.sum() / n_frames),
            "segments": len(runs),
            "runs": sum(map(len, runs)),
            "tokens": sum(map(len, learned_merges.tokens)),
            "quantiser": sequences.summary["quantiser"],
        }
    )
    context.progress.say(output.in_words)


def _table(
    learned_merges: LearnedMerges, counts: MotifCounts, uses: TokenUses, sequences: SequencesFolder, n_frames: int
) -> pl.DataFrame:
    """Return the rows of the artefact, the motif that covers most first."""
    hop_s, n_units = float(sequences.summary["hop_s"]), learned_merges.merges.n_units
    examples = _examples(counts, uses, sequences)
    rows = pl.DataFrame(
        {
            "token": np.arange(n_units, learned_merges.merges.n_tokens, dtype=np.int32),
            "units": pl.Series(
                [list(expansion) for expansion in learned_merges.merges.expansions[n_units:]], dtype=pl.List(pl.Int16)
            ),
            "count": counts.count,
            "segments": counts.segments,
            "groups": counts.groups,
            "coverage": counts.frames / n_frames,
            "mean_s": counts.mean_frames * hop_s,
            "sd_s": counts.sd_frames * hop_s,
            "merged": pl.Series(learned_merges.counts, dtype=pl.Int64),
            "by_chance": pl.Series(learned_merges.expected, dtype=pl.Float64),
            "examples": pl.Series(examples, dtype=MotifsFolder.SCHEMA["examples"]),
        }
    )
    return rows.sort(["coverage", "token"], descending=[True, False])


def _examples(counts: MotifCounts, uses: TokenUses, sequences: SequencesFolder) -> list[list[dict[str, Any]]]:
    """Return the examples of each motif with their times."""
    hop_s, origin_s = float(sequences.summary["hop_s"]), float(sequences.summary["origin_s"])
    chosen = counts.examples[counts.examples >= 0]
    segment = uses.segment[chosen]
    start_s = sequences.table["start_s"].to_numpy()[segment]
    begin = begins_s(uses.first_frame[chosen], start_s, hop_s, origin_s)
    end = begins_s(uses.first_frame[chosen] + uses.frames[chosen], start_s, hop_s, origin_s)
    ids = sequences.table.select("segment_id", "recording_id")[segment].rows()
    rows = iter(
        {"segment_id": recording_id[0], "recording_id": recording_id[1], "start_s": float(a), "end_s": float(b)}
        for recording_id, a, b in zip(ids, begin, end, strict=True)
    )
    return [[next(rows) for row in example if row >= 0] for example in counts.examples.tolist()]


def _text(table: pl.DataFrame, paths: Mapping[str, str]) -> pl.DataFrame:
    """Return the table for people: units as text, and where to hear each motif."""
    heard = [
        "; ".join(
            f"{paths.get(example['recording_id'], '')} {example['start_s']:.3f}-{example['end_s']:.3f}"
            for example in row
        )
        for row in table["examples"].to_list()
    ]
    units = table["units"].cast(pl.List(pl.String)).list.join(" ")
    return table.with_columns(
        units=units, n_units=table["units"].list.len(), examples=pl.Series(heard, dtype=pl.String)
    )


STEP = Step(
    name=MotifsFolder.step,
    version=STEP_VERSION,
    needs=(CorpusFolder.step, SequencesFolder.step),
    settings=lambda project: {"motifs": digestible(project.settings.motifs)},
    run=run,
)
