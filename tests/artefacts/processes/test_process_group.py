import multiprocessing
import subprocess
import sys
import time
from dataclasses import dataclass
from multiprocessing.process import BaseProcess

import pytest

from ossicle.artefacts.processes.process_group import ProcessGroup

SLEEPS = "import time; print('up', flush=True); time.sleep(60)"
STAYS = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + SLEEPS


@dataclass
class One:
    process: "BaseProcess | subprocess.Popen[bytes]"


def command(script: str) -> One:
    process = subprocess.Popen([sys.executable, "-S", "-c", script], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    return One(process)


def close(one: One) -> int | None:
    assert isinstance(one.process, subprocess.Popen)
    one.process.communicate()
    return one.process.returncode


def test_leaving_the_block_ends_everything_and_kills_what_stays() -> None:
    ends, stays = command(SLEEPS), command(STAYS)
    # Never a fork: this process has threads of many libraries, and its copy would hold their locks.
    worker = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(60,))
    worker.start()
    group = ProcessGroup[One](0.5)
    for one in (ends, stays, One(worker)):
        group.add(one)
    assert len(group) == 3
    with pytest.raises(KeyboardInterrupt), group:
        raise KeyboardInterrupt
    assert (close(ends), close(stays)) == (-15, -9)
    assert worker.exitcode == -15
    assert len(group) == 0


def test_what_has_ended_is_removed_while_the_others_are_gone_through() -> None:
    first, second = command("print()"), command("print()")
    with ProcessGroup[One](5.0) as group:
        group.add(first)
        group.add(second)
        for one in group:
            close(one)
            group.remove(one)
        assert not list(group)
        assert group.stop() == ()
