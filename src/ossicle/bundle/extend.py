"""Add files to a bundle: a new folder with everything from the old one and more."""

import dataclasses
import glob
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ossicle.artefacts.files import whole_folder, write_json
from ossicle.artefacts.filesystem.reading import read_regular
from ossicle.artefacts.filesystem.replacing import refuse_foreign
from ossicle.bundle.card import card_text
from ossicle.bundle.entries.ensembles import MEMBERS
from ossicle.bundle.format import read_bundle
from ossicle.bundle.manifest import CARD, MANIFEST, MAX_MANIFEST_BYTES, Bundle, FileEntry, manifest_of, parse
from ossicle.core.digest import canonical_json
from ossicle.core.errors import OssicleError, UsageError


def refuse_other_content(folder: Path, remedy: str = "move that out of there, or choose another folder") -> None:
    """Check that a folder that would be replaced by a bundle is empty, or holds a bundle and nothing else.

    Parameters
    ----------
    folder
        The folder; it may be missing.
    remedy
        What to do if there is something else in it, for the message.

    Raises
    ------
    UsageError
        There is something else in it, its manifest cannot be read, it is a file, or it lies behind a symbolic link.
    """
    own = []
    if os.path.lexists(folder / MANIFEST):
        bundle = _manifest(folder)
        own = _files(bundle)
        for member in () if bundle.ensemble is None else bundle.ensemble.members:
            member_folder = f"{MEMBERS}/{member.name}"
            own += [f"{glob.escape(member_folder)}/{name}" for name in _files(_manifest(folder / member_folder))]
    refuse_foreign(folder, own, remedy)


def _manifest(folder: Path) -> Bundle:
    try:
        return parse(read_regular(folder / MANIFEST, MAX_MANIFEST_BYTES), folder)
    except (OSError, OssicleError) as error:
        raise UsageError(
            f"{folder / MANIFEST} cannot be read, and so it is not known which files are those of the bundle: {error}; "
            "move what is yours out of that folder, and remove it"
        ) from error


def _files(bundle: Bundle) -> list[str]:
    return [glob.escape(name) for name in (MANIFEST, *bundle.files)]


def extend_bundle(
    bundle: Bundle, folder: Path, files: Mapping[str, bytes], provenance: Mapping[str, Any], *, replace: bool = False
) -> Bundle:
    """Write ``bundle`` into ``folder`` with ``files`` and ``provenance`` added, atomically; return it as read back.

    New files replace those of the same name; the model card is written again.

    Raises
    ------
    BundleError
        If a reader would reject the result.
    ArtefactError
        If ``folder`` exists and ``replace`` is false.
    UsageError
        If ``folder`` holds anything but a bundle.
    """
    content = {name: bundle.read_bytes(name) for name in bundle.files if name != CARD} | dict(files)
    draft = dataclasses.replace(bundle, folder=folder, provenance={**bundle.provenance, **provenance})
    content[CARD] = card_text(draft).encode()
    listed = {name: FileEntry(hashlib.sha256(data).hexdigest(), len(data)) for name, data in content.items()}
    # The draft goes through the reader's own checks first, so that readers accept what is written.
    checked = parse(canonical_json(manifest_of(dataclasses.replace(draft, files=listed))).encode(), folder)
    if replace:
        refuse_other_content(folder)
    with whole_folder(folder, replace=replace) as part:
        for name, data in content.items():
            (part / name).write_bytes(data)
        write_json(part / MANIFEST, manifest_of(checked))
    return read_bundle(folder)
