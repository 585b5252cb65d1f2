"""``ossicle dataset health``: count recordings and events, list problems, and judge the health gates."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from ossicle.app.cli.options import HERE, DataRoot, Json, ProgressKind, ProjectFile, Set, Variant
from ossicle.app.cli.printable import json_text, printable
from ossicle.app.cli.table import print_rows
from ossicle.core.errors import EXIT_FAILED, EXIT_INCOMPLETE


def health(
    project: ProjectFile = HERE,
    variant: Variant = "",
    set_: Set = None,
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
    as_json: Json = False,
) -> None:
    """Check recordings and annotations: count them, and list what is wrong and what to do about it.

    Gates compare the counts with the limits in `\\[health]` of the project file: lowest numbers of events, repeats,
    unknown labels, loudness, lengths, overlap.

    Exit code 3: some recordings were skipped or end early; each is listed among the problems. Exit code 4: a gate
    failed; the reasons are on stderr.
    """
    from ossicle.app.project.load import load_project
    from ossicle.app.steps.engine.progress import make_progress
    from ossicle.app.steps.maintenance.health_files import read_earlier, require_page, write_page
    from ossicle.app.steps.maintenance.project_health import project_health

    require_page(html)
    earlier = None if compare is None else read_earlier(compare)
    with make_progress(progress) as shown:
        loaded = load_project(project, tuple(set_ or ()), data_root, variant)
        made = project_health(loaded, shown, earlier)
    found = made.to_json()
    if html is not None:
        write_page(html, loaded.settings.project.name, found)
    if as_json:
        print(json_text(found))
    else:
        _show_report(found)
        _show_gates(found)
    if strict and any(one["severity"] == "error" for one in found["problems"]):
        raise typer.Exit(EXIT_FAILED)
    if made.judgement.refusal is not None:
        raise made.judgement.refusal
    if made.losses:
        raise typer.Exit(EXIT_INCOMPLETE)


def _show_report(found: Mapping[str, Any]) -> None:
    """Print the counts and problems of a project."""
    print(
        printable(
            f"{found['recordings']} recordings, {found['hours']:.2f} h, {found['groups']} groups, "
            f"{found['annotations']} annotations, {len(found['left_out'])} files skipped"
        )
    )
    rows = [
        (
            one["label"],
            str(one["annotations"]),
            str(one["groups"]),
            _seconds(one["min_s"]),
            _seconds(one["median_s"]),
            _seconds(one["max_s"]),
            "–" if one["short_gap_share"] is None else f"{100 * one['short_gap_share']:.0f} %",
        )
        for one in found["by_label"]
    ]
    print_rows(("label", "annotations", "groups", "shortest", "median", "longest", "gaps < 20 ms"), rows)
    problems = [(one["severity"], one["where"], f"{one['message']}; {one['remedy']}") for one in found["problems"]]
    if problems:
        print_rows(("severity", "where", "problem, and what to do"), problems)
    else:
        print("no problems found")


def _show_gates(found: Mapping[str, Any]) -> None:
    """Print the totals, the changes since an earlier report, and the gates."""
    for one in found["totals"]:
        print(printable(f"{one['found']} of {one['expected']} {one['what']}"))
    if (changes := found["comparison"]) is not None:
        rows = [(one["label"], str(one["before"]), str(one["now"])) for one in changes["classes"]]
        if rows:
            print_rows(("label", "events before", "events now"), rows)
        else:
            print("no label has another number of events than in the earlier report")
        for key, words in (("newly_failed", "failed since"), ("mended", "passed since"), ("gone", "no limit any more")):
            if changes[key]:
                print(printable(f"gates, {words}: {', '.join(changes[key])}"))
    if found["gates"]:
        rows = [("passed" if one["passed"] else "FAILED", one["name"], one["detail"]) for one in found["gates"]]
        print_rows(("gate", "", "compared"), rows)


def _seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f} s"
