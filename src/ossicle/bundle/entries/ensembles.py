"""Bundles of several models: an ordinary manifest with an ``ensemble`` that names the members in its folder.

Layout: ``bundle.json`` with ``ensemble`` (``rule``, ``weights``, ``exponent``, and ``members``: a list of ``name`` and
``sha256``, the digest of the member's own ``bundle.json``), ``CARD.md``, ``ranks.safetensors`` for the rule ``rank``
(``tables``: float32 (n_members, n_rows, n_labels)), and ``members/NAME/``, each a bundle by itself. A member's manifest
holds the digests of its files, so the digests in the ensemble cover them all; a member is never an ensemble.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ossicle.artefacts.array_files.arrays import arrays_from_bytes, arrays_to_bytes
from ossicle.artefacts.filesystem.changes import copy_file, make_folder
from ossicle.bundle.reading import Reader
from ossicle.core.errors import ArtefactError, BundleError
from ossicle.core.scores.combination import MOST_MEMBERS, RANK, Combination

MEMBERS = "members"
RANKS = "ranks.safetensors"
_TABLES = "tables"


@dataclass(frozen=True, slots=True)
class MemberEntry:
    """A member's folder below ``members/`` and the digest of its manifest."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class EnsembleEntry:
    """The ``ensemble`` of a manifest."""

    combination: Combination
    members: tuple[MemberEntry, ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain values, the inverse of :func:`read_entry`."""
        return {
            "rule": self.combination.rule,
            "weights": list(self.combination.shares(len(self.members))),
            "exponent": self.combination.exponent,
            "members": [{"name": member.name, "sha256": member.sha256} for member in self.members],
        }


def read_entry(reader: Reader) -> EnsembleEntry:
    """Return the value of ``ensemble``, without checking that names are plain; raises BundleError naming the key."""
    reader.only({"rule", "weights", "exponent", "members"})
    listed = reader.value["members"]
    if not isinstance(listed, list) or not 1 <= len(listed) <= MOST_MEMBERS:
        raise reader.refuse("members", f"is not a list of 1 to {MOST_MEMBERS} members")
    members = []
    for index, member in enumerate(listed):
        if not isinstance(member, dict):
            raise reader.refuse(f"members[{index}]", "is not an object")
        member_reader = Reader(member, reader.source, f"{reader.prefix}members[{index}].")
        member_reader.only({"name", "sha256"})
        members.append(MemberEntry(member_reader.text("name", 100), member_reader.text("sha256", 64)))
    if len({member.name.lower() for member in members}) < len(members):
        raise reader.refuse("members", "contains a name twice (upper and lower case count as equal)")
    weights = reader.figures("weights", MOST_MEMBERS)
    if len(weights) != len(members):
        raise reader.refuse("weights", f"has the length {len(weights)}, but there are {len(members)} members")
    try:
        combination = Combination(rule=reader.text("rule", 100), weights=weights, exponent=reader.figure("exponent"))
    except ValueError as error:
        raise reader.refuse("rule", f"cannot be used: {error}") from error
    return EnsembleEntry(combination, tuple(members))


def copy_members(into: Path, members: Mapping[str, tuple[Path, Sequence[str]]]) -> None:
    """Copy bundles below ``into``: name to folder and the files to copy; unlisted files are not copied."""
    for name, (folder, files) in members.items():
        target = into / MEMBERS / name
        make_folder(target)
        for file in files:
            copy_file(folder / file, target / file)


def rank_bytes(tables: NDArray[np.float32]) -> bytes:
    """Return the content of ``ranks.safetensors`` for tables (n_members, n_rows, n_labels)."""
    return arrays_to_bytes({_TABLES: tables.astype(np.float32)}, {})


def read_ranks(data: bytes, source: Path, combination: Combination, n_labels: int) -> NDArray[np.float32] | None:
    """Return the tables for the rule ``rank``; raises BundleError if they do not fit members and labels."""
    if combination.rule != RANK:
        return None
    try:
        arrays, _ = arrays_from_bytes(data, str(source))
    except ArtefactError as error:
        raise BundleError(str(error)) from error
    tables = arrays.get(_TABLES)
    fits = tables is not None and tables.dtype == np.float32 and tables.ndim == 3
    if tables is None or not fits or tables.shape[::2] != (len(combination.weights), n_labels) or tables.shape[1] == 0:
        raise BundleError(
            f"{source}: does not contain {_TABLES} (float32) for {len(combination.weights)} members and {n_labels} "
            "labels"
        )
    if not np.isfinite(tables).all() or (np.diff(tables, axis=1) < 0).any():
        raise BundleError(f"{source}: its {_TABLES} are not ascending")
    rank_tables: NDArray[np.float32] = tables
    return rank_tables
