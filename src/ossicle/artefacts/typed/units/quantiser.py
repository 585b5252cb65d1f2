"""The artefact of the step ``quantiser``: centres and description, and the table of a sweep over k."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from ossicle.artefacts.files import read_json, write_json
from ossicle.artefacts.typed.artefact import ArtefactFolder


@dataclass(frozen=True)
class QuantiserFolder(ArtefactFolder):
    """A quantiser, which ``ossicle.units.quantiser.Quantiser`` reads and writes, and how other numbers of units fit."""

    step: ClassVar[str] = "quantiser"

    @property
    def description_file(self) -> Path:
        """The description of the quantiser."""
        return self.path / "quantiser.json"

    @property
    def arrays_file(self) -> Path:
        """Its centres and normalisation."""
        return self.path / "quantiser.npz"

    @property
    def sweep_file(self) -> Path:
        """How well quantisers with other numbers of units fit; written last."""
        return self.path / "sweep.json"

    @property
    def checkpoint_file(self) -> Path:
        """How far an unfinished training is; a finished artefact has none."""
        return self.path / "checkpoint.safetensors"

    @cached_property
    def sweep(self) -> list[dict[str, Any]]:
        """One entry by number of units, in order: ``k``, ``inertia``, ``held_out_inertia``, ``dead``, ``chosen``."""
        content: list[dict[str, Any]] = read_json(self.sweep_file)
        return content

    def write_sweep(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write the entries of :attr:`sweep`."""
        write_json(self.sweep_file, [dict(row) for row in rows])
