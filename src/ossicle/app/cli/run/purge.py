"""``ossicle purge``: free the space of unused artefacts."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from ossicle.app.cli.options import HERE, AudioRootMap, DataRoot, Json, ProjectFile, Set, overrides_of
from ossicle.app.cli.printable import json_text, printable
from ossicle.app.cli.tables.table import print_rows
from ossicle.app.project.load import Project, load_project
from ossicle.core.errors import UsageError
from ossicle.core.text.counting import counted


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(purge)


def purge(
    project: ProjectFile = HERE,
    also: Annotated[
        list[Path] | None,
        typer.Option(help="Another project with the same data root; its outputs are kept too. Repeatable."),
    ] = None,
    alone: Annotated[
        bool, typer.Option("--alone", help="Confirm that no other project uses a data root outside the project folder.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List what would be removed, with sizes, and remove nothing.")
    ] = False,
    gone: Annotated[
        bool, typer.Option("--gone", help="Confirm that recordings of earlier runs that are missing are gone for good.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Remove without asking.")] = False,
    set_: Set = None,
    audio_root_map: AudioRootMap = None,
    data_root: DataRoot = None,
    as_json: Json = False,
) -> None:
    """Remove outputs that no current settings, variant, published bundle or pin uses.

    A promotion and an archive pin what they were made from. Everything removed can be computed again. Inputs of a
    benchmark or a review are kept as long as these exist. Exit code 2, and nothing is removed, if recordings of the
    last run are missing, as on a disk that is not mounted.
    """
    from ossicle.app.steps.maintenance.purge import remove, unused

    projects: list[Project] = []
    for file in (project, *(also or ())):
        loaded = load_project(file, overrides_of(set_, roots=audio_root_map), data_root)
        projects += [
            loaded,
            *(
                load_project(file, overrides_of(set_, roots=audio_root_map), data_root, name)
                for name in loaded.variants
            ),
        ]
    root = projects[0].data_root
    if strangers := [project for project in projects if project.data_root.resolve() != root.resolve()]:
        raise UsageError(f"{strangers[0].file} has a data root other than {root}: purge each project separately")
    within = root.resolve().is_relative_to(projects[0].folder.resolve())
    if not (within or also or alone):
        raise UsageError(
            f"the data root {root} is outside the project folder, and other projects may use it: name them with "
            "--also, or add --alone"
        )
    artefacts = unused(projects, gone=gone)
    if as_json:
        listed = [
            {"path": str(artefact.path), "step": artefact.step, "finished": artefact.finished, "bytes": artefact.bytes}
            for artefact in artefacts
        ]
        print(json_text(listed))
    else:
        total = f"{sum(artefact.bytes for artefact in artefacts) / 1e6:.1f}"
        rows = [
            (
                artefact.step,
                "" if artefact.finished else "unfinished",
                f"{artefact.bytes / 1e6:.1f}",
                str(artefact.path),
            )
            for artefact in artefacts
        ]
        print_rows(("step", "", "MB", "artefact"), rows, total=("total", "", total, counted(len(artefacts), "folder")))
    if dry_run or not artefacts:
        return
    if not yes:
        if not sys.stdin.isatty():
            raise UsageError(
                "cannot ask for confirmation here: add --yes to remove these, or --dry-run to list them only"
            )
        typer.confirm("remove them?", abort=True, err=True)
    remove(artefacts, root)
    print(printable(f"removed {counted(len(artefacts), 'folder')}"), file=sys.stderr)
