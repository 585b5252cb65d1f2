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
ENSEMBLE = "ensemble.json"

PUBLISHED_FILES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "clip_results": (
            "answers.parquet",
            "confusion.json",
            "confusion.npy",
            "confusion.svg",
            "misclassified.csv",
            "misclassified_pairs.csv",
        ),
        HEADS: (
            "*/best_metrics.json",
            "*/blocks.safetensors",
            "*/class_models.safetensors",
            "*/fit.json",
            "*/last.ckpt",
            # The name of class_models.safetensors before.
            "*/level.safetensors",
            "*/metrics.jsonl",
            "*/noise_likeness.json",
            "*/selection.json",
            "*/tensorboard/**/events.out.tfevents.*",
            "*/tracking.json",
            # Runs of Weights & Biases, and what it leaves beside them.
            "*/wandb/*run-*/**",
            "*/wandb/debug*.log",
            "*/wandb/wandb-resume.json",
            "*/weights.safetensors",
        ),
        QUANTISER: ("checkpoint.safetensors", "quantiser.json", "quantiser.npz", "sweep.json"),
        VOCODER: (
            "epochs.jsonl",
            "quantiser.json",
            "quantiser.npz",
            "training.json",
            "vocoder.json",
            "vocoder.safetensors",
        ),
        RESYNTHESIS: (
            "resynthesis.json",
            RESYNTHESIS_PAGE,
            "**/*.original.wav",
            "**/*.resynthesis.wav",
            "**/*.baseline.wav",
        ),
    }
)
"""The files in a published folder, by its name, as patterns of ``artefacts.filesystem.replacing``; anything else is the
user's. Those of a bundle are in its manifest.
"""


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
        return self.path / ENSEMBLE
