"""What the system refuses, in a line each: a full disk, a place that cannot be written, signals before the start."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import soundfile

from ossicle.app.project.load import load_project
from ossicle.app.steps.engine.step import Silent
from ossicle.app.steps.pipeline.run_project import run_project

from ...doubles.kills import UNPRIVILEGED, file_limit
from ..conftest import Commands

OSSICLE = (sys.executable, "-m", "ossicle")
RATE = 16000


def record(path: Path, seed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.random.default_rng(seed).normal(0, 0.1, 3 * RATE), RATE)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    for seed, name in enumerate("abc"):
        record(folder / "audio" / f"{name}.wav", seed)
    (folder / "events.csv").write_text("file,start_time,end_time,label\n" + "".join(f"{n}.wav,1,2,x\n" for n in "abc"))
    (folder / "ossicle.toml").write_text(
        'base = "recipe:tapes"\n[corpus]\naudio = "audio"\nannotations = "events.csv"\n[project]\nworkers = 1\n'
    )
    return folder


def run(*command: object, timeout_s: float = 400, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key != "OSSICLE_DATA_ROOT"}
    return subprocess.run(
        [*map(str, command)], capture_output=True, text=True, check=False, timeout=timeout_s, env=environment, cwd=cwd
    )


def unprivileged(*command: object) -> subprocess.CompletedProcess[str]:
    return run(sys.executable, "-c", UNPRIVILEGED, *command)


def store_digest(project: Path) -> str:
    (manifest,) = (project / "data" / "store").glob("[!.]*/artefact.json")
    return str(json.loads(manifest.read_text())["content"])


@pytest.mark.parametrize("size", [300, 3000, 30_000])
def test_a_write_that_is_refused_is_said_and_resumed(project: Path, ossicle: Commands, size: int) -> None:
    command = ("run", "-p", project, "--until", "store", "--progress", "none")
    with file_limit(size):
        result = ossicle(*command)
    assert result.code == 1
    (line,) = result.err.splitlines()
    assert line.startswith(f"ossicle: {project / 'data'}{os.sep}")
    assert line.endswith(
        ": File too large; raise the limit on file sizes (ulimit -f), then run the same command again to continue"
    )
    assert ".ossicle-part" not in line
    assert ossicle(*command).code == 0
    resumed = store_digest(project)
    shutil.rmtree(project / "data")
    assert ossicle(*command).code == 0
    assert store_digest(project) == resumed


# A file system of the size $1 on the folder $2, in a namespace that ends with the script; $3 and on: the command.
SMALL_DISK = """
mount -t tmpfs -o size="$1" tmpfs "$2" || exit 99
place=$2; shift 2
"$@"; first=$?
mount -o remount,size=100m "$place" || exit 99
"$@"; second=$?
find "$place" -name '.ossicle-part*' | grep -q . && exit 98
exit $((10 * first + second))
"""


@pytest.mark.parametrize("size", ["16k", "100k", "260k"])
def test_a_full_disk_is_said_and_resumed(project: Path, size: str) -> None:
    (project / "data").mkdir()
    command = (*OSSICLE, "run", "-p", project, "--until", "store", "--progress", "none")
    done = run("unshare", "--mount", "sh", "-c", SMALL_DISK, "sh", size, project / "data", *command)
    if done.returncode in (1, 99, 127) and "ossicle" not in done.stderr:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    assert done.returncode == 10, done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"ossicle: {project / 'data'}{os.sep}")
    assert line.endswith(": No space left on device; free some disk space, then run the same command again to continue")


def test_a_place_that_cannot_be_written_is_said(project: Path, old_bundle: Path, tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o555)
    completed = unprivileged(*OSSICLE, "run", "-p", project, "--data-root", closed / "data", "--progress", "none")
    refused = "Permission denied; change the permissions, or choose another folder\n"
    assert completed.returncode == 1
    (line,) = completed.stderr.splitlines()
    assert line.startswith(f"ossicle: {closed / 'data'}: Permission denied: the outputs of steps are written there; ")
    assert line.endswith("or give another folder with --data-root (finished steps are then computed again)")
    completed = unprivileged(*OSSICLE, "predict", old_bundle, project / "audio", "-o", closed)
    assert (completed.returncode, completed.stderr) == (1, f"ossicle: {closed}: {refused}")
    completed = unprivileged(
        *OSSICLE, "predict", old_bundle, project / "audio", "-o", tmp_path / "out", "--cutouts", closed
    )
    assert (completed.returncode, completed.stderr) == (1, f"ossicle: {closed}: {refused}")
    assert not (tmp_path / "out").exists()
    completed = unprivileged(*OSSICLE, "check", "-p", project, "--data-root", closed / "data", "--json")
    assert completed.returncode == 2
    assert [entry["message"] for entry in json.loads(completed.stdout) if not entry["ok"]] == [
        f"{closed} is not writable; change its permissions, or choose another --data-root"
    ]


def test_a_project_that_cannot_be_written_is_said_and_can_be_read(
    project: Path, old_bundle: Path, tmp_path: Path, ossicle: Commands
) -> None:
    assert ossicle("run", "-p", project, "--until", "dataset", "--progress", "none").code == 0
    shutil.copytree(old_bundle, project / "bundle")
    folders = [project, *(path for path in project.rglob("*") if path.is_dir())]
    for folder in folders:
        folder.chmod(0o555)
    on_project, out = ("-p", project, "--progress", "none"), tmp_path / "out"
    for words in (
        ("run", *on_project),
        ("dataset", "health", *on_project),
        ("dataset", "export", "-o", out, *on_project),
    ):
        completed = unprivileged(*OSSICLE, *words)
        assert completed.returncode == 1, (words, completed)
        (line,) = completed.stderr.splitlines()
        assert line.startswith(
            f"ossicle: {project / 'data'}: Permission denied: the outputs of steps are written there"
        )
        assert "copy the project to a folder that is writable, or give another folder with --data-root" in line
        assert not out.exists()
    for words in (
        ("status", *on_project[:2]),
        ("leaderboard", *on_project[:2]),
        ("predict", project / "bundle", project / "audio", "-o", out),
    ):
        completed = unprivileged(*OSSICLE, *words)
        assert completed.returncode == 0, (words, completed)
    for folder in folders:
        folder.chmod(0o755)


def test_a_lock_of_another_user_is_named_and_not_its_folder(project: Path, old_bundle: Path, tmp_path: Path) -> None:
    for folder in (tmp_path / "out", project / "data"):
        folder.mkdir()
        (folder / ".ossicle.lock").touch(mode=0o444)
    refused = "Permission denied; change the permissions, or choose another folder\n"
    completed = unprivileged(*OSSICLE, "predict", old_bundle, project / "audio", "-o", tmp_path / "out")
    assert (completed.returncode, completed.stderr) == (1, f"ossicle: {tmp_path / 'out' / '.ossicle.lock'}: {refused}")
    completed = unprivileged(*OSSICLE, "run", "-p", project, "--progress", "none")
    assert (completed.returncode, completed.stderr) == (1, f"ossicle: {project / 'data' / '.ossicle.lock'}: {refused}")


def test_a_recording_without_permission_costs_only_itself(project: Path, old_bundle: Path, tmp_path: Path) -> None:
    (project / "audio" / "b.wav").chmod(0)
    completed = unprivileged(*OSSICLE, "dataset", "health", "-p", project, "--progress", "none", "--json")
    assert (completed.returncode, completed.stderr) == (3, "")
    problems = [problem for problem in json.loads(completed.stdout)["problems"] if problem["where"] == "b.wav"]
    assert {problem["code"] for problem in problems} == {"left_out", "annotations_left_out"}
    assert "Permission denied" in str(problems)
    completed = unprivileged(*OSSICLE, "predict", old_bundle, project / "audio", "-o", tmp_path / "out")
    assert completed.returncode == 3
    assert "b.wav: 0 events  left out: " in completed.stderr
    assert "Permission denied" in completed.stderr


def test_an_edited_recording_is_read_again(project: Path) -> None:
    def outcomes() -> dict[str, str]:
        return dict(run_project(load_project(project), Silent(), "store").outcomes)

    outcomes()
    assert set(outcomes().values()) == {"reused"}
    before = store_digest(project)
    old = next((project / "data" / "store").glob("[!.]*"))
    record(project / "audio" / "b.wav", 9)
    assert set(outcomes().values()) == {"computed"}
    (new,) = set((project / "data" / "store").glob("[!.]*")) - {old}
    digests = [set(pl.read_parquet(place / "store.parquet")["digest"]) for place in (old, new)]
    assert len(digests[0] & digests[1]) == 2
    assert json.loads((new / "artefact.json").read_text())["content"] != before


SLOW_IMPORTS = """
import os, sys, time
SLOW = os.environ["SLOW_MODULE"]
class Slow:
    def find_spec(self, name, path=None, target=None):
        if name == SLOW:
            print("importing", flush=True)
            time.sleep(60)
sys.meta_path.insert(0, Slow())
"""


@pytest.mark.parametrize(
    ("number", "word", "module"),
    [
        (signal.SIGINT, "interrupted", "typer"),
        (signal.SIGTERM, "terminated", "typer"),
        (signal.SIGINT, "interrupted", "ossicle.app.cli.run.presets"),
        (signal.SIGTERM, "terminated", "ossicle.app.cli.run.presets"),
    ],
)
def test_a_signal_while_the_commands_load_ends_at_once(tmp_path: Path, number: int, word: str, module: str) -> None:
    (tmp_path / "sitecustomize.py").write_text(SLOW_IMPORTS)
    paths = [str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "SLOW_MODULE": module}
    with subprocess.Popen(
        [*OSSICLE, "presets"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "importing\n"
        process.send_signal(number)
        _, result = process.communicate(timeout=100)
    assert process.returncode == 128 + number
    assert result == f"ossicle: {word} before anything started\n"


TWICE = """
import os, signal, sys, time
from ossicle.app.cli import main as cli
def command(standalone_mode):
    try:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(10)
    finally:
        # Saving its state is disturbed by nothing.
        for _ in range(3):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.01)
        print("saved", flush=True)
cli.app = command
import atexit
# The interpreter is ending: the command is over.
atexit.register(lambda: os.kill(os.getpid(), signal.SIGINT))
sys.argv = ["ossicle"]
from ossicle.app.cli.start import main
main()
"""


def test_a_second_interrupt_does_not_disturb_the_first() -> None:
    done = run(sys.executable, "-c", TWICE)
    assert done.returncode == 130, done.stderr
    assert done.stdout == "saved\n"
    assert done.stderr == "ossicle: interrupted; run the same command again to continue\n"


IN_TEXT = """
import ossicle.app.cli.main as cli
def command(standalone_mode):
    # As dataclasses are made while the modules of a command load.
    exec("import os, signal\\nos.kill(os.getpid(), signal.SIGINT)\\nfor _ in range(1000): pass")
cli.app = command
from ossicle.app.cli.start import main
main()
"""


def test_an_interrupt_while_classes_are_made_has_the_exit_code_of_an_interrupt(tmp_path: Path) -> None:
    (tmp_path / "interrupted.py").write_text(IN_TEXT)
    done = run(sys.executable, "-m", "interrupted", cwd=tmp_path)
    assert done.returncode == 130, done.stderr
    assert done.stderr == "ossicle: interrupted; run the same command again to continue\n"


@pytest.mark.parametrize(
    "error",
    ["MemoryError()", "ImportError('failed to map segment')", "ImportError('a')", "RuntimeError('not enough memory')"],
)
def test_too_little_memory_is_a_line(error: str) -> None:
    code = f"from ossicle.app.cli import main as cli\ndef fail():\n    raise {error}\ncli.main = fail\n"
    done = run(sys.executable, "-c", f"{code}from ossicle.app.cli.start import main\nmain()\n")
    assert done.returncode == 1
    if error == "ImportError('a')":
        assert "ImportError: a" in done.stderr
    else:
        assert done.stderr == "ossicle: not enough memory; close other programs, or raise the limit (ulimit -v)\n"


def test_a_place_that_holds_something_else_is_said_with_a_remedy(
    project: Path, old_bundle: Path, tmp_path: Path, ossicle: Commands
) -> None:
    fifo, file, long = tmp_path / "fifo", tmp_path / "file", tmp_path / ("a" * 300)
    os.mkfifo(fifo)
    file.write_text("kept\n")
    on_project = ("-p", project, "--progress", "none")
    for words in (
        ("convert", project / "events.csv", "--to", "csv", "-o"),
        ("predict", old_bundle, project / "audio", "-o"),
        ("predict", old_bundle, project / "audio", "-o", tmp_path / "out", "--cutouts"),
        ("embed", project / "audio", "-o"),
        ("dataset", "export", *on_project, "-o"),
        ("run", *on_project, "--until", "corpus", "--data-root"),
        ("new", "tapes", "--annotations", project / "events.csv", "--audio", project / "audio"),
    ):
        for place in (fifo, file, fifo / "out", file / "out", long):
            result = ossicle(*words, place)
            assert result.code in (1, 2), (words, place, result.out)
            (line,) = result.err.splitlines()
            assert str(tmp_path) in line
            assert "; give a folder" in line or "; choose a" in line, line
        assert file.read_text() == "kept\n"
        assert fifo.is_fifo()


@pytest.mark.parametrize("name", ["bundle", "clip_results"])
def test_a_folder_of_the_user_is_not_replaced_by_results(project: Path, ossicle: Commands, name: str) -> None:
    own = project / name / "recordings"
    record(own / "a.wav", 0)
    result = ossicle("run", "-p", project, "--progress", "none")
    assert (result.code, result.out) == (2, "")
    (line,) = result.err.splitlines()
    assert line.startswith(f"ossicle: {project / name} would be replaced as a whole, ")
    assert "would be lost: recordings/a.wav; move it out of there" in line
    assert (own / "a.wav").exists()
    assert not (project / "data").exists()
    checked = ossicle("check", "-p", project, "--json")
    assert checked.code == 2
    assert [entry["what"] for entry in json.loads(checked.out) if not entry["ok"]] == ["results"]
    # Steps that publish nothing are not stopped.
    assert ossicle("run", "-p", project, "--until", "corpus", "--progress", "none").code == 0


def test_an_export_replaces_nothing_but_a_bundle(project: Path, ossicle: Commands) -> None:
    result = ossicle("export", "-p", project, "-o", project, "--force", "--progress", "none")
    assert (result.code, result.out) == (2, "")
    assert "would be lost: audio/a.wav and 4 more; move that out of there, or choose another folder" in result.err
    assert (project / "audio" / "a.wav").exists()
    assert not (project / "data").exists()
