"""Results that a finished run leaves beside the project file, by the names that its steps use too."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

METRICS = "metrics.json"
BUNDLE = "bundle"
PAGE = "report.html"
HEADS = "heads"
QUANTISER = "quantiser"
MOTIFS = "motifs.tsv"
VOCODER = "vocoder"
RESYNTHESIS = "resynthesis"
RESYNTHESIS_PAGE = "vocoder.html"

_OF_VOCODERS = ("*.json", "*.jsonl", "*.npz", "*.safetensors")
PUBLISHED_FILES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        BUNDLE: ("bundle*.json", "export*.json", "*.md", "*.onnx", "*.safetensors", "members/*"),
        "clip_results": (
            "answers.parquet",
            "confusion*.json",
            "confusion*.npy",
            "confusion*.svg",
            "misclassified*.csv",
        ),
        HEADS: ("*.json", "*.jsonl", "*.safetensors", "*/tensorboard/*", "*/wandb/*"),
        QUANTISER: (*_OF_VOCODERS, "logs/*"),
        VOCODER: _OF_VOCODERS,
        RESYNTHESIS: ("resynthesis*.json", RESYNTHESIS_PAGE, "*.original.wav", "*.resynthesis.wav", "*.baseline.wav"),
    }
)
"""Patterns of the files in a published folder, by its name, at any depth. Anything else is the user's."""


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
