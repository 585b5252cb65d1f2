"""``ossicle fetch``: download the recordings of a project."""

import sys
from dataclasses import asdict
from typing import Annotated

import typer

from ossicle.app.cli.options import HERE, DataRoot, Json, ProgressKind, ProjectFile, Set, Variant
from ossicle.app.cli.printable import json_text, printable
from ossicle.app.project.load import load_project
from ossicle.core.errors import EXIT_FAILED, EXIT_INCOMPLETE
from ossicle.core.text.sizes import size_in_words


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(fetch)


def fetch(
    project: ProjectFile = HERE,
    variant: Variant = "",
    verify: Annotated[
        bool,
        typer.Option(
            "--verify", help="Compute the checksums of existing files again, instead of trusting size and time."
        ),
    ] = False,
    set_: Set = None,
    data_root: DataRoot = None,
    progress: ProgressKind = "auto",
    as_json: Json = False,
) -> None:
    """Download the recordings listed in the table `fetch.table`: address, size in bytes, SHA-256 and path.

    Interrupted downloads resume. A file appears only when it is complete and its checksum is right. Exit code 3: some
    files could not be downloaded; 1: none of the missing files could. Each is listed. `ossicle run` fetches missing
    files first.
    """
    from ossicle.app.steps.data.fetch import fetch as fetch_files
    from ossicle.app.steps.engine.progress import make_progress

    loaded = load_project(project, tuple(set_ or ()), data_root, variant)
    with make_progress(progress) as shown:
        shown.begin("fetch")
        done = fetch_files(loaded, shown, verify=verify)
    if as_json:
        print(json_text({**asdict(done), "folder": str(done.folder)}))
    else:
        summary = (
            f"{done.computed} fetched ({size_in_words(done.n_bytes)}), {done.reused} present, {len(done.failed)} failed"
        )
        print(printable(f"{done.folder}: {summary}"))
    for path, reason in done.failed:
        print(printable(f"{path}: {reason}"), file=sys.stderr)
    if done.failed:
        raise typer.Exit(EXIT_INCOMPLETE if done.computed + done.reused else EXIT_FAILED)
