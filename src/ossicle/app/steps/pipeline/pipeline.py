"""A pipeline as a value: the steps of a kind of project, what a run publishes, and which step may refuse.

Commands ask the pipeline of a project and use no step by name. :mod:`ossicle.app.steps.pipeline.pipelines` lists
the pipelines that there are.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ossicle.app.project.former_names import present_step
from ossicle.app.project.load import Project
from ossicle.app.steps.engine.input_problems import Loss
from ossicle.app.steps.engine.step import Step
from ossicle.app.steps.pipeline.preflight.finding import Finding
from ossicle.artefacts.typed.run_folder import RunFolder
from ossicle.core.errors import GateRefused, UsageError

Artefacts = Mapping[str, Path]
"""Artefacts of a project by the names of their steps."""

Comparison = Callable[[Project, Artefacts], Mapping[str, float | None] | None]
"""Compares a project with another one that was read before."""


@dataclass(frozen=True)
class Published:
    """A result that a run copies to the folder of the project file.

    Attributes
    ----------
    name
        The file or folder, in the artefact and in the project folder.
    steps
        The steps that make it. It is taken from the first of them that was done in a run.
    made_from
        Content digests of the artefacts that a published result was made from. ``ossicle purge`` keeps these.
    optional
        Whether some projects do not have it.
    whole
        Whether it is all that an artefact holds, without its manifest and logs, and not a file or folder in it.
    """

    name: str
    steps: tuple[str, ...]
    made_from: Callable[[Path], Collection[str]] = lambda path: ()
    optional: bool = False
    whole: bool = False


@dataclass(frozen=True)
class RefusingStep:
    """A step that may refuse the results of a run; the run then ends with exit code 4.

    Attributes
    ----------
    step
        The name of the step.
    refusal
        Returns why it refused, from the artefacts of a run that holds its own, and the project, if it is known, for
        what to do; None if it passed.
    withheld
        Names of the results that a refused run does not publish.
    """

    step: str
    refusal: Callable[[Artefacts, Project | None], GateRefused | None]
    withheld: tuple[str, ...] = ()


@dataclass(frozen=True)
class LeaderboardFigures:
    """What ``ossicle leaderboard`` reads of a project that was run.

    Attributes
    ----------
    metrics
        Returns the figures of ``metrics.json``; None if the project has none yet.
    training_s
        Returns the seconds of training; None if they were not recorded.
    against
        Reads a project once, and returns a function that compares others with it: the headline of the other minus
        that of the first, with ``value``, ``low`` and ``high``; None if the two were not evaluated on the same data.
    missing
        Returns why a project can never have figures; empty if it only needs a run.
    """

    metrics: Callable[[Artefacts], Mapping[str, Any] | None]
    training_s: Callable[[Artefacts], float | None]
    against: Callable[[Project, Artefacts], Comparison]
    missing: Callable[[Project], str] = lambda project: ""


@dataclass(frozen=True)
class RunSummary:
    """What ``ossicle run`` prints below its table of steps.

    Attributes
    ----------
    metrics
        Name of the published ``metrics.json`` to print as a table; empty for none.
    remarks
        Lines to print.
    results
        Names of published results to list, in this order.
    """

    metrics: str = ""
    remarks: tuple[str, ...] = ()
    results: tuple[str, ...] = ()


@dataclass(frozen=True)
class Pipeline:
    """The steps of a kind of project, and what commands need to know of them.

    Attributes
    ----------
    name
        The value of ``[project] pipeline`` that chooses it.
    steps
        All steps, each after those that it needs.
    former_steps
        Former names of steps and their present names. The former ones are still understood, with a warning.
    adapt
        Returns the steps of one project from ``steps``: some settings remove or add steps.
    refuse_missing
        Raises an error for a step of ``steps`` that ``adapt`` left out of a project, from the project and the name of
        the step, if there is more to say than that there is no such step.
    published
        What a run publishes.
    refusing
        The step that may refuse; None if no step may.
    summary
        Returns what ``ossicle run`` prints at the end, from the artefacts of the run; None for nothing.
    losses
        Returns the recordings that a run could not use in full, from its artefacts.
    status_notes
        Returns lines below the table of ``ossicle status``, from the finished artefacts.
    preflight
        Returns the findings of ``ossicle check`` before a run.
    preview
        Returns those of them that say what a run will use, leave out and cost, for ``ossicle new``.
    missing_inputs
        Returns in words which files an earlier artefact of a step was made from that are missing now, from the
        project, the name of the step and the folder; empty if all are there.
    checked
        Steps that ``ossicle check`` reports as built or not, with the words for what they build.
    trained_by
        The last step of ``ossicle train``; empty if the pipeline trains nothing.
    run_folders
        Returns the run folders of the trainings by the names of their models, from the artefacts of a run.
    pulled
        What ``ossicle jobs pull --with`` may copy: a word for it, and the step.
    job_tables
        Tables of ``[jobs]`` besides those of the steps, for other commands, and how many of their tasks may run at a
        time if the table sets no limit.
    leaderboard
        What ``ossicle leaderboard`` reads; None if the pipeline has no figures to compare.
    front_end
        Whether the models of a project read the spectrograms of ``[frontend]``. If not, ``ossicle dataset health``
        advises none of these settings, and there are no networks to export or to augment crops for.
    learns_labels
        Whether its models learn from annotations. If so, ``ossicle dataset health`` reports a corpus without any
        annotation as a loss.
    instead
        Commands for its results, for messages of commands that it has no bundle or step for.
    """

    name: str
    steps: tuple[Step, ...]
    former_steps: Mapping[str, str] = field(default_factory=dict)
    adapt: Callable[[tuple[Step, ...], Project], tuple[Step, ...]] = lambda steps, project: steps
    refuse_missing: Callable[[Project, str], None] = lambda project, name: None
    published: tuple[Published, ...] = ()
    refusing: RefusingStep | None = None
    summary: Callable[[Artefacts], RunSummary | None] = lambda artefacts: None
    losses: Callable[[Artefacts], Sequence[Loss]] = lambda artefacts: ()
    status_notes: Callable[[Artefacts], Iterable[str]] = lambda artefacts: ()
    preflight: Callable[[Project], Iterable[Finding]] = lambda project: ()
    preview: Callable[[Project], Iterable[Finding]] = lambda project: ()
    missing_inputs: Callable[[Project, str, Path], str] = lambda project, step, artefact: ""
    checked: Mapping[str, str] = field(default_factory=dict)
    trained_by: str = ""
    run_folders: Callable[[Artefacts], Mapping[str, RunFolder]] = lambda artefacts: {}
    pulled: Mapping[str, str] = field(default_factory=dict)
    job_tables: Mapping[str, int] = field(default_factory=dict)
    leaderboard: LeaderboardFigures | None = None
    front_end: Callable[[Project], bool] = lambda project: True
    learns_labels: bool = True
    instead: str = ""

    def steps_of(self, project: Project) -> tuple[Step, ...]:
        """Return the steps of a project in order."""
        return self.adapt(self.steps, project)

    def step(self, name: str, project: Project) -> Step:
        """Return the step of this name.

        Raises
        ------
        UsageError
            The project has no such step.
        """
        name, steps = present_step(name, self.former_steps), self.steps_of(project)
        for candidate in steps:
            if candidate.name == name:
                return candidate
        if any(candidate.name == name for candidate in self.steps):
            self.refuse_missing(project, name)
        raise UsageError(f"no step is called {name!r}; steps: {', '.join(candidate.name for candidate in steps)}")

    def chosen(self, project: Project, names: Sequence[str] = (), until: str | None = None) -> tuple[Step, ...]:
        """Return the steps ``names`` and those they need, directly or not, none after the step ``until``.

        Without ``names`` all steps are chosen. Raises UsageError as :meth:`step` does.
        """
        steps = self.steps_of(project)
        order = [step.name for step in steps]
        last = len(steps) if until is None else order.index(self.step(until, project).name) + 1
        wanted_names = {self.step(name, project).name for name in names} or order
        return tuple(step for step in with_needs(steps, wanted_names) if order.index(step.name) < last)

    def planning_steps(self, project: Project) -> tuple[Step, ...]:
        """Return the steps that say which work units there are, with those they need.

        They run in the process of the command, before jobs are written. A step that has work units itself is no such
        step, because it may be placed elsewhere; what it names is known when it is done.
        """
        steps = self.steps_of(project)
        divided = {step.name for step in steps if step.work_units is not None}
        named_by = {name for step in steps if step.work_units is not None for name in step.work_units.named_by}
        return with_needs(steps, named_by - divided)

    def result_names(self, steps: Collection[str] | None = None) -> tuple[str, ...]:
        """Return the names of the published results; with ``steps`` only of those that one of these makes."""
        return tuple(
            result.name for result in self.published if steps is None or not set(steps).isdisjoint(result.steps)
        )

    def refusal(self, artefacts: Artefacts, project: Project | None = None) -> GateRefused | None:
        """Return why a run with these artefacts was refused; None if no step of it refused.

        ``project``: the project that was run; the message then says which command mends it.
        """
        if self.refusing is None or self.refusing.step not in artefacts:
            return None
        return self.refusing.refusal(artefacts, project)

    def withheld(self, artefacts: Artefacts) -> tuple[str, ...]:
        """Return the names of the results that a run with these artefacts does not publish, because a step refused."""
        return self.refusing.withheld if self.refusing is not None and self.refusal(artefacts) is not None else ()

    def results(self, artefacts: Artefacts) -> dict[str, Path]:
        """Return the results that a run with these artefacts publishes: the name of each, and its place in one."""
        withheld = self.withheld(artefacts)
        paths: dict[str, Path] = {}
        for result in self.published:
            made_by = next((name for name in result.steps if name in artefacts), None)
            if made_by is None or result.name in withheld:
                continue
            path = artefacts[made_by] if result.whole else artefacts[made_by] / result.name
            if path.exists() or not result.optional:
                paths[result.name] = path
        return paths


def with_needs(steps: Sequence[Step], names: Collection[str]) -> tuple[Step, ...]:
    """Return the steps of these names and those they need, directly or not, in the order of ``steps``."""
    wanted_names = set(names)
    # A step needs only earlier ones, so one pass from the end finds them all.
    for step in reversed(steps):
        if step.name in wanted_names:
            wanted_names.update(step.needs)
    return tuple(step for step in steps if step.name in wanted_names)
