"""A pipeline whose trainings write weights without training."""

from collections.abc import Sequence
from dataclasses import replace

from ossicle.app.steps.engine.step import Context, Step
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.run_folder import RunFolder
from ossicle.models.networks.registry import build_network
from ossicle.models.weights import save_weights

from ....made_up.untrained import chain_without_training


def one_untrained(context: Context, name: str) -> None:
    import torch

    settings, labels = context.project.settings, context.read(DatasetFolder).labels
    torch.manual_seed(0)
    with (context.project.folder / "trained").open("a") as file:
        file.write(f"{name}\n")
    save_weights(
        build_network(settings.model, settings.frontend, settings.plan, len(labels)),
        RunFolder(context.folder / name).weights,
    )


def steps() -> Sequence[Step]:
    done = chain_without_training()
    return tuple(
        replace(step, work_units=replace(step.work_units, run=one_untrained))
        if step.name == "training" and step.work_units
        else step
        for step in done
    )
