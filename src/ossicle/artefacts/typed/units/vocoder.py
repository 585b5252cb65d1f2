"""The artefact of the step ``vocoder``: a unit vocoder, and the state of its training while it is not done."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from ossicle.artefacts.files import read_json, write_json, write_text
from ossicle.artefacts.filesystem.changes import open_to_append, remove_file, write_all
from ossicle.artefacts.filesystem.reading import MOST_ARTEFACT_BYTES, read_if_there
from ossicle.artefacts.typed.artefact import ArtefactFolder


@dataclass(frozen=True)
class VocoderFolder(ArtefactFolder):
    """A vocoder, which ``ossicle.models.vocoder.vocoder.Vocoder`` reads and writes, and what its training leaves."""

    step: ClassVar[str] = "vocoder"

    @property
    def description_file(self) -> Path:
        """What the vocoder reads and gives, and how it was trained; written last."""
        return self.path / "vocoder.json"

    @property
    def weights_file(self) -> Path:
        """Its weights."""
        return self.path / "vocoder.safetensors"

    @property
    def state_file(self) -> Path:
        """The whole state after the step that was saved last; a finished artefact has none."""
        return self.path / "state.safetensors"

    @property
    def best_file(self) -> Path:
        """The weights of the best epoch so far; a finished artefact has none."""
        return self.path / "best.safetensors"

    @property
    def log_file(self) -> Path:
        """One JSON line of figures per epoch."""
        return self.path / "epochs.jsonl"

    @property
    def start(self) -> "VocoderFolder":
        """The vocoder before its first epoch, to compare with."""
        return VocoderFolder(self.path / "start")

    @property
    def final(self) -> "VocoderFolder":
        """The vocoder after the last epoch, which need not be the best."""
        return VocoderFolder(self.path / "final")

    @property
    def kept(self) -> Path:
        """Folder of the vocoders of every N-th epoch."""
        return self.path / "epochs"

    def epoch(self, number: int) -> "VocoderFolder":
        """Return the folder of a kept epoch."""
        return VocoderFolder(self.kept / f"{number:04d}")

    @property
    def description(self) -> dict[str, Any]:
        """The content of :attr:`description_file`."""
        content: dict[str, Any] = read_json(self.description_file)
        return content

    def write_description(self, description: Mapping[str, Any]) -> None:
        """Write the description."""
        write_json(self.description_file, dict(description))

    def kept_epochs(self) -> list[int]:
        """Return the numbers of the kept epochs, sorted."""
        if not self.kept.is_dir():
            return []
        return sorted(int(path.name) for path in self.kept.iterdir() if path.name.isdigit())

    def epochs(self) -> list[dict[str, Any]]:
        """Return the figures of each epoch; the incomplete line of a killed run is left out."""
        lines: list[dict[str, Any]] = []
        for line in read_if_there(self.log_file, MOST_ARTEFACT_BYTES).decode(errors="replace").splitlines():
            try:
                lines.append(json.loads(line))
            except json.JSONDecodeError:
                break
        return lines

    def write_epochs(self, epochs: Sequence[Mapping[str, Any]]) -> None:
        """Write the figures of all epochs so far."""
        write_text(self.log_file, "".join(_line(epoch) for epoch in epochs))

    def log_epoch(self, figures: Mapping[str, Any]) -> None:
        """Append the figures of one epoch."""
        with open_to_append(self.log_file) as file:
            write_all(file, _line(figures).encode())

    def forget_state(self) -> None:
        """Remove what only an unfinished training needs."""
        remove_file(self.state_file)
        remove_file(self.best_file)


def _line(figures: Mapping[str, Any]) -> str:
    return json.dumps(dict(figures), sort_keys=True) + "\n"
