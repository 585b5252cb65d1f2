"""Every option says what it is; those with a range or a default show it."""

import re
from typing import Any

import pytest
import typer
from typer.main import get_command
from typer.testing import CliRunner

from ossicle.app.cli.command_table import PANELS, command_names
from ossicle.app.cli.loading import UnloadedCommand
from ossicle.app.cli.main import app

NEEDED = {"demo", "new", "run", "status", "check", "predict", "stream", "score"}


def leaves(command: Any, name: str = "") -> dict[str, Any]:
    """Commands by their names, those of groups too."""
    command = command.load() if isinstance(command, UnloadedCommand) else command
    if not hasattr(command, "commands"):
        return {name: command}
    result: dict[str, Any] = {}
    for key, one in command.commands.items():
        result |= leaves(one, f"{name} {key}".strip())
    return result


COMMANDS = leaves(get_command(app))


def shown(*arguments: str) -> str:
    done = CliRunner().invoke(app, [*arguments, "--help"], env={"COLUMNS": "200", "TERM": "dumb"})
    assert done.exit_code == 0
    # Boxes and line breaks aside.
    return re.sub(r"[\s│]+", " ", done.output)


def test_all_commands_are_listed_under_their_headings() -> None:
    text = shown()
    assert sorted(command_names()) == sorted({command.split()[0] for command in COMMANDS})
    places = [text.index(f" {panel} ─") for panel in PANELS]
    assert places == sorted(places)
    assert " Commands ─" not in text
    assert set(COMMANDS) >= NEEDED
    for command in COMMANDS:
        assert command.split()[0] in text


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_says_what_it_is(command: str) -> None:
    assert COMMANDS[command].help.endswith(".")
    # A table's name in brackets would pass for markup, and vanish.
    assert not re.search(r"(?<!\\)\[[a-z]", COMMANDS[command].help)
    for param in COMMANDS[command].params:
        if param.name == "help":
            continue
        text = param.help
        assert text, f"{command} {param.name}"
        assert text[0].isupper() or text.startswith("auto")
        assert text.endswith(".")
        assert not re.search(r"(?<!\\)\[[a-z]", text), f"{command} {param.name}"


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (
            "new",
            [
                "Recipe to start from: appliances, birds, demo, drums, tapes, units.",
                "[x>=0]",
                "Default: set by the recipe",
                "else recording",
            ],
        ),
        ("run", ["[default: ossicle.toml]", "training.epochs=8", "$OSSICLE_DATA_ROOT", "[default: auto]"]),
        ("predict", ["raven, csv, audacity", "[default: onnx]", "[1<=x<=1024]", "[default: 8]", "exit code 3"]),
        ("stream", ["in seconds", "[x>=0.001]", "[default: 1.0]"]),
        ("score", ["0.5, unless --collar is given", "in seconds", "[default: 1000]", "[default: auto]"]),
        ("demo", ["[default: ossicle-demo]"]),
    ],
)
def test_units_ranges_and_defaults_are_shown(command: str, words: list[str]) -> None:
    text = shown(command)
    for word in words:
        assert word in text


def test_the_version_is_said() -> None:
    done = CliRunner().invoke(app, ["--version"])
    assert done.exit_code == 0
    assert re.fullmatch(r"\d+\.\d+\.\d+\S*\n", done.output)


def test_no_command_shows_help() -> None:
    assert isinstance(app, typer.Typer)
    assert "Start" in CliRunner().invoke(app, []).output
