"""Run logs of several processes: joined in the order of time, nothing twice, and no file of two without locks."""

import json
from pathlib import Path

import pytest

from ossicle.artefacts.locks.lock import LOCKS_VARIABLE
from ossicle.artefacts.logs.runlog import read_run_log
from ossicle.artefacts.logs.shared_runlog import RUNS, data_root_log, join_work_unit_logs, work_unit_log
from ossicle.artefacts.shelf import NOT_CONTENT, RUN_LOG


def line(unit: str) -> str:
    return json.dumps({"time": f"2026-11-29T22:00:0{unit}.000+00:00", "unit": unit}) + "\n"


def test_the_logs_of_work_units_are_joined_in_time(tmp_path: Path) -> None:
    for name, units in (("b", "13"), ("a", "2")):
        work_unit_log(tmp_path, name).work_unit("training", "0", "computed")
        (file,) = tmp_path.rglob(f"{name}.jsonl")
        assert file.relative_to(tmp_path).parts[0] in NOT_CONTENT
        file.write_text("".join(line(unit) for unit in units))
    (tmp_path / RUN_LOG).write_text(line("4"))
    join_work_unit_logs(tmp_path)
    assert [one["unit"] for one in read_run_log(tmp_path / RUN_LOG)] == ["1", "2", "3", "4"]
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [RUN_LOG]
    join_work_unit_logs(tmp_path)
    assert len(read_run_log(tmp_path / RUN_LOG)) == 4


def test_a_line_is_joined_once_however_often_joining_is_interrupted(tmp_path: Path) -> None:
    work_unit_log(tmp_path, "a").work_unit("scores", "tape", "computed")
    (part,) = (tmp_path / "logs" / "run").iterdir()
    kept = part.read_bytes()
    join_work_unit_logs(tmp_path)
    # Killed after it wrote the log, and before it removed the part.
    part.parent.mkdir()
    part.write_bytes(kept)
    join_work_unit_logs(tmp_path)
    assert [one["unit"] for one in read_run_log(tmp_path / RUN_LOG)] == ["tape"]


def test_a_data_root_without_locks_has_a_file_for_each_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(LOCKS_VARIABLE, raising=False)
    data_root_log(tmp_path).work_unit("index", "x", "computed")
    assert [path.name for path in tmp_path.iterdir()] == [RUN_LOG]
    before = (tmp_path / RUN_LOG).read_bytes()
    monkeypatch.setenv(LOCKS_VARIABLE, "none")
    for _ in range(2):
        data_root_log(tmp_path).work_unit("index", "y", "reused")
    assert (tmp_path / RUN_LOG).read_bytes() == before
    assert [len(read_run_log(path)) for path in (tmp_path / RUNS).iterdir()] == [1, 1]
