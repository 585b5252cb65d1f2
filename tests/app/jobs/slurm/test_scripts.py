"""The text of scripts: an array as it should read, and that nothing in a name or an option ends a line."""

import os
import shlex
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ossicle.app.jobs.folder import PlanFolder
from ossicle.app.jobs.job import Job, JobPlan, Task, read_plan
from ossicle.app.jobs.slurm.scripts import sbatch_script, write_scripts
from ossicle.app.jobs.state import task_states
from ossicle.app.project.load import load_project
from ossicle.app.project.tables.placement import StepPlacement
from ossicle.core.errors import ProjectError, UsageError

from ..plan_parts import SLURM, fake, task

HOSTILE = [
    "two words",
    "a'b",
    'a"b',
    "$(touch gone)",
    "`touch gone`",
    "a;b",
    "-x",
    "a\\b",
    "*",
    "ü 2",
    "%a",
    "#x",
    "!x",
]
GOLDEN = """\
#!/bin/bash
# Job training: one task for each number of the array. Every command may also be run by hand, in the
# folder of the project; what is done already is reused.
#SBATCH --job-name=ossicle-training
#SBATCH --array=0-1%2
#SBATCH --output=data/jobs/0001/logs/training-%a.log
#SBATCH --open-mode=append
#SBATCH --signal=B:USR1@60
#SBATCH --requeue
#SBATCH --partition=gpu
#SBATCH --account=lab
#SBATCH --qos=short
#SBATCH --gres=gpu:a100:2
#SBATCH --cpus-per-task=8
#SBATCH --mem=16G
#SBATCH --time=1-00:15:00
#SBATCH --exclusive

folder="$PWD"/data/jobs/0001
module load cuda
source .venv/bin/activate
source "$folder/task.sh"
case "$SLURM_ARRAY_TASK_ID" in
    0) command=(ossicle jobs task training fold0 --project=ossicle.toml) ;;
    1) cd 'sub folder' && command=(ossicle jobs task training final '--project=a b.toml') ;;
esac
attempt "$folder/state/training/$SLURM_ARRAY_TASK_ID.jsonl" 3 50 "${command[@]}"
"""


def test_an_array_reads_as_it_should(tmp_path: Path) -> None:
    placement = StepPlacement(
        on="slurm",
        partition="gpu",
        account="lab",
        qos="short",
        gpus=2,
        gpu_type="a100",
        cpus=8,
        memory="16G",
        time="1-00:15:00",
        max_concurrent=2,
        sbatch=("--exclusive",),
        setup=("module load cuda", "source .venv/bin/activate"),
    )
    tasks = (
        task("fold0", "jobs", "task", "training", "fold0", "--project=ossicle.toml"),
        task("final", "jobs", "task", "training", "final", "--project=a b.toml", folder="sub folder"),
    )
    job = Job("training", tasks, (), placement)
    assert sbatch_script(PlanFolder(tmp_path / "data/jobs/0001", tmp_path), JobPlan((job,)), job) == GOLDEN


@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), max_size=4))
def test_a_shell_reads_the_words_that_were_meant(words: list[str]) -> None:
    assert shlex.split(task("any", *words).line) == ["ossicle", *words]


def test_hostile_names_reach_the_command_as_they_are(tmp_path: Path) -> None:
    project = tmp_path / 'it\'s a "project" $HOME; 100%'
    folder = PlanFolder(project / "data" / "jobs" / "0001", project)
    tools = fake(tmp_path / "tools", "ossicle", 'printf "%s\\0" "$@" > "$SEEN"')
    fake(tools, "scontrol", "exit 1")
    placement = replace(SLURM, setup=(f'PATH={shlex.quote(str(tools))}:"$PATH"',))
    job = Job("odd", tuple(task(name, name, *HOSTILE) for name in HOSTILE), (), placement)
    plan = JobPlan((job,))
    write_scripts(folder, plan)
    assert read_plan(folder.plan_file) == plan
    for index, name in enumerate(HOSTILE):
        seen = tmp_path / f"seen{index}"
        env = {**os.environ, "SLURM_ARRAY_JOB_ID": "7", "SLURM_ARRAY_TASK_ID": str(index), "SEEN": str(seen)}
        done = subprocess.run(
            ["bash", str(folder.script(job))], cwd=project, env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert seen.read_bytes().decode().split("\0")[:-1] == [name, *HOSTILE]
        by_hand = folder.by_hand(job.tasks[index])
        again = {**env, "SEEN": str(seen) + "-hand", "PATH": f"{tools}:{os.environ['PATH']}"}
        subprocess.run(["bash", "-c", by_hand], env=again, check=True)
        assert Path(again["SEEN"]).read_bytes() == seen.read_bytes()
    assert not list(tmp_path.rglob("gone"))
    assert [task_state.state for task_state in task_states(folder, plan, {})] == ["waiting"] * len(HOSTILE)


CONTROLS = st.sampled_from(["\n", "\r", "\x1b", "\t", "\u2028", "\u202e", "\x85", "\udc80"])


@given(control=CONTROLS, place=st.sampled_from(["project", "data root", "word", "task", "folder"]))
def test_no_name_ends_a_line_of_a_script(control: str, place: str) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        bad = f"d{control}touch PWNED; #"
        project = Path(scratch) / (bad if place == "project" else "project")
        folder = PlanFolder(project / (bad if place == "data root" else "data") / "jobs" / "0001", project)
        made = Task(bad if place == "task" else "t", ("ossicle", bad if place == "word" else "w"), "a")
        if place == "folder":
            made = replace(made, folder=bad)
        job = Job("odd", (made,), (), SLURM)
        with pytest.raises((UsageError, ValueError), match="contains"):
            write_scripts(folder, JobPlan((job,)))
        assert list(Path(scratch).rglob("*")) == []


@given(CONTROLS, st.sampled_from(["partition", "account", "qos", "gpu_type", "memory", "time", "sbatch", "setup"]))
def test_no_option_of_a_job_ends_its_line(control: str, key: str) -> None:
    bad = f"1{control}touch PWNED"
    with pytest.raises(ValueError, match=f"{key} "):
        replace(SLURM, **{key: (bad,) if key in ("sbatch", "setup") else bad})


@pytest.mark.parametrize("key", ["data_root", "name"])
def test_a_line_end_in_a_project_file_reaches_no_script(tmp_path: Path, key: str) -> None:
    file = tmp_path / "ossicle.toml"
    table = f'[project]\n{key} = "d\\ntouch PWNED; #"\n[jobs]\non = "slurm"\n'
    file.write_text(f'base = "recipe:tapes"\n[corpus]\naudio = "audio"\n{table}')
    with pytest.raises(ProjectError, match=rf"ossicle\.toml: \[project\] {key} = .*: contains a line end"):
        load_project(file)
