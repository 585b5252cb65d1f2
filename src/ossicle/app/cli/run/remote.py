"""``ossicle remote``: copy files to and from another place, and list them."""

import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ossicle.app.cli.options import Json, ProgressKind
from ossicle.app.cli.printable import json_text, printable, printable_line
from ossicle.app.cli.tables.table import print_rows
from ossicle.core.errors import EXIT_INCOMPLETE, UsageError
from ossicle.core.text.counting import counted

if TYPE_CHECKING:
    from ossicle.app.remote.transfer import Transferred

_SHOWN = 20

group = typer.Typer(
    help="Copy files to and from a folder, another machine or a Modal volume, and list them.", no_args_is_help=True
)

Address = Annotated[
    str,
    typer.Argument(
        metavar="PLACE",
        help="Address: file:PATH for a folder of this machine, HOST:FOLDER over ssh, or modal:VOLUME/PREFIX for a "
        "Modal volume.",
    ),
]
Verify = Annotated[
    bool,
    typer.Option(
        "--verify",
        help="Read all files on both sides again, and copy those whose bytes differ. Repairs damaged copies.",
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Copy nothing; print what would be copied.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (push, pull, ls):
        group.command()(command)
    app.add_typer(group, name="remote")


def push(
    source: Annotated[Path, typer.Argument(metavar="SRC", help="Folder whose files are copied (any depth).")],
    place: Address,
    verify: Verify = False,
    dry_run: DryRun = False,
    progress: ProgressKind = "auto",
) -> None:
    """Copy the files of a folder to a place. Files that arrived earlier and are unchanged are skipped.

    Each file arrives complete or not at all, in batches of 100. After an interruption, the same command continues.
    Files that differ at the target are overwritten. Nothing is deleted. Links are not followed. Exit code 3: some
    files were left out; each is listed.
    """
    from ossicle.app.remote.addresses import place_at
    from ossicle.app.remote.folder_place import FolderPlace
    from ossicle.app.remote.transfer import TransferOptions
    from ossicle.app.remote.transfer import push as push_files
    from ossicle.app.steps.engine.progress import make_progress

    if not source.is_dir():
        raise UsageError(f"{source} is not a folder; give the folder of the files to copy")
    remote_place = place_at(place, create=not dry_run)
    if isinstance(remote_place, FolderPlace):
        _require_apart(source, remote_place.folder)
    with make_progress(progress) as shown:
        shown.begin("push")
        done = push_files(source, remote_place, shown, TransferOptions(verify=verify, dry_run=dry_run))
    _print_transfer(done, dry_run)


def pull(
    place: Address,
    target: Annotated[Path, typer.Argument(metavar="DEST", help="Folder to copy to; it is created.")],
    verify: Verify = False,
    dry_run: DryRun = False,
    progress: ProgressKind = "auto",
) -> None:
    """Copy the files of a place to a folder. Files that arrived earlier and are unchanged are skipped.

    Each file arrives complete or not at all, in batches of 100. After an interruption, the same command continues.
    Files that differ at the target are overwritten. Nothing is deleted. Links are not followed. Exit code 3: some
    files were left out; each is listed.
    """
    from ossicle.app.remote.addresses import place_at
    from ossicle.app.remote.folder_place import FolderPlace
    from ossicle.app.remote.transfer import TransferOptions
    from ossicle.app.remote.transfer import pull as pull_files
    from ossicle.app.steps.engine.progress import make_progress

    remote_place = place_at(place)
    if isinstance(remote_place, FolderPlace):
        _require_apart(remote_place.folder, target)
    with make_progress(progress) as shown:
        shown.begin("pull")
        done = pull_files(remote_place, target, shown, TransferOptions(verify=verify, dry_run=dry_run))
    _print_transfer(done, dry_run)


def ls(place: Address, as_json: Json = False) -> None:
    """List the files of a place with their sizes and times. Exit code 3: links or special files were left out."""
    from ossicle.app.remote.addresses import place_at

    listing = place_at(place).listing()
    if not listing.exists:
        raise UsageError(f"{place} does not exist; create it with: ossicle remote push FOLDER {place}")
    files = sorted(listing.files.items())
    if as_json:
        rows = [{"path": path, "size": state.size, "mtime_s": state.mtime_ns / 1e9} for path, state in files]
        print(json_text(rows))
    else:
        print_rows(
            ("path", "bytes", "changed"),
            [(printable_line(path), str(state.size), _time(state.mtime_ns)) for path, state in files],
        )
        print(printable(f"{counted(len(files), 'file')}, {sum(state.size for _, state in files)} bytes"))
    _print_left_out(listing.left_out)


def _require_apart(source: Path, target: Path) -> None:
    # Unlike Path.resolve, this returns for a loop of links; the copy then names the link.
    first_folder, other = Path(os.path.realpath(source)), Path(os.path.realpath(target))
    if first_folder == other or first_folder in other.parents or other in first_folder.parents:
        raise UsageError(f"{source} and {target} are the same folder, or one is in the other; choose another folder")


def _print_transfer(done: "Transferred", dry_run: bool) -> None:
    """Print what a transfer did; exit with 3 if something was left out."""
    if dry_run:
        for path in list(done.sent)[:_SHOWN]:
            print(printable_line(f"would send {path} ({done.sent[path]} bytes)"))
        if len(done.sent) > _SHOWN:
            print(printable(f"... and {len(done.sent) - _SHOWN} more"))
    print(printable(f"{done.unchanged} unchanged, {len(done.left_out)} left out"))
    verb = "would send" if dry_run else "sent"
    print(printable(f"{verb} {len(done.sent)} files, {done.n_bytes} bytes"), flush=True)
    _print_left_out(done.left_out)


def _print_left_out(left_out: Mapping[str, str]) -> None:
    for path, reason in sorted(left_out.items()):
        print(printable_line(f"{path}: {reason}"), file=sys.stderr)
    if left_out:
        raise typer.Exit(EXIT_INCOMPLETE)


def _time(mtime_ns: int) -> str:
    seconds = mtime_ns // 1_000_000_000
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError, OSError):
        # Some disks keep years beyond 9999.
        return f"{seconds} s after 1970"
