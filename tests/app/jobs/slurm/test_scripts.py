"""Jobs as data and as scripts: what is written is what was meant, whatever names hold; what becomes of attempts."""

import json
import os
import shlex
import signal
import subprocess
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ossicle.app.cli.run.jobs import logs
from ossicle.app.jobs.build import placement
from ossicle.app.jobs.conduct import conduct
from ossicle.app.jobs.folder import PlanFolder, json_lines, last_folder, new_folder
from ossicle.app.jobs.job import Job, JobPlan, Task, read_plan, write_plan
from ossicle.app.jobs.runner import Seen
from ossicle.app.jobs.slurm.scripts import sbatch_script, write_scripts
from ossicle.app.jobs.state import FINE, task_states
from ossicle.app.project.load import load_project
from ossicle.app.project.tables.placement import JobsSettings, StepPlacement
from ossicle.core.errors import ArtefactError, ProjectError, UsageError

SLURM = StepPlacement(on="slurm", gpus=0)
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


def task(name: str, *words: str, folder: str = ".") -> Task:
    return Task(name, ("ossicle", *words), folder)


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


def fake(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(f"#!/bin/bash\n{text}\n")
    (folder / name).chmod(0o755)
    return folder


def run_attempt(tmp_path: Path, command: str, attempts: int = 3, continuations: int = 2) -> subprocess.Popen[str]:
    """``attempt`` as in a script, with a queue that notes what is requeued."""
    tools = fake(tmp_path / "tools", "scontrol", f'echo "$@" >> {shlex.quote(str(tmp_path / "requeued"))}')
    script = Path(__file__).parents[4] / "src/ossicle/app/jobs/slurm/task.sh"
    text = f'source {shlex.quote(str(script))}\nattempt "$1" {attempts} {continuations} bash -c {shlex.quote(command)}'
    env = {
        **os.environ,
        "PATH": f"{tools}:{os.environ['PATH']}",
        "SLURM_ARRAY_JOB_ID": "7",
        "SLURM_ARRAY_TASK_ID": "0",
    }
    return subprocess.Popen(["bash", "-c", text, "script", str(tmp_path / "state.jsonl")], env=env, text=True)


def states(tmp_path: Path) -> list[tuple[str, int | None]]:
    return [(one["state"], one["code"]) for one in json_lines(tmp_path / "state.jsonl") if one["state"] != "running"]


def requeued(tmp_path: Path) -> list[str]:
    file = tmp_path / "requeued"
    return file.read_text().splitlines() if file.exists() else []


@pytest.mark.parametrize(
    ("command", "code", "state", "queued_again"),
    [
        ("exit 0", 0, "done", False),
        ("exit 3", 0, "done", False),
        ("exit 4", 0, "done", False),
        ("exit 2", 2, "failed", False),
        ("exit 1", 1, "again", True),
        ("kill -9 $$", 137, "again", True),
        ("exec /no/such/program", 127, "again", True),
    ],
)
def test_the_code_of_a_task_is_kept_and_decides(
    tmp_path: Path, command: str, code: int, state: str, queued_again: bool
) -> None:
    assert run_attempt(tmp_path, command).wait(20) == code
    result = {"exit 3": 3, "exit 4": 4}.get(command, code)
    assert states(tmp_path) == [(state, result)]
    assert requeued(tmp_path) == (["requeue 7_0"] if queued_again else [])


def test_attempts_are_counted_and_end(tmp_path: Path) -> None:
    for _ in range(3):
        assert run_attempt(tmp_path, "exit 1").wait(20) == 1
    assert states(tmp_path) == [("again", 1), ("again", 1), ("failed", 1)]
    assert requeued(tmp_path) == ["requeue 7_0"] * 2


def begun(tmp_path: Path, process: subprocess.Popen[str]) -> None:
    until = time.monotonic() + 20
    while not (tmp_path / "begun").exists():
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.02)


def saving(tmp_path: Path) -> str:
    """A command that saves its state on SIGTERM, and takes a while to."""
    saved, begins = (shlex.quote(str(tmp_path / name)) for name in ("saved", "begun"))
    return f"trap 'sleep 0.3; echo saved > {saved}; exit 143' TERM; touch {begins}; while true; do sleep 0.05; done"


def test_before_the_wall_time_the_state_is_saved_and_the_task_goes_on_later(tmp_path: Path) -> None:
    for number in range(3):
        process = run_attempt(tmp_path, saving(tmp_path))
        begun(tmp_path, process)
        process.send_signal(signal.SIGUSR1)
        assert process.wait(20) == 143
        assert (tmp_path / "saved").read_text() == "saved\n"
        (tmp_path / "begun").unlink()
        (tmp_path / "saved").unlink()
        assert len(requeued(tmp_path)) == min(number + 1, 2)
    assert states(tmp_path) == [("limit", 143), ("limit", 143), ("failed", 143)]


def test_a_cancelled_task_is_not_queued_again(tmp_path: Path) -> None:
    process = run_attempt(tmp_path, saving(tmp_path))
    begun(tmp_path, process)
    process.send_signal(signal.SIGTERM)
    # Slurm tells the command itself.
    children = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True, check=True).stdout
    os.kill(int(children.split()[0]), signal.SIGTERM)
    assert process.wait(20) == 143
    assert states(tmp_path) == [("cancelled", 143)]
    assert requeued(tmp_path) == []


def test_the_launcher_submits_what_the_command_submits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = tmp_path / "a project"
    project.mkdir()
    log = tmp_path / "calls"
    count = f"n=$(($(wc -l < {log} 2>/dev/null || echo 0) + 11))"
    tools = fake(tmp_path / "tools", "sbatch", f'{count}; printf "%s\\t" "$@" >> {log}; echo >> {log}; echo $n')
    fake(tools, "squeue", "exit 0")
    fake(tools, "ossicle", f"echo here >> {log}")
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    local = replace(SLURM, on="local")
    plan = JobPlan(
        (
            Job("training", (task("fold0", "x"),), (), SLURM),
            Job("scores", (task("fold0", "x"),), ("training",), SLURM),
            Job("decide", (task("fold0", "x"),), ("scores", "training"), SLURM, task_by_task=("scores",)),
            Job("report", (task("report", "x"),), ("decide",), local),
        )
    )
    plan_folder, other = (PlanFolder(project / "data" / name, project) for name in ("one", "other"))
    write_scripts(plan_folder, plan)
    write_scripts(other, plan)
    conduct(plan_folder, plan, lambda job: 1, lambda states: None, 1.0, wait=False)
    by_command = sorted_words(log)
    log.unlink()
    done = subprocess.run([str(other.launcher)], capture_output=True, text=True, check=True)
    assert sorted_words(log, "other", "one") == by_command
    assert len(by_command) == 3
    assert "--dependency=afterok:11" in by_command[1]
    assert "--dependency=afterok:11,aftercorr:12" in by_command[2]
    assert plan_folder.numbers() == other.numbers() == {"training": "11", "scores": "12", "decide": "13"}
    assert done.stdout.splitlines()[-1].strip() == other.by_hand(plan.job("report").tasks[0])


def test_jobs_on_other_places_have_no_scripts_and_are_named(tmp_path: Path) -> None:
    local, other = replace(SLURM, on="local"), replace(SLURM)
    object.__setattr__(other, "on", "another place")
    folder = PlanFolder(tmp_path / "plan", tmp_path)
    plan = JobPlan(
        (
            Job("first", (task("x", "first"),), (), local),
            Job("second", (task("x", "second"),), ("first",), other),
            Job("third", (task("x", "third"),), ("second",), local),
        )
    )
    write_scripts(folder, plan)
    assert {file.name for file in folder.path.iterdir()} == {"plan.json", "launch.sh", "state", "logs"}
    tools = fake(tmp_path / "tools", "ossicle", 'echo "here: $@"')
    env = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"}
    done = subprocess.run([str(folder.launcher)], capture_output=True, text=True, check=True, env=env, timeout=60)
    by_hand = [folder.by_hand(plan.job(name).tasks[0]) for name in ("second", "third")]
    assert [line.strip() for line in done.stdout.splitlines()] == [
        "here: first",
        "When those have ended, run:",
        *by_hand,
    ]


@pytest.mark.parametrize("code", [0, 1, 2, 3, 4, 40])
def test_the_launcher_goes_on_after_tasks_that_are_done(tmp_path: Path, code: int) -> None:
    local = replace(SLURM, on="local")
    plan = JobPlan((Job("a", (task("x", "a"),), (), local), Job("b", (task("x", "b"),), ("a",), local)))
    folder = PlanFolder(tmp_path / "plan", tmp_path)
    write_scripts(folder, plan)
    tools = fake(tmp_path / "tools", "ossicle", f'echo "$1"; [ "$1" = b ] || exit {code}')
    env = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"}
    done = subprocess.run([str(folder.launcher)], capture_output=True, text=True, check=False, env=env, timeout=60)
    assert done.stdout.splitlines() == (["a", "b"] if code in FINE else ["a"])


def sorted_words(log: Path, old: str = "", new: str = "") -> list[list[str]]:
    lines = log.read_text().replace(f"/{old}/", f"/{new}/").splitlines()
    return [sorted(line.strip("\t").split("\t")) for line in lines]


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ('{"format": 2}', "format 2 is not 1"),
        ('{"format": 1, "jobs": [{"tasks": [{"name": "a", "argv": ["rm"], "folder": "."}]}]}', "must begin with"),
        ('{"format": 1, "jobs": [{"tasks": [{"name": "a", "argv": ["ossicle"], "folder": ".."}]}]}', "not below"),
        ("[]", "not a plan of jobs"),
    ],
)
def test_what_is_no_plan_is_refused(tmp_path: Path, broken: str, words: str) -> None:
    (tmp_path / "plan.json").write_text(broken)
    with pytest.raises(ArtefactError, match=words) as caught:
        read_plan(tmp_path / "plan.json")
    assert str(tmp_path / "plan.json") in str(caught.value)


@given(
    st.lists(
        st.tuples(st.text(max_size=3).filter(lambda text: "\0" not in text), st.integers(0, 3)), min_size=1, max_size=4
    )
)
def test_plans_come_back_as_they_were(tmp_path_factory: pytest.TempPathFactory, parts: list[tuple[str, int]]) -> None:
    jobs = []
    for number, (name, needs) in enumerate(parts):
        after = tuple(f"job{one}" for one in range(min(number, needs)))
        jobs.append(Job(f"job{number}", (task(name, name, name),), after, SLURM, task_by_task=after[1:]))
    file = tmp_path_factory.mktemp("plan") / "plan.json"
    plan = JobPlan(tuple(jobs), 2, 5)
    try:
        write_plan(file, plan)
    except UnicodeEncodeError:
        # Half a character cannot be written, and no name holds one.
        return
    assert read_plan(file) == plan


def test_jobs_need_earlier_ones_and_plain_names() -> None:
    with pytest.raises(ValueError, match="needs 'b', which does not come before"):
        JobPlan((Job("a", (task("x", "y"),), ("b",)), Job("b", (task("x", "y"),))))
    with pytest.raises(ValueError, match="two jobs"):
        JobPlan((Job("a", (task("x", "y"),)), Job("a", (task("x", "y"),))))
    with pytest.raises(ValueError, match="must be plain"):
        Job("../a", (task("x", "y"),))
    with pytest.raises(ValueError, match="no tasks"):
        Job("a", ())
    one, two = (task("x", "y"),), (task("x", "y"), task("z", "y"))
    with pytest.raises(ValueError, match="waits for 'a' task by task, but does not need it"):
        Job("b", one, (), task_by_task=("a",))
    with pytest.raises(ValueError, match="different numbers of tasks"):
        JobPlan((Job("a", one), Job("b", two, ("a",), task_by_task=("a",))))


def test_plans_of_earlier_versions_wait_for_whole_jobs(tmp_path: Path) -> None:
    plan = JobPlan((Job("a", (task("x", "y"),), (), SLURM), Job("b", (task("x", "y"),), ("a",), SLURM)))
    write_plan(tmp_path / "plan.json", plan)
    value = json.loads((tmp_path / "plan.json").read_text())
    for job in value["jobs"]:
        del job["task_by_task"]
    (tmp_path / "plan.json").write_text(json.dumps(value))
    assert read_plan(tmp_path / "plan.json") == plan


def test_folders_are_numbered(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no jobs in"):
        last_folder(tmp_path, tmp_path)
    for number in range(1, 12):
        folder = new_folder(tmp_path, tmp_path)
        assert folder.path.name == f"{number:04}"
        write_plan(folder.plan_file, JobPlan((Job("a", (task("x", "y"),)),)))
    assert last_folder(tmp_path, tmp_path).path.name == "0011"


@pytest.mark.parametrize(
    ("lines", "entry", "state"),
    [
        ([], None, "lost"),
        ([], Seen("pending", "Priority"), "pending"),
        (["running"], Seen("running", "on n1"), "running"),
        (["running"], None, "lost"),
        (["running", "again"], Seen("pending", "BeginTime"), "again"),
        (["running", "again", "running", "done"], Seen("running", "on n1"), "done"),
        (["running", "cancelled"], None, "cancelled"),
        (["running", "cancelled"], Seen("pending", "BeginTime"), "again"),
        (["running", "cancelled"], Seen("running", "on n1"), "running"),
        (["running", "cancelled", "running"], Seen("running", "on n1"), "running"),
        (["running", "failed"], None, "failed"),
    ],
)
def test_the_state_of_a_task_comes_of_its_lines_and_the_queue(
    tmp_path: Path, lines: list[str], entry: Seen | None, state: str
) -> None:
    folder = PlanFolder(tmp_path, tmp_path)
    plan = JobPlan((Job("a", (task("x", "y"),), (), SLURM),))
    folder.make(plan)
    # Lines of an earlier submission tell nothing of this one.
    text = [{"state": "failed", "id": "4_0", "code": 1}, *({"state": line, "id": "5_0", "code": 0} for line in lines)]
    folder.state(plan.jobs[0], 0).write_text("".join(json.dumps(line) + "\n" for line in text) + '{"torn')
    assert task_states(folder, plan, {})[0].state == "waiting"
    folder.submitted.write_text('{"job": "a", "id": "4"}\n{"job": "a", "id": "5"}\n')
    (task_state,) = task_states(folder, plan, {"slurm": {} if entry is None else {"5_0": entry}})
    assert task_state.state == state
    assert task_state.attempt == lines.count("running")


def test_tables_of_steps_lie_over_the_general_one() -> None:
    jobs = JobsSettings(
        on="slurm",
        partition="cpu",
        gpus=1,
        cpus=4,
        setup=("a",),
        steps={
            "training": StepPlacement(partition="gpu", gpus=2, setup=("b",)),
            "scores": StepPlacement(gpus=0, max_concurrent=3),
            "report": StepPlacement(on="local"),
        },
    )
    training = jobs.placed("training")
    assert (training.on, training.partition, training.gpus, training.cpus) == ("slurm", "gpu", 2, 4)
    assert training.setup == ("a", "b")
    assert (jobs.placed("scores").gpus, jobs.placed("scores").max_concurrent) == (0, 3)
    assert jobs.placed("report").on == "local"
    nothing = JobsSettings()
    assert (nothing.placed("training").on, nothing.placed("training").gpus) == ("local", 0)
    assert [nothing.placed("any").max_concurrent, nothing.placed("any", 15).max_concurrent] == [0, 15]
    assert jobs.placed("scores", 15).max_concurrent == 3


def test_limits_are_those_of_the_pipeline(tmp_path: Path) -> None:
    (tmp_path / "ossicle.toml").write_text('base = "recipe:tapes"\n[corpus]\naudio = "audio"\n')
    project = load_project(tmp_path)
    names = ("training", "scores", "benchmark_evaluation", "stranger")
    assert [placement(project, name, "slurm").max_concurrent for name in names] == [0, 15, 20, 0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('partition = "gpu\\n#SBATCH --wrap=x"', "contains a line end"),
        ('partition = "gpu --wrap=x"', "is not a valid Slurm name"),
        ('memory = "1G --x"', "is not a valid Slurm name"),
        ('time = "soon"', "is not a wall time"),
        ('on = "cloud"', "is not one of"),
        ("gpus = -2", "must be at least -1"),
        ('setup = ["rm -rf ."]', "a project file may come from another person"),
        ('sbatch = ["--prolog=x"]', "a project file may come from another person"),
    ],
)
@pytest.mark.parametrize("table", ["jobs", "jobs.training", "variants.v.jobs.scores"])
def test_nothing_in_a_project_file_is_more_than_a_word(tmp_path: Path, table: str, text: str, words: str) -> None:
    file = tmp_path / "ossicle.toml"
    file.write_text(f'base = "recipe:tapes"\n[corpus]\naudio = "audio"\n[{table}]\n{text}\n')
    with pytest.raises(ProjectError, match=words) as caught:
        load_project(file, (), None, "v" if "variants" in table else "")
    assert str(file) in str(caught.value)


@pytest.mark.filterwarnings("ignore::ossicle.app.project.local_file.LocalFileWarning")
def test_whoever_runs_a_project_may_say_what_a_shell_does(tmp_path: Path) -> None:
    file = tmp_path / "ossicle.toml"
    file.write_text('base = "recipe:tapes"\n[corpus]\naudio = "audio"\n')
    (tmp_path / "ossicle.local.toml").write_text('[jobs.training]\nsetup = ["module load cuda"]\n')
    step_placement = load_project(file, ('jobs.sbatch=["--exclusive"]',)).settings.jobs.placed("training")
    assert (step_placement.setup, step_placement.sbatch) == (("module load cuda",), ("--exclusive",))


def test_a_log_gives_the_terminal_no_orders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("OSSICLE_DATA_ROOT", raising=False)
    (tmp_path / "ossicle.toml").write_text('base = "recipe:tapes"\n[corpus]\naudio = "audio"\n')
    folder = PlanFolder(tmp_path / "data" / "jobs" / "0001", tmp_path)
    job = Job("odd", (task("t", "w"),), (), StepPlacement(on="local", gpus=0))
    write_scripts(folder, JobPlan((job,)))
    folder.log(job, 0).write_bytes(b"one\x1b[2J\x9b\xe2\x80\xae two\n")
    logs("t", project=tmp_path)
    output = capsys.readouterr().out
    assert output.startswith("one\\x1b[2J")
    assert output.endswith("\\u202e two\n")
    assert "\x1b" not in output
