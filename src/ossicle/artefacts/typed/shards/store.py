"""The artefacts of the steps that decode recordings; ``ossicle.audio.store`` reads and writes their content."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from ossicle.artefacts.typed.artefact import ArtefactFolder
from ossicle.core.errors import ArtefactError

_SHARD = ".h5"


@dataclass(frozen=True)
class StoreFolder(ArtefactFolder):
    """Files of a store; the tables of raw recordings exist only if some recordings are read from their files."""

    step: ClassVar[str] = "store"

    DECODER: ClassVar[str] = "decoder.json"
    CHOICE: ClassVar[str] = "choice.json"
    LOGS: ClassVar[tuple[str, ...]] = (CHOICE, DECODER)
    """Files about the choice of recordings and the decoder, which are not part of the content."""

    @property
    def header_file(self) -> Path:
        """Format version and rate; written last."""
        return self.path / "store.json"

    @property
    def index_file(self) -> Path:
        """The stored form of each recording."""
        return self.path / "store.parquet"

    @property
    def raw_file(self) -> Path:
        """Recordings that are read from their files."""
        return self.path / "raw.parquet"

    @property
    def raw_reading_file(self) -> Path:
        """How those are read."""
        return self.path / "raw.json"

    @property
    def decoder_file(self) -> Path:
        """The decoding library and its version."""
        return self.path / self.DECODER

    @property
    def choice_file(self) -> Path:
        """Recordings for which the disk had no room."""
        return self.path / self.CHOICE

    @property
    def shards(self) -> Path:
        """The folder of the shards."""
        return self.path / "shards"

    def shard_file(self, shard: str) -> Path:
        """Return the path of a shard; raises ArtefactError unless its name has the form that Ossicle writes.

        A large store has many thousand shards; subfolders by the first two digits of their names keep folders small.
        """
        if not (shard.isalnum() and shard.isascii()):
            raise ArtefactError(f"{self.path}: {shard!r} is not the name of a shard; build the store again")
        return self.shards / shard[:2] / f"{shard}{_SHARD}"

    def shard_files(self) -> list[Path]:
        """Return the existing shards, sorted by name."""
        return sorted(self.shards.glob(f"*/*{_SHARD}"))


@dataclass(frozen=True)
class UnlabelledStoreFolder(StoreFolder):
    """The store of the step ``unlabelled_store``."""

    step: ClassVar[str] = "unlabelled_store"
