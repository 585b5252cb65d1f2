"""Addresses of places: ``file:PATH``, ``HOST:FOLDER`` and ``modal:VOLUME/PREFIX``."""

import os
import re
from pathlib import Path, PurePosixPath

from ossicle.app.project.file_names import PROJECT_FILE
from ossicle.app.remote.folder_place import FolderPlace
from ossicle.app.remote.place import Place
from ossicle.app.remote.ssh_place import SshPlace
from ossicle.artefacts.filesystem.links import settled_above
from ossicle.core.errors import UsageError
from ossicle.core.text.controls import control_name, first_control

FORMS = "file:PATH, HOST:FOLDER or modal:VOLUME/PREFIX"
_FILE, _MODAL = "file", "modal"
# "C:\\x" and "C:/x", alone or after "file:"; "c:/x" may be a short name of a machine.
_WINDOWS = re.compile(r"(file:)?([A-Z](?=:[\\/])|[a-z](?=:\\))")


def place_at(address: str, *, create: bool = False) -> Place:
    """Return the place at an address; nothing is connected or created yet.

    Parameters
    ----------
    address
        ``file:PATH``, a folder of this machine (``~`` is your home folder); ``HOST:FOLDER``, a folder of a machine that
        ssh reaches; ``modal:VOLUME/PREFIX``, a folder of a Modal volume.
    create
        Whether a volume that does not exist is created when it is first used.

    Returns
    -------
    Place
        The place.

    Raises
    ------
    UsageError
        The address has another form, or what it needs is not installed.

    Examples
    --------
    >>> type(place_at("file:/data/tapes")).__name__
    'FolderPlace'
    """
    if (control := first_control(address)) is not None:
        raise UsageError(f"{address!r} contains {control_name(control)}; write {FORMS}")
    kind, colon, rest = address.partition(":")
    if not colon or not kind or not rest or "/" in kind:
        raise UsageError(f"{address!r} is not the address of a place; write {FORMS}")
    if (drive := _WINDOWS.match(address)) is not None and os.name != "nt":
        raise UsageError(
            f"{address!r} is a path of Windows, and this machine has no drive {drive[2]}:; write {FORMS}, or "
            f"USER@{drive[2]}:FOLDER for a machine called {drive[2]}"
        )
    if kind == _FILE:
        return _folder_place(address, rest)
    if kind == _MODAL:
        return _volume_place(address, rest, create=create)
    return SshPlace(kind, rest)


def _folder_place(address: str, rest: str) -> Place:
    if rest.startswith("//") and not rest.startswith("///"):
        raise UsageError(
            f"{address!r} names a machine; write file:PATH for a folder of this machine, or HOST:FOLDER over ssh"
        )
    try:
        folder = Path(rest).expanduser()
    except RuntimeError:
        raise UsageError(f"{address!r}: there is no such home folder; write the whole path") from None
    return FolderPlace(settled_above(folder, PROJECT_FILE))


def _volume_place(address: str, rest: str, *, create: bool) -> Place:
    name, _, prefix = rest.partition("/")
    if not name or ".." in PurePosixPath(prefix).parts:
        raise UsageError(f"{address!r} names no folder of a volume; write modal:VOLUME/PREFIX")
    from ossicle.app.remote.modal_volume import open_volume

    return open_volume(name, prefix, create=create)
