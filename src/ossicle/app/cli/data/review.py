"""``ossicle review``: export events as tables for a reviewer, and import the corrected tables."""

import getpass
import sys
from collections.abc import Collection
from pathlib import Path
from shlex import quote
from typing import Annotated, Any

import typer

from ossicle.app.cli.options import HERE, AudioRootMap, DataRoot, Json, ProgressKind, ProjectFile, Set, overrides_of
from ossicle.app.cli.printable import json_text, printable
from ossicle.app.cli.tables.table import print_rows
from ossicle.app.project.load import load_project
from ossicle.core.errors import EXIT_INCOMPLETE, UsageError
from ossicle.core.text.counting import counted
from ossicle.corpus.review.answers import OUTCOMES
from ossicle.corpus.review.selection import KINDS, ReviewSettings
from ossicle.corpus.review.tables import FORMATS


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        name="review", help="Export events for a person to correct, and import the corrections for the next training."
    )
    group.command(name="export")(export)
    group.command(name="import")(import_)
    app.add_typer(group)


def export(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the tables; must not exist yet.")],
    project: ProjectFile = HERE,
    select: Annotated[
        str,
        typer.Option(
            help="Kinds of events to export, comma-separated: " + "; ".join(f"{k}: {v}" for k, v in KINDS.items()) + "."
        ),
    ] = ",".join(KINDS),
    most: Annotated[
        int, typer.Option(min=1, help="Highest number of events to export, taken from each label in turn.")
    ] = 50,
    margin_s: Annotated[
        float, typer.Option(min=0.0, help="Sound to check before and after each event, in seconds.")
    ] = 1.0,
    formats: Annotated[
        str, typer.Option("--format", help=f"Tables to write, comma-separated: {', '.join(FORMATS)}.")
    ] = "raven,audacity",
    set_: Set = None,
    audio_root_map: AudioRootMap = None,
    data_root: DataRoot = None,
    progress: ProgressKind = "auto",
    as_json: Json = False,
) -> None:
    """Write the events most worth checking as Raven, Audacity or CSV tables. Run the project first.

    How to correct the tables: each row `(look)` marks a stretch to check. In that stretch, keep correct rows, delete
    rows that are not events, fix times and labels, add missing events, and set the label to `?` if you cannot tell. If
    you did not check a stretch, delete its `(look)` row; the import then ignores that stretch.
    """
    from ossicle.app.steps.engine.progress import make_progress
    from ossicle.app.steps.rounds.review_round import export_review

    table_formats, kinds = _listed_names("--format", formats, FORMATS), _listed_names("--select", select, KINDS)
    settings = ReviewSettings(select=kinds, most=most, margin_s=margin_s)
    loaded = load_project(project, overrides_of(set_, roots=audio_root_map), data_root)
    with make_progress(progress) as shown:
        review, left_out = export_review(loaded, out, settings, table_formats, shown)
    for name, reason in left_out.items():
        print(printable(f"{name}: {reason}; skipped"), file=sys.stderr)
    looks = [look for sheet in review.sheets for look in sheet.looks]
    seconds = sum(look.end_s - look.start_s for look in looks)
    rows = sum(len(look.rows) for look in looks)
    if as_json:
        facts = {"export": review.id, "recordings": len(review.sheets), "stretches": len(looks), "rows": rows}
        print(json_text({**facts, "seconds": round(seconds, 6), "left_out": left_out}))
    else:
        print(
            printable(
                f"{counted(rows, 'row')} (stretches: {len(looks)}, {seconds / 60:.1f} min) of "
                f"{counted(len(review.sheets), 'recording')}: {out}\n"
                f"correct them in place (docs/review.md), then: ossicle review import "
                f"-p {quote(str(project))} {quote(str(out))}"
            )
        )
    if left_out:
        raise typer.Exit(EXIT_INCOMPLETE)


def import_(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder that `ossicle review export` wrote.")],
    project: ProjectFile = HERE,
    by: Annotated[str, typer.Option(help="Name of the person who checked. Default: the login name.")] = "",
    new_label: Annotated[
        list[str] | None,
        typer.Option(
            help="Accept this label, which the model does not have yet. Repeatable. Other new labels are errors."
        ),
    ] = None,
    accept_unchanged: Annotated[
        bool,
        typer.Option("--accept-unchanged", help="Count unchanged tables as checked and correct."),
    ] = False,
    set_: Set = None,
    audio_root_map: AudioRootMap = None,
    data_root: DataRoot = None,
    progress: ProgressKind = "auto",
    as_json: Json = False,
) -> None:
    """Read corrected tables, count what was confirmed, corrected, removed and added, and save it for the next run.

    The result is written to `reviews/` in the project folder; the next `ossicle run` trains with it. Exit code 3:
    something in the folder could not be used.
    """
    from ossicle.app.steps.engine.progress import make_progress
    from ossicle.app.steps.rounds.review_round import import_review

    loaded = load_project(project, overrides_of(set_, roots=audio_root_map), data_root)
    with make_progress(progress) as shown:
        done = import_review(
            loaded,
            folder,
            by or _login_name(),
            shown,
            new_labels=tuple(new_label or ()),
            accept_unchanged=accept_unchanged,
        )
    answered = done.answers
    labels = sorted({label for label, _ in answered.counts})
    counts = {label: {name: answered.counts.get((label, name), 0) for name in OUTCOMES} for label in labels}
    for unused_answer in done.unused:
        print(printable(f"{unused_answer}; not used"), file=sys.stderr)
    if as_json:
        facts: dict[str, Any] = {
            "file": str(done.file) if done.file else None,
            "recordings": len(answered.recordings),
            "labels": counts,
        }
        facts |= {"undecided": answered.undecided, "not_looked_at": answered.not_looked_at}
        facts |= done.learners.to_json()
        facts |= {"untouched": list(answered.untouched), "missing": list(answered.missing), "unused": list(done.unused)}
        print(json_text(facts))
    else:
        print_rows(
            ("label", *OUTCOMES), [(label, *map(str, label_counts.values())) for label, label_counts in counts.items()]
        )
        for count, description in (
            (answered.undecided, "rows with the label `?`: ignored"),
            (answered.not_looked_at, "stretches not checked: ignored"),
            (len(answered.untouched), "unchanged tables: not counted (--accept-unchanged counts them)"),
            (len(answered.missing), "recordings whose table was removed: not counted"),
        ):
            if count:
                print(printable(f"{count} {description}"))
        if not done.file:
            print("an earlier import has the same result: nothing was written")
        else:
            print(printable(f"saved as {done.file}; next: ossicle run -p {quote(str(project))}"))
            for line in done.learners.lines(""):
                print(printable(line))
    if done.unused:
        raise typer.Exit(EXIT_INCOMPLETE)


def _login_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # A container may run under a user without a name.
        return "unknown"


def _listed_names(option: str, text: str, known: Collection[str]) -> tuple[str, ...]:
    """Return the names in a comma-separated option; raises UsageError for an unknown name or an empty list."""
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        raise UsageError(f"{option} {text}: choose from {', '.join(known)}")
    return names
