"""``ossicle review``: events out to a person as tables, and the corrected tables back in."""

import getpass
import json
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Any

import typer

from ossicle.app.cli.options import DataRoot, Json, ProgressKind, ProjectFile, Set
from ossicle.app.cli.printable import printable
from ossicle.app.cli.table import print_rows
from ossicle.app.project.load import PROJECT_FILE, load_project
from ossicle.core.errors import EXIT_INCOMPLETE, UsageError
from ossicle.corpus.review.answers import OUTCOMES
from ossicle.corpus.review.selection import KINDS, ReviewSettings
from ossicle.corpus.review.tables import FORMATS

HERE = Path(PROJECT_FILE)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(name="review", help="Have a person correct what a model found, and learn from it.")
    group.command(name="export")(export)
    group.command(name="import")(import_)
    app.add_typer(group)


def export(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the tables; must not be there yet.")],
    project: ProjectFile = HERE,
    select: Annotated[
        str,
        typer.Option(
            help="Kinds of events, comma-separated: " + "; ".join(f"{k}: {v}" for k, v in KINDS.items()) + "."
        ),
    ] = ",".join(KINDS),
    most: Annotated[int, typer.Option(min=1, help="Events to choose, at most, label by label in turn.")] = 50,
    margin_s: Annotated[
        float, typer.Option(min=0.0, help="Stretch to look at on each side of an event, in seconds.")
    ] = 1.0,
    formats: Annotated[
        str, typer.Option("--format", help=f"Tables to write, comma-separated: {', '.join(FORMATS)}.")
    ] = "raven,audacity",
    set_: Set = None,
    data_root: DataRoot = None,
    progress: ProgressKind = "auto",
    as_json: Json = False,
) -> None:
    """Write events that are worth a person's look as Raven, Audacity or CSV tables; the project must have been run.

    Correct them so: every row `(look)` frames a stretch. Look through it; keep rows that are right, delete those that
    are no event, mend times and labels, add what is missing, and write `?` as the label where you cannot tell. Delete
    the `(look)` row of a stretch that you did not look at: nothing is then concluded from it.
    """
    from ossicle.app.steps.engine.progress import make_progress
    from ossicle.app.steps.rounds.review_round import export_review

    wanted, kinds = _listed("--format", formats, FORMATS), _listed("--select", select, KINDS)
    settings = ReviewSettings(select=kinds, most=most, margin_s=margin_s)
    loaded = load_project(project, tuple(set_ or ()), data_root)
    with make_progress(progress) as shown:
        made, left_out = export_review(loaded, out, settings, wanted, shown)
    for name, why in left_out.items():
        print(printable(f"{name}: {why}; left out"), file=sys.stderr)
    looks = [look for sheet in made.sheets for look in sheet.looks]
    seconds = sum(look.end_s - look.start_s for look in looks)
    rows = sum(len(look.rows) for look in looks)
    if as_json:
        told = {"export": made.id, "recordings": len(made.sheets), "stretches": len(looks), "rows": rows}
        print(json.dumps({**told, "seconds": round(seconds, 6), "left_out": left_out}, indent=2, ensure_ascii=False))
    else:
        print(
            f"{rows} rows in {len(looks)} stretches ({seconds / 60:.1f} min) of {len(made.sheets)} recordings: {out}\n"
            f"correct them in place (docs/review.md), then: ossicle review import -p {project} {out}"
        )
    if left_out:
        raise typer.Exit(EXIT_INCOMPLETE)


def import_(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder that `ossicle review export` wrote.")],
    project: ProjectFile = HERE,
    by: Annotated[str, typer.Option(help="Who looked; the login name where it is empty.")] = "",
    new_label: Annotated[
        list[str] | None, typer.Option(help="Label that the model does not have yet; repeatable. Others are refused.")
    ] = None,
    accept_unchanged: Annotated[
        bool,
        typer.Option("--accept-unchanged", help="Tables as they went out were looked at, and all in them is right."),
    ] = False,
    set_: Set = None,
    data_root: DataRoot = None,
    progress: ProgressKind = "auto",
    as_json: Json = False,
) -> None:
    """Read corrected tables, say what was confirmed, corrected, removed and added, and keep it for the next run.

    The result lies in `reviews/` beside the project file; `ossicle run` then learns from it. Exit code 3 says that
    something in the folder could not be used.
    """
    from ossicle.app.steps.engine.progress import make_progress
    from ossicle.app.steps.rounds.review_round import import_review

    loaded = load_project(project, tuple(set_ or ()), data_root)
    with make_progress(progress) as shown:
        done = import_review(
            loaded,
            folder,
            by or _login_name(),
            shown,
            new_labels=tuple(new_label or ()),
            accept_unchanged=accept_unchanged,
        )
    said = done.answers
    labels = sorted({label for label, _ in said.counts})
    counts = {label: {name: said.counts.get((label, name), 0) for name in OUTCOMES} for label in labels}
    for one in done.unused:
        print(printable(f"{one}; not used"), file=sys.stderr)
    if as_json:
        told: dict[str, Any] = {
            "file": str(done.file) if done.file else None,
            "recordings": len(said.recordings),
            "labels": counts,
        }
        told |= {"undecided": said.undecided, "not_looked_at": said.not_looked_at}
        told |= {"untouched": list(said.untouched), "missing": list(said.missing), "unused": list(done.unused)}
        print(json.dumps(told, indent=2, ensure_ascii=False))
    else:
        print_rows(("label", *OUTCOMES), [(label, *map(str, of.values())) for label, of in counts.items()])
        for count, words in (
            (said.undecided, "rows under a `?`: not concluded from"),
            (said.not_looked_at, "stretches not looked at: nothing is concluded from them"),
            (len(said.untouched), "tables as they went out: not counted (--accept-unchanged counts them)"),
            (len(said.missing), "recordings without a table any more: not counted"),
        ):
            if count:
                print(f"{count} {words}")
        print(f"kept as {done.file}; next: ossicle run -p {project}" if done.file else "an earlier round says the same")
    if done.unused:
        raise typer.Exit(EXIT_INCOMPLETE)


def _login_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # A container may run as a user without a name.
        return "unknown"


def _listed(option: str, text: str, known: Collection[str]) -> tuple[str, ...]:
    """The names in a comma-separated option; UsageError for one that is not known, and for none."""
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        raise UsageError(f"{option} {text}: there is {', '.join(known)}")
    return names
