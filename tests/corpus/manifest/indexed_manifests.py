"""Sounds and indexes of manifests, as the tests of this folder make them."""

import wave
from pathlib import Path

from ossicle.corpus.manifest.manifest_index import ImportFolders


def sound(path: Path, seconds: float = 3.0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as out:
        out.setparams((1, 2, 1000, 0, "NONE", ""))
        out.writeframes(bytes([1, 0]) * round(1000 * seconds))


def folders(folder: Path) -> ImportFolders:
    return ImportFolders(folder / "blocks", folder / "hits")
