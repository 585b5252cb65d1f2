"""``ossicle dataset verify``: count the events of a manifest, and find out which recordings are missing."""

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from ossicle.app.cli.options import MAP_OPTION, AudioRootMap, Json, require_folders
from ossicle.app.cli.printable import json_text, printable
from ossicle.app.cli.tables.table import print_rows
from ossicle.artefacts.roots import Roots, parse_root_map, roots_of_environment
from ossicle.core.errors import EXIT_INCOMPLETE, OssicleError
from ossicle.core.text.suggestion import did_you_mean
from ossicle.core.value_checks import MOST_THREADS
from ossicle.corpus.manifest.verification import Verification, verify_manifest

_SHOWN = 5


def verify(
    manifest: Annotated[Path, typer.Argument(help="Manifest: JSON lines, one event a line.")],
    audio_root: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the recordings of all sources. Default: that of the manifest.", show_default=False
        ),
    ] = None,
    audio_root_map: AudioRootMap = None,
    limit: Annotated[int, typer.Option(min=0, help="Read only this many events, from the beginning; 0: all.")] = 0,
    manifest_total: Annotated[
        int, typer.Option(min=0, help="Expected number of events; another number is an error. 0: unknown.")
    ] = 0,
    workers: Annotated[int, typer.Option(min=1, max=MOST_THREADS, help="Number of processes that read.")] = 2,
    max_missing: Annotated[
        float, typer.Option(min=0, max=1, help="Share of the events of a source whose recordings may be missing.")
    ] = 0.0,
    skip_bad: Annotated[bool, typer.Option(help="Leave out lines that are no events, and count them.")] = False,
    as_json: Json = False,
) -> None:
    """Count the events of a manifest by source and label, and look for their recordings. Nothing is written.

    Hours are those of the windows of all events: their context, one for each component. Exit code 1: of some source
    more than --max-missing of the events have no recording. Exit code 3: bad lines were left out (--skip-bad).
    """
    roots = _roots(manifest, audio_root, audio_root_map or ())
    verification = verify_manifest(manifest, roots, limit=limit, skip_bad=skip_bad, workers=workers)
    if as_json:
        print(json_text(verification.to_json()))
    else:
        _show(verification)
    _note_unused(roots, verification)
    faults = _faults(verification, max_missing, manifest_total)
    if faults:
        raise OssicleError("\n".join(faults))
    if verification.n_bad:
        raise typer.Exit(EXIT_INCOMPLETE)


def _roots(manifest: Path, audio_root: Path | None, map_texts: Iterable[str]) -> Roots:
    """Return the roots of the command line and the environment; raises UsageError for a folder that does not exist."""
    named = parse_root_map(map_texts, MAP_OPTION)
    default = manifest.parent if audio_root is None else audio_root
    for source, folders in named.items():
        require_folders(f"{MAP_OPTION} {source}", folders)
    if audio_root is not None:
        require_folders("--audio-root", [audio_root])
    return Roots(named, [default], roots_of_environment(os.environ))


def _faults(verification: Verification, max_missing: float, manifest_total: int) -> list[str]:
    faults = []
    if not verification.n_events:
        faults.append("the manifest holds no events; check that it is the right file")
    if manifest_total and verification.n_events != manifest_total:
        faults.append(
            f"{verification.n_events} events were read, but --manifest-total is {manifest_total}; check the file"
        )
    for name in verification.over(max_missing):
        source = verification.sources[name]
        share = source.missing_events / source.events
        faults.append(
            f"{name}: the recordings of {source.missing_events} of {source.events} events ({100 * share:.4g} %) are "
            f"missing, such as {source.examples[0]!r}; more than --max-missing {max_missing:g}. Name their folder with "
            f"{MAP_OPTION} {name}=DIR, or allow a larger share"
        )
    return faults


def _note_unused(roots: Roots, verification: Verification) -> None:
    """Name the sources of the command line that no event has: a misspelt one would leave its recordings missing."""
    for name in roots.names:
        if name not in verification.sources:
            hint = did_you_mean(name, sorted(verification.sources))
            print(printable(f"ossicle: note: {MAP_OPTION} {name}: no event has this source; {hint}"), file=sys.stderr)


def _show(verification: Verification) -> None:
    hours = sum(source.seconds for source in verification.sources.values()) / 3600
    print(
        printable(
            f"{verification.n_events} events in {verification.n_lines} lines, {hours:.2f} h expected; "
            f"{verification.negatives} negative examples, {verification.without_components} events without "
            f"components, {verification.n_bad} bad lines"
        )
    )
    for bad in verification.bad:
        print(printable(f"  line {bad.line}: {bad.reason}"))
    rows = [
        (
            name,
            str(source.events),
            str(source.events - source.missing_events),
            str(source.missing_events),
            f"{100 * source.missing_share:.4g} %",
            f"{source.recordings - source.missing_recordings} of {source.recordings}",
            f"{source.seconds / 3600:.2f}",
        )
        for name, source in sorted(verification.sources.items())
    ]
    print_rows(("source", "events", "with audio", "missing", "share", "recordings with audio", "hours"), rows)
    for name, source in sorted(verification.sources.items()):
        for path in source.examples[:_SHOWN]:
            print(printable(f"  missing: {name}: {path}"))
        if source.missing_recordings > _SHOWN:
            print(printable(f"  missing: {name}: {source.missing_recordings - _SHOWN} more recordings"))
    labels = sorted(verification.labels.items(), key=lambda item: (-item[1], item[0]))
    print_rows(("label", "components"), [(name, str(n)) for name, n in labels])
