"""Step ``pitch``: every segment at the rate of the vocoder, and the fundamental frequency (F0) of each unit."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ossicle.app.project.load import Project
from ossicle.app.steps.acoustic_units.features import recordings_by_shard, segments_by_recording
from ossicle.app.steps.acoustic_units.segments import used_recordings
from ossicle.app.steps.engine.fingerprint_keys import sound_key
from ossicle.app.steps.engine.shards import lock_missing, with_progress
from ossicle.app.steps.engine.step import Context, Step, WorkUnits, work_unit_journal
from ossicle.app.steps.vocoder.unit_grid import lead_samples, refuse_units, unit_samples, vocoder_rate
from ossicle.artefacts.processes.locked_jobs import locked_jobs
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.artefacts.typed.shards.features import FeaturesFolder
from ossicle.artefacts.typed.units.segments import SegmentsFolder
from ossicle.artefacts.typed.units.speech import SpeechFolder
from ossicle.audio.decoding.mono import MonoStream
from ossicle.audio.decoding.versions import decoder_versions
from ossicle.audio.encoders.frames.shards import SegmentCutter, SegmentedRecording, passes
from ossicle.audio.pitch.settings import PitchSettings
from ossicle.audio.pitch.trackers import pitch_tracker, tracker_version
from ossicle.core.digest import digest
from ossicle.core.errors import AudioError
from ossicle.core.settings import digestible
from ossicle.corpus.indexing.index_storage import read_index

STEP_VERSION = 1


@dataclass(frozen=True)
class _Job:
    """The segments of one shard of features.

    Attributes
    ----------
    name, folder
        The shard, and the folder of the artefact.
    recordings
        Recordings with their segments, by id.
    n_units
        Number of units of each segment.
    rate
        Sample rate in Hz.
    hop_s, origin_s
        Distance of the centres of units, and the first centre, in seconds from the start of the segment.
    channel
        The channel to read.
    tracks
        Whether F0 is tracked.
    tracking
        How.
    """

    name: str
    folder: Path
    recordings: Mapping[str, SegmentedRecording]
    n_units: Mapping[str, int]
    rate: int
    hop_s: float
    origin_s: float
    channel: str
    tracks: bool
    tracking: PitchSettings


@dataclass
class _Rows:
    """The table of a shard, while its samples are written."""

    columns: dict[str, list[Any]] = field(default_factory=lambda: {name: [] for name in SpeechFolder.SCHEMA})

    def add(self, *values: Any) -> None:
        for column, value in zip(self.columns.values(), values, strict=True):
            column.append(value)


def run(context: Context) -> None:
    """Read the segments of the missing shards in parallel processes, and join the tables of all of them."""
    output, features, settings = (
        context.own(SpeechFolder),
        context.read(FeaturesFolder),
        context.project.settings.vocoder,
    )
    names = features.shard_names
    jobs = _jobs(context, [name for name in names if not output.has_part(name)])

    workers = context.project.settings.project.workers
    shards_made = locked_jobs(jobs, _speak, workers, lock_missing(context, output.has_part))
    for name, n_segments in with_progress(context, shards_made, len(names) - len(jobs), len(names)):
        work_unit_journal(context.folder, name).mark(name, segments=n_segments)
    rate = vocoder_rate(settings, used_recordings(context.read(CorpusFolder)))
    output.join_parts(
        names,
        {
            "rate": rate,
            "hop_samples": unit_samples(rate, features.hop_s),
            "hop_s": features.hop_s,
            "origin_s": features.origin_s,
            "pitch": settings.pitch,
        },
    )
    if settings.pitch and not output.summary["voiced"]:
        context.progress.say(
            "no unit is voiced, so the vocoder cannot learn a melody; [vocoder] pitch = false does without"
        )


def _run_one(context: Context, name: str) -> None:
    (job,) = _jobs(context, [name])
    work_unit_journal(context.folder, name).mark(name, segments=_speak(job))


def _jobs(context: Context, names: list[str]) -> list[_Job]:
    features, segments, project = context.read(FeaturesFolder), context.read(SegmentsFolder), context.project
    known = {recording.id: recording for recording in used_recordings(context.read(CorpusFolder))}
    rate = vocoder_rate(project.settings.vocoder, known.values())
    # Before the first recording is read.
    refuse_units(project.settings.vocoder, rate, features.hop_s)
    shards, parts = recordings_by_shard(segments), segments_by_recording(segments)
    jobs = []
    for name in names:
        index = features.indexes[name]
        jobs.append(
            _Job(
                name=name,
                folder=context.folder,
                recordings={
                    key: SegmentedRecording(project.roots.file(known[key]), parts[key]) for key in shards[name]
                },
                n_units={
                    entry.recording_id: entry.windows
                    for entry in index.entries
                    if entry.recording_id not in index.left_out
                },
                rate=rate,
                hop_s=features.hop_s,
                origin_s=features.origin_s,
                channel=project.settings.audio.name,
                tracks=project.settings.vocoder.pitch,
                tracking=project.settings.pitch,
            )
        )
    return jobs


def _speak(job: _Job) -> int:
    """Write the samples of a shard, then its table; return the number of segments."""
    speech, rows = SpeechFolder(job.folder), _Rows()
    samples = speech.samples_of_shard(job.name, speech.write_samples(job.name, _blocks(job, rows)))
    table = rows.columns
    if job.tracks:
        # SciPy's filters take a while to load.
        from ossicle.app.steps.vocoder.unit_f0 import unit_f0

        grid = (job.rate, job.hop_s, job.origin_s, pitch_tracker(job.tracking))
        stretches = zip(table["segment_id"], table["first_sample"], table["n_samples"], strict=True)
        table["f0_hz"] = [unit_f0(samples[first : first + n], job.n_units[key], *grid) for key, first, n in stretches]
    series = [pl.Series(name, table[name], dtype=kind) for name, kind in SpeechFolder.SCHEMA.items()]
    speech.write_part(job.name, pl.DataFrame(series))
    return len(table["segment_id"])


def _blocks(job: _Job, rows: _Rows) -> Iterator[NDArray[np.float32]]:
    """Yield the samples of all segments of a shard, and add a row for each."""
    hop, lead, first = unit_samples(job.rate, job.hop_s), lead_samples(job.rate, job.hop_s, job.origin_s), 0
    for recording_id, recording in job.recordings.items():
        for pass_ in passes([segment for segment in recording.segments if segment.segment_id in job.n_units]):
            cutter = SegmentCutter(_samples(recording.path, job))
            for segment in pass_:
                units = job.n_units[segment.segment_id]
                n_samples, reason, n = max(0, lead + units * hop) if units else 0, "", 0
                try:
                    for block in cutter.cut(segment, job.rate):
                        yield block[: n_samples - n]
                        n += len(block[: n_samples - n])
                except AudioError as error:
                    reason = str(error)
                # All units have their samples, also if the last one was rounded away.
                yield np.zeros(n_samples - n, np.float32)
                rows.add(segment.segment_id, recording_id, job.name, first, n_samples, [], reason)
                first += n_samples


def _samples(path: Path, job: _Job) -> Iterator[NDArray[np.float32]]:
    """Yield the samples of a recording; a file that cannot be opened fails when the first ones are asked for."""
    yield from MonoStream(path, job.rate, channel=job.channel)


def unreadable(artefacts: Mapping[str, Path]) -> dict[str, str]:
    """Return the reason by path of each recording with units that could then not be read; sorted.

    Parameters
    ----------
    artefacts
        Artefacts by step; this one and ``corpus`` among them.
    """
    speech = SpeechFolder.among(artefacts)
    if not speech.left_out:
        return {}
    paths = {recording.id: recording.path for recording in read_index(CorpusFolder.among(artefacts)).recordings}
    rows = speech.table.select("segment_id", "recording_id").iter_rows()
    return dict(
        sorted((paths[key], speech.left_out[segment_id]) for segment_id, key in rows if segment_id in speech.left_out)
    )


def _settings(project: Project) -> dict[str, object]:
    vocoder = project.settings.vocoder
    pitch = project.settings.pitch
    tracking = {**digestible(pitch), "version": tracker_version(pitch)} if vocoder.pitch else None
    read = {"rate": vocoder.rate, "pitch": tracking, "decoders": decoder_versions()}
    return {**read, **digestible(project.settings.audio)}


def _recordings_read(corpus: Path) -> str:
    """Return the digest of the recordings alone, so that changed annotations and fields read nothing again."""
    return digest(
        sorted([*sound_key(recording), recording.rate] for recording in used_recordings(CorpusFolder(corpus)))
    )


STEP = Step(
    name=SpeechFolder.step,
    version=STEP_VERSION,
    needs=(CorpusFolder.step, SegmentsFolder.step, FeaturesFolder.step),
    settings=_settings,
    run=run,
    reads={CorpusFolder.step: _recordings_read},
    work_units=WorkUnits(
        named_by=(FeaturesFolder.step,),
        names=lambda inputs: FeaturesFolder.among(inputs).shard_names,
        run=_run_one,
        done=lambda folder, name: SpeechFolder(folder).has_part(name),
        max_concurrent=15,
    ),
)
