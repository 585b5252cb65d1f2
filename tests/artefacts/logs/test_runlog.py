import json
import threading
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from ossicle.artefacts.logs.runlog import RunLog, read_run_log


def test_entries_say_what_became_of_each_unit(tmp_path: Path) -> None:
    place = tmp_path / "logs" / "run.jsonl"
    log = RunLog(place)
    log.work_unit("score", "Tape 1.2/ä", "computed", seconds=1.23456789, frames=3)
    log.work_unit("score", "b", "reused")
    RunLog(place).work_unit("train", "epoch 1", "failed", reason="line 1\nline 2")
    entries = read_run_log(place)
    assert len(place.read_bytes().splitlines()) == 3
    times = [datetime.fromisoformat(entry.pop("time")) for entry in entries]
    assert times == sorted(times)
    assert all(time.utcoffset() == timedelta(0) for time in times)
    assert entries == [
        {"step": "score", "unit": "Tape 1.2/ä", "outcome": "computed", "seconds": 1.234568, "frames": 3},
        {"step": "score", "unit": "b", "outcome": "reused", "seconds": 0.0},
        {"step": "train", "unit": "epoch 1", "outcome": "failed", "seconds": 0.0, "reason": "line 1\nline 2"},
    ]


def test_an_unknown_outcome_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="'done' is not one of: reused, computed, failed"):
        RunLog(tmp_path / "r").work_unit("a", "b", "done")  # type: ignore[arg-type]


def test_a_torn_line_spoils_only_itself(tmp_path: Path) -> None:
    place = tmp_path / "run.jsonl"
    RunLog(place).work_unit("a", "1", "computed")
    RunLog(place).work_unit("a", "2", "computed")
    place.write_bytes(place.read_bytes()[:-5])
    RunLog(place).work_unit("a", "3", "computed")
    assert [entry["unit"] for entry in read_run_log(place)] == ["1", "3"]


def test_no_log_has_no_entries(tmp_path: Path) -> None:
    assert read_run_log(tmp_path / "none") == []


def test_threads_do_not_mix_lines(tmp_path: Path) -> None:
    log = RunLog(tmp_path / "run.jsonl")
    threads = [
        threading.Thread(target=lambda k=k: [log.work_unit("s", f"{k}", "reused", pad="x" * 5000) for _ in range(50)])
        for k in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = (tmp_path / "run.jsonl").read_text().splitlines()
    assert len(lines) == 400
    assert all(json.loads(line)["pad"] == "x" * 5000 for line in lines)
