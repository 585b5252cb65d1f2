"""A Python script that starts processes without a main guard is told so, and never that memory ran out alone."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """\
from pathlib import Path

from ossicle.artefacts.processes.locked_jobs import locked_jobs


class Job:
    def __init__(self, name):
        self.name = name


def work(job):
    return job.name


{guard}
{indent}print(sorted(locked_jobs([Job("a"), Job("b")], work, 2)))
"""


@pytest.mark.parametrize(("guard", "works"), [("", False), ('if __name__ == "__main__":', True)])
def test_a_script_without_a_main_guard_is_told_what_to_write(tmp_path: Path, guard: str, works: bool) -> None:
    script = tmp_path / "mine.py"
    script.write_text(SCRIPT.format(guard=guard, indent="    " * works), encoding="utf-8")
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode == 0) is works
    assert ('in mine.py, keep calls of Ossicle below `if __name__ == "__main__":`' in done.stderr) is not works
