"""The scripts of jobs as text: an sbatch array for each job on Slurm, and a launcher. Nothing here submits jobs.

Jobs on other places than Slurm and this machine have no scripts, and the launcher only names them.

Every word from a project is quoted for the shell. A command is an array of words and never a string that is parsed
again. So names with spaces, quotes and dollar signs stay intact, and exit codes are kept.
"""

import os
import shlex
import sys
from collections.abc import Mapping
from importlib import resources
from pathlib import Path

from ossicle.app.jobs.folder import PlanFolder
from ossicle.app.jobs.job import Job, JobPlan, write_plan
from ossicle.app.jobs.state import FINE
from ossicle.app.project.tables.placement import SLURM
from ossicle.artefacts.files import write_text
from ossicle.artefacts.filesystem.changes import make_executable
from ossicle.core.errors import UsageError
from ossicle.core.text.controls import control_name, first_control

SIGNAL = "B:USR1@60"
"""Slurm sends SIGUSR1 to the script alone, one minute before the time limit; SIGTERM always means something else."""


def write_scripts(folder: PlanFolder, plan: JobPlan) -> None:
    """Write the plan, the launcher, and the scripts of jobs on Slurm.

    Parameters
    ----------
    folder
        The folder to write to.
    plan
        The jobs.

    Raises
    ------
    UsageError
        A folder or a task has a name that would end a line of a script.
    """
    _require_plain(folder, plan)
    folder.make(plan)
    write_plan(folder.plan_file, plan)
    for job in filter(_on_slurm, plan.jobs):
        write_text(folder.supervisor, resources.files("ossicle.app.jobs.slurm").joinpath("task.sh").read_text())
        write_text(folder.script(job), sbatch_script(folder, plan, job))
    write_text(folder.launcher, launcher(folder, plan))
    make_executable(folder.launcher)


def _require_plain(folder: PlanFolder, plan: JobPlan) -> None:
    """Raise UsageError if a path or word of the scripts contains a control character: they are read line by line."""
    paths = (folder.path.resolve(), folder.project.resolve(), Path(sys.executable).parent)
    words_of_tasks = (word for job in plan.jobs for task in job.tasks for word in (task.name, *task.argv, task.folder))
    for text in (*map(str, paths), *words_of_tasks):
        if (control := first_control(text)) is not None:
            raise UsageError(f"{text!r} contains {control_name(control)}, which no script may hold; rename it")


def sbatch_script(folder: PlanFolder, plan: JobPlan, job: Job) -> str:
    """Return the array script of a job; it runs in the project folder, which ``sbatch --chdir`` names."""
    cap = f"%{job.placement.max_concurrent}" if job.placement.max_concurrent else ""
    log = _relative(folder.path, folder.project).replace("%", "%%") + f"/logs/{job.name}-%a.log"
    options = [
        f"--job-name=ossicle-{job.name}",
        f"--array=0-{len(job.tasks) - 1}{cap}",
        f"--output={_sbatch_word(log)}",
        "--open-mode=append",
        f"--signal={SIGNAL}",
        "--requeue",
        *resources_asked(job),
        *job.placement.sbatch,
    ]
    lines = [
        "#!/bin/bash",
        f"# Job {job.name}: one task for each number of the array. Every command may also be run by hand, in the",
        "# folder of the project; what is done already is reused.",
        *(_sbatch_line(option) for option in options),
        "",
        f'folder="$PWD"/{shlex.quote(_relative(folder.path, folder.project))}',
        *(job.placement.setup or (f'PATH={shlex.quote(str(Path(sys.executable).parent))}:"$PATH"',)),
        'source "$folder/task.sh"',
        'case "$SLURM_ARRAY_TASK_ID" in',
    ]
    for index, task in enumerate(job.tasks):
        lines.append(f"    {index}) {place(task.folder)}command=({task.line}) ;;")
    state = f'"$folder/state/{job.name}/$SLURM_ARRAY_TASK_ID.jsonl"'
    lines += ["esac", f'attempt {state} {plan.attempts} {plan.continuations} "${{command[@]}}"']
    return "\n".join(lines) + "\n"


def resources_asked(job: Job) -> list[str]:
    """Return the resources that a job requests from Slurm, as options of sbatch."""
    placed = job.placement
    kind = f"{placed.gpu_type}:" if placed.gpu_type else ""
    options = {
        "partition": placed.partition,
        "account": placed.account,
        "qos": placed.qos,
        "gres": f"gpu:{kind}{placed.gpus}" if placed.gpus > 0 else "",
        "cpus-per-task": str(placed.cpus or ""),
        "mem": placed.memory,
        "time": placed.time,
    }
    return [f"--{name}={value}" for name, value in options.items() if value]


def sbatch_argv(folder: PlanFolder, job: Job, after: Mapping[str, str]) -> list[str]:
    """Return the command that submits a job, to start when the jobs of ``after`` (numbers by name) have succeeded."""
    needs = [f"--dependency={dependency(job, after)}", "--kill-on-invalid-dep=yes"] if after else []
    script = str(folder.script(job).resolve())
    return ["sbatch", "--parsable", *needs, f"--chdir={folder.project.resolve()}", script]


def dependency(job: Job, numbers: Mapping[str, str]) -> str:
    """Return what a job waits for, in the words of ``sbatch --dependency``.

    Parameters
    ----------
    job
        The job.
    numbers
        The numbers of the jobs that it waits for, by name.

    Returns
    -------
    str
        ``afterok`` for whole jobs, ``aftercorr`` for jobs that it waits for task by task.

    Examples
    --------
    >>> from ossicle.app.jobs.job import Task
    >>> job = Job("decide", (Task("a", ("ossicle",)),), ("index", "score"), task_by_task=("score",))
    >>> dependency(job, {"index": "7", "score": "8"})
    'afterok:7,aftercorr:8'
    """
    kinds = {
        "afterok": [number for name, number in numbers.items() if name not in job.task_by_task],
        "aftercorr": [number for name, number in numbers.items() if name in job.task_by_task],
    }
    return ",".join(":".join((kind, *job_numbers)) for kind, job_numbers in kinds.items() if job_numbers)


def launcher(folder: PlanFolder, plan: JobPlan) -> str:
    """Return a script that does by hand what ``ossicle jobs submit`` does."""
    lines = [
        "#!/bin/bash",
        "# Submits the jobs beside it, each after those it needs. What is done already is reused.",
        "set -euo pipefail",
        'here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"',
        f'project="$(cd "$here"/{shlex.quote(_relative(folder.project, folder.path))} && pwd)"',
        "submit() {",
        "    local job=$1 id; shift",
        '    id="$(sbatch --parsable "$@" --chdir="$project" "$here/$job.sbatch")"',
        '    printf \'{"job": "%s", "id": "%s"}\\n\' "$job" "${id%%;*}" >>"$here/submitted.jsonl"',
        '    echo "${id%%;*}"',
        "}",
        'cd "$project"',
    ]
    numbers: dict[str, str] = {}
    later: list[Job] = []
    for number, job in enumerate(plan.jobs):
        waits = any(other_job.name in job.needs for other_job in later)
        if waits or (not _on_slurm(job) and (job.elsewhere or any(name in numbers for name in job.needs))):
            later.append(job)
        elif _on_slurm(job):
            numbers[job.name] = f"job{number}"
            needs = {name: f"${{{numbers[name]}}}" for name in job.needs if name in numbers}
            after = f' --dependency="{dependency(job, needs)}" --kill-on-invalid-dep=yes' if needs else ""
            lines.append(f"job{number}=$(submit {job.name}{after})")
            lines.append(f'echo "{job.name}: ${{job{number}}}"')
        else:
            # A task that skipped some inputs, or that a gate refused, is finished.
            fine = "|".join(str(code) for code in FINE if code)
            lines += [f"({place(task.folder)}{task.line}) || [[ $? =~ ^({fine})$ ]]" for task in job.tasks]
    if later:
        lines.append('echo "When those have ended, run:"')
        lines += [f"echo {shlex.quote('  ' + folder.by_hand(task))}" for job in later for task in job.tasks]
    return "\n".join(lines) + "\n"


def place(folder: str) -> str:
    """Return the shell command that changes from the project folder to a task's folder."""
    return "" if folder == "." else f"cd {shlex.quote(folder)} && "


def _on_slurm(job: Job) -> bool:
    return job.placement.on == SLURM


def _relative(path: Path, start: Path) -> str:
    return Path(os.path.relpath(path.resolve(), start.resolve())).as_posix()


def _sbatch_line(option: str) -> str:
    """Return a line that sbatch reads; raises ValueError for a control character, which would end or hide it."""
    if (control := first_control(option)) is not None:
        raise ValueError(f"the sbatch option {option!r} contains {control_name(control)}")
    return f"#SBATCH {option}"


def _sbatch_word(text: str) -> str:
    # sbatch splits the line as a shell does with regard to quotes and backslashes.
    return shlex.quote(text)
