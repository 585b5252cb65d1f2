"""Results that a finished run leaves beside the project file, by the names that its steps use too."""

from dataclasses import dataclass
from pathlib import Path

METRICS = "metrics.json"
BUNDLE = "bundle"
PAGE = "report.html"
HEADS = "heads"
QUANTISER = "quantiser"
MOTIFS = "motifs.tsv"
VOCODER = "vocoder"
RESYNTHESIS = "resynthesis"
RESYNTHESIS_PAGE = "vocoder.html"


@dataclass(frozen=True)
class PublishedResults:
    """The results of a run in a folder: that of the project, or of one of its variants."""

    path: Path

    @property
    def metrics(self) -> Path:
        """All figures."""
        return self.path / METRICS

    @property
    def bundle(self) -> Path:
        """The folder of the model."""
        return self.path / BUNDLE

    @property
    def report(self) -> Path:
        """The page."""
        return self.path / PAGE


@dataclass(frozen=True)
class EnsembleResults(PublishedResults):
    """The results of ``ossicle ensemble``: no page, but the results of members and rules."""

    @property
    def summary(self) -> Path:
        """Members, rule, weights, and the board."""
        return self.path / "ensemble.json"
