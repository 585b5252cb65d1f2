"""Export the dataset of a project as files for other programs: ``ossicle dataset export``.

This is not a step: the user chooses where to write.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

from ossicle.app.project.load import Project
from ossicle.app.steps.engine.step import Progress
from ossicle.app.steps.maintenance.unfinished_export import UnfinishedExport
from ossicle.app.steps.pipeline.needed import require_of_pipeline
from ossicle.app.steps.pipeline.run_project import run_project
from ossicle.artefacts.files import sweep
from ossicle.artefacts.filesystem.walking import walk
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.audio.decoding.mono import load_mono
from ossicle.audio.wav_clips import ClippedRecording, WavClip, write_wav_clips
from ossicle.core.errors import AudioError, UsageError
from ossicle.core.records import Clip
from ossicle.corpus.clips.clip_export import DatasetFiles, write_index, write_lists, write_tables
from ossicle.corpus.clips.target_rows import at_clip_starts
from ossicle.corpus.indexing.index_storage import read_index
from ossicle.corpus.naming.clip_file_names import NO_YEAR, NamedClip, name_clips
from ossicle.corpus.splits.folds import SplitSettings


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written: counts by split, sound and picture files, recordings that could not be read, and remarks.

    ``lost`` gives the reason for each recording whose clips are missing, ``without_year`` the number of clips without a
    year, and ``note`` describes the split.
    """

    splits: dict[str, int]
    files: int
    lost: dict[str, str]
    without_year: int
    note: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to write: the layout, sound and pictures, which fold of a grouped split is test, whether to overwrite.

    With ``fanout`` above 0, sound and pictures lie in subfolders named by so many digits of the clips' ids.
    """

    layout: str = "plain"
    wav: bool = False
    png: bool = False
    fanout: int = 0
    fold: int | None = None
    force: bool = False


def export_dataset(project: Project, folder: Path, request: Wanted, progress: Progress) -> Exported:
    """Write the dataset to a folder, computing it first if it is missing.

    Every file is whole or absent. An unreadable recording loses only its own clips. An interrupted export, started
    again in the same way, goes on where it was.

    Parameters
    ----------
    project
        The project of the dataset.
    folder
        The folder to write to.
    request
        What to write.
    progress
        Where the steps report how far they are.

    Returns
    -------
    Exported
        What was written, and what could not be read.

    Raises
    ------
    UsageError
        A file exists and must not be overwritten, or there is no such fold.
    """
    require_of_pipeline(project, "dataset export", DatasetFolder.step)
    artefacts = run_project(project, progress, DatasetFolder.step).artefacts
    dataset, split = DatasetFolder.among(artefacts), project.settings.split
    index = read_index(CorpusFolder.among(artefacts))
    recordings = {recording.id: recording for recording in index.recordings}
    clips, split_json = dataset.clips, dataset.split
    notes = at_clip_starts(dataset.annotations, project.settings.dataset)
    splits, note = splits_of(clips, split, request.fold)
    quality = {
        (annotation.recording_id, annotation.start_s, annotation.label): annotation.quality for annotation in notes
    }
    named = name_clips(
        clips,
        index.recordings,
        [
            quality.get((clip.recording_id, clip.start_s, clip.label)) if clip.role != "noise" else None
            for clip in clips
        ],
        dataset.labels,
    )
    used = {clip.recording_id for clip in clips}
    files = DatasetFiles(
        clips=named,
        splits=splits,
        recordings={key: recording for key, recording in recordings.items() if key in used or recording.reviewed},
        annotations=notes,
        about={
            "ossicle": version("ossicle"),
            "dataset": dataset.content,
            "split_strategy": split_json["strategy"],
            "leaky": split_json["leaky"],
            "group": split.group,
            "splits": note,
            "layout": request.layout,
        },
        layout=request.layout,
        wav=request.wav,
        png=request.png,
        fanout=request.fanout,
    )
    chosen = [request.layout, request.wav, request.png, request.fanout, splits]
    unfinished = UnfinishedExport(folder, [dataset.content, *chosen, *media_settings(project)])
    if request.force or not unfinished.goes_on:
        _refuse_overwriting(folder, files, request.force)
        unfinished.begin()
    else:
        # Files that the killed export was writing would lie among the clips for ever.
        sweep(folder)
    lost = write_media(project, folder, files, unfinished, progress)
    unread = [named_clip.clip.recording_id in lost for named_clip in named]
    if any(unread) and (request.wav or request.png):
        # List only clips whose sound exists.
        kept_rows = [number for number, is_lost in enumerate(unread) if not is_lost]
        files = replace(files, clips=[named[i] for i in kept_rows], splits=[splits[i] for i in kept_rows])
    write_lists(folder, files)
    write_tables(folder, files, project.settings.frontend.fmax_hz)
    write_index(folder, files)
    unfinished.end()
    return Exported(
        splits={name: splits.count(name) for name in ("train", "val", "test")},
        files=len(files.paths()),
        lost={recordings[key].path: reason for key, reason in sorted(lost.items())},
        without_year=sum(named_clip.year == NO_YEAR for named_clip in named),
        note="; ".join(part for part in (note, split_json["leaky"]) if part),
    )


def splits_of(clips: Sequence[Clip], split: SplitSettings, fold: int | None) -> tuple[list[str], str]:
    """Return train, val or test for every clip, and a description of how they were assigned.

    With folds, ``fold`` (by default the first) is test, the next fold is val if there are at least three, and the rest
    is train.
    """
    if split.kind.holds_out_once:
        if fold is not None:
            raise UsageError(f"--fold {fold}: the strategy {split.strategy!r} has train, val and test instead of folds")
        return [split.kind.fold_name(clip.fold) for clip in clips], f"by the strategy {split.strategy}"
    folds = sorted({clip.fold for clip in clips if clip.fold >= 0})
    test = folds[0] if fold is None else fold
    if test not in folds:
        raise UsageError(f"--fold {fold}: this fold does not exist; folds with clips: {', '.join(map(str, folds))}")
    val = folds[(folds.index(test) + 1) % len(folds)] if len(folds) > 2 else None
    names = {test: "test", val: "val"}
    description = f"fold {test} is test" + ("" if val is None else f", fold {val} val") + ", the rest train"
    return [names.get(clip.fold, "train") for clip in clips], description


def media_settings(project: Project) -> list[object]:
    """Return what shapes sound and pictures besides the dataset."""
    front = project.settings.frontend
    return [project.settings.audio.name, front.fmin_hz, front.fmax_hz]


def write_media(
    project: Project, folder: Path, files: DatasetFiles, unfinished: UnfinishedExport, progress: Progress
) -> dict[str, str]:
    """Write the requested sound and pictures; return the recordings that cannot be read, with the reasons."""
    lost: dict[str, str] = {}
    if files.wav:
        clipped_recordings = [
            clipped_recording
            for clipped_recording in _clipped(project, files)
            if clipped_recording.recording_id not in unfinished.recording_ids
        ]
        done = len(files.clips) - sum(len(clipped_recording.clips) for clipped_recording in clipped_recordings)
        for written in write_wav_clips(folder, clipped_recordings, project.settings.project.workers):
            lost |= written.lost
            unfinished.add(key for key in written.recording_ids if key not in written.lost)
            progress.advance(done := done + written.n_clips, len(files.clips), "clips")
        # The lists follow: where they are, all sound is on the disk.
        unfinished.sync()
    if files.png:
        for done, named_clip in enumerate(files.clips, start=1):
            if named_clip.clip.recording_id not in lost:
                try:
                    _write_picture(project, folder, files, named_clip)
                except AudioError as problem:
                    lost[named_clip.clip.recording_id] = str(problem)
            progress.advance(done, len(files.clips), "pictures")
    return lost


def _clipped(project: Project, files: DatasetFiles) -> list[ClippedRecording]:
    """Return the clips to write by their recordings."""
    clips: dict[str, list[WavClip]] = {}
    for named_clip in files.clips:
        clip = WavClip(files.sound(named_clip), named_clip.clip.start_s, named_clip.clip.end_s)
        clips.setdefault(named_clip.clip.recording_id, []).append(clip)
    channel = project.settings.audio.name
    return [
        ClippedRecording(key, project.roots.file(recording), recording.rate, tuple(clips[key]), channel)
        for key, recording in files.recordings.items()
        if key in clips
    ]


def _write_picture(project: Project, folder: Path, files: DatasetFiles, named_clip: NamedClip) -> None:
    # Matplotlib is an optional extra that only pictures need.
    from ossicle.report.figures.clip_picture import write_picture

    recording, front = files.recordings[named_clip.clip.recording_id], project.settings.frontend
    length_s = named_clip.clip.end_s - named_clip.clip.start_s
    path, channel = project.roots.file(recording), project.settings.audio.name
    samples = load_mono(path, recording.rate, named_clip.clip.start_s, length_s, channel=channel)
    write_picture(folder / files.picture(named_clip), samples, recording.rate, front.fmin_hz, front.fmax_hz)


def _refuse_overwriting(folder: Path, files: DatasetFiles, force: bool) -> None:
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file; give a folder")
    # Many files are found faster in a list of the folder than one by one.
    tree = walk(folder) if folder.exists() else ()
    present = {(base / name).relative_to(folder).as_posix() for base, _, names in tree for name in names}
    existing = [path for path in files.paths() if path in present]
    if existing and not force:
        more = f" and {len(existing) - 1} more" if len(existing) > 1 else ""
        raise UsageError(
            f"{folder / existing[0]}{more} already exist; choose another folder, or overwrite with --force"
        )
