"""The artefacts of the steps that make the bundle, the report, and candidates for a review."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from ossicle.artefacts.typed.artefact import ArtefactFolder
from ossicle.artefacts.typed.results.published import BUNDLE, PAGE


@dataclass(frozen=True)
class BundleFolder(ArtefactFolder):
    """The artefact of the step ``bundle``; ``ossicle.bundle`` names the files in the bundle itself."""

    step: ClassVar[str] = "bundle"

    @property
    def bundle(self) -> Path:
        """The folder of the bundle."""
        return self.path / BUNDLE


@dataclass(frozen=True)
class ReportFolder(ArtefactFolder):
    """The artefact of the step ``report``."""

    step: ClassVar[str] = "report"

    @property
    def page(self) -> Path:
        """The page."""
        return self.path / PAGE
