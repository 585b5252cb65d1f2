"""The files of a dataset: its labels, its models, and what is unknown about its recordings."""

from pathlib import Path

from ossicle.artefacts.files import read_json
from ossicle.artefacts.tables import read_table

FINAL = "final"
KNOWN, UNKNOWN = "known.parquet", "unknown.parquet"


def models_of(dataset: Path) -> dict[str, tuple[int, ...]]:
    """Return the folds that each model of a dataset holds out, by its run folder; :data:`FINAL` trains on all folds."""
    held_out = {name: tuple(folds) for name, folds in read_json(dataset / "split.json")["models"].items()}
    return {**held_out, FINAL: ()}


def model_names(dataset: Path) -> dict[int, str]:
    """Return the run folder of the model that held out each fold."""
    return {fold: name for name, folds in models_of(dataset).items() for fold in folds}


def labels_of(dataset: Path) -> tuple[str, ...]:
    """Return the labels of a dataset, sorted."""
    return tuple(sorted(set(read_table(dataset / "annotations.parquet")["label"].to_list())))
