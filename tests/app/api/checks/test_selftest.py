"""The self-test of an installation: what it finds, and what it needs."""

import subprocess
import sys
from pathlib import Path

import pytest

from ossicle.app.api.checks import selftest as module
from ossicle.app.api.checks.selftest import CHECKS, FAILED, PASSED, SKIPPED, Check, selftest
from ossicle.audio import click_check
from ossicle.core.errors import OssicleError
from ossicle.metrics.matching.rules import IouMatch

WITHOUT_TORCH = """
import importlib.util, sys, tempfile
from importlib.abc import MetaPathFinder
from pathlib import Path

class NoTorch(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "lightning"):
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, NoTorch())
importlib.util.find_spec = lambda name, find=importlib.util.find_spec: None if name == "torch" else find(name)
from ossicle.app.api.checks.selftest import selftest
with tempfile.TemporaryDirectory() as folder:
    for one in selftest(Path(folder)):
        print(one.name, one.outcome, one.message)
assert "torch" not in sys.modules
"""


def test_without_torch_everything_but_training_passes() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT_TORCH], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    outcomes = [line.split()[1] for line in done.stdout.splitlines()]
    assert outcomes == [PASSED, PASSED, PASSED, SKIPPED, SKIPPED], done.stdout
    assert done.stdout.count("pip install 'ossicle[train]'") == 2


def test_a_check_that_fails_is_named_and_the_others_run(tmp_path: Path) -> None:
    def broken(folder: Path) -> str:
        raise OssicleError("the store is damaged")

    def missing(folder: Path) -> str:
        raise ImportError("libsndfile")

    checks = tuple(Check(name, "", False, run) for name, run in (("a", broken), ("b", missing), ("c", str)))
    found = [
        (check_result.name, check_result.outcome, check_result.message) for check_result in selftest(tmp_path, checks)
    ]
    assert found == [
        ("a", FAILED, "OssicleError: the store is damaged"),
        ("b", FAILED, "ImportError: libsndfile"),
        ("c", PASSED, str(tmp_path)),
    ]


def test_a_decoder_that_shifts_times_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load = click_check.load_mono
    monkeypatch.setattr(click_check, "load_mono", lambda path, rate: load(path, rate)[2:])
    (result,) = selftest(tmp_path, tuple(check for check in CHECKS if check.name == "decoding"))
    assert result.outcome == FAILED
    assert "WAV: a click at 1.000 s is decoded at 0.9999 s; FLAC" in result.message


def test_a_store_that_is_damaged_and_wrong_figures_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "verify_store", lambda path: ["shard 1: one byte differs"])
    monkeypatch.setattr(module, "IouMatch", lambda threshold: IouMatch(threshold=1.0))
    checks = tuple(check for check in CHECKS if check.name in ("indexing", "judging"))
    indexing, judging = selftest(tmp_path, checks)
    assert (indexing.outcome, indexing.message) == (FAILED, "OssicleError: shard 1: one byte differs")
    assert judging.outcome == FAILED
    assert "not 0.666667" in judging.message


@pytest.mark.slow
def test_with_torch_everything_passes(tmp_path: Path) -> None:
    assert {check_result.name: check_result.outcome for check_result in selftest(tmp_path)} == {
        check.name: PASSED for check in CHECKS
    }
