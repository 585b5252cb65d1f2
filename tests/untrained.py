"""The chain of steps with networks that nobody trained: for tests of everything around the training."""

from dataclasses import replace

import torch

from ossicle.app.steps import chain, training
from ossicle.app.steps.step import Context, Step
from ossicle.artefacts.files import write_json
from ossicle.artefacts.tables import read_table
from ossicle.models.registry import build_network
from ossicle.models.weights import save_weights
from ossicle.training.runfolder import RunFolder


def untrained(context: Context) -> None:
    """What the step ``training`` leaves, without the training."""
    folds = sorted(set(read_table(context.inputs["dataset"] / "folds.parquet")["fold"].to_list()))
    labels, settings = training.labels_of(context.inputs["dataset"]), context.project.settings
    for name in [*map(training.fold_name, folds), training.FINAL]:
        torch.manual_seed(0)
        folder = RunFolder(context.out / name)
        save_weights(build_network(settings.model, settings.frontend.n_mels, len(labels)), folder.weights)
    write_json(context.out / "training.json", {"labels": list(labels), "folds": folds})


def chain_without_training() -> tuple[Step, ...]:
    """The steps of a project, the training replaced."""
    return tuple(replace(step, run=untrained) if step.name == "training" else step for step in chain.CHAIN)
