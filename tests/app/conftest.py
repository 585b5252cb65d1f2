"""The command line in this process, and the bundle that every version must read."""

import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ossicle.app.cli.main import main

from ..made_up.untrained import use_untrained


class Said(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


class Commands:
    """Runs commands in this process."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._patch, self._capsys = monkeypatch, capsys

    def __call__(self, *arguments: object) -> Said:
        self._patch.setattr(sys, "argv", ["ossicle", *map(str, arguments)])
        code: Any = 0
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
        out, err = self._capsys.readouterr()
        return Said(code, out, err)


@pytest.fixture
def ossicle(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Commands:
    monkeypatch.delenv("OSSICLE_DATA_ROOT", raising=False)
    return Commands(monkeypatch, capsys)


@pytest.fixture
def without_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """Projects whose networks nobody trains."""
    use_untrained(monkeypatch)


@pytest.fixture
def old_bundle(repository: Path) -> Path:
    """A detector of ``call`` at 8 kHz, which finds something in about everything."""
    return repository / "tests" / "data" / "bundles" / "0.1.0" / "bundle"
