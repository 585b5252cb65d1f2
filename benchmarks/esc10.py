"""ESC-10 and its published protocol: 400 clips of 10 classes, five folds, a table of accuracies by fold.

Piczak, "ESC: Dataset for Environmental Sound Classification", ACM Multimedia 2015. A file is
``<class>/<fold>-<Freesound id>-<take>.ogg``; the clips of one Freesound recording never lie in two folds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev

from machine import table

FOLDS = (1, 2, 3, 4, 5)
PUBLISHED = {
    "random forest": (57.5, 77.5, 77.5, 77.5, 73.7),
    "linear SVM": (57.5, 78.7, 65.0, 73.7, 62.5),
    "k-NN": (58.7, 72.5, 67.5, 72.5, 62.5),
}
"""Accuracies by fold that Piczak published for his features."""
HUMAN = 95.7


@dataclass(frozen=True, slots=True)
class Esc10Clip:
    """One clip: ``source`` is its Freesound id."""

    path: Path
    label: str
    fold: int
    source: str


def esc10_clips(folder: Path) -> list[Esc10Clip]:
    """The clips below ``folder``, by class and name; raises ValueError where folds are missing or share a source."""
    clips = []
    for path in sorted(folder.glob("*/*.ogg")):
        fold, source, _ = path.stem.split("-", 2)
        clips.append(Esc10Clip(path, path.parent.name, int(fold), source))
    missing = set(FOLDS) - {clip.fold for clip in clips}
    if missing:
        raise ValueError(f"{folder} has no clips of folds {sorted(missing)}: is this ESC-10?")
    folds: dict[str, set[int]] = {}
    for clip in clips:
        folds.setdefault(clip.source, set()).add(clip.fold)
    torn = sorted(source for source, of in folds.items() if len(of) > 1)
    if torn:
        raise ValueError(f"{folder}: clips of the recordings {', '.join(torn)} lie in several folds")
    return clips


def accuracy_table(
    runs: Mapping[str, Mapping[int, Sequence[float]]], published: Mapping[str, Sequence[float]] = PUBLISHED
) -> str:
    """Accuracies in percent, one row a method.

    ``runs[method][seed]`` are the accuracies of folds 1 to 5. A cell is the mean over seeds; the last columns are the
    mean over folds of that, and the standard deviation over seeds of their means over folds.
    """
    rows = []
    for method, of in runs.items():
        for seed, accuracies in of.items():
            if len(accuracies) != len(FOLDS):
                raise ValueError(f"{method}, seed {seed}: {len(accuracies)} accuracies, not one for each fold")
        by_fold = [mean(of[seed][k] for seed in of) for k in range(len(FOLDS))]
        by_seed = [mean(of[seed]) for seed in of]
        spread = f"{stdev(by_seed):.2f}" if len(by_seed) > 1 else "–"
        rows.append([method, str(len(of)), *(f"{value:.1f}" for value in by_fold), f"**{mean(by_seed):.2f}**", spread])
    for method, accuracies in published.items():
        cells = [f"{value:.1f}" for value in accuracies]
        rows.append([f"{method}, published", "1", *cells, f"{mean(accuracies):.2f}", "–"])
    head = ["method", "seeds", *(f"fold {k}" for k in FOLDS), "mean", "sd over seeds"]
    return table(head, rows)
