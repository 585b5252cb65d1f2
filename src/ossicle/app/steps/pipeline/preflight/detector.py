"""What is missing before a detector runs: folders, space, packages, devices. Each finding says how to fix it."""

import importlib.util
from collections.abc import Callable, Iterable, Iterator

from ossicle.app.project.load import Project
from ossicle.app.steps.data.unlabelled import audio_folder, teaching_rounds
from ossicle.app.steps.pipeline.preflight.device import device_finding, tracking_finding
from ossicle.app.steps.pipeline.preflight.disk import disk_finding
from ossicle.app.steps.pipeline.preflight.encoder import encoder_findings
from ossicle.app.steps.pipeline.preflight.finding import Finding
from ossicle.app.steps.pipeline.preflight.roots import root_findings
from ossicle.app.steps.pipeline.preview.detector import detector_preview
from ossicle.audio.encoders.settings import NONE as NO_ENCODER
from ossicle.core.errors import OssicleError, UsageError
from ossicle.models.model_kinds import EMBEDDINGS, LOG_MEL
from ossicle.training.second_stage.settings import NONE as NO_SECOND_STAGE

_NEEDED = ("torch", "lightning", "safetensors", "onnx", "matplotlib", "jinja2", "tensorboard")


def preflight(project: Project) -> list[Finding]:
    """Check everything that a run needs, without starting one."""
    findings = [_packages(project), *_windows(project), *with_disk(project, input_folders(project, detector_preview))]
    if project.settings.kind.reads == EMBEDDINGS:
        # Heads need no store, and are trained on the CPU.
        return [*findings, *encoder_findings(project), tracking_finding(project)]
    return [*findings, *_unlabelled(project), device_finding(project), tracking_finding(project)]


def with_disk(project: Project, findings: Iterable[Finding]) -> list[Finding]:
    """Return findings with one about the disk, which an index of the recordings gives; without one, a shorter one."""
    all_findings = list(findings)
    return (
        all_findings
        if any(finding.what == "disk" for finding in all_findings)
        else [*all_findings, disk_finding(project)]
    )


def _packages(project: Project) -> Finding:
    settings = project.settings
    second_stage = ("sklearn",) if settings.second_stage.kind != NO_SECOND_STAGE else ()
    needed = (*_NEEDED, *settings.kind.packages, *second_stage)
    missing = [name for name in needed if importlib.util.find_spec(name) is None]
    if missing:
        return Finding("packages", False, f"missing: {', '.join(missing)}; pip install 'ossicle[train]'")
    return Finding("packages", True, "everything for training and the report is installed")


def _windows(project: Project) -> Iterator[Finding]:
    settings = project.settings
    if settings.encoder.name != NO_ENCODER and settings.kind.reads == LOG_MEL:
        message = (
            f"{settings.encoder.name!r} serves `ossicle features` and `ossicle similar` alone: "
            f'[evaluation] criterion = "{settings.evaluation.criterion}" judges {settings.evaluation.kind.what}, and '
            "models then read spectrograms"
        )
        yield Finding("encoder", True, message)
    if message := settings.windows_in_words:
        yield Finding("windows", True, message)


def input_folders(
    project: Project, preview: Callable[[Project], Iterable[Finding]], *, labels_needed: bool = True
) -> Iterator[Finding]:
    """Check the folders and tables that a project names; ``preview`` says what is used of them.

    ``labels_needed``: whether a project without annotations cannot run.
    """
    audio = project.audio_folder
    if (fetching := _fetching(project)) is not None:
        yield fetching
    yield from root_findings(project)
    if project.manifest is not None:
        yield from preview(project)
        yield Finding("annotations", True, f"the components of the events of {project.manifest}")
        return
    if not audio.is_dir() and fetching is not None:
        yield Finding("recordings", False, f"{audio} does not exist until the recordings are fetched", fetching.blocks)
    elif not audio.is_dir():
        yield Finding("recordings", False, f"[corpus] audio: {audio} does not exist; correct the path")
    else:
        yield from preview(project)
    notes, corpus = project.annotation_folder, project.settings.corpus
    if (table := project.metadata_table) is not None:
        exists = table.is_file()
        yield Finding("metadata", exists, str(table) if exists else f"{table} does not exist; correct the path")
    if notes is None:
        if fields := [corpus.label_field] * bool(corpus.label_field) or list(corpus.label_fields):
            named = ", ".join(map(repr, fields))
            yield Finding("annotations", True, f"recordings are labelled as a whole, by {named}")
        elif corpus.metadata.table and corpus.metadata.label_column:
            message = f"recordings are labelled as a whole, by the column {corpus.metadata.label_column!r}"
            yield Finding("annotations", True, message)
        elif labels_needed:
            yield Finding("annotations", False, "[corpus] annotations is empty: there is nothing to train with")
    else:
        yield Finding(
            "annotations",
            notes.is_dir() or notes.is_file(),
            f"{notes} is neither a folder nor a file; correct the path"
            if notes.exists() and not (notes.is_dir() or notes.is_file())
            else str(notes)
            if notes.exists()
            else f"{notes} does not exist; correct the path",
        )


def _fetching(project: Project) -> Finding | None:
    """Check whether the files of the fetch table are here; a run fetches them first, so missing files block nothing."""
    # Imported here: the download code is slow to load, and `ossicle status` needs none of it.
    from ossicle.app.steps.data.fetch import is_fetched

    table = project.settings.fetch.table
    if not table:
        return None
    try:
        here = is_fetched(project)
    except OssicleError as problem:
        return Finding("fetch", False, str(problem))
    return Finding(
        "fetch",
        here,
        f"all of {table}" if here else f"not all files of {table} are here: a run fetches them first",
        here,
    )


def _unlabelled(project: Project) -> Iterator[Finding]:
    """Check the folder of ``[pseudo]``; a run needs it only if it uses rounds of pseudo-labels."""
    if not project.settings.pseudo.audio:
        return
    rounds = [path.name for path in teaching_rounds(project)]
    try:
        folder = audio_folder(project)
    except UsageError as problem:
        yield Finding("unlabelled", False, str(problem), blocks=bool(rounds))
        return
    taught = f"trained with {', '.join(rounds)}" if rounds else "no round of pseudo-labels is used"
    yield Finding("unlabelled", True, f"{folder}; {taught}")
