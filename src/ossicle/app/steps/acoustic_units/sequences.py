"""Step ``sequences``: the units of every segment, by the quantiser, shard by shard in parallel."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import polars as pl

from ossicle.app.steps.acoustic_units.quantiser import groups_of
from ossicle.app.steps.engine.shards import lock_missing, with_progress
from ossicle.app.steps.engine.step import Context, Step, WorkUnits, work_unit_journal
from ossicle.artefacts.processes.locked_jobs import locked_jobs
from ossicle.artefacts.typed.shards.features import FeaturesFolder
from ossicle.artefacts.typed.units.quantiser import QuantiserFolder
from ossicle.artefacts.typed.units.segments import SegmentsFolder
from ossicle.artefacts.typed.units.sequences import SequencesFolder
from ossicle.units.frames import SegmentFrames
from ossicle.units.normalisation import GROUP
from ossicle.units.normalised import GroupStatistics, group_statistics
from ossicle.units.quantiser import Quantiser
from ossicle.units.sequences import runs_of

STEP_VERSION = 1

# Another process takes a second to start, in which one process assigns this many frames.
_LEAST_FRAMES_A_WORKER = 1_000_000


@dataclass(frozen=True, slots=True)
class _Job:
    """The sequences of one shard of features."""

    name: str
    features: Path
    segments: Path
    quantiser: Path
    folder: Path


def run(context: Context) -> None:
    """Assign the frames of the missing shards in parallel processes, and join the sequences of all of them."""
    output, features = context.own(SequencesFolder), context.read(FeaturesFolder)
    quantiser = Quantiser.read(context.read(QuantiserFolder).path)
    quantiser.refuse_spec(features.spec, features.hop_s, features.origin_s)
    names = features.shard_names
    missing = [_job(context, name) for name in names if not output.has_part(name)]
    frames = sum(features.indexes[job.name].windows for job in missing)
    workers = min(context.project.settings.project.workers, 1 + frames // _LEAST_FRAMES_A_WORKER)

    shards_made = locked_jobs(missing, _assign, workers, lock_missing(context, output.has_part))
    for name, n_segments in with_progress(context, shards_made, len(names) - len(missing), len(names)):
        work_unit_journal(context.folder, name).mark(name, segments=n_segments)
    output.join_parts(
        names,
        {
            "n_units": quantiser.k,
            "hop_s": quantiser.hop_s,
            "origin_s": quantiser.origin_s,
            "quantiser": quantiser.digest,
            "left_out": features.left_out,
        },
    )


def _run_one(context: Context, name: str) -> None:
    work_unit_journal(context.folder, name).mark(name, segments=_assign(_job(context, name)))


def _job(context: Context, name: str) -> _Job:
    features, segments = context.read(FeaturesFolder).path, context.read(SegmentsFolder).path
    return _Job(name, features, segments, context.read(QuantiserFolder).path, context.folder)


def _assign(job: _Job) -> int:
    """Write the sequences of a shard, and return how many there are."""
    quantiser, features = _quantiser(job.quantiser), _features(job.features)
    known = _segments(job.segments)
    statistics = _group_statistics(job.features, job.segments) if quantiser.normalisation.kind == GROUP else {}
    rows = []
    for segment_id, frames, _ in features.shard_frames(job.name):
        row, recording_id, group, start_s = known[segment_id]
        units = quantiser.assign(frames, statistics.get(group))
        runs = runs_of(units)
        rows.append((row, (segment_id, recording_id, group, start_s, units, runs.units, runs.frames)))
    # Overlapping segments were encoded in another order.
    rows.sort(key=lambda row: row[0])
    columns = zip(*(row for _, row in rows), strict=True) if rows else [()] * len(SequencesFolder.SCHEMA)
    SequencesFolder(job.folder).write_part(
        job.name,
        pl.DataFrame(
            [
                pl.Series(name, list(values), dtype=kind)
                for (name, kind), values in zip(SequencesFolder.SCHEMA.items(), columns, strict=True)
            ]
        ),
    )
    return len(rows)


# A process assigns many shards, and reads what they have in common once. Finished artefacts do not change.
@cache
def _quantiser(folder: Path) -> Quantiser:
    return Quantiser.read(folder)


@cache
def _features(folder: Path) -> FeaturesFolder:
    return FeaturesFolder(folder)


@cache
def _segments(folder: Path) -> dict[str, tuple[int, str, str, float]]:
    """Return place in the table, recording, group and start of each segment."""
    rows = SegmentsFolder(folder).table().select("segment_id", "recording_id", "group", "start_s").iter_rows()
    return {row[0]: (index, *row[1:]) for index, row in enumerate(rows)}


@cache
def _group_statistics(features: Path, segments: Path) -> GroupStatistics:
    """Return mean and scale of all frames of each group, as in the training of the quantiser."""
    return group_statistics(SegmentFrames.of_shards(_features(features), groups_of(SegmentsFolder(segments))))


STEP = Step(
    name=SequencesFolder.step,
    version=STEP_VERSION,
    needs=(SegmentsFolder.step, FeaturesFolder.step, QuantiserFolder.step),
    settings=lambda project: {},
    run=run,
    work_units=WorkUnits(
        named_by=(FeaturesFolder.step,),
        names=lambda inputs: FeaturesFolder.among(inputs).shard_names,
        run=_run_one,
        done=lambda folder, name: SequencesFolder(folder).has_part(name),
        max_concurrent=15,
    ),
)
