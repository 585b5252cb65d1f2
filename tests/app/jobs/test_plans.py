"""Plans of jobs as files, and what becomes of their tasks: numbered folders, states, logs."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ossicle.app.cli.run.jobs import logs
from ossicle.app.jobs.folder import PlanFolder, last_folder, new_folder
from ossicle.app.jobs.job import Job, JobPlan, read_plan, write_plan
from ossicle.app.jobs.runner import Seen
from ossicle.app.jobs.slurm.scripts import write_scripts
from ossicle.app.jobs.state import task_states
from ossicle.app.project.tables.placement import StepPlacement
from ossicle.core.errors import ArtefactError, UsageError

from .plan_parts import SLURM, task


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
