"""Run the smoke mode of every benchmark, and report the processor time of each.

Scripts run side by side, each in a process of its own that is forked from one in which torch and other slow libraries
are already imported. A script that fails is named with the end of its output; the others still run.

    .venv/bin/python benchmarks/run_smoke.py [bench_store.py ...]
"""

import argparse
import importlib
import os
import runpy
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
PRELOADED = (
    "numpy", "scipy.signal", "scipy.stats", "h5py", "av", "soundfile", "soxr", "sklearn.ensemble", "sklearn.svm",
    "torch", "torchvision", "lightning", "timm", "onnx", "onnxscript", "matplotlib.pyplot", "jinja2", "librosa",
)  # fmt: skip
"""Libraries that are slow to import and start no threads: a process with threads must not be forked."""
SLOW = ("bench_placement.py", "bench_backbones.py", "bench_store.py")
"""Scripts that start first, so that none of them is left to run alone at the end."""
SHOWN_LINES = 30
POLL_S = 0.05


@dataclass(frozen=True)
class Started:
    """A script that runs: its name, its start (monotonic seconds), and the file that takes its output."""

    name: str
    began_s: float
    output: Path


@dataclass(frozen=True)
class Ended:
    """A script that ended: exit code (negative: a signal), processor seconds of user and system, wall seconds."""

    name: str
    code: int
    user_s: float
    system_s: float
    wall_s: float
    output: str


def run_all(scripts: Sequence[Path], at_once: int, limit_s: float) -> Iterator[Ended]:
    """Run the scripts with ``--smoke``, ``at_once`` side by side; one that takes over ``limit_s`` is killed."""
    waiting, running = list(scripts), dict[int, Started]()
    with tempfile.TemporaryDirectory(prefix="ossicle-smoke-") as folder, _killed_at_the_end(running):
        while waiting or running:
            while waiting and len(running) < at_once:
                script = waiting.pop(0)
                output = Path(folder) / f"{script.stem}.txt"
                running[_start(script, output, Path(folder))] = Started(script.name, time.monotonic(), output)
            for pid, run in list(running.items()):
                if time.monotonic() - run.began_s > limit_s:
                    os.kill(pid, signal.SIGKILL)
                ended, status, used = os.wait4(pid, os.WNOHANG)
                if ended:
                    del running[pid]
                    wall_s = time.monotonic() - run.began_s
                    code = os.waitstatus_to_exitcode(status)
                    yield Ended(run.name, code, used.ru_utime, used.ru_stime, wall_s, run.output.read_text())
            time.sleep(POLL_S)


@contextmanager
def _killed_at_the_end(running: dict[int, Started]) -> Iterator[None]:
    try:
        yield
    finally:
        for pid in running:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def _start(script: Path, output: Path, folder: Path) -> int:
    """Fork a process that runs ``script --smoke``; temporary files go to ``folder``."""
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        with output.open("wb") as file:
            for stream in (1, 2):
                os.dup2(file.fileno(), stream)
        tempfile.tempdir = os.environ["TMPDIR"] = str(folder)
        sys.argv = [str(script), "--smoke"]
        sys.path[0] = str(script.parent)
        runpy.run_path(str(script), run_name="__main__")
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except BaseException:  # noqa: BLE001 - whatever it is, the process that forked this one reports it
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _slow_first(script: Path) -> tuple[bool, str]:
    return script.name not in SLOW, script.name


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scripts", nargs="*", type=Path, help="scripts to run; else every bench_*.py")
    parser.add_argument("--at-once", type=int, default=2, help="scripts that run side by side")
    parser.add_argument("--limit", type=float, default=300.0, help="seconds after which a script is killed")
    args = parser.parse_args()
    # One thread in each process: that suits two cores, and a process with threads must not be forked.
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    # Ended from outside, the runner ends its scripts.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    began_s = time.monotonic()
    for name in PRELOADED:
        importlib.import_module(name)
    print(f"libraries imported in {time.monotonic() - began_s:.1f} s", flush=True)
    scripts = [path.resolve() for path in args.scripts] or sorted(HERE.glob("bench_*.py"), key=_slow_first)
    ended = []
    for script in run_all(scripts, args.at_once, args.limit):
        ended.append(script)
        if script.code:
            print("\n".join(script.output.splitlines()[-SHOWN_LINES:]))
        outcome = "passed" if script.code == 0 else f"FAILED with exit code {script.code}"
        print(f"{script.name}: {outcome} in {script.wall_s:.1f} s", flush=True)
    print("\n  user  system    wall  script")
    for script in sorted(ended, key=lambda script: -script.user_s):
        print(f"{script.user_s:6.1f}  {script.system_s:6.1f}  {script.wall_s:6.1f}  {script.name}")
    total_s = sum(script.user_s + script.system_s for script in ended)
    print(f"{total_s:.0f} s of processor time, {time.monotonic() - began_s:.0f} s in all")
    failed = sorted(script.name for script in ended if script.code)
    if failed:
        print(f"failed: {', '.join(failed)}")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
