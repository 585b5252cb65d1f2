"""Slurm's commands without Slurm: ``sbatch``, ``squeue``, ``scancel`` and ``scontrol requeue`` on a folder of files.

Each array has one process that runs its tasks one after the other, waits for the arrays that it needs (``afterok``) and
before each task for the tasks of the same index (``aftercorr``), and ends after ten minutes in any case.
"""

import sys
from pathlib import Path

NAMES = ("sbatch", "squeue", "scancel", "scontrol")
SCRIPT = r"""
import os, re, shlex, signal, subprocess, sys, time
from pathlib import Path

place = Path(__file__).resolve().parent / "state"
queue, words = place / "queue", sys.argv[1:]
name = "run" if words[:1] == ["run"] else Path(sys.argv[0]).name
END = time.monotonic() + 600


def say(task, state, reason, node=""):
    part = place / f"part-{os.getpid()}"
    part.write_text(f"{task}|{state}|{reason}|{node}\n")
    part.rename(queue / task)


def succeeded(number, results):
    # Waits for results; returns whether all of them are good and the array is not cancelled.
    while not all(one.exists() for one in results):
        if (place / f"cancel-{number}").exists() or time.monotonic() > END:
            return False
        time.sleep(0.02)
    return all(one.read_text() == "ok" for one in results)


def result(name, text):
    part = place / f"part-{os.getpid()}"
    part.write_text(text)
    part.rename(place / f"result-{name}")


def run(number, script, folder, n_tasks, log, needs, pairs):
    if not succeeded(number, [place / f"result-{one}" for one in needs]):
        return "failed"
    outcome = "ok"
    for index in range(n_tasks):
        task = f"{number}_{index}"
        if not succeeded(number, [place / f"result-{one}_{index}" for one in pairs]):
            outcome = "failed"
            result(task, outcome)
            (queue / task).unlink()
            continue
        while True:
            if (place / f"cancel-{number}").exists():
                return "failed"
            say(task, "RUNNING", "None", "node1")
            env = {**os.environ, "SLURM_ARRAY_JOB_ID": number, "SLURM_ARRAY_TASK_ID": str(index)}
            with open(Path(folder) / log.replace("%a", str(index)), "ab") as out:
                child = subprocess.Popen(
                    ["bash", script], cwd=folder, env=env, stdout=out, stderr=out, start_new_session=True
                )
            told = False
            while child.poll() is None:
                if not told and ((place / f"cancel-{number}").exists() or time.monotonic() > END):
                    # As scancel: every process of the task gets the signal.
                    os.killpg(child.pid, signal.SIGTERM)
                    told = True
                time.sleep(0.02)
            again = place / f"requeue-{task}"
            if not again.exists():
                break
            again.unlink()
        if child.returncode:
            outcome = "failed"
        result(task, "failed" if child.returncode else "ok")
        (queue / task).unlink()
    return outcome


if name == "sbatch":
    queue.mkdir(parents=True, exist_ok=True)
    script, text = words[-1], Path(words[-1]).read_text()
    n_tasks = int(re.search(r"^#SBATCH --array=0-(\d+)", text, re.M)[1]) + 1
    log = shlex.split(re.search(r"^#SBATCH --output=(.*)$", text, re.M)[1])[0].replace("%%", "%")
    folder = next(word for word in words if word.startswith("--chdir=")).partition("=")[2]
    waits = [word.partition("=")[2] for word in words if word.startswith("--dependency=")]
    kinds = dict(one.split(":", 1) for one in (waits[0].split(",") if waits else ()))
    number = str(len(list(place.glob("number-*"))) + 1)
    (place / f"number-{number}").touch()
    for index in range(n_tasks):
        say(f"{number}_{index}", "PENDING", "Priority")
    rest = [number, script, folder, str(n_tasks), log, kinds.get("afterok", ""), kinds.get("aftercorr", "")]
    subprocess.Popen(
        [sys.executable, "-S", __file__, "run", *rest],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )
    print(number)
elif name == "squeue":
    asked = next(word for word in words if word.startswith("--jobs=")).partition("=")[2].split(",")
    for file in sorted(queue.glob("*")):
        if file.name.partition("_")[0] in asked:
            try:
                sys.stdout.write(file.read_text())
            except FileNotFoundError:
                continue
elif name == "scancel":
    for number in words:
        (place / f"cancel-{number}").touch()
elif name == "scontrol":
    (place / f"requeue-{words[1]}").touch()
    say(words[1], "PENDING", "BeginTime")
else:
    number, script, folder, n_tasks, log, *waits = words[1:]
    needs, pairs = ([one for one in of.split(":") if one] for of in waits)
    result(number, run(number, script, folder, int(n_tasks), log, needs, pairs))
    for file in queue.glob(f"{number}_*"):
        file.unlink()
"""


def write_slurm(folder: Path) -> None:
    """Write the commands to a folder, which a test puts first in ``PATH``."""
    folder.mkdir(parents=True)
    for name in NAMES:
        (folder / name).write_text(f"#!{sys.executable} -S\n{SCRIPT}")
        (folder / name).chmod(0o755)
