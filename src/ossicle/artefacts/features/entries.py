"""The description of a shard of features: which rows belong to which recording, with their checksums."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ossicle.artefacts.files import how_to_mend, read_json, write_json
from ossicle.core.errors import ArtefactError

FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True)
class FeatureEntry:
    """The windows of one recording in a shard.

    Attributes
    ----------
    recording_id
        The recording.
    first
        Row of its first window.
    windows
        Number of its windows.
    crc
        CRC-32 of its embeddings: of the recording, then of each augmented copy.
    levels_crc
        CRC-32 of the levels of its windows.
    """

    recording_id: str
    first: int
    windows: int
    crc: tuple[int, ...]
    levels_crc: int


@dataclass(frozen=True, slots=True)
class ShardIndex:
    """What a shard contains.

    Attributes
    ----------
    tokens, dim
        Shape of the embeddings of a window.
    copies
        Number of augmented copies of each recording.
    entries
        The recordings, in the order of their rows.
    left_out
        The recordings that could not be read, with the reason.
    sums, squares
        Sums and sums of squares of each dimension over windows and tokens of the recordings, without copies.
    """

    tokens: int
    dim: int
    copies: int
    entries: tuple[FeatureEntry, ...]
    left_out: dict[str, str] = field(default_factory=dict)
    sums: tuple[float, ...] = ()
    squares: tuple[float, ...] = ()

    @property
    def windows(self) -> int:
        """Number of windows, which is the number of rows of each array."""
        return sum(entry.windows for entry in self.entries)


def write_shard_index(path: Path, index: ShardIndex) -> None:
    """Write the description of a shard."""
    write_json(path, {"format": FORMAT_VERSION, **asdict(index)})


def read_shard_index(path: Path) -> ShardIndex:
    """Return the description of a shard.

    Raises
    ------
    ArtefactError
        It is missing, damaged or does not fit together.
    """
    value = read_json(path)
    if not isinstance(value, dict) or value.get("format") != FORMAT_VERSION:
        raise ArtefactError(f"{path}: not a shard of features of format {FORMAT_VERSION}; {how_to_mend(path)}")
    try:
        entries = tuple(_entry(entry) for entry in value["entries"])
        index = ShardIndex(
            _count(value["tokens"]),
            _count(value["dim"]),
            _count(value["copies"]),
            entries,
            {str(key): str(reason) for key, reason in value["left_out"].items()},
            tuple(float(value) for value in value["sums"]),
            tuple(float(square) for square in value["squares"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise ArtefactError(f"{path}: a value is missing or wrong ({error}); {how_to_mend(path)}") from error
    if fault := _fault(index):
        raise ArtefactError(f"{path}: {fault}; {how_to_mend(path)}")
    return index


def _entry(value: Any) -> FeatureEntry:
    return FeatureEntry(
        str(value["recording_id"]),
        _count(value["first"]),
        _count(value["windows"]),
        tuple(_count(value) for value in value["crc"]),
        _count(value["levels_crc"]),
    )


def _count(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"{value!r} is not a count")
    return value


def _fault(index: ShardIndex) -> str:
    """Return what contradicts itself in an index, in words; empty if nothing does."""
    if index.tokens < 1 or index.dim < 1:
        return f"embeddings of {index.tokens} tokens and {index.dim} values do not exist"
    if not _contiguous(index.entries):
        return "the rows of its recordings leave gaps or overlap"
    if any(len(entry.crc) != index.copies + 1 for entry in index.entries):
        return f"a recording does not have {index.copies + 1} checksums"
    if len(index.sums) != index.dim or len(index.squares) != index.dim:
        return f"its sums do not have {index.dim} values"
    return ""


def _contiguous(entries: Sequence[FeatureEntry]) -> bool:
    row = 0
    for entry in entries:
        if entry.first != row:
            return False
        row += entry.windows
    return True
