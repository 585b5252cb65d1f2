"""Step ``segments``: stretches of sound in every recording, with their source and times."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Event
from typing import Any

import polars as pl

from ossicle.app.project.load import Project
from ossicle.app.steps.engine.fingerprint_keys import sound_key
from ossicle.app.steps.engine.step import LOCK_WAIT_S, Context, Step, WorkUnits
from ossicle.artefacts.files import file_digest
from ossicle.artefacts.filesystem.changes import remove_folder
from ossicle.artefacts.locks.lock import work_unit_lock
from ossicle.artefacts.processes.work_parts import items_per_part, work_parts
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.artefacts.typed.units.segments import SegmentsFolder
from ossicle.audio.decoding.versions import decoder_versions
from ossicle.audio.segmentation.recordings import SegmentedRecording, segment_recording
from ossicle.audio.segmentation.settings import PERCENTILE, TABLE
from ossicle.core.digest import digest
from ossicle.core.errors import AudioError, UsageError
from ossicle.core.records import Recording
from ossicle.core.settings import digestible
from ossicle.core.text.counting import counted
from ossicle.corpus.formats.segment_table import Stretches, in_order, read_segments
from ossicle.corpus.indexing.index_storage import read_index
from ossicle.corpus.naming.table_pairing import Pairing

STEP_VERSION = 2

_NOTHING_HEARD = "change [segments] or [audio] channel if there is something to hear"
_NOT_IN_TABLE = "add its segments to the table of [segments], or correct the name of the recording in it"

# Most seconds of sound in a part of several recordings: what an interrupted step may have to do again.
_PART_S = 600.0


@dataclass(frozen=True, slots=True)
class GivenSegments:
    """Ready segments by recording id, and the names of recordings that the corpus does not have."""

    by_recording: Mapping[str, Stretches]
    unmatched: tuple[str, ...]


def run(context: Context) -> None:
    """Segment the recordings of the missing parts, and gather all parts in one table."""
    output = context.own(SegmentsFolder)
    if output.summary_file.exists():
        # Killed after gathering: only the parts remain to be removed.
        remove_folder(output.parts_folder)
        return
    recordings = used_recordings(context.read(CorpusFolder))
    parts, table_segments = _recordings_of_parts(recordings), given_segments(context.project, recordings)
    missing = [name for name in parts if not output.is_done(name)]
    done = len(recordings) - sum(len(parts[name]) for name in missing)
    # Decoding and measuring release the global interpreter lock, so threads are enough.
    ending = Event()

    def watch() -> None:
        if ending.is_set():
            raise CancelledError

    with ThreadPoolExecutor(max(1, context.project.settings.project.workers)) as pool, ExitStack() as stack:
        # An interrupted step does not wait for the end of a recording of hours.
        stack.callback(pool.shutdown, wait=True, cancel_futures=True)
        stack.callback(ending.set)
        for name in pool.map(
            lambda name: _write_locked_part(context, name, parts[name], table_segments, watch), missing
        ):
            done += len(parts[name])
            context.progress.advance(done, len(recordings), "recordings")
    _gather(context, recordings, [row for name in parts for row in output.part(name)], table_segments.unmatched)
    remove_folder(output.parts_folder)


def used_recordings(corpus: CorpusFolder) -> list[Recording]:
    """Return the recordings of an index that decode at least in part, in the order of their ids."""
    return sorted(
        (recording for recording in read_index(corpus).recordings if recording.status != "left_out"),
        key=lambda recording: recording.id,
    )


def _write_locked_part(
    context: Context,
    name: str,
    recordings: Sequence[Recording],
    table_segments: GivenSegments,
    watch: Callable[[], None],
) -> str:
    output = context.own(SegmentsFolder)
    with work_unit_lock(context.folder, name, LOCK_WAIT_S):
        if not output.is_done(name):
            output.write_part(name, list(_segmented(context.project, recordings, table_segments, watch)))
    return name


def _run_one(context: Context, name: str) -> None:
    recordings = used_recordings(context.read(CorpusFolder))
    segmented = _segmented(
        context.project, _recordings_of_parts(recordings)[name], given_segments(context.project, recordings)
    )
    context.own(SegmentsFolder).write_part(name, list(segmented))


def _segmented(
    project: Project,
    recordings: Sequence[Recording],
    table_segments: GivenSegments,
    watch: Callable[[], None] = lambda: None,
) -> Iterator[dict[str, Any]]:
    """Yield what was found in each recording as plain values; one that cannot be read costs only itself."""
    settings, channel = project.settings.segments, project.settings.audio.name
    for recording in recordings:
        file = project.roots.file(recording)
        try:
            ready = table_segments.by_recording.get(recording.id, ())
            segmented_recording = segment_recording(file, settings, channel=channel, given=ready, watch=watch)
        except AudioError as error:
            reason = str(error).removeprefix(f"{file}: ")
            segmented_recording = SegmentedRecording((), 0.0, 0.0, None, left_out=reason)
            yield {"id": recording.id, **asdict(segmented_recording), "unreadable": True}
            continue
        yield {"id": recording.id, **asdict(segmented_recording)}


def _gather(
    context: Context, recordings: Sequence[Recording], results: Sequence[Mapping[str, Any]], unmatched: Sequence[str]
) -> None:
    settings, output = context.project.settings, context.own(SegmentsFolder)
    known = {recording.id: recording for recording in recordings}
    rows = [
        {
            "segment_id": segment_id(result["id"], number),
            "recording_id": result["id"],
            "number": number,
            "group": known[result["id"]].fields.get(settings.split.group, ""),
            **segment,
        }
        for result in results
        for number, segment in enumerate(result["segments"])
    ]
    left_out = {known[result["id"]].path: result["left_out"] for result in results if result["left_out"]}
    unreadable = {known[result["id"]].path: result["left_out"] for result in results if result.get("unreadable")}
    if not rows:
        reason = next(iter(left_out.values()), "the corpus has no recordings")
        all_recordings = counted(len(results), "recording")
        names = f", and names first {unmatched[0]}, which is none of them" if unmatched else ""
        raise UsageError(
            f"[segments] finds no segment in {all_recordings}: {reason}{names}; {remedy_without(settings.segments.by)}"
        )
    table = pl.DataFrame(rows, schema_overrides=dict(SegmentsFolder.SCHEMA))
    sound_s = float((table["end_s"] - table["start_s"]).sum())
    total_s = sum(result["duration_s"] for result in results)
    output.write_table(table)
    output.write_summary(
        {
            "segments": len(table),
            "recordings": len(results),
            "settings": digestible(settings.segments),
            "threshold_db": {
                result["id"]: result["threshold_db"] for result in results if result["threshold_db"] is not None
            },
            "loudest_db": {result["id"]: result["loudest_db"] for result in results},
            "left_out": left_out,
            "unreadable": unreadable,
            "partial": {known[result["id"]].path: result["partial"] for result in results if result["partial"]},
            "lost": {known[result["id"]].path: result["lost"] for result in results if result["lost"]},
            "unmatched": list(unmatched),
            "sound_s": round(sound_s, 6),
            "silence_s": round(total_s - sound_s, 6),
        }
    )


def remedy_without(by: str) -> str:
    """Return what to do about a recording without a segment, where ``[segments] by`` says how they are cut."""
    return _NOT_IN_TABLE if by == TABLE else _NOTHING_HEARD


def segment_id(recording_id: str, number: int) -> str:
    """Return the id of a segment: unique over all folders, because that of its recording is.

    >>> segment_id("3f2a", 7)
    '3f2a#0007'
    """
    return f"{recording_id}#{number:04d}"


def _recordings_of_parts(recordings: Sequence[Recording]) -> dict[str, list[Recording]]:
    """Return the recordings of each part by its name; a part is done as a whole or not at all."""
    numbers = work_parts([recording.duration_s for recording in recordings], _PART_S, items_per_part(len(recordings)))
    parts: dict[str, list[Recording]] = {}
    for recording, number in zip(recordings, numbers, strict=True):
        parts.setdefault(f"part-{number:04d}", []).append(recording)
    return parts


def table_file(project: Project) -> Path | None:
    """Return the table of ready segments; None if the project has none."""
    settings = project.settings.segments
    return project.folder / settings.table if settings.by == TABLE else None


def given_segments(project: Project, recordings: Sequence[Recording]) -> GivenSegments:
    """Return the segments of the project's table, each with the recording that it names.

    Parameters
    ----------
    project
        The project.
    recordings
        Its recordings.

    Raises
    ------
    FormatError
        The table cannot be read, a name fits several recordings, or two segments of a recording overlap.
    """
    if (table := table_file(project)) is None:
        return GivenSegments({}, ())
    ids, pairing = {recording.id for recording in recordings}, Pairing(recording.path for recording in recordings)
    by_path = {recording.path: recording.id for recording in recordings}
    segments_by_recording: dict[str, Stretches] = {}
    unmatched: list[str] = []
    for name, stretches in read_segments(table).items():
        path = None if name in ids else pairing.of_path(name, str(table))
        key = name if path is None else by_path[path]
        if key in ids:
            # A table may spell one recording in two ways.
            segments_by_recording[key] = in_order(table, name, (*segments_by_recording.get(key, ()), *stretches))
        else:
            unmatched.append(name)
    return GivenSegments(segments_by_recording, tuple(unmatched))


def _settings(project: Project) -> dict[str, object]:
    segments = digestible(project.settings.segments)
    if project.settings.segments.relative_to != PERCENTILE:
        segments.pop("percentile", None)
    audio = digestible(project.settings.audio)
    return {"segments": segments, "group": project.settings.split.group, "decoders": decoder_versions(), **audio}


def _table_digest(project: Project) -> dict[str, str]:
    table = table_file(project)
    if table is None:
        return {}
    if not table.is_file():
        raise UsageError(f"[segments] table: {table} is not a file; correct the path in {project.file}")
    return {"table": file_digest(table)}


def all_recordings_digest(corpus: Path) -> str:
    """Return the digest of the recordings and their fields, not of annotations: words do not move segments."""
    used = used_recordings(CorpusFolder(corpus))
    return digest([[*sound_key(recording), sorted(recording.fields.items())] for recording in used])


STEP = Step(
    name=SegmentsFolder.step,
    version=STEP_VERSION,
    needs=(CorpusFolder.step,),
    settings=_settings,
    run=run,
    extra=_table_digest,
    reads={CorpusFolder.step: all_recordings_digest},
    work_units=WorkUnits(
        named_by=(CorpusFolder.step,),
        names=lambda inputs: tuple(_recordings_of_parts(used_recordings(CorpusFolder.among(inputs)))),
        run=_run_one,
        done=lambda folder, name: SegmentsFolder(folder).is_done(name),
        max_concurrent=15,
    ),
)
