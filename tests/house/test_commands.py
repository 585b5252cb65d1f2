"""Every `ossicle` command that a page shows exists, with these options: parsed, not run."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup

from ossicle.app.cli.main import app

_FENCE = re.compile(r"^```(?:bash|sh)\n(.*?)^```", re.MULTILINE | re.DOTALL)
# A page may show what stands for something, as in `ossicle new RECIPE DIR`; parsing takes any word.
_COMMENT = re.compile(r"(?:^|\s)#.*$", re.MULTILINE)
# What joins commands, but not in single quotes, where name templates have a |.
_OPERATOR = re.compile(r"(?:&&|\|\|?|;)(?=(?:[^']*'[^']*')*[^']*$)")


# typer brings click along under a name of its own; this is its UsageError.
USAGE: type[Exception] = typer.BadParameter.__mro__[1]


def commands_in(text: str) -> list[list[str]]:
    """The words of each `ossicle` call in the shell blocks of a page; continued lines are one, `&&` parts are two."""
    result = []
    for block in _FENCE.findall(text):
        for line in _COMMENT.sub("", block.replace("\\\n", " ")).splitlines():
            for part in _OPERATOR.split(line):
                words = shlex.split(part)
                if words and words[0] == "ossicle":
                    result.append(words[1:])
    return result


def parse(words: list[str]) -> None:
    """Follow the groups and parse the options of a command; raises USAGE where one is not there."""
    command = typer.main.get_command(app)
    context = command.make_context("ossicle", list(words))
    while isinstance(command, TyperGroup):
        if command.invoke_without_command and not (context._protected_args or context.args):
            return
        name, result, rest = command.resolve_command(context, [*context._protected_args, *context.args])
        assert result is not None
        command, context = result, result.make_context(name, rest, parent=context)


def test_the_pages_commands_parse(repository: Path) -> None:
    listed = subprocess.run(["git", "ls-files", "*.md"], cwd=repository, capture_output=True, text=True, check=True)
    faults, seen = [], 0
    for name in listed.stdout.splitlines():
        for words in commands_in((repository / name).read_text(encoding="utf-8")):
            seen += 1
            try:
                parse(words)
            except USAGE as problem:
                faults.append(f"{name}: ossicle {' '.join(words)}: {problem}")
    assert seen > 20
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("words", [["no-such"], ["run", "--no-such"], ["dataset", "no-such"], ["convert"]])
def test_what_is_not_there_is_found(words: list[str]) -> None:
    with pytest.raises(USAGE):
        parse(words)
