"""Record the environment of a training in its run log."""

from ossicle.app.steps.engine.step import Context
from ossicle.artefacts.logs.environment import log_environment

_STEP = "training"


def log_training_environment(context: Context) -> None:
    """Write Python, packages, processor and devices to the run log of a training; it is in no digest."""
    # Torch is an optional extra, needed only for actual training.
    from ossicle.training.tracking.device_facts import device_facts

    log_environment(context.log, _STEP, device_facts())
