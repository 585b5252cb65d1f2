"""What is missing before jobs are submitted: Slurm itself, or partitions and accounts that the settings name."""

import getpass
import shutil
from collections.abc import Iterator

from ossicle.app.jobs.slurm import runner as slurm
from ossicle.app.project.load import Project
from ossicle.app.project.tables.placement import StepPlacement
from ossicle.app.steps.pipeline.pipelines import pipeline_of
from ossicle.app.steps.pipeline.preflight.finding import Finding


def slurm_findings(project: Project) -> Iterator[Finding]:
    """Check the partitions and accounts of ``[jobs]`` with Slurm; yields nothing if no step is placed there."""
    settings, pipeline = project.settings.jobs, pipeline_of(project)
    here = {step.name for step in pipeline.planning_steps(project)}
    step_names = [step.name for step in pipeline.steps_of(project) if step.name not in here]
    placed_on_slurm = {
        name: placed for name in (*step_names, *pipeline.job_tables) if (placed := settings.placed(name)).on == "slurm"
    }
    if not placed_on_slurm:
        return
    if shutil.which("sbatch") is None:
        yield Finding(
            "slurm", False, "sbatch is not installed here; log in to a machine with Slurm, or add --set jobs.on=local"
        )
        return
    partitions = slurm.partitions()
    if partitions is None:
        yield Finding(
            "slurm", False, "sinfo does not answer; check that the controller runs and that SLURM_CONF is right"
        )
        return
    yield Finding("slurm", True, f"answers; partitions: {', '.join(sorted(partitions))}")
    for name, users in _steps_by_value(placed_on_slurm, "partition").items():
        # sbatch accepts several, separated by commas, and uses the first that is free.
        missing = [partition for partition in name.split(",") if partition not in partitions]
        subject = f"partition {name} of {users}"
        if missing:
            yield Finding("slurm", False, f"{subject}: there is no {', '.join(missing)}; correct [jobs] partition")
        else:
            yield Finding("slurm", True, f"{subject}: exists")
    named = _steps_by_value(placed_on_slurm, "account")
    known = slurm.accounts(getpass.getuser()) if named else None
    for name, users in named.items():
        subject = f"account {name} of {users}"
        if known is None:
            yield Finding("slurm", True, f"{subject}: cannot be checked, because this Slurm has no accounting")
        elif name in known:
            yield Finding("slurm", True, f"{subject}: yours")
        else:
            yield Finding("slurm", False, f"{subject}: not yours; yours: {', '.join(sorted(known)) or 'none'}")


def _steps_by_value(placements: dict[str, StepPlacement], key: str) -> dict[str, str]:
    """Return the values of a setting, with the steps that use them."""
    steps_by_value: dict[str, list[str]] = {}
    for step, placed in placements.items():
        if value := getattr(placed, key):
            steps_by_value.setdefault(value, []).append(step)
    return {value: ", ".join(steps) for value, steps in steps_by_value.items()}
