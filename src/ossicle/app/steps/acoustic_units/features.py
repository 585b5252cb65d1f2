"""Step ``features`` of projects for acoustic units: the frames of every segment, by the project's encoder."""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

import polars as pl

from ossicle.app.project.load import Project
from ossicle.app.steps.engine.encoders import encoder_inputs, open_any_encoder
from ossicle.app.steps.engine.fingerprint_keys import sound_key
from ossicle.app.steps.engine.shards import lock_missing, repair_shards, with_progress
from ossicle.app.steps.engine.step import Context, Step, WorkUnits, work_unit_journal
from ossicle.artefacts.features.entries import ShardIndex
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.artefacts.typed.shards.features import FeaturesFolder
from ossicle.artefacts.typed.units.segments import SegmentsFolder
from ossicle.audio.decoding.versions import decoder_versions
from ossicle.audio.encoders.build import Opener, build_by, shard_names
from ossicle.audio.encoders.frames.blocks import frame_grid
from ossicle.audio.encoders.frames.shards import FrameShardJob, Segment, SegmentedRecording, build_frame_shard
from ossicle.core.digest import digest
from ossicle.core.settings import digestible
from ossicle.corpus.indexing.index_storage import read_index

STEP_VERSION = 1


def run(context: Context) -> None:
    """Build the missing shards in parallel processes, and write what they have in common."""
    output = context.own(FeaturesFolder)
    jobs = _jobs(context.project, context.read(CorpusFolder), context.read(SegmentsFolder), output)
    missing = [job for name, job in jobs.items() if not output.has_shard(name)]

    workers, opener = context.project.settings.project.workers, _opener(context.project)
    encoder = opener()
    # An encoder without frames is refused before the first recording is read.
    frame_grid(encoder.spec)
    held = lock_missing(context, output.has_shard)
    shards_made = build_by(build_frame_shard, missing, opener if workers > 1 else lambda: encoder, workers, held)
    for name, index in with_progress(context, shards_made, len(jobs) - len(missing), len(jobs)):
        _mark(context.folder, name, index)
    output.write_frames_summary(encoder.spec, tuple(jobs))


def _run_one(context: Context, name: str) -> None:
    output = context.own(FeaturesFolder)
    job = _jobs(context.project, context.read(CorpusFolder), context.read(SegmentsFolder), output)[name]
    _mark(context.folder, name, build_frame_shard(job, _opener(context.project)()))


def _mark(folder: Path, name: str, index: ShardIndex) -> None:
    work_unit_journal(folder, name).mark(name, segments=len(index.entries), frames=index.windows)


def repair(project: Project, corpus: Path, segments: Path, features: Path, damaged: Mapping[str, list[str]]) -> None:
    """Build the damaged shards of a finished artefact again, in place, and no others.

    Parameters
    ----------
    project
        The project of the features.
    corpus, segments, features
        Folders of the artefacts.
    damaged
        The shards, by their names.

    Raises
    ------
    ArtefactError
        The features still differ from what was committed: only a new artefact helps.
    """

    def build() -> Iterator[tuple[str, ShardIndex]]:
        jobs = _jobs(project, CorpusFolder(corpus), SegmentsFolder(segments), FeaturesFolder(features))
        damaged_jobs = [jobs[name] for name in damaged]
        return build_by(build_frame_shard, damaged_jobs, _opener(project), project.settings.project.workers)

    repair_shards(project, features, build)


def unreadable(artefacts: Mapping[str, Path]) -> dict[str, str]:
    """Return the reason by path of each recording that had segments and could then not be read; sorted."""
    lost: Mapping[str, str] = FeaturesFolder.among(artefacts).summary["left_out"]
    if not lost:
        return {}
    paths = {recording.id: recording.path for recording in read_index(CorpusFolder.among(artefacts)).recordings}
    return dict(sorted((paths[key.rpartition("#")[0]], reason) for key, reason in lost.items()))


def _opener(project: Project) -> Opener:
    return partial(open_any_encoder, project.settings.encoder.opened, project.folder)


def _jobs(
    project: Project, corpus: CorpusFolder, segments: SegmentsFolder, output: FeaturesFolder
) -> dict[str, FrameShardJob]:
    """Return the shards by their names, in the order of their recordings."""
    roots, channel = project.roots, project.settings.audio.name
    known = {recording.id: recording for recording in read_index(corpus).recordings}
    by_recording = segments_by_recording(segments)
    return {
        name: FrameShardJob(
            output.shards,
            name,
            tuple(SegmentedRecording(roots.file(known[key]), by_recording[key]) for key in keys),
            channel,
        )
        for name, keys in recordings_by_shard(segments).items()
    }


def segments_by_recording(segments: SegmentsFolder) -> dict[str, tuple[Segment, ...]]:
    """Return the segments of each recording by its id, in the order of the table."""
    segments_of: dict[str, list[Segment]] = {}
    rows = segments.table().select("recording_id", "segment_id", "start_s", "end_s")
    for recording_id, *segment in rows.iter_rows():
        segments_of.setdefault(recording_id, []).append(Segment(*segment))
    return {key: tuple(parts) for key, parts in segments_of.items()}


def recordings_by_shard(segments: SegmentsFolder) -> dict[str, list[str]]:
    """Return the ids of the recordings of each shard: as much sound as in shards of windows, or one long recording."""
    recording_ends = segments.table().group_by("recording_id", maintain_order=True).agg(pl.col("end_s").max())
    keys, ends = recording_ends["recording_id"].to_list(), recording_ends["end_s"].to_list()
    by_shard: dict[str, list[str]] = {}
    for key, name in zip(keys, shard_names(ends), strict=True):
        by_shard.setdefault(name, []).append(key)
    return by_shard


def _settings(project: Project) -> dict[str, object]:
    return {
        "encoder": digestible(project.settings.encoder.opened),
        "decoders": decoder_versions(),
        **digestible(project.settings.audio),
    }


def _recordings_read(corpus: Path) -> str:
    """Return the digest of the recordings alone, so that changed annotations and fields encode nothing again."""
    return digest(sorted(sound_key(recording) for recording in read_index(CorpusFolder(corpus)).recordings))


def _times_read(segments: Path) -> str:
    """Return the digest of the segments' names and times, so that changed groups encode nothing again."""
    rows = SegmentsFolder(segments).table().select("segment_id", "start_s", "end_s")
    return digest([list(row) for row in rows.iter_rows()])


STEP = Step(
    name=FeaturesFolder.step,
    version=STEP_VERSION,
    needs=(CorpusFolder.step, SegmentsFolder.step),
    settings=_settings,
    run=run,
    extra=encoder_inputs,
    reads={CorpusFolder.step: _recordings_read, SegmentsFolder.step: _times_read},
    work_units=WorkUnits(
        named_by=(SegmentsFolder.step,),
        names=lambda inputs: tuple(recordings_by_shard(SegmentsFolder.among(inputs))),
        run=_run_one,
        done=lambda folder, name: FeaturesFolder(folder).has_shard(name),
        max_concurrent=15,
    ),
)
