"""The stages of the checklist as data: from health to the archive.

A stage calls what the command of the same purpose calls. It raises GateRefused where a gate refuses, and another error
where it cannot be done.
"""

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ossicle.app.api.checks.selftest import FAILED, selftest
from ossicle.app.project.load import Project
from ossicle.app.steps.data import dataset, features, logmel
from ossicle.app.steps.engine.step import Progress
from ossicle.app.steps.maintenance.project_health import ProjectHealth, project_health
from ossicle.app.steps.pipeline.pipelines import pipeline_of
from ossicle.app.steps.pipeline.probe import probe
from ossicle.app.steps.pipeline.run_project import refusal_of, run_project
from ossicle.artefacts.files import read_json
from ossicle.artefacts.typed.results.published import METRICS
from ossicle.core.errors import GateRefused, OssicleError
from ossicle.core.text.counting import counted
from ossicle.training.tracking.settings import WANDB

WARMUP, BASELINE, LONG = "warmup", "baseline", "long"
"""Variants that the checklist trains, if a project has them."""
ARCHIVES = "archives"
"""The folder of archives in a data root."""
TOTALS = ("manifest_total", "dataset")
"""Health gates that compare totals."""


@dataclass
class Work:
    """What the stages work on.

    Attributes
    ----------
    projects
        The project under the name "", and its variants by name.
    progress
        Where steps report how far they are.
    registry_name
        Name in the registry to promote to; empty for that of the project.
    archives
        The folder to archive in; None for ``archives`` in the data root.
    chosen
        Names of the stages that run.
    lost
        What the stages could not use, one line each.
    """

    projects: Mapping[str, Project]
    progress: Progress
    registry_name: str = ""
    archives: Path | None = None
    chosen: tuple[str, ...] = ()
    lost: list[str] = field(default_factory=list)

    @property
    def base(self) -> Project:
        """The project itself."""
        return self.projects[""]

    @property
    def trained(self) -> Project:
        """What the stage ``train`` trains: the variant ``baseline``, or the project itself if it has none."""
        return self.projects.get(BASELINE, self.base)

    @property
    def judged(self) -> tuple[Project, ...]:
        """What ``evaluate`` and ``analyse`` are about: what ``train`` trains, and ``long`` if it was asked for."""
        return (self.trained, *([self.projects[LONG]] if LONG in self.chosen and LONG in self.projects else []))


def _always(work: Work) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage: its name, what it does, and a function that does it and returns what it saw in one line.

    Attributes
    ----------
    needless
        Returns why a project does not need it; empty if it does.
    on_request
        Whether it runs only when it is named.
    of_project
        Whether its result depends on the project; if not, on the installation.
    judges
        Whether it is about the trainings of the other stages that were chosen.
    """

    name: str
    about: str
    run: Callable[[Work], str]
    needless: Callable[[Work], str] = _always
    on_request: bool = False
    of_project: bool = True
    judges: bool = False


def _sync(work: Work) -> str:
    from ossicle.app.steps.maintenance.trainings import trainings, upload_all

    sent = upload_all(list(trainings(list(work.projects.values()))), work.progress)
    return f"{counted(len(sent), 'training')} uploaded"


def _needless_sync(work: Work) -> str:
    if any(WANDB in project.settings.tracking.to for project in work.projects.values()):
        return ""
    return "[tracking] to names no Weights & Biases"


def _health(work: Work) -> str:
    health = _judged_health(work, lambda name: name not in TOTALS)
    work.lost += [loss.line for loss in health.losses]
    counts = health.judgement.gates
    return f"{counted(len(counts), 'gate')} passed; {counted(len(health.report['problems']), 'problem')} reported"


def _totals(work: Work) -> str:
    run_project(work.base, work.progress, until=dataset.STEP.name)
    health = _judged_health(work, lambda name: name in TOTALS)
    lines = [gate.detail for gate in health.judgement.gates if gate.name in TOTALS]
    return "; ".join(lines) or "no total is limited: set [corpus] manifest_total or [health] max_left_out"


def _judged_health(work: Work, judged: Callable[[str], bool]) -> ProjectHealth:
    """Return the health of the project; raise GateRefused for the gates whose names are ``judged``."""
    health = project_health(work.base, work.progress)
    if (refusal := health.judgement.of(judged).refusal) is not None:
        raise refusal
    return health


def _selftest(work: Work) -> str:
    with tempfile.TemporaryDirectory(prefix="ossicle-selftest-") as folder:
        results = list(selftest(Path(folder)))
    if failed := [f"{result.name}: {result.message}" for result in results if result.outcome == FAILED]:
        raise OssicleError("the self-test failed: " + "; ".join(failed))
    return ", ".join(f"{result.name} {result.outcome}" for result in results)


def _features(work: Work) -> str:
    names = _feature_steps(work.base)
    done = run_project(work.base, work.progress, names=names)
    return ", ".join(f"{name} {done.outcomes[name]}" for name in names)


def _feature_steps(project: Project) -> list[str]:
    known = {features.STEP.name, logmel.STEP.name}
    return [step.name for step in pipeline_of(project).steps_of(project) if step.name in known]


def _warmup(work: Work) -> str:
    return _train(work, work.projects[WARMUP])


def _probe(work: Work) -> str:
    probe_result = probe(work.projects[WARMUP], work.progress)
    if (refusal := probe_result.refusal) is not None:
        raise refusal
    return f"{counted(len(probe_result.lines), 'line')} passed on {counted(probe_result.n_clips, 'held-out clip')}"


def _needless_probe(work: Work) -> str:
    if WARMUP not in work.projects:
        return f"the project has no variant {WARMUP}"
    return "" if work.projects[WARMUP].settings.probe_gate.active else "[probe_gate] sets no limit"


def _trained(work: Work) -> str:
    return _train(work, work.trained)


def _long(work: Work) -> str:
    return _train(work, work.projects[LONG])


def _train(work: Work, project: Project) -> str:
    step = pipeline_of(project).trained_by
    done = run_project(project, work.progress, until=step)
    return f"{project.variant or 'the project'}: {step} {done.outcomes[step]}"


def _evaluate(work: Work) -> str:
    headlines = []
    for project in work.judged:
        done = run_project(project, work.progress, until=_figures_step(project))
        metrics = read_json(pipeline_of(project).results(done.artefacts)[METRICS])
        headlines.append(f"{project.variant or 'the project'}: {headline(metrics)}")
    return "; ".join(headlines)


def _figures_step(project: Project) -> str:
    """Return the step that makes ``metrics.json``; empty if the project evaluates nothing."""
    pipeline = pipeline_of(project)
    step_names = {step.name for step in pipeline.steps_of(project)}
    names = [
        name
        for published in pipeline.published
        if published.name == METRICS
        for name in published.steps
        if name in step_names
    ]
    return names[0] if names else ""


def _needless_evaluation(work: Work) -> str:
    if all(_figures_step(project) for project in work.judged):
        return ""
    return "a leaky split evaluates nothing; see `ossicle dataset optimism`"


def headline(metrics: Mapping[str, object]) -> str:
    """Return the first figures of ``metrics.json`` in one line.

    >>> headline({"clips": {"accuracy": {"value": 0.9312}, "macro_f1": {"value": None}}})
    'clips.accuracy 0.931, clips.macro_f1 -'
    """
    figures = []
    for table, key in (
        ("clips", "accuracy"), ("clips", "macro_f1"), ("onsets", "f1"), ("states", "state_accuracy"), ("events", "f1")
    ):  # fmt: skip
        figures_of_table = metrics.get(table)
        figure = figures_of_table.get(key) if isinstance(figures_of_table, Mapping) else None
        if isinstance(figure, Mapping) and "value" in figure:
            value = figure["value"]
            figures.append(f"{table}.{key} {'-' if value is None else f'{value:.3f}'}")
    return ", ".join(figures) or "see metrics.json"


def _analyse(work: Work) -> str:
    pages = []
    for project in work.judged:
        done = run_project(project, work.progress)
        if (refused := refusal_of(project, done)) is not None:
            raise refused
        work.lost += [loss.line for loss in pipeline_of(project).losses(done.artefacts)]
        pages += [str(project.results / name) for name in pipeline_of(project).results(done.artefacts)]
    work.lost[:] = dict.fromkeys(work.lost)
    return ", ".join(pages)


def _without_variant(name: str) -> Callable[[Work], str]:
    return lambda work: "" if name in work.projects else f"the project has no variant {name}"


def _promote(work: Work) -> str:
    from ossicle.app.steps.promotion.promote import promote, promoted_before

    # A checklist that was killed after the promotion does not promote the same model twice.
    if before := promoted_before(work.judged[-1], work.registry_name):
        return f"{before} is this model already"
    done = promote(work.judged[-1], work.registry_name)
    if (refusal := done.refusal) is not None:
        raise refusal
    return f"promoted as {done.reference}"


def _archive(work: Work) -> str:
    from ossicle.app.steps.promotion.archive import archive, archive_of_today

    project, archives = work.judged[-1], work.archives or work.base.data_root / ARCHIVES
    if (before := archive_of_today(project, archives)) is not None:
        return f"{before.folder} is of this run already"
    run_archive = archive(project, archives, work.progress)
    work.lost += [f"not in the archive: {missing_file}" for missing_file in run_archive.missing]
    return f"wrote {run_archive.folder}: {counted(run_archive.n_files, 'file')}"


STAGES: tuple[Stage, ...] = (
    Stage("sync", "Upload the figures of finished trainings.", _sync, _needless_sync, on_request=True),
    Stage("health", "Index the recordings and judge the health gates.", _health),
    Stage("totals", "Build the dataset and compare totals with the manifest.", _totals),
    Stage("selftest", "Check the installation with built-in sound.", _selftest, of_project=False),
    Stage(
        "features",
        "Compute features ahead of training.",
        _features,
        lambda work: "" if _feature_steps(work.base) else "the project caches no features",
    ),
    Stage(WARMUP, "Train the variant warmup.", _warmup, _without_variant(WARMUP)),
    Stage("probe", "Judge the warm-up by the probe gate.", _probe, _needless_probe),
    Stage("train", "Train the variant baseline, or the project if it has none.", _trained),
    Stage(LONG, "Train the variant long.", _long, _without_variant(LONG), on_request=True),
    Stage(
        "evaluate", "Score held-out recordings, and compute the figures.", _evaluate, _needless_evaluation, judges=True
    ),
    Stage("analyse", "Write the bundle, and the page with what was confused and missed.", _analyse, judges=True),
    Stage("promote", "Add the bundle to the registry if the promotion gate passes.", _promote, on_request=True),
    Stage("archive", "Write everything about the run to a dated folder.", _archive, on_request=True),
)
"""All stages, in order."""


def refused(stage: Stage, refusal: GateRefused, following: str) -> GateRefused:
    """Return a refusal that says where the checklist stopped, and how it continues."""
    more = f", or continue after it: ossicle checklist --from {following}" if following else ""
    return GateRefused(
        f"{refusal}\nthe checklist stopped at the stage {stage.name}; mend this and run the same command again{more}"
    )
