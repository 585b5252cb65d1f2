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
from ossicle.core.text.sizes import size_in_words


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
        run_archive = archive_run(loaded, out, shown, sounds=sounds)
    if as_json:
        facts = {
            "folder": str(run_archive.folder),
            "files": run_archive.n_files,
            "bytes": run_archive.n_bytes,
            "missing": list(run_archive.missing),
        }
        print(json_text(facts))
        return
    print(
        printable(
            f"wrote {run_archive.folder}: {counted(run_archive.n_files, 'file')}, {size_in_words(run_archive.n_bytes)}"
        )
    )
    for missing_file in run_archive.missing:
        print(printable(f"not in the archive: {missing_file}"), file=sys.stderr)
