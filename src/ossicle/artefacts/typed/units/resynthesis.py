"""The artefact of the step ``resynthesis``: figures of a vocoder, pairs of sounds, and a page to listen to."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from ossicle.artefacts.files import FileWriting, whole_file, write_json
from ossicle.artefacts.typed.judged import MetricsFolder
from ossicle.artefacts.typed.results.published import RESYNTHESIS, RESYNTHESIS_PAGE

PAIR_ENDINGS = (".original.wav", ".resynthesis.wav", ".baseline.wav")
"""The endings of the sounds of a pair."""


@dataclass(frozen=True)
class PairFiles:
    """A folder with pairs of WAV files and their figures.

    Attributes
    ----------
    path
        The folder.
    """

    path: Path

    @property
    def figures_file(self) -> Path:
        """Figures of all pairs together and of each; written last."""
        return self.path / "resynthesis.json"

    @property
    def page(self) -> Path:
        """A page to listen to, where the folder has one of its own."""
        return self.path / RESYNTHESIS_PAGE

    def sound_file(self, sound_place: str, kind: str) -> Path:
        """Return the WAV file of a segment: ``kind`` is ``original``, ``resynthesis`` or ``baseline``."""
        return self.path / f"{sound_place}.{kind}.wav"

    def write_figures(self, figures: Mapping[str, Any], writing: FileWriting = whole_file) -> None:
        """Write the figures; ``writing`` gives the file a name to write to."""
        with writing(self.figures_file) as part:
            write_json(part, dict(figures))


@dataclass(frozen=True)
class ResynthesisFolder(MetricsFolder):
    """``metrics.json`` with the figures of units and vocoder, written last, the pairs, and the page."""

    step: ClassVar[str] = "resynthesis"

    @property
    def pairs(self) -> PairFiles:
        """The pairs of sounds, which a run publishes."""
        return PairFiles(self.path / RESYNTHESIS)

    @property
    def page(self) -> Path:
        """The page to listen to."""
        return self.path / RESYNTHESIS_PAGE
