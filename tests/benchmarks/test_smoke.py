"""Smoke mode: tiny defaults, folders that go away, stand-ins for recordings, commands and trainings in this process."""

import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path

import pytest

SCRIPTS = {
    "bench_good.py": "import sys\nprint('arguments', sys.argv[1:], __name__)\n",
    "bench_error.py": "raise ValueError('it broke')\n",
    "bench_claim.py": "raise SystemExit('does not hold: equal')\n",
    "bench_endless.py": "while True: pass\n",
}
RUN = """
import sys
from pathlib import Path
from run_smoke import run_all
for one in run_all(sorted(Path(sys.argv[1]).glob("bench_*.py")), 2, 1.0):
    print(one.name, one.code, one.output.splitlines()[-1:])
"""


@pytest.fixture(autouse=True)
def own_processes(monkeypatch: pytest.MonkeyPatch, scripts: None) -> None:
    """What a smoke run switches on is off again after the test."""
    monkeypatch.setattr("commands._shared", False)


def parser() -> ArgumentParser:
    made = ArgumentParser()
    made.add_argument("--rounds", type=int, default=5)
    made.add_argument("--names", nargs="+", default=["a", "b"])
    made.add_argument("--out", type=Path, default=Path("results"))
    return made


def test_without_smoke_defaults_stay() -> None:
    from commands import OSSICLE, runs_here
    from smoke import parsed

    asked = parsed(parser(), [], rounds=1)
    assert (asked.rounds, asked.out, asked.smoke) == (5, Path("results"), False)
    assert not runs_here(OSSICLE)


def test_smoke_has_tiny_defaults_and_a_folder_of_its_own() -> None:
    from commands import OSSICLE, runs_here
    from smoke import parsed

    asked = parsed(parser(), ["--smoke", "--names", "c"], rounds=1, names=["a"])
    assert asked.rounds == 1
    assert asked.names == ["c"], "what is asked for wins"
    assert asked.out.parent == asked.scratch
    assert asked.out.is_dir()
    assert not hasattr(asked, "work")
    assert runs_here([*OSSICLE, "run"])
    assert not runs_here([sys.executable, "other.py"])


def test_a_claim_that_does_not_hold_ends_the_script() -> None:
    from smoke import require

    require(True, "equal")
    with pytest.raises(SystemExit, match="does not hold: equal"):
        require(False, "equal")


def test_stand_ins_have_the_names_of_the_real_recordings(capsys: pytest.CaptureFixture[str]) -> None:
    from esc10 import FOLDS, esc10_clips
    from smoke import parsed, recordings

    asked = parsed(parser(), ["--smoke"])
    folder = recordings("esc10", asked)
    assert folder is not None
    clips = esc10_clips(folder)
    assert {(clip.fold, clip.label) for clip in clips} == {(fold, label) for fold in FOLDS for label in labels()}
    tapes = recordings("tapes", asked)
    assert tapes is not None
    assert len(list((tapes / "audio").iterdir())) == len(list((tapes / "selections").iterdir())) == 4


def labels() -> list[str]:
    from stand_ins import HZ

    return list(HZ)


def test_missing_recordings_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from smoke import parsed, recordings

    monkeypatch.setenv("OSSICLE_TEST_DATA", str(tmp_path))
    assert recordings("esc10", parsed(parser(), [])) is None
    assert f"skipped: {tmp_path / 'esc10'} does not exist" in capsys.readouterr().out


def test_commands_run_here_as_they_run_apart(tmp_path: Path) -> None:
    from commands import CommandFailed, ossicle, share_process

    argv, folder = list(sys.argv), Path.cwd()
    share_process()
    assert ossicle("--version", capture=True, folder=tmp_path).printed.count(".") >= 1
    assert ossicle("run", "-p", tmp_path, codes=(2,)).code == 2
    with pytest.raises(CommandFailed, match=r"ossicle run -p .* ended with exit code 2"):
        ossicle("run", "-p", tmp_path)
    assert sys.argv == argv
    assert Path.cwd() == folder


def test_a_script_that_fails_is_named_and_the_others_run(repository: Path, tmp_path: Path) -> None:
    for name, text in SCRIPTS.items():
        (tmp_path / name).write_text(text)
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(tmp_path)],
        cwd=repository / "benchmarks",
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert sorted(done.stdout.splitlines()) == [
        "bench_claim.py 1 ['does not hold: equal']",
        "bench_endless.py -9 []",
        "bench_error.py 1 ['ValueError: it broke']",
        "bench_good.py 0 [\"arguments ['--smoke'] __main__\"]",
    ]
