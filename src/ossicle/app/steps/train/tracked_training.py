"""What trackers call the trainings of a project, and which of its settings they show."""

from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from ossicle.app.project.load import Project
from ossicle.core.errors import UsageError
from ossicle.core.settings import digestible
from ossicle.models.model_kinds import EMBEDDINGS
from ossicle.training.tracking.settings import WANDB

if TYPE_CHECKING:
    from ossicle.training.tracking.tracked_run import TrackedRun

_OF_NETWORKS = ("frontend", "chunks", "model", "augment", "training")
_OF_HEADS = ("features", "head")


def tracked_training(project: Project, model: str, labels: Sequence[str], heads: bool = False) -> "TrackedRun":
    """Return how trackers show the training of one model.

    Parameters
    ----------
    project
        The project.
    model
        Name of the model.
    labels
        Names of the labels.
    heads
        Whether the model is a head on an encoder.

    Raises
    ------
    UsageError
        A tracker is not installed.
    """
    from ossicle.training.tracking.tracked_run import tracked_run

    require_trackers(project)
    settings = project.settings
    heads = heads or settings.kind.reads == EMBEDDINGS
    shown: dict[str, Any] = {
        name: digestible(getattr(settings, name)) for name in (_OF_HEADS if heads else _OF_NETWORKS)
    }
    shown["labels"] = list(labels)
    if heads:
        shown |= {"encoder": settings.encoder.name, "seed": settings.training.seed}
    return tracked_run(settings.tracking, settings.project.name, project.variant, model, shown)


def missing_tracker(project: Project) -> str:
    """Return what is missing for ``[tracking] to``, and what to do; empty if nothing is."""
    if WANDB not in project.settings.tracking.to or find_spec(WANDB) is not None:
        return ""
    return (
        f"{project.origin('tracking', 'to')}: [tracking] to contains {WANDB!r}, which is not installed; "
        "pip install 'ossicle[wandb]', or remove it"
    )


def require_trackers(project: Project) -> None:
    """Raise UsageError if a tracker is not installed."""
    if problem := missing_tracker(project):
        raise UsageError(problem)
