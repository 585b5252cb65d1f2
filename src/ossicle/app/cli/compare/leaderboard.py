"""``ossicle leaderboard``: rank a project and its variants by their figures."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from ossicle.app.cli.options import HERE, AudioRootMap, DataRoot, Json, ProjectFile, Set, overrides_of
from ossicle.app.cli.printable import json_text, printable
from ossicle.app.cli.tables.cells import MISSING, interval_cell
from ossicle.app.cli.tables.table import print_rows
from ossicle.app.project.load import load_project
from ossicle.artefacts.typed.results.recognised import refuse_other_file
from ossicle.core.errors import UsageError


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(leaderboard)


def leaderboard(
    project: ProjectFile = HERE,
    page: Annotated[
        Path | None,
        typer.Option("--page", help="Also write the list as an HTML file, which needs no network.", show_default=False),
    ] = None,
    variant: Annotated[
        list[str] | None,
        typer.Option(
            "--variant", help="Rank only the project and this variant. Repeatable. Default: all.", show_default=False
        ),
    ] = None,
    set_: Set = None,
    audio_root_map: AudioRootMap = None,
    data_root: DataRoot = None,
    as_json: Json = False,
) -> None:
    """Rank the project and its variants by their figures, the best first.

    Nothing is trained or evaluated: a variant without figures for its current settings is marked. To rank runs that
    were made with --set, give the same --set options. Differences to the
    best are computed on the same resampled recordings, and only if both were evaluated on the same recordings,
    annotations and groups. Variants that differ only in training.seed are summarised by mean and spread.
    """
    from ossicle.app.steps.compare.leaderboard import leaderboard as board_of

    loaded = load_project(project, overrides_of(set_, roots=audio_root_map), data_root)
    if page is not None and page.is_dir():
        raise UsageError(f"--page {page} is a folder; give a file")
    if page is not None:
        refuse_other_file(page, "give another name with --page")
    board = board_of(loaded, overrides_of(set_, roots=audio_root_map), tuple(dict.fromkeys(variant or ()))).to_json()
    if page is not None:
        from ossicle.report.pages.leaderboard_page import write_leaderboard_page

        write_leaderboard_page(page, loaded.settings.project.name, board)
    if as_json:
        print(json_text(board))
        return
    show(board)
    if page is not None:
        print(printable(str(page)))


def show(board: Mapping[str, Any]) -> None:
    """Print a leaderboard."""
    columns: Mapping[str, str] = board["figures"]
    rows = [
        (
            row["name"],
            *(interval_cell(row.get(name)) for name in columns),
            interval_cell(row["to_best"], sign="+"),
            MISSING if row["training_s"] is None else f"{row['training_s']:.0f} s",
            "; ".join(filter(None, [row["gate"], row["note"]])) or MISSING,
        )
        for row in board["rows"]
    ]
    print_rows(("variant", *columns.values(), "to the best", "training", "noise gate"), rows)
    if board["over_seeds"]:
        over = [
            (", ".join(group["names"]), str(len(group["names"])), *(_spread(group.get(name)) for name in columns))
            for group in board["over_seeds"]
        ]
        print_rows(("differ by seed alone", "n", *columns.values()), over)


def _spread(interval: Mapping[str, float] | None) -> str:
    return MISSING if interval is None else f"{interval['mean']:.3f} ± {interval['deviation']:.3f}"
