"""Load the module of a command only when the command is called."""

import importlib
import math
from collections.abc import Callable
from functools import cache, wraps
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_group

from ossicle.app.cli.command_table import command_names, command_row, panel_of
from ossicle.app.cli.start import while_modules_load
from ossicle.app.project.file_names import PROJECT_FILE
from ossicle.artefacts.filesystem.links import settled_above
from ossicle.core.errors import UsageError


class UnloadedCommand(TyperCommand):
    """A command as the help page needs it: name, heading and one line of help; :meth:`load` imports the rest."""

    def __init__(self, name: str) -> None:
        super().__init__(name=name, help=command_row(name).about, rich_help_panel=panel_of(name))

    def load(self) -> Any:
        """Import the module of the command and return the command (a group if it has commands of its own)."""
        assert self.name is not None
        return _commands_of(command_row(self.name).module)[self.name]


class LoadingGroup(TyperGroup):
    """All commands in the order and under the headings of the table, each loaded when it is called."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = {name: UnloadedCommand(name) for name in command_names()}

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Return the name, the loaded command and the remaining arguments, to run the command or to complete it."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, command.load() if isinstance(command, UnloadedCommand) else command, rest


@cache
def _commands_of(module: str) -> dict[str, Any]:
    """Return the commands that ``register`` of a module below ``ossicle.app.cli`` adds, by their names."""
    with while_modules_load():
        register = importlib.import_module(f"ossicle.app.cli.{module}").register
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    register(app)
    _settle_paths(app)
    # A callback makes it a group, even if it has only one command.
    app.callback()(_do_nothing)
    commands = dict(get_group(app).commands)
    for command in commands.values():
        _join_lines(command)
        _require_finite(command)
    return commands


def _settle_paths(app: typer.Typer) -> None:
    """Give every command of ``app`` the paths that the user typed with the folders above them free of links.

    Nothing is changed through a link (:mod:`ossicle.artefacts.filesystem.links`), and a link above a typed path is the
    user's own, such as that of a home folder.
    """
    for command in app.registered_commands:
        if command.callback is not None:
            command.callback = _with_settled_paths(command.callback)
    for group in app.registered_groups:
        if group.typer_instance is not None:
            _settle_paths(group.typer_instance)


def _with_settled_paths(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def run(**options: Any) -> Any:
        return function(**{name: _settled_value(value) for name, value in options.items()})

    return run


def _settled_value(value: Any) -> Any:
    if isinstance(value, Path):
        return settled_above(value, PROJECT_FILE)
    return [_settled_value(item) for item in value] if isinstance(value, list) else value


def _require_finite(command: Any) -> None:
    """Let every option of a command and its subcommands refuse NaN and infinity: no option has a meaning for them."""
    for parameter in command.params:
        parameter.callback = _with_finite_value(parameter.callback)
    for below in getattr(command, "commands", {}).values():
        _require_finite(below)


def _with_finite_value(callback: Callable[..., Any] | None) -> Callable[..., Any]:
    def checked(context: Any, parameter: Any, value: Any) -> Any:
        if isinstance(value, float) and not math.isfinite(value):
            raise UsageError(f"{parameter.opts[0]} {value}: is not a finite number; give one, or leave it out")
        return value if callback is None else callback(context, parameter, value)

    return checked


def _join_lines(command: Any) -> None:
    """Join the lines of each paragraph in the help of a command and its subcommands: the terminal wraps them."""
    if command.help:
        command.help = "\n\n".join(" ".join(paragraph.split()) for paragraph in command.help.split("\n\n"))
    for below in getattr(command, "commands", {}).values():
        _join_lines(below)


def _do_nothing() -> None:
    """Do nothing."""
