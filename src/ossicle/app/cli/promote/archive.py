"""``ossicle archive``: keep everything about a finished run in one dated folder."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from ossicle.app.cli.options import (
    HERE,
    AudioRootMap,
    DataRoot,
    Json,
    ProgressKind,
    ProjectFile,
    Set,
    Variant,
    overrides_of,
)
from ossicle.app.cli.printable import json_text, printable
from ossicle.app.project.load import load_project
from ossicle.core.text.counting import counted


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(archive)


def archive(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder in which the archive is created, as NAME-DATE.")],
    project: ProjectFile = HERE,
    variant: Variant = "",
    sounds: Annotated[
        int, typer.Option("--sounds", min=0, help="Largest number of misclassified clips to write as sound.")
    ] = 50,
    set_: Set = None,
    audio_root_map: AudioRootMap = None,
    data_root: DataRoot = None,
    progress: ProgressKind = "auto",
    as_json: Json = False,
) -> None:
    """Write settings, figures, curves, health, mistakes, environment and model of a finished run to a dated folder.

    The folder is never overwritten, and everything in it can be read without Ossicle. `ossicle purge` keeps
    what the run was made from.
    """
    from ossicle.app.steps.engine.progress import make_progress
    from ossicle.app.steps.promotion.archive import archive as archive_run

    loaded = load_project(project, overrides_of(set_, roots=audio_root_map), data_root, variant)
    with make_progress(progress) as shown:
        made = archive_run(loaded, out, shown, sounds=sounds)
    if as_json:
        facts = {
            "folder": str(made.folder),
            "files": made.n_files,
            "bytes": made.n_bytes,
            "missing": list(made.missing),
        }
        print(json_text(facts))
        return
    print(printable(f"wrote {made.folder}: {counted(made.n_files, 'file')}, {made.n_bytes / 1e6:.1f} MB"))
    for one in made.missing:
        print(printable(f"not in the archive: {one}"), file=sys.stderr)
