"""The clips of a training: all of them, or a stratified share."""

import numpy as np

from ossicle.core.columns.clip_columns import ROLES, ClipColumns
from ossicle.core.stratified import stratified_rows
from ossicle.training.settings import TrainingSettings


def subset_of(clips: ClipColumns, training: TrainingSettings) -> ClipColumns:
    """Return the share ``training.subset`` of the targets of each label, and of the clips of each other role.

    Parameters
    ----------
    clips
        The clips from which a training may learn; none of them is held out.
    training
        Share and seed. Each label and role keeps one clip at least.
    """
    if training.subset == 1:
        return clips
    target = clips.has_role("target")
    # Targets by their label, all others by their role.
    stratum = np.where(target, len(ROLES) + clips.label, clips.role)
    names = [*(f"role {role}" for role in ROLES), *(f"label {label}" for label in clips.labels)]
    return clips.take(stratified_rows(stratum, names, training.subset, training.subset_seed))
