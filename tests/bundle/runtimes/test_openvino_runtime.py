"""The OpenVINO runtime as a guest in a process: what it leaves behind when it ends."""

import subprocess
import sys
from pathlib import Path

import pytest

INTERRUPTED = """\
import os, signal, sys, threading
from pathlib import Path
from ossicle.bundle.format import read_bundle
from ossicle.bundle.runtimes.openvino_runtime import OpenVinoPredictor

bundle = read_bundle(Path(sys.argv[1]))
opened = [OpenVinoPredictor(bundle)]
if sys.argv[2] == "two, the first ends first":
    opened.append(OpenVinoPredictor(bundle))
    del opened[0]
    opened.clear()
else:
    ends = threading.Thread(target=opened.clear)
    ends.start()
    ends.join()
try:
    os.kill(os.getpid(), signal.SIGINT)
    while True:
        pass
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.parametrize("order", ["two, the first ends first", "one, on another thread"])
def test_an_interrupt_after_predictors_have_ended_is_an_interrupt(repository: Path, order: str) -> None:
    bundle = repository / "tests" / "data" / "bundles" / "0.1.0" / "bundle"
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, str(bundle), order], capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stdout) == (0, "interrupted\n"), done.stderr
