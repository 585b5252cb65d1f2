"""``ossicle dataset export``: the dataset as files for other programs."""

import sys
from dataclasses import asdict
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
from ossicle.app.cli.tables.table import print_rows
from ossicle.core.errors import EXIT_INCOMPLETE, UsageError
from ossicle.corpus.clips.export_layouts import LAYOUTS, MOST_FANOUT


def export(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the files; created if missing.")],
    project: ProjectFile = HERE,
    variant: Variant = "",
    layout: Annotated[
        str,
        typer.Option(
            help=f"Layout, {' or '.join(LAYOUTS)}: tables with headings and sound in clips/, or plain lists of file "
            "names with the sound in the same folder, as ANIMAL-SPOT expects."
        ),
    ] = LAYOUTS[0],
    wav: Annotated[
        bool, typer.Option("--wav", help="Also write each clip as 16-bit mono WAV at its original rate.")
    ] = False,
    png: Annotated[
        bool, typer.Option("--png", help="Also write a spectrogram of each clip (80 dB, fmin to fmax).")
    ] = False,
    fanout: Annotated[
        int,
        typer.Option(
            min=0,
            max=MOST_FANOUT,
            help="Write sound and pictures to subfolders named by this many digits of the clips' ids: 1 makes 16 "
            "folders, 2 makes 256. 0: no subfolders.",
        ),
    ] = 0,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers", min=1, help="Number of processes. Default: workers in \\[project].", show_default=False
        ),
    ] = None,
    fold: Annotated[
        int | None,
        typer.Option(
            min=0, help="For a grouped split: the fold to write as test. Default: the first.", show_default=False
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite existing files.")] = False,
    set_: Set = None,
    audio_root_map: AudioRootMap = None,
    data_root: DataRoot = None,
    progress: ProgressKind = "auto",
    as_json: Json = False,
) -> None:
    """Write the clips of the dataset as train, val and test lists, with an index and a Raven table for each recording.

    Each recording is decoded once for all its clips, by several processes. The lists contain the names of the sound
    files and pictures, and are written last. Exit code 3: a recording could not be read; its clips are in no list.
    """
    from ossicle.app.project.load import load_project
    from ossicle.app.steps.engine.progress import make_progress
    from ossicle.app.steps.maintenance.dataset_export import Wanted, export_dataset

    if layout not in LAYOUTS:
        raise UsageError(f"--layout {layout} is not one of: {', '.join(LAYOUTS)}")
    if fanout and layout != LAYOUTS[0]:
        raise UsageError(f"--fanout {fanout}: the layout {layout} has no subfolders; use --layout {LAYOUTS[0]}")
    if fanout and not (wav or png):
        raise UsageError(f"--fanout {fanout} is about sound and pictures: add --wav or --png")
    request = Wanted(layout=layout, wav=wav, png=png, fanout=fanout, fold=fold, force=force)
    more = () if workers is None else (f"project.workers={workers}",)
    with make_progress(progress) as shown:
        done = export_dataset(
            load_project(project, (*overrides_of(set_, roots=audio_root_map), *more), data_root, variant),
            out,
            request,
            shown,
        )
    for name, reason in done.lost.items():
        print(printable(f"{name}: {reason}; its clips were skipped"), file=sys.stderr)
    if as_json:
        print(json_text({"out": str(out), **asdict(done)}))
    else:
        print_rows(("split", "clips"), [(name, str(count)) for name, count in done.splits.items()])
        print(printable(f"{done.files} files in {out}; splits {done.note}"))
        if done.without_year:
            print(
                printable(
                    f"{done.without_year} clips have no year, because neither the fields nor the names of their "
                    "recordings contain one: it is written as 0000, and ANIMAL-SPOT's own split skips such files"
                )
            )
    if done.lost:
        raise typer.Exit(EXIT_INCOMPLETE)
