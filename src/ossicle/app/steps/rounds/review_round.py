"""A review round: export events as tables for a reviewer, and import the reviewer's answers into the project."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from ossicle.app.project.load import Project
from ossicle.app.project.places import writing
from ossicle.app.steps.data import corpus
from ossicle.app.steps.engine.step import Progress, find_steps, run_steps
from ossicle.app.steps.pipeline.needed import require_of_pipeline
from ossicle.app.steps.pipeline.pipelines import chosen_steps
from ossicle.app.steps.rounds import review_candidates
from ossicle.app.steps.rounds.learners import Learners, learners
from ossicle.artefacts.files import sweep, whole_folder
from ossicle.artefacts.typed.candidates import CandidatesFolder
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.artefacts.typed.results.released import BundleFolder
from ossicle.core.digest import digest
from ossicle.core.errors import UsageError
from ossicle.core.settings import digestible
from ossicle.corpus.indexing.index_storage import read_index
from ossicle.corpus.naming.file_listing import files_below
from ossicle.corpus.review.answers import Answers, answers
from ossicle.corpus.review.rounds import FOLDER, Round, write_round
from ossicle.corpus.review.selection import ReviewSettings, choose
from ossicle.corpus.review.tables import EXPORT, Export, Sheet, read_export, read_returned, write_export

_TABLES = frozenset({".txt", ".csv", ".tsv"})


@dataclass(frozen=True, slots=True)
class Imported:
    """The result of an import: the file (None if an earlier one holds the same), the answers, what was not used, and
    who uses the answers.
    """

    file: Path | None
    answers: Answers
    unused: tuple[str, ...]
    learners: Learners


def export_review(
    project: Project, target: Path, settings: ReviewSettings, formats: Sequence[str], progress: Progress
) -> tuple[Export, dict[str, str]]:
    """Write the tables of a review into a new folder, whole or absent.

    Parameters
    ----------
    project
        A project that was run.
    target
        The folder to write; it must not exist.
    settings
        Which events to export, and how many.
    formats
        Names of the annotation formats to write.
    progress
        Where the steps report how far they are.

    Returns
    -------
    tuple[Export, dict[str, str]]
        What was exported, and the recordings that could not be read, with the reasons.

    Raises
    ------
    UsageError
        The project was not run with these settings, ``target`` exists, or there is nothing to review.
    """
    require_of_pipeline(project, "review export", DatasetFolder.step)
    if target.exists():
        raise UsageError(f"{target} already exists; choose a new folder, so that no corrected table is overwritten")
    steps = chosen_steps(project, review_candidates.STEP.needs)
    missing = [name for name, path in find_steps(steps, project).items() if path is None]
    if missing:
        raise UsageError(f"the step {missing[0]} is not done with these settings; run `ossicle run` first")
    with writing(project.data_root):
        artefacts = run_steps((*steps, review_candidates.STEP), project, progress).artefacts
    index, folder = read_index(CorpusFolder.among(artefacts)), CandidatesFolder.among(artefacts)
    chosen = choose(
        index.recordings,
        index.annotations,
        review_candidates.read_candidates(folder),
        index.examined,
        settings,
        project.settings.evaluation.iou,
    )
    if not chosen:
        raise UsageError(
            f"nothing to export: there is no event of the kinds {', '.join(settings.select)} that is not yet checked"
        )
    sheets = tuple(
        Sheet(recording.id, recording.path, recording.digest, recording.duration_s, chosen[recording.id])
        for recording in index.recordings
        if recording.id in chosen
    )
    content = {artefact.step: artefact.content for artefact in (BundleFolder.among(artefacts), folder)}
    export = Export(
        id=digest([content, digestible(settings), [asdict(sheet) for sheet in sheets]])[:16],
        provenance={
            "project": project.settings.project.name,
            "model": content[BundleFolder.step],
            "candidates": content[CandidatesFolder.step],
            "ossicle": version("ossicle"),
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
        },
        labels=DatasetFolder.among(artefacts).labels,
        high_hz=project.settings.frontend.fmax_hz,
        sheets=sheets,
    )
    with whole_folder(target) as part:
        write_export(part, export, formats)
    return export, folder.left_out


def import_review(
    project: Project,
    folder: Path,
    by: str,
    progress: Progress,
    *,
    new_labels: Sequence[str] = (),
    accept_unchanged: bool = False,
) -> Imported:
    """Read corrected tables and save the answers in the project folder, whole or absent.

    Parameters
    ----------
    project
        The project that was exported.
    folder
        The exported folder with corrected tables.
    by
        The name of the reviewer.
    progress
        Where the steps report how far they are.
    new_labels
        Labels outside the project that the tables may use.
    accept_unchanged
        Whether tables without any change count as reviewed.

    Returns
    -------
    Imported
        The saved answers, and what was not used.

    Raises
    ------
    FormatError
        A table cannot be read or contradicts another; the message names file and line.
    UsageError
        The folder holds no export, or that of another project, or nothing in it was reviewed.
    """
    export = read_export(folder)
    _require_own(project, folder, export)
    answered = answers(export, read_returned(folder, export), new_labels=new_labels, accept_unchanged=accept_unchanged)
    rounds_folder = project.folder / FOLDER
    with writing(project.data_root, (rounds_folder,)):
        index = read_index(CorpusFolder.among(run_steps((corpus.STEP,), project, progress).artefacts))
        digests = {recording.id: recording.digest for recording in index.recordings}
        usable = tuple(
            recording for recording in answered.recordings if digests.get(recording.recording_id) == recording.digest
        )
        unused = [
            f"{recording.path}: changed since the export, or no longer exists"
            for recording in answered.recordings
            if recording not in usable
        ]
        known = {*export.tables, EXPORT}
        unused += [
            f"{name}: is not a table of this export" for name in files_below(folder, _TABLES) if name not in known
        ]
        if not usable:
            raise UsageError(_nothing_reviewed(folder, answered, unused))
        provenance = {
            **export.provenance,
            "export": export.id,
            "by": by,
            "exported": export.provenance.get("created", ""),
        }
        provenance["created"] = datetime.now(UTC).isoformat(timespec="seconds")
        if rounds_folder.is_dir():
            sweep(rounds_folder)
        file = write_round(rounds_folder, Round(usable, provenance))
    return Imported(file, replace(answered, recordings=usable), tuple(unused), learners(project, lambda learner: True))


def _require_own(project: Project, folder: Path, export: Export) -> None:
    """Raise UsageError for the export of a project with another name: its stretches were checked for other sounds."""
    exported_by, name = export.provenance.get("project", ""), project.settings.project.name
    if exported_by and exported_by != name:
        raise UsageError(
            f"{folder} was exported by the project {exported_by!r}, and {project.file} is the project {name!r}: give "
            f"the other one with -p, or its name in [project] name if this project was renamed"
        )


def _nothing_reviewed(folder: Path, answered: Answers, unused: Sequence[str]) -> str:
    if answered.untouched and not answered.recordings:
        return (
            f"{folder}: no table was changed since the export, so it is unknown whether anyone checked them; if all "
            "of them are correct, add --accept-unchanged"
        )
    return f"{folder}: contains nothing that was reviewed{''.join(f'; {reason}' for reason in unused)}"
