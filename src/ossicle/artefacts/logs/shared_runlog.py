"""Run logs to which several processes write, also on a place where the last writer of a file wins.

Each work unit of a step has a run log of its own, ``logs/run/UNIT.jsonl`` in the step's unfinished folder; whoever
gathers the work units joins them. The log of a data root is one file where there are locks. Where there are none, each
process adds a file of its own to ``runs/``.
"""

import json
import os
import socket
import uuid
from pathlib import Path

from ossicle.artefacts.files import whole_file
from ossicle.artefacts.filesystem.changes import remove_folder
from ossicle.artefacts.locks.lock import locks_used
from ossicle.artefacts.logs.runlog import RunLog, read_run_log
from ossicle.artefacts.shelf import RUN_LOG

RUNS = "runs"
"""Folder of a data root without locks that holds the run logs of its processes."""
_PARTS = Path("logs") / "run"


def data_root_log(data_root: Path) -> RunLog:
    """Return the run log of a data root, for one process.

    Parameters
    ----------
    data_root
        The data root.

    Returns
    -------
    RunLog
        ``run.jsonl``, or a new file in ``runs/`` on a place without locks.
    """
    if locks_used():
        return RunLog(data_root / RUN_LOG)
    return RunLog(data_root / RUNS / f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}.jsonl")


def work_unit_log(folder: Path, work_unit: str) -> RunLog:
    """Return the run log of one work unit in the unfinished folder of its step."""
    return RunLog(folder / _PARTS / f"{work_unit}.jsonl")


def join_work_unit_logs(folder: Path) -> None:
    """Add the run logs of all work units to the run log of their step, in the order of time, and remove them.

    Parameters
    ----------
    folder
        The unfinished folder of the step. Nothing happens if no work unit has a run log.
    """
    parts = folder / _PARTS
    if not parts.is_dir():
        return
    log = folder / RUN_LOG
    lines = [json.dumps(entry, sort_keys=True, ensure_ascii=False) for entry in read_run_log(log)]
    for part in sorted(parts.glob("*.jsonl")):
        lines += [json.dumps(entry, sort_keys=True, ensure_ascii=False) for entry in read_run_log(part)]
    # A process that was killed between the two steps below has joined them already.
    sorted_lines = sorted(dict.fromkeys(lines), key=lambda line: str(json.loads(line).get("time", "")))
    with whole_file(log) as temporary:
        temporary.write_text("".join(f"{line}\n" for line in sorted_lines), encoding="utf-8")
    remove_folder(parts)
