"""Add files to a bundle: a new folder with everything from the old one and more."""

import dataclasses
import glob
import hashlib
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
from ossicle.core.errors import OssicleError


def refuse_other_content(folder: Path) -> None:
    """Check that a folder that would be replaced by a bundle is empty, or holds a bundle and nothing else.

    Raises
    ------
    UsageError
        There is something else in it, or it is a file.
    """
    try:
        earlier = parse(read_regular(folder / MANIFEST, MAX_MANIFEST_BYTES), folder)
        own = [MANIFEST, *map(glob.escape, earlier.files), *([f"{MEMBERS}/*"] if earlier.ensemble is not None else [])]
    except (OSError, OssicleError):
        own = []
    refuse_foreign(folder, own, "move that out of there, or choose another folder")


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
