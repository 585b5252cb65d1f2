"""Ctrl-C and SIGTERM while a command loads modules: it ends, and no module makes another error of the signal."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

WORDS = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}
COMMAND = """
import time
from ossicle.app.cli import main as cli, signals
def command(standalone_mode):
    import loaded
    print("loaded", flush=True)
    time.sleep(20)
    print("went on", flush=True)
cli.app = command
"""
MAIN = "from ossicle.app.cli.start import main\nmain()\n"
KILL = "import os, time\nos.kill(os.getpid(), {number})\ntime.sleep({seconds})\n"
CATCHES_ALL = """
try:
    exec(KILL)
except BaseException:
    pass
"""
RAISES_ITS_OWN = """
class Name:
    def __set_name__(self, owner, name):
        exec(KILL)
class Named:
    name = Name()
"""


def run(folder: Path, code: str, module: str, number: int, seconds: float) -> subprocess.CompletedProcess[str]:
    kill = KILL.format(number=int(number), seconds=seconds)
    (folder / "loaded.py").write_text(f"KILL = {kill!r}\n{module}")
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=100, cwd=folder
    )


@pytest.mark.parametrize("number", [*WORDS])
@pytest.mark.parametrize("module", [CATCHES_ALL, RAISES_ITS_OWN])
def test_a_signal_while_modules_load_ends_the_command_once_they_are_loaded(
    tmp_path: Path, module: str, number: signal.Signals
) -> None:
    done = run(tmp_path, COMMAND + MAIN, module, number, 0.2)
    assert done.returncode == 128 + number
    assert done.stderr == f"ossicle: {WORDS[number]}; run the same command again to continue\n"
    assert done.stdout in ("", "loaded\n")


def test_modules_that_load_for_too_long_are_interrupted(tmp_path: Path) -> None:
    done = run(tmp_path, f"{COMMAND}signals._PATIENCE_S = 0.1\n{MAIN}", "exec(KILL)", signal.SIGINT, 20)
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == "ossicle: interrupted; run the same command again to continue\n"


def test_a_command_that_a_module_runs_while_it_loads_ends_at_once(tmp_path: Path) -> None:
    (tmp_path / "outer.py").write_text(COMMAND.replace("import loaded", "exec(open('loaded.py').read())") + MAIN)
    done = run(tmp_path, "import outer", "exec(KILL)", signal.SIGINT, 20)
    assert (done.returncode, done.stdout) == (130, "")
