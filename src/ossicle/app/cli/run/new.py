"""Command ``new``: a project file from a recipe."""

import os
import sys
from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from ossicle.app.cli.options import MAP_OPTION, AudioRootMap
from ossicle.app.cli.printable import printable
from ossicle.app.cli.tables.table import print_rows
from ossicle.app.project.layers import recipe_names
from ossicle.app.project.load import load_project
from ossicle.app.project.scaffolding.manifest_scaffold import ManifestWishes, scaffold_manifest
from ossicle.app.project.scaffolding.scaffold import Wishes, scaffold
from ossicle.app.project.scaffolding.unit_scaffold import UnitWishes, finds_units, scaffold_units
from ossicle.artefacts.roots import parse_root_map
from ossicle.core.errors import UsageError

_OF_UNITS = ("--name-template", "--groups", "--words")
"""Options that the recipe ``units`` takes besides ``--audio`` and ``--group``."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(new)


def new(
    recipe: Annotated[str, typer.Argument(help=f"Recipe to start from: {', '.join(recipe_names())}.")],
    folder: Annotated[Path, typer.Argument(help="Folder for the project; created if missing.")],
    audio: Annotated[
        Path | None,
        typer.Option(
            help="Folder of recordings (wav, flac, ogg, mp3, m4a, aiff), searched at any depth. Needed without "
            "--manifest.",
            show_default=False,
        ),
    ] = None,
    annotations: Annotated[
        Path | None,
        typer.Option(
            help="Annotations of single events: a folder of files (Raven, Audacity, CSV), or one file.",
            show_default=False,
        ),
    ] = None,
    labels: Annotated[
        str,
        typer.Option(
            help="Labels of whole recordings: 'folder' (one folder for each class), or a table FILE.csv with one row "
            "for each recording, as BirdCLEF's train.csv. Default: set by the recipe (birds: folder).",
            show_default=False,
        ),
    ] = "",
    label_column: Annotated[
        str,
        typer.Option(
            help="Label column: of the tables of --annotations (a name or a number from 1; only there also several "
            "with commas, if tables differ: the first in a table counts), or of the --labels table (one name). "
            "Default: a usual name, such as Annotation, Species, primary_label or category.",
            show_default=False,
        ),
    ] = "",
    group: Annotated[
        str,
        typer.Option(
            help="Field that keeps recordings together: a split never puts two recordings with the same value into "
            "different folds. Taken from the file names (site, recorder, folder...) or from a column of the table "
            "(author...). Default: inferred from the names, else recording.",
            show_default=False,
        ),
    ] = "",
    fold_field: Annotated[
        str,
        typer.Option(
            help="Field with the number of the fold in which a recording is held out, for published folds. Default: "
            "inferred (names as in ESC-50, a column 'fold'), else new folds are made.",
            show_default=False,
        ),
    ] = "",
    name_template: Annotated[
        list[str] | None,
        typer.Option(
            "--name-template",
            "--template",
            help="Pattern that reads fields from file names, as in 'site{site}_{date}_*'; inferred if unset. Repeat it "
            "for several naming schemes: the first pattern that fits a name is used.",
            show_default=False,
        ),
    ] = None,
    groups: Annotated[
        Path | None,
        typer.Option(
            help="Table with one row for each recording: a column with its file, and a column named like the group.",
            show_default=False,
        ),
    ] = None,
    folds: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Number of folds: 0 holds each group out once, otherwise at least 2. Default: 5 from 12 groups on; "
            "for fewer groups set by the recipe (tapes: 0, birds: 5).",
            show_default=False,
        ),
    ] = None,
    default_label: Annotated[
        str, typer.Option(help="Label of all rows of --annotations that have none.", show_default=False)
    ] = "",
    masks: Annotated[
        list[str] | None,
        typer.Option(
            help="Labels that cannot be heard while another one is on, as ac:fridge or ac:fridge,fan; repeat it for "
            "several, or 'none'. Recipe appliances only. Default: the first label hides the others.",
            show_default=False,
        ),
    ] = None,
    words: Annotated[
        Path | None,
        typer.Option(
            help="Table of words with their times in the recordings, to judge the units. Recipe units only.",
            show_default=False,
        ),
    ] = None,
    manifest: Annotated[
        Path | None,
        typer.Option(help="Manifest of drum hits: JSON lines, one event each. Recipe drums only.", show_default=False),
    ] = None,
    audio_root: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the recordings of all sources of --manifest. Default: that of the manifest.",
            show_default=False,
        ),
    ] = None,
    audio_root_map: AudioRootMap = None,
    limit: Annotated[
        int, typer.Option(min=0, help="Read only this many events of --manifest, from the beginning; 0: all.")
    ] = 0,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Leave out lines of --manifest that are no events, and count them.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing project file.")] = False,
) -> None:
    """Create a project file from a recipe, with settings that fit the recordings.

    Recipes: `tapes` for long recordings in which single events are annotated; `birds` for recordings that are
    labelled as a whole; `appliances` for what is on or off in recordings with steady sounds, by the names of the
    files; `drums` for files with one drum hit each, in folders GROUP/CLASS/FILE, or for a manifest of hits
    (--manifest); `units` for speech without labels, whose sounds become acoustic units and motifs; `demo` for the
    synthetic tapes of `ossicle demo`. Give either --annotations (times of single events)
    or --labels (labels of whole recordings).
    Class folders named noise, other, background, silence or nocall, and folders whose names start with -, hold
    recordings without any of the classes.

    The table shows what a run will use, what it will leave out and why, and how many trainings it takes.
    """
    from ossicle.app.steps.pipeline.pipelines import pipeline_of

    remarks: list[str] = []
    events = _events(manifest, audio_root, audio_root_map, group, limit, skip_bad)
    others = {
        "--annotations": annotations,
        "--labels": labels,
        "--label-column": label_column,
        "--fold-field": fold_field,
        "--name-template": name_template,
        "--groups": groups,
        "--folds": folds,
        "--default-label": default_label,
        "--masks": masks,
        "--words": words,
    }
    if events is not None:
        conflicting = [name for name, value in {"--audio": audio, **others}.items() if value]
        if conflicting:
            raise UsageError(
                f"{conflicting[0]} and --manifest exclude each other: the manifest says what is labelled and how"
            )
        file = scaffold_manifest(recipe, folder, events, force=force, workers=os.cpu_count() or 1, say=remarks.append)
    elif audio is None:
        raise UsageError("--audio is missing: give the folder of the recordings, or --manifest for a list of events")
    elif finds_units(recipe):
        conflicting = [name for name in others if name not in _OF_UNITS and others[name]]
        if conflicting:
            raise UsageError(f"{conflicting[0]}: the recipe {recipe!r} learns from no labels; leave it out")
        unit_wishes = UnitWishes(audio, words, group, tuple(name_template or ()), groups)
        file = scaffold_units(recipe, folder, unit_wishes, force=force, say=remarks.append)
    else:
        if words is not None:
            raise UsageError(f"--words {words}: the recipe {recipe!r} finds no units; use --annotations for labels")
        wishes = Wishes(
            audio,
            annotations,
            labels,
            label_column,
            group,
            fold_field,
            tuple(name_template or ()),
            folds,
            groups,
            default_label,
            tuple(masks or ()),
        )
        file = scaffold(recipe, folder, wishes, force=force, say=remarks.append)
    print(printable(f"wrote {file}"))
    for remark in remarks:
        print(printable(remark))
    loaded = load_project(file)
    findings = list(pipeline_of(loaded).preview(loaded))
    print_rows(("a run will use", "", ""), [(finding.what, finding.state, finding.message) for finding in findings])
    print(printable(f"next: ossicle run -p {quote(str(file))}"))
    if not all(finding.ok for finding in findings):
        print("a run would leave something out: see the lines marked 'lost' or 'FAULT'", file=sys.stderr)


def _events(
    manifest: Path | None,
    audio_root: Path | None,
    audio_root_map: list[str] | None,
    group: str,
    limit: int,
    skip_bad: bool,
) -> ManifestWishes | None:
    """Return the options about a manifest; None without one."""
    if manifest is not None:
        return ManifestWishes(
            manifest, audio_root, parse_root_map(audio_root_map or (), MAP_OPTION), group, limit, skip_bad
        )
    for option, value in (("--audio-root", audio_root), (MAP_OPTION, audio_root_map), ("--limit", limit)):
        if value:
            raise UsageError(f"{option} needs --manifest")
    if skip_bad:
        raise UsageError("--skip-bad needs --manifest")
    return None
