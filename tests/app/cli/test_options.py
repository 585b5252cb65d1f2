"""Options that several commands share mean the same in each, and cost no start-up time."""

import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ossicle.app.cli.command_table import command_names
from ossicle.app.cli.loading import UnloadedCommand
from ossicle.app.cli.main import app
from ossicle.app.steps.engine.progress import make_progress
from ossicle.app.steps.engine.progress_kinds import PROGRESS_KINDS
from ossicle.core.errors import UsageError


def with_option(name: str, words: tuple[str, ...], command: Any) -> Iterator[tuple[str, ...]]:
    """The words of each command, at any depth, that has this option."""
    if any(name in param.opts for param in command.params):
        yield words
    for below, one in getattr(command, "commands", {}).items():
        yield from with_option(name, (*words, below), one)


WITH_PROGRESS = [
    words for name in command_names() for words in with_option("--progress", (name,), UnloadedCommand(name).load())
]


def test_commands_of_every_kind_show_progress() -> None:
    assert {("run",), ("demo",), ("dataset", "health"), ("jobs", "task")} <= set(WITH_PROGRESS)


@pytest.mark.parametrize("words", WITH_PROGRESS, ids=" ".join)
def test_an_unknown_progress_is_refused_before_the_command_begins(words: tuple[str, ...]) -> None:
    done = CliRunner().invoke(app, [*words, "--progress", "loud"])
    assert isinstance(done.exception, UsageError)
    assert str(done.exception) == "--progress loud is not one of: auto, rich, plain, none"
    assert done.exception.exit_code == 2


def numbers_of(words: tuple[str, ...], command: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The words and the parameter of each option, of commands at any depth, that takes a number with decimals."""
    for param in command.params:
        if "float" in str(param.type_descriptor.annotation):
            yield (*words, param.opts[0]), param
    for below, one in getattr(command, "commands", {}).items():
        yield from numbers_of((*words, below), one)


def test_every_number_of_every_command_is_refused_where_it_is_infinite() -> None:
    numbers = dict(pair for name in command_names() for pair in numbers_of((name,), UnloadedCommand(name).load()))
    assert {("review", "export", "--margin-s"), ("convert", "--high-hz"), ("live", "--for-s")} <= set(numbers)
    for words, param in numbers.items():
        with pytest.raises(UsageError, match=f"{words[-1]} inf: is not a finite number"):
            param.callback(None, param, float("inf"))


def test_an_infinite_number_is_named(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["convert", str(tmp_path), "-o", "x", "--to", "raven", "--high-hz", "inf"])
    assert isinstance(done.exception, UsageError)
    assert "--high-hz inf: is not a finite number" in str(done.exception)


def test_every_command_with_settings_of_a_project_takes_folders_of_its_roots() -> None:
    loaded = [(name, UnloadedCommand(name).load()) for name in command_names()]
    with_set, with_map = (
        {words for name, command in loaded for words in with_option(option, (name,), command)}
        for option in ("--set", "--audio-root-map")
    )
    assert {("run",), ("check",), ("train",), ("status",), ("dataset", "stats"), ("features", "build")} <= with_set
    # Downloads read no recordings below roots.
    assert with_set - with_map == {("fetch",)}


@pytest.mark.parametrize("kind", PROGRESS_KINDS)
def test_every_kind_of_progress_can_be_made(kind: str) -> None:
    with make_progress(kind) as shown:
        shown.begin("training")


def test_the_shared_options_load_no_project_and_no_step() -> None:
    code = "import sys, ossicle.app.cli.options; print(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert set(loaded) & {"numpy", "polars", "pydantic", "scipy", "rich.progress"} == set()
    assert set(loaded) & {"ossicle.app.project.load", "ossicle.app.steps.engine.step"} == set()


def test_results_that_go_to_a_file_stay_there_beside_a_bar(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a terminal for errors alone, rich sent lines of JSON to it, and the file of the results was empty."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with make_progress("rich") as shown:
        shown.begin("units encode")
        print('{"units": [1, 2]}')
    assert capsys.readouterr().out == '{"units": [1, 2]}\n'
    assert "units encode" in terminal.getvalue()
    assert '"units"' not in terminal.getvalue()
