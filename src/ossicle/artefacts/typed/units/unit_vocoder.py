"""The artefact of the step ``vocoder``: its training, and the folder that makes sound of units elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from ossicle.artefacts.files import read_json, whole_folder, write_json
from ossicle.artefacts.filesystem.changes import copy_file
from ossicle.artefacts.typed.artefact import ArtefactFolder
from ossicle.artefacts.typed.results.published import VOCODER
from ossicle.artefacts.typed.units.quantiser import QuantiserFolder
from ossicle.artefacts.typed.units.vocoder import VocoderFolder


@dataclass(frozen=True)
class UnitVocoderFolder(ArtefactFolder):
    """``training`` with the checkpoints, and ``vocoder``, which a run publishes: the best epoch with its quantiser."""

    step: ClassVar[str] = VocoderFolder.step

    @property
    def training(self) -> VocoderFolder:
        """The training."""
        return VocoderFolder(self.path / "training")

    @property
    def vocoder(self) -> Path:
        """The folder of the vocoder, complete or absent."""
        return self.path / VOCODER

    @property
    def about_file(self) -> Path:
        """How it was trained, and the groups that train, choose and are judged."""
        return self.vocoder / "training.json"

    @property
    def done(self) -> bool:
        """Whether the vocoder is trained."""
        return self.about_file.exists()

    @cached_property
    def about(self) -> dict[str, Any]:
        """The content of :attr:`about_file`."""
        content: dict[str, Any] = read_json(self.about_file)
        return content

    def gather(self, quantiser: QuantiserFolder, about: Mapping[str, Any]) -> None:
        """Copy the best epoch, the log and the quantiser to :attr:`vocoder`, with how they came to be."""
        vocoder_folder = self.training
        with whole_folder(self.vocoder, replace=True) as part:
            files = (vocoder_folder.weights_file, vocoder_folder.description_file, vocoder_folder.log_file)
            for file in (*files, quantiser.description_file, quantiser.arrays_file):
                copy_file(file, part / file.name)
            write_json(part / self.about_file.name, dict(about))
