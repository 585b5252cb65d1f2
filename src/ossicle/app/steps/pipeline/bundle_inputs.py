"""Which artefacts a published bundle was made from, according to the bundle."""

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from ossicle.artefacts.files import read_json
from ossicle.bundle.manifest import MANIFEST
from ossicle.core.errors import ArtefactError


def made_from(*steps: str) -> Callable[[Path], Collection[str]]:
    """Return a function from the folder of a bundle to the content digests of the artefacts of ``steps`` in it."""

    def digests(folder: Path) -> Collection[str]:
        manifest = folder / MANIFEST
        try:
            provenance: Any = read_json(manifest)["provenance"] if manifest.is_file() else {}
        except (ArtefactError, KeyError, TypeError):
            # It is no bundle that can be run, so it keeps no artefact.
            return ()
        return {str(provenance[name]) for name in steps if name in provenance}

    return digests
