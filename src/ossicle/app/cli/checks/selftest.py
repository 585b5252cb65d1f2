"""``ossicle selftest``: check the installation with built-in sound."""

import tempfile
from dataclasses import asdict
from pathlib import Path

import typer

from ossicle.app.cli.options import Json
from ossicle.app.cli.printable import json_text
from ossicle.app.cli.tables.table import print_rows
from ossicle.core.errors import EXIT_FAILED


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(selftest)


def selftest(as_json: Json = False) -> None:
    """Check the installation with built-in sound: decode, index, judge, train, predict. Takes a minute or two.

    Nothing of yours is read or written. Without torch the checks of training are skipped. Exit code 1: a check failed.
    """
    from ossicle.app.api.checks import selftest as checks

    with tempfile.TemporaryDirectory(prefix="ossicle-selftest-") as folder:
        results = list(checks.selftest(Path(folder)))
    if as_json:
        print(json_text([asdict(result) for result in results]))
    else:
        rows = [(result.name, result.outcome, f"{result.seconds:.1f}", result.message) for result in results]
        print_rows(("check", "outcome", "seconds", ""), rows)
    if any(result.outcome == checks.FAILED for result in results):
        raise typer.Exit(EXIT_FAILED)
