"""Archive a finished run: one dated folder with everything that says what it was, readable without Ossicle."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from ossicle.app.project.load import Project
from ossicle.app.steps.engine.step import Progress
from ossicle.app.steps.maintenance.pins import keep, pins
from ossicle.app.steps.maintenance.project_health import project_health
from ossicle.app.steps.pipeline.pipelines import pipeline_of
from ossicle.app.steps.promotion.archive_sounds import write_sounds
from ossicle.app.steps.promotion.archive_tables import (
    figures_table,
    history_table,
    settings_json,
    steps_table,
    tracking_json,
)
from ossicle.app.steps.promotion.finished_run import FinishedRun, finished_run
from ossicle.artefacts.files import file_digest, whole_folder, write_json, write_text
from ossicle.artefacts.filesystem.changes import copy_file, copy_tree, make_folder
from ossicle.artefacts.filesystem.reading import MOST_ARTEFACT_BYTES, read_if_there
from ossicle.artefacts.filesystem.walking import walk
from ossicle.artefacts.logs.environment import environment
from ossicle.artefacts.shelf import Shelf
from ossicle.artefacts.tables import read_table, write_csv
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.judged import EvaluationFolder
from ossicle.artefacts.typed.results.archived import (
    ANSWERS,
    CLIPS,
    DATASET,
    ENVIRONMENT,
    FIGURES,
    HEALTH,
    HEALTH_PAGE,
    HISTORY,
    README,
    SETTINGS,
    SOUNDS,
    STEPS,
    SUMS,
    TRACKING,
)
from ossicle.artefacts.typed.results.published import BUNDLE, METRICS, PAGE
from ossicle.artefacts.typed.training import TrainingFolder
from ossicle.core.digest import digest
from ossicle.core.errors import UsageError

_MOST_OF_NAME = 60
_WHAT: Mapping[str, str] = {
    SETTINGS: "all settings of the run, those of the recipe included; absolute paths are shortened to their last part",
    METRICS: "all figures",
    FIGURES: "the same figures as a table, with intervals",
    HISTORY: "the curves: one row for each model and epoch",
    STEPS: "the steps of the run with their digests and times",
    HEALTH: "counts, problems and gates of the data",
    HEALTH_PAGE: "the same as a page",
    TRACKING: "names, tags and group in trackers; best and last epoch of each model",
    ENVIRONMENT: "Python, packages, processor and devices of the training, and of this archive",
    PAGE: "the report page",
    DATASET: "labels, split and its audit, folds and counts of clips",
    CLIPS: "answers to held-out clips, confusion matrix (rows are true labels), misclassified clips and pairs",
    SOUNDS: "the most confident mistakes as sound, with their table",
    BUNDLE: "the model: model.onnx runs in any onnxruntime; CARD.md describes it",
    SUMS: "checksums: `sha256sum -c SHA256SUMS`",
}


@dataclass(frozen=True, slots=True)
class Archive:
    """A finished archive: its folder, number of files and bytes, and what it lacks, in words."""

    folder: Path
    n_files: int
    n_bytes: int
    missing: tuple[str, ...]


def archive(
    project: Project, folder: Path, progress: Progress, *, sounds: int = 50, today: date | None = None
) -> Archive:
    """Write the archive of a finished run into a dated folder, complete or not at all.

    Parameters
    ----------
    project
        The project or variant; all its steps must be finished.
    folder
        The folder in which to create ``NAME-DATE``.
    progress
        Where the indexing of the corpus reports how far it is, if that has to be done for the health report.
    sounds
        The largest number of misclassified clips to write as sound.
    today
        The date in the name; by default that of today (UTC).

    Raises
    ------
    UsageError
        A step is not finished, or the folder exists already: an archive is never overwritten.
    """
    run = finished_run(project, "archive")
    day, name = _named_day(today), project.settings.project.name
    target = folder / f"{name}-{day}"
    if target.exists():
        raise UsageError(f"{target} exists already, and an archive is never overwritten; choose another folder with -o")
    with whole_folder(target) as part:
        missing = [*_write_run(run, part), *_write_health(run, part, progress), *_write_clips(run, part, sounds)]
        write_text(part / README, _readme(run, part, day, missing))
        _write_sums(part)
        # No archive is without its pin, whenever the process is killed.
        keep(project.data_root, _pin(name, day, run.contents), f"the archive {target.name}", run.contents)
    return _finished(target, missing)


def archive_of_today(project: Project, folder: Path, today: date | None = None) -> Archive | None:
    """Return the archive that :func:`archive` made today of this very run; None if there is none.

    Parameters
    ----------
    project
        The project or variant; all its steps must be finished.
    folder
        The folder that the archive was written to.
    today
        The date in its name; by default that of today (UTC).

    Raises
    ------
    UsageError
        A step is not finished.
    """
    run, name, day = finished_run(project, "archive"), project.settings.project.name, _named_day(today)
    target = folder / f"{name}-{day}"
    pin_names = {pin.name for pin in pins(project.data_root)}
    if not target.is_dir() or _pin(name, day, run.contents) not in pin_names or _contents(target) != run.contents:
        return None
    return _finished(target, ())


def _named_day(today: date | None) -> str:
    return (today or datetime.now(UTC).date()).isoformat()


def _contents(folder: Path) -> dict[str, str]:
    """Return the content digest of every step that an archive was made from; empty if it does not say so."""
    lines = read_if_there(folder / STEPS, MOST_ARTEFACT_BYTES).decode(errors="replace").splitlines()
    return {row.get("step", ""): row.get("content", "") for row in csv.DictReader(lines)}


def _pin(name: str, day: str, contents: Mapping[str, str]) -> str:
    # Two runs never share a pin: variants that are archived on one day, or projects with the same long beginning.
    return f"archived-{name[:_MOST_OF_NAME]}-{day}-{digest(dict(contents))[:8]}"


def _finished(target: Path, missing: Sequence[str]) -> Archive:
    sizes = [(base / file_name).stat().st_size for base, _, names in walk(target) for file_name in names]
    return Archive(target, len(sizes), sum(sizes), tuple(missing))


def _write_run(run: FinishedRun, part: Path) -> Iterator[str]:
    """Write settings, figures, curves, steps, environment, dataset, page and bundle; yield what there is none of."""
    settings = run.project.settings
    write_json(part / SETTINGS, settings_json(settings))
    write_csv(part / STEPS, steps_table(run.artefacts, Shelf(run.project.data_root)))
    write_json(part / ENVIRONMENT, {"training": run.environment, "archive": environment()})
    if run.result(METRICS) is None:
        yield "figures: the split leaks, so nothing was evaluated"
    else:
        write_json(part / METRICS, run.metrics)
        write_csv(part / FIGURES, figures_table(run.metrics))
    for name in (PAGE, BUNDLE):
        path = run.result(name)
        if path is None:
            yield name
        elif path.is_dir():
            copy_tree(path, part / name)
        else:
            copy_file(path, part / name)
    step = pipeline_of(run.project).trained_by
    trained = (
        {run_folder.path.name: run_folder for run_folder in TrainingFolder(run.artefacts[step]).runs()} if step else {}
    )
    write_csv(part / HISTORY, history_table(trained))
    write_json(part / TRACKING, tracking_json(trained, settings))
    dataset = DatasetFolder.among(run.artefacts)
    make_folder(part / DATASET)
    for file in (dataset.labels_file, dataset.split_file):
        if file.is_file():
            copy_file(file, part / DATASET / file.name)
    for file in (dataset.folds_file, dataset.stats_file):
        if file.is_file():
            write_csv(part / DATASET / f"{file.stem}.csv", read_table(file))


def _write_health(run: FinishedRun, part: Path, progress: Progress) -> Iterator[str]:
    from ossicle.app.steps.maintenance.health_files import write_page

    report = project_health(run.project, progress).to_json()
    write_json(part / HEALTH, report)
    write_page(part / HEALTH_PAGE, run.project.settings.project.name, report)
    yield from ()


def _write_clips(run: FinishedRun, part: Path, most: int) -> Iterator[str]:
    """Write the answers to held-out clips and the sounds of the wrong ones; yield what there is none of."""
    if EvaluationFolder.step not in run.artefacts:
        return
    clips = EvaluationFolder.among(run.artefacts).clips
    if not clips.answers_file.is_file():
        yield "answers to clips: the criterion of the run judges no clips"
        return
    copy_tree(clips.path, part / CLIPS)
    write_csv(part / CLIPS / ANSWERS, clips.answers)
    make_folder(part / SOUNDS)
    from ossicle.evaluation.clips.answer_table import misclassified

    written = write_sounds(run, misclassified(clips.answers), part / SOUNDS, most)
    for recording in written.unreadable:
        yield f"sounds of {recording}: the recording could not be read"


def _readme(run: FinishedRun, part: Path, day: str, missing: list[str]) -> str:
    rows = [
        f"| `{name}` | {description} |" for name, description in _WHAT.items() if (part / name).exists() or name == SUMS
    ]
    lacks = ["", "Not in this archive:", "", *(f"- {file_name}" for file_name in missing)] if missing else []
    variant = [f"Variant: {run.project.variant}", ""] if run.project.variant else []
    return "\n".join(
        [
            f"# {run.project.settings.project.name}, archived on {day}",
            "",
            *variant,
            "Everything here is CSV, JSON, HTML, WAV, ONNX or plain text; no file needs Ossicle.",
            "",
            "| file or folder | what it holds |",
            "|---|---|",
            *rows,
            *lacks,
            "",
        ]
    )


def _write_sums(part: Path) -> None:
    """Write the SHA-256 of every file, in the format of ``sha256sum``."""
    files = sorted((base / name).relative_to(part).as_posix() for base, _, names in walk(part) for name in names)
    write_text(part / SUMS, "".join(f"{file_digest(part / name)}  {name}\n" for name in files))
