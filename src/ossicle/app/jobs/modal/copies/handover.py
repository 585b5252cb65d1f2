"""Copy a project, what it reads, and its finished artefacts to a volume, and finished artefacts back."""

import json
import os
import re
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from ossicle.app.jobs.modal.copies.inputs import Inputs
from ossicle.app.jobs.modal.orders import DATA, MARK, PROJECT
from ossicle.app.jobs.modal.service import Service
from ossicle.app.project.file_times import file_state
from ossicle.app.project.load import Project
from ossicle.app.project.places import writing
from ossicle.app.remote.place import RECORDS, Place, state_of
from ossicle.app.remote.transfer import TransferOptions, pull, push
from ossicle.app.steps.engine.step import Progress, Step, find_steps, fingerprint
from ossicle.app.steps.pipeline.pipelines import steps_of
from ossicle.artefacts.files import publish_folder, write_text
from ossicle.artefacts.filesystem.changes import make_folder, remove_folder
from ossicle.artefacts.filesystem.reading import read_regular
from ossicle.artefacts.filesystem.walking import walk
from ossicle.artefacts.fingerprint import Fingerprint
from ossicle.artefacts.locks.lock import forget_work_unit_locks
from ossicle.artefacts.shelf import MANIFEST, Shelf
from ossicle.artefacts.typed.benchmark import BenchmarkDecisionsFolder, BenchmarkResultsFolder
from ossicle.artefacts.typed.index import BenchmarkIndexFolder
from ossicle.artefacts.typed.scores import BenchmarkScoresFolder
from ossicle.audio.probe import SUFFIXES
from ossicle.core.errors import ArtefactError, FetchError, UsageError
from ossicle.core.text.counting import counted
from ossicle.core.text.sizes import size_in_words

FORMAT_VERSION = 1
_STAGE = ".ossicle-part-volume"
_MOST_MARK_BYTES = 10_000
_OF_BENCHMARKS = frozenset(
    folder_type.step
    for folder_type in (BenchmarkIndexFolder, BenchmarkScoresFolder, BenchmarkDecisionsFolder, BenchmarkResultsFolder)
)
_MANIFEST_PATH = re.compile(rf"[0-9a-f]{{16}}/{re.escape(MANIFEST)}")


def send_files(place: Place, folder: Path, paths: Sequence[str]) -> None:
    """Send a few small files that this machine wrote.

    Parameters
    ----------
    place
        Where to send them.
    folder
        The local folder.
    paths
        Paths below it.

    Raises
    ------
    FetchError
        One did not arrive.
    """
    moved = place.send(folder, {path: state_of(os.lstat(folder / path)) for path in paths})
    if missing := [path for path in paths if path not in moved.digests]:
        raise FetchError(f"{missing[0]} did not arrive in the volume: {moved.failed.get(missing[0], 'it changed')}")


def claim(service: Service, prefix: str, name: str, stage: Path) -> None:
    """Mark a folder of the volume as that of a project.

    Parameters
    ----------
    service
        The volume.
    prefix
        The folder.
    name
        The name of the project.
    stage
        A local folder for the file.

    Raises
    ------
    UsageError
        The folder holds another project, or files of something else.
    """
    if require_own(service, prefix, name):
        return
    make_folder(stage)
    write_text(stage / MARK, json.dumps({"format": FORMAT_VERSION, "project": name}))
    send_files(service.place(prefix), stage, [MARK])


def require_own(service: Service, prefix: str, name: str) -> bool:
    """Return whether a folder of the volume holds a project; False if it holds nothing yet.

    Parameters
    ----------
    service
        The volume.
    prefix
        The folder.
    name
        The name of the project.

    Raises
    ------
    UsageError
        The folder holds another project, or files of something else.
    """
    place = service.place(prefix)
    listing = place.listing()
    remedy = "name another folder of the volume: --set modal.prefix=NAME, or in ossicle.local.toml"
    if MARK not in listing.files:
        if any(path.partition("/")[0] in (PROJECT, DATA) for path in listing.files):
            raise UsageError(f"the folder {prefix!r} of the volume holds files that are no project's; {remedy}")
        return False
    owner: object = None
    with TemporaryDirectory() as stage:
        if listing.files[MARK].size <= _MOST_MARK_BYTES:
            place.bring(Path(stage), {MARK: listing.files[MARK]})
        try:
            owner = json.loads(read_regular(Path(stage, MARK), _MOST_MARK_BYTES))["project"]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            owner = None
    if owner != name:
        raise UsageError(f"the folder {prefix!r} of the volume holds another project, {owner!r}; {remedy}")
    return True


def send_inputs(service: Service, prefix: str, inputs: Inputs, progress: Progress) -> dict[str, tuple[int, int]]:
    """Copy what a project reads.

    Parameters
    ----------
    service
        The volume.
    prefix
        The folder of the project in it.
    inputs
        What the project reads.
    progress
        Where to report the copied files.

    Returns
    -------
    dict[str, tuple[int, int]]
        Size and time of every file, by its path in the volume.

    Raises
    ------
    UsageError
        A file cannot be copied; the message names it.
    """
    states: dict[str, tuple[int, int]] = {}
    for volume_folder, path in inputs.copied.items():
        folder, only = (path.parent, path.name) if path.is_file() else (path, "")

        def wanted(name: str, volume_folder: str = volume_folder, only: str = only) -> bool:
            return name == only if only else inputs.wanted(volume_folder, name)

        progress.begin(f"copy {volume_folder}")
        _push_all(folder, service.place(f"{prefix}/{volume_folder}"), progress, wanted)
        states |= {f"{prefix}/{volume_folder}/{name}": file_state(folder / name) for name in _files(folder, wanted)}
    for volume_folder, folder in inputs.present.items():
        names = _require_there(service, volume_folder, folder)
        states |= {f"{volume_folder}/{name}": file_state(folder / name) for name in names}
    return states


def _push_all(folder: Path, place: Place, progress: Progress, is_wanted: Callable[[str], bool]) -> None:
    """Copy the wanted files of a folder and say how many; raises UsageError if any cannot be copied."""
    sent = push(folder, place, progress, TransferOptions(is_wanted=is_wanted))
    if sent.left_out:
        path, reason = next(iter(sorted(sent.left_out.items())))
        raise UsageError(
            f"{len(sent.left_out)} files cannot be copied to Modal, the first: {folder / path}: {reason}; copy or "
            "remove them, and run again"
        )
    files = counted(len(sent.sent), "file")
    progress.say(f"{files} copied ({size_in_words(sent.n_bytes)}), {sent.unchanged} unchanged")


def _require_there(service: Service, volume_folder: str, folder: Path) -> list[str]:
    """Return the recordings of a folder here; raises UsageError for one that the volume lacks."""
    volume_files = service.place(volume_folder).listing().files
    files = _files(folder, lambda path: Path(path).suffix.lower() in SUFFIXES and not path.startswith("."))
    for name in files:
        if name not in volume_files or volume_files[name].size != os.stat(folder / name).st_size:
            raise UsageError(
                f"[modal] audio_prefix: {volume_folder}/{name} is missing in the volume or has another size than "
                f"{folder / name}; copy the recordings with `ossicle remote push`, or remove audio_prefix"
            )
    return files


def _files(folder: Path, is_wanted: Callable[[str], bool]) -> list[str]:
    paths = ((base / name).relative_to(folder).as_posix() for base, _, names in walk(folder) for name in names)
    return [path for path in paths if is_wanted(path)]


def send_artefacts(
    service: Service, prefix: str, project: Project, sent: Collection[Path], progress: Progress
) -> set[Path]:
    """Copy the finished artefacts of a project; one counts there only when its last file, the manifest, has arrived.

    Parameters
    ----------
    service
        The volume.
    prefix
        The folder of the project in it.
    project
        The project.
    sent
        Artefacts that were sent before.
    progress
        Where to report the copied files.

    Returns
    -------
    set[Path]
        All artefacts that are there now.
    """
    finished_artefacts = {path for path in find_steps(steps_of(project), project).values() if path is not None}
    finished_artefacts |= benchmark_artefacts(project)
    folders = {path.relative_to(project.data_root).as_posix() for path in finished_artefacts - set(sent)}
    for manifests in (False, True) if folders else ():

        def wanted(path: str, manifests: bool = manifests) -> bool:
            folder, _, name = path.rpartition("/")
            is_in_folders = "/".join(path.split("/")[:2]) in folders
            return is_in_folders and (folder in folders and name == MANIFEST) is manifests

        progress.begin("copy manifests" if manifests else "copy artefacts")
        _push_all(project.data_root, service.place(f"{prefix}/{DATA}"), progress, wanted)
    return {*sent, *finished_artefacts}


def bring_artefacts(service: Service, prefix: str, project: Project, progress: Progress) -> list[Path]:
    """Copy the artefacts of a project that are finished in the volume and missing here, each whole or not at all.

    Parameters
    ----------
    service
        The volume.
    prefix
        The folder of the project in it.
    project
        The project.
    progress
        Where to report the copied files.

    Returns
    -------
    list[Path]
        Their places here.

    Raises
    ------
    ArtefactError
        A copy is damaged, or not what its name says.
    """
    shelf, artefacts, brought = Shelf(project.data_root), dict[str, Path](), []
    finished: set[str] | None = None
    for step in steps_of(project):
        if any(name not in artefacts for name in step.needs):
            continue
        made_from = _fingerprint(step, project, shelf, artefacts)
        if made_from is None:
            continue
        artefact = shelf.find(made_from)
        if artefact is None:
            if finished is None:
                listed = service.place(f"{prefix}/{DATA}").listing().files
                finished = {path.rpartition("/")[0] for path in listed if path.endswith(f"/{MANIFEST}")}
            name = f"{made_from.step}/{made_from.digest[:16]}"
            if name not in finished:
                continue
            with writing(project.data_root, wait=True):
                artefact = _bring(service.place(f"{prefix}/{DATA}/{name}"), shelf, name, progress)
            brought.append(artefact)
        artefacts[step.name] = artefact
    if project.settings.benchmark.audio:
        listed = service.place(f"{prefix}/{DATA}").listing().files
        for name in sorted(path.removesuffix(f"/{MANIFEST}") for path in listed if _is_benchmark(path)):
            if not (shelf.root / name / MANIFEST).exists():
                with writing(project.data_root, wait=True):
                    brought.append(_bring(service.place(f"{prefix}/{DATA}/{name}"), shelf, name, progress))
    return brought


def benchmark_artefacts(project: Project) -> set[Path]:
    """Return the finished artefacts of benchmarks in a data root, under any settings.

    What they are made from is known only while a benchmark runs: their folders are copied as they are.

    Parameters
    ----------
    project
        The project.
    """
    if not project.settings.benchmark.audio:
        return set()
    every = (file for step in _OF_BENCHMARKS for file in (project.data_root / step).glob(f"*/{MANIFEST}"))
    return {file.parent for file in every if _is_benchmark(file.relative_to(project.data_root).as_posix())}


def _is_benchmark(path: str) -> bool:
    """Return whether a path in a data root is the manifest of a finished artefact of a benchmark."""
    step, _, rest = path.partition("/")
    return step in _OF_BENCHMARKS and _MANIFEST_PATH.fullmatch(rest) is not None


def _fingerprint(step: Step, project: Project, shelf: Shelf, artefacts: dict[str, Path]) -> Fingerprint | None:
    try:
        return fingerprint(step, project, shelf, artefacts)
    except (UsageError, ArtefactError, OSError):
        # Files that it reads are missing or damaged here: the run will say so.
        return None


def _bring(place: Place, shelf: Shelf, name: str, progress: Progress) -> Path:
    """Copy an artefact; ``name`` is its folder in both data roots, the step and the first digits of its digest."""
    target = shelf.root / name
    step = target.parent.name
    # The same name each time, so that an interrupted copy goes on.
    stage = target.parent / f"{_STAGE}-{target.name}"
    progress.begin(f"copy {step} back")
    got = pull(place, stage, progress)
    if got.left_out:
        path, reason = next(iter(sorted(got.left_out.items())))
        raise ArtefactError(f"{step} in the volume: {path}: {reason}; remove it there and run the step again")
    if (stage / RECORDS).exists():
        remove_folder(stage / RECORDS)
    forget_work_unit_locks(stage)
    try:
        manifest = shelf.manifest(stage)
        if (manifest["step"], manifest["digest"][: len(target.name)]) != (step, target.name):
            raise ArtefactError(f"{step} in the volume is another artefact than its name says")
        shelf.verify(stage)
    except ArtefactError:
        remove_folder(stage)
        raise
    if target.exists():
        remove_folder(target)
    publish_folder(stage, target)
    return target
