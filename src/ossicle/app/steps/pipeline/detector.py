"""The chain of steps of a project, and what a finished run leaves beside the project file."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from ossicle.app.project.former_names import present_step
from ossicle.app.project.load import Project
from ossicle.app.project.places import refuse_links
from ossicle.app.steps.data import corpus, dataset, store, unlabelled
from ossicle.app.steps.engine.step import Done, Progress, Step, run_steps
from ossicle.app.steps.judge import calibration, decision, evaluation, noise_gate, second_stage
from ossicle.app.steps.release import bundle, report, unscored_bundle
from ossicle.app.steps.score import scores
from ossicle.app.steps.train import training
from ossicle.artefacts.files import whole_file, whole_folder
from ossicle.artefacts.lock import project_lock
from ossicle.core.errors import GateRefused, UsageError

CHAIN: tuple[Step, ...] = (
    corpus.STEP,
    dataset.STEP,
    store.STEP,
    training.STEP,
    scores.STEP,
    decision.STEP,
    calibration.STEP,
    second_stage.STEP,
    evaluation.STEP,
    noise_gate.STEP,
    bundle.STEP,
    report.STEP,
)

RESULTS = (noise_gate.METRICS, bundle.FOLDER, report.PAGE)
"""What a finished run leaves beside the project file."""


def chain_of(project: Project | None = None) -> tuple[Step, ...]:
    """The steps of a project in order. A leaky split has no recording that is out of fold as a whole, and so no step
    that judges: its bundle comes straight after the training, and says what it is. Where pseudo-labels teach, the
    unlabelled recordings come before the training.
    """
    if project is None:
        return CHAIN
    if not project.settings.split.leaky:
        return unlabelled.taught_chain(CHAIN, project)
    before = [step.name for step in CHAIN].index(scores.STEP.name)
    return (*CHAIN[:before], unscored_bundle.STEP)


def chosen_steps(
    names: Sequence[str] = (), until: str | None = None, project: Project | None = None
) -> tuple[Step, ...]:
    """The steps named and those they read, directly or not (all without ``names``), none after ``until``.

    Of ``project``, else of one whose split does not leak. Raises UsageError for a step that there is not, SplitError
    for one that a leaky split cannot have.
    """
    chain = chain_of(project)
    last = len(chain) if until is None else _place(until, project) + 1
    wanted = {chain[_place(name, project)].name for name in names or [step.name for step in chain]}
    # A step reads only earlier ones, so one pass from the end finds them all.
    for step in reversed(chain):
        if step.name in wanted:
            wanted.update(step.needs)
    return tuple(step for step in chain[:last] if step.name in wanted)


def _place(name: str, project: Project | None) -> int:
    name = present_step(name)
    names = [step.name for step in chain_of(project)]
    if name in names:
        return names.index(name)
    if project is not None and name in [step.name for step in CHAIN]:
        scores.refuse_leaky(project)
    raise UsageError(f"there is no step {name!r}; steps: {', '.join(names)}")


def run_project(
    project: Project,
    progress: Progress,
    until: str | None = None,
    *,
    names: Sequence[str] = (),
    anew_from: str | None = None,
    wait: bool = False,
) -> Done:
    """Run a project and leave its results in ``project.results``, but for a bundle that the noise gate refused.

    A refusal is no exception here, for there is much to look at: :func:`gate_refusal` says it. Of a leaky split there
    is a bundle and nothing else (:func:`chain_of`).

    ``names``: these steps and the ones they read; else all. ``until``: nothing after this step. ``anew_from``: this
    step and what comes after it are computed even where they are done. Raises UsageError for an unknown step,
    LockedError while another run writes to the same data root, unless ``wait``: then it is waited for.
    """
    steps = chosen_steps(names, until, project)
    anew: list[str] = []
    if anew_from is not None:
        anew = [step.name for step in chain_of(project)[_place(anew_from, project) :]]
        if all(step.name != anew[0] for step in steps):
            raise UsageError(f"--from {anew_from} is none of the steps to run: {', '.join(one.name for one in steps)}")
    if project.data_root.exists() and not project.data_root.is_dir():
        raise UsageError(f"the data root {project.data_root} is a file; name a folder")
    project.data_root.mkdir(parents=True, exist_ok=True)
    places = tuple(project.results / name for name in RESULTS)
    if project.variant:
        places += (project.results, project.results.parent)
    refuse_links(project.data_root, places)
    with project_lock(project.data_root, wait=wait):
        done = run_steps(steps, project, progress, anew)
        publish(project, done)
    return done


def publish(project: Project, done: Done) -> None:
    """Copy ``metrics.json``, ``bundle/`` and ``report.html`` to ``project.results``, each whole or not at all.

    A bundle that the noise gate refused stays in the data root, and an earlier ``bundle/`` stays what it was.
    """
    metrics = "noise_gate" if "noise_gate" in done.artefacts else "evaluation"
    places = dict(zip((metrics, "bundle", "report"), RESULTS, strict=True))
    project.results.mkdir(parents=True, exist_ok=True)
    if gate_refusal(done) is not None:
        del places["bundle"]
    for step, name in places.items():
        if step in done.artefacts:
            _copy(done.artefacts[step] / name, project.results / name)


def gate_refusal(done: Done) -> GateRefused | None:
    """Why the noise gate refused the bundle of a run; None where it let it pass, or was not run."""
    if "noise_gate" not in done.artefacts:
        return None
    made = done.artefacts.get("bundle")
    return noise_gate.refusal(done.artefacts["noise_gate"] / noise_gate.METRICS, made / bundle.FOLDER if made else None)


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        with whole_folder(target, replace=True) as part:
            shutil.copytree(source, part, dirs_exist_ok=True)
    else:
        with whole_file(target) as part:
            shutil.copyfile(source, part)
