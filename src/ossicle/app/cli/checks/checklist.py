"""``ossicle checklist``: everything between new data and a promoted model, as one command."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ossicle.app.cli.options import (
    HERE,
    AudioRootMap,
    DataRoot,
    Device,
    Json,
    ProgressKind,
    ProjectFile,
    Set,
    overrides_of,
)
from ossicle.app.cli.printable import json_text, printable
from ossicle.app.cli.tables.table import print_rows
from ossicle.core.errors import EXIT_INCOMPLETE, UsageError

if TYPE_CHECKING:
    from ossicle.app.api.checks.checklist import StageResult


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(checklist)


def checklist(
    project: ProjectFile = HERE,
    from_: Annotated[
        str,
        typer.Option(
            "--from", help="Begin with this stage; it and the later ones run even if done.", show_default=False
        ),
    ] = "",
    only: Annotated[
        list[str] | None,
        typer.Option("--only", help="Run only this stage, even if done. Repeatable.", show_default=False),
    ] = None,
    skip: Annotated[
        list[str] | None, typer.Option("--skip", help="Do not run this stage. Repeatable.", show_default=False)
    ] = None,
    with_: Annotated[
        list[str] | None,
        typer.Option(
            "--with",
            help="Also run a stage that runs on request only: sync, long, promote, archive.",
            show_default=False,
        ),
    ] = None,
    name: Annotated[
        str,
        typer.Option(
            "--name", help="Name in the registry to promote to. Default: that of the project.", show_default=False
        ),
    ] = "",
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", help="Folder to archive in. Default: archives in the data root.", show_default=False
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List the stages and what would be done, and stop.")
    ] = False,
    set_: Set = None,
    audio_root_map: AudioRootMap = None,
    device: Device = "",
    data_root: DataRoot = None,
    progress: ProgressKind = "auto",
    as_json: Json = False,
) -> None:
    """Check the data, train, evaluate and report, one stage after the other. A finished stage is not run again.

    Stages: sync, health, totals, selftest, features, warmup, probe, train, long, evaluate, analyse, promote, archive. A
    stage that a project does not need is passed over. Stops at the first gate that refuses: exit code 4. Exit code 3:
    done, but some recordings were skipped or end early.
    """
    from ossicle.app.api.checks.checklist import Selection, planned, run_checklist
    from ossicle.app.api.checks.stages import Work
    from ossicle.app.project.load import load_project
    from ossicle.app.steps.engine.progress import make_progress
    from ossicle.app.steps.engine.step import Silent
    from ossicle.app.steps.pipeline.needed import require_of_pipeline

    if name and "promote" not in (*(only or ()), *(with_ or ()), from_):
        raise UsageError(f"--name {name}: nothing is promoted; add --with promote")
    if out is not None and "archive" not in (*(only or ()), *(with_ or ()), from_):
        raise UsageError(f"--out {out}: nothing is archived; add --with archive")
    selection = Selection(from_, tuple(only or ()), tuple(skip or ()), tuple(with_ or ()))
    overrides = overrides_of(set_, device, roots=audio_root_map)
    base = load_project(project, overrides, data_root)
    require_of_pipeline(base, "checklist")
    projects = {
        variant_name: load_project(project, overrides, data_root, variant_name) for variant_name in ("", *base.variants)
    }
    results: list[StageResult] = []
    work = Work(projects, Silent(), name, out)
    if dry_run:
        _show(planned(work, selection), as_json=as_json)
        return
    try:
        with make_progress(progress) as shown:
            work.progress = shown
            for result in run_checklist(work, selection):
                results.append(result)
                shown.say(printable(f"{result.name}: {result.outcome}; {result.message}"))
    finally:
        _show(results, as_json=as_json)
    for line in work.lost:
        print(printable(line), file=sys.stderr)
    if work.lost:
        raise typer.Exit(EXIT_INCOMPLETE)


def _show(results: "list[StageResult]", *, as_json: bool) -> None:
    if as_json:
        print(json_text([asdict(stage_result) for stage_result in results]))
    elif results:
        rows = [
            (
                stage_result.name,
                stage_result.outcome,
                f"{stage_result.seconds:.1f}" if stage_result.seconds else "",
                stage_result.message,
            )
            for stage_result in results
        ]
        print_rows(("stage", "outcome", "seconds", ""), rows)
