"""``ossicle dataset health``: count recordings and events, list problems, and judge the health gates."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from ossicle.app.cli.options import (
    HERE,
    MAP_OPTION,
    AudioRootMap,
    DataRoot,
    Json,
    ProgressKind,
    ProjectFile,
    Set,
    Variant,
    overrides_of,
)
from ossicle.app.cli.printable import json_text
from ossicle.app.cli.tables.health_table import show_gates, show_manifest, show_report
from ossicle.core.errors import EXIT_FAILED, EXIT_INCOMPLETE, UsageError
from ossicle.core.value_checks import MOST_THREADS


def health(
    context: typer.Context,
    manifest: Annotated[
        Path | None,
        typer.Argument(
            help="Manifest of events (JSON lines) to check instead of the recordings of a project. No audio is read.",
            show_default=False,
        ),
    ] = None,
    project: ProjectFile = HERE,
    variant: Variant = "",
    set_: Set = None,
    audio_root_map: AudioRootMap = None,
    data_root: DataRoot = None,
    progress: ProgressKind = "auto",
    strict: Annotated[bool, typer.Option(help="End with exit code 1 if any problem is an error.")] = False,
    compare: Annotated[
        Path | None,
        typer.Option(
            help="Earlier output of this command with --json. Labels that shrank and new unknown labels fail a gate.",
            show_default=False,
        ),
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", help="HTML file to write: the same as a page.", show_default=False)
    ] = None,
    manifest_total: Annotated[
        int,
        typer.Option(
            min=0,
            help="Number of events that the manifest should have. Default: \\[corpus] manifest_total.",
            show_default=False,
        ),
    ] = 0,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Leave out bad lines of the manifest, and list the first of them.")
    ] = False,
    workers: Annotated[
        int, typer.Option(min=1, max=MOST_THREADS, help="Number of processes that read the manifest.")
    ] = 2,
    as_json: Json = False,
) -> None:
    """Check recordings and annotations, or a manifest: count them, and list what is wrong and what to do about it.

    Gates compare the counts with the limits in `\\[health]` of the project file: lowest numbers of events, repeats,
    unknown labels, loudness, lengths, overlap.

    Exit code 3: some recordings were skipped or end early, no recording has an annotation, or lines of the manifest
    were left out; each is listed. Exit code 4: a gate failed; the reasons are on stderr.
    """
    from ossicle.app.project.load import load_project
    from ossicle.app.steps.engine.progress import make_progress
    from ossicle.app.steps.maintenance.health_files import read_earlier, require_page, write_page
    from ossicle.app.steps.maintenance.manifest_health import manifest_health, plain_limits, project_limits
    from ossicle.app.steps.maintenance.project_health import project_health

    require_page(html)
    if manifest is None and (manifest_total or skip_bad):
        raise UsageError(
            "--manifest-total and --skip-bad are about a manifest: give its file, or set manifest_total and skip_bad "
            "in [corpus] of the project"
        )
    if manifest is not None and audio_root_map:
        raise UsageError(
            f"{MAP_OPTION} is about the recordings of a project: leave it out, because no audio of a manifest is read "
            "here, or look for the recordings with ossicle dataset verify"
        )
    earlier = None if compare is None else read_earlier(compare)
    chosen = overrides_of(set_, roots=audio_root_map)
    with make_progress(progress) as shown:
        if manifest is None:
            loaded = load_project(project, chosen, data_root, variant)
            of_project = project_health(loaded, shown, earlier)
            title, report, lost = loaded.settings.project.name, of_project.to_json(), bool(of_project.losses)
            refusal = of_project.judgement.refusal
        else:
            source = context.get_parameter_source("project")
            # A project file that was not named and is not there is no error: the limits are the defaults.
            if project.exists() or (source is not None and source.name != "DEFAULT") or variant:
                limits = project_limits(load_project(project, chosen, data_root, variant))
            else:
                limits = plain_limits(chosen)
            limits = replace(limits, total=manifest_total or limits.total, skip_bad=skip_bad or limits.skip_bad)
            of_manifest = manifest_health(manifest, limits, shown, earlier=earlier, workers=workers)
            title, report, lost = manifest.stem, of_manifest.to_json(), of_manifest.n_bad > 0
            refusal = of_manifest.judgement.refusal
    if html is not None:
        write_page(html, title, report)
    if as_json:
        print(json_text(report))
    else:
        (show_report if manifest is None else show_manifest)(report)
        show_gates(report)
    if strict and any(problem["severity"] == "error" for problem in report.get("problems", ())):
        raise typer.Exit(EXIT_FAILED)
    if refusal is not None:
        raise refusal
    if lost:
        raise typer.Exit(EXIT_INCOMPLETE)
