"""Print what was wrong with the shards of a store or of features, and which recordings a build left out."""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from shlex import quote

import typer

from ossicle.app.cli.printable import json_text, printable
from ossicle.app.project.load import Project
from ossicle.core.errors import EXIT_FAILED, EXIT_INCOMPLETE


def print_rebuilt(problems: Iterable[str]) -> None:
    """Print what was wrong with shards that a build has built again."""
    for problem in problems:
        print(printable(f"damaged, now rebuilt: {problem}"), file=sys.stderr)


def print_left_out(lines: Sequence[str]) -> None:
    """Print which recordings were skipped or end early, one line each; raise Exit with code 3 if there are any."""
    for line in lines:
        print(printable(line), file=sys.stderr)
    if lines:
        raise typer.Exit(EXIT_INCOMPLETE)


def print_verified(
    project: Project, artefact: Path, problems: Sequence[str], sound: str, build: str, *, as_json: bool
) -> None:
    """Print the problems of an artefact, or that there are none; raise Exit with code 1 if there are any.

    Parameters
    ----------
    project
        The project.
    artefact
        The folder that was verified.
    problems
        What is wrong with it, one line each.
    sound
        What to print if nothing is.
    build
        The command that rebuilds damaged shards, without its options.
    as_json
        Print one JSON object in place of words.
    """
    if as_json:
        print(json_text({"artefact": str(artefact), "problems": list(problems)}))
    elif problems:
        variant = f" --variant {quote(project.variant)}" if project.variant else ""
        print(printable("\n".join(problems)))
        print(printable(f"to rebuild damaged shards, run: {build} -p {quote(str(project.file))}{variant}"))
    else:
        print(printable(f"{artefact}: {sound}"))
    if problems:
        raise typer.Exit(EXIT_FAILED)
