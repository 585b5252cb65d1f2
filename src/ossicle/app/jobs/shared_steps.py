"""Steps that several variants of a plan have in common: one of them does the work, and the others wait for its job.

Without this two tasks would make one artefact at the same time. Where there are locks the second one occupies a machine
and waits; on a place without locks both would do the work.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from ossicle.app.project.load import Project
from ossicle.app.steps.engine.step import Step
from ossicle.core.digest import digest


class SharedSteps:
    """The job that commits each unfinished step of a plan, by all that the step depends on."""

    def __init__(self) -> None:
        self._jobs: dict[str, str] = {}

    def keys(self, project: Project, steps: Sequence[Step], done: Mapping[str, Path]) -> dict[str, str]:
        """Return what each step depends on: steps of equal keys make equal artefacts.

        Parameters
        ----------
        project
            The project.
        steps
            Its steps, each after those that it needs.
        done
            The artefacts of finished steps.

        Returns
        -------
        dict[str, str]
            A digest by step, of its version, settings and inputs; unfinished inputs count with their own digest.
        """
        step_keys: dict[str, str] = {}
        for step in steps:
            if step.name in done:
                step_keys[step.name] = str(done[step.name].resolve())
                continue
            inputs = {name: step_keys[name] for name in step.needs}
            key_parts = [step.name, step.version, dict(step.settings(project)), dict(step.extra(project)), inputs]
            step_keys[step.name] = digest(key_parts)
        return step_keys

    def job(self, key: str) -> str | None:
        """Return the job that commits a step; None if no earlier project of the plan has it."""
        return self._jobs.get(key)

    def add(self, key: str, job: str) -> None:
        """Record the job that commits a step."""
        self._jobs[key] = job
