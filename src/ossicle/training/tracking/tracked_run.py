"""What trackers call a training: its name, group, tags and settings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ossicle.training.tracking.settings import OFFLINE, TENSORBOARD, TrackingSettings


@dataclass(frozen=True, slots=True)
class TrackedRun:
    """One training as trackers show it.

    Attributes
    ----------
    to
        Names of trackers (:mod:`ossicle.training.tracking.trackers`).
    project
        Project at Weights & Biases.
    group
        Name that all trainings of a run share.
    name
        Name of this training.
    tags
        Tags.
    mode
        Whether Weights & Biases writes files only (``offline``) or also sends them (``online``).
    settings
        Settings of the training by table, plain values without paths.
    """

    to: tuple[str, ...] = (TENSORBOARD,)
    project: str = ""
    group: str = ""
    name: str = ""
    tags: tuple[str, ...] = ()
    mode: str = OFFLINE
    settings: Mapping[str, Any] = field(default_factory=dict)


def tracked_run(
    tracking: TrackingSettings, project: str, variant: str, model: str, settings: Mapping[str, Any]
) -> TrackedRun:
    """Return how trackers show the training of one model.

    Parameters
    ----------
    tracking
        ``[tracking]``; what is empty there follows from the other names.
    project, variant
        Names of the project and of its variant; the variant may be empty.
    model
        Name of the model, for example ``fold0``.
    settings
        Settings of the training by table.

    Examples
    --------
    >>> run = tracked_run(TrackingSettings(), "machines", "long", "fold0", {})
    >>> run.project, run.group, run.name
    ('machines', 'machines-long', 'machines-long-fold0')
    """
    group = tracking.group or "-".join(filter(None, (project, variant)))
    return TrackedRun(
        to=tracking.to,
        project=tracking.project or project,
        group=group,
        name=f"{tracking.name or group}-{model}",
        tags=tracking.tags,
        mode=tracking.mode,
        settings=settings,
    )
