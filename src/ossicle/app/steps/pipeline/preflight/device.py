"""On which device a training will run, and with which driver; and where the figures of its epochs go."""

import importlib.util

from ossicle.app.project.load import Project
from ossicle.app.project.tables.placement import LOCAL
from ossicle.app.steps.engine.step import Step
from ossicle.app.steps.pipeline.preflight.finding import Finding
from ossicle.app.steps.pipeline.preflight.wandb_login import wandb_login
from ossicle.app.steps.train import training
from ossicle.artefacts.logs.environment import gpu_driver
from ossicle.core.errors import UsageError
from ossicle.training.tracking.settings import OFFLINE, WANDB


def device_finding(project: Project, step: Step = training.STEP) -> Finding:
    """Check the device of the training: the GPUs by name and their driver, or why none is used.

    Parameters
    ----------
    project
        The project.
    step
        The step that trains.
    """
    wanted_device = project.settings.training.device
    if (target := project.settings.jobs.placed(step.name).on) != LOCAL:
        message = f"training runs on {target.capitalize()}; the job checks there whether {wanted_device!r} is available"
        return Finding("device", True, message)
    if importlib.util.find_spec("torch") is None:
        return Finding("device", False, "torch is not installed; pip install 'ossicle[train]'")
    from ossicle.models.devices import devices
    from ossicle.training.tracking.device_facts import device_facts

    try:
        message = f"training runs on: {', '.join(devices(wanted_device))}"
    except UsageError as error:
        return Finding("device", False, str(error))
    driver, gpus = gpu_driver(), device_facts()["gpus"]
    if gpus:
        return Finding("device", True, f"{message}; GPUs: {', '.join(gpus)}; driver: {driver or 'unknown'}")
    if driver:
        message += f"; a GPU driver is installed ({driver}), but torch sees no GPU: install a build of torch with CUDA"
        return Finding("device", True, message, warns=True)
    return Finding("device", True, f"{message}; no GPU driver")


def tracking_finding(project: Project) -> Finding:
    """Check where the figures of each epoch go, and whether what sends them is installed."""
    settings = project.settings.tracking
    if WANDB in settings.to and importlib.util.find_spec("wandb") is None:
        return Finding(
            "tracking", False, "[tracking] to names wandb, which is not installed; pip install 'ossicle[wandb]'"
        )
    if not settings.to:
        return Finding("tracking", True, "metrics.jsonl of each training alone")
    message = f"metrics.jsonl of each training, and {', '.join(settings.to)}"
    if WANDB in settings.to:
        offline = settings.mode == OFFLINE
        if not offline and not wandb_login():
            message += (
                "; sent during training, but nobody is logged in: run `wandb login`, or set tracking.mode = offline"
            )
            return Finding("tracking", False, message)
        message += "; offline, nothing is sent before `ossicle track sync`" if offline else "; sent during training"
    return Finding("tracking", True, message)
