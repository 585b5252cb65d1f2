"""How many trainings a project is, and about how long they take: said before the first of them."""

import importlib.util
import math
import os

from ossicle.app.project.load import Project
from ossicle.app.project.tables.placement import LOCAL
from ossicle.app.steps.train import training
from ossicle.core.errors import UsageError
from ossicle.models.model_kinds import EMBEDDINGS

# Trainings side by side share caches and memory, and validation and saving come on top of the steps.
_OVERHEAD = 1.2


def trainings_in_words(project: Project, n_held_out: int, n_labels: int, n_clips: int) -> str:
    """Return the number of trainings and of their epochs, and an estimate of the time for all of them.

    Parameters
    ----------
    project
        The project.
    n_held_out
        Number of models that hold something out; the final model is trained besides.
    n_labels
        Number of labels.
    n_clips
        Number of training clips, about: for epochs of one pass through the clips.
    """
    if project.settings.kind.reads == EMBEDDINGS:
        return f"{n_held_out + 1} heads ({n_held_out} that hold out a fold, and the final one), each in seconds"
    settings = project.settings.training
    steps = settings.steps_per_epoch or max(1, math.ceil(settings.subset * n_clips / settings.step_crops))
    n = n_held_out + 1
    text = f"{n} trainings ({n_held_out} that hold out a fold, and the final one)"
    if (n_networks := project.settings.model.networks) > 1:
        text += f", each of {n_networks} networks that are averaged,"
    text += f" of {settings.epochs} epochs"
    text += f" of {'' if settings.steps_per_epoch else 'about '}{steps} steps"
    if settings.init_from:
        text += f" from the weights of {settings.init_from!r}"
    return f"{text}; {_time(project, n * settings.epochs * steps, n_labels)}"


def _time(project: Project, n_steps: int, n_labels: int) -> str:
    if (target := project.settings.jobs.placed(training.STEP.name).on) != LOCAL:
        return f"they run on {target.capitalize()}, one task each; the time there is not estimated"
    if importlib.util.find_spec("torch") is None:
        return "the time is not estimated, because torch is not installed"
    # Imported here: torch loads slowly, and not every installation has it.
    from ossicle.models.devices import devices, is_out_of_memory
    from ossicle.training.optimisation.step_time import step_seconds

    settings = project.settings
    try:
        places = devices(settings.training.device)
    except UsageError as problem:
        return f"the time is not estimated: {problem}"
    try:
        one_s = step_seconds(
            settings.model,
            settings.plan,
            settings.frontend,
            settings.training,
            settings.augment,
            max(n_labels, 1),
            places[0],
        )
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        return (
            "the time is not estimated, because one training step does not fit in memory; make [chunks] core_s, "
            "[frontend] n_fft or n_mels, [model] or [training] batch_size smaller"
        )
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    at_a_time = len(places)
    if places[0] == "cpu":
        at_a_time = max(1, min(settings.training.parallel, cores // settings.training.threads))
    where = f"on {places[0] if at_a_time == len(places) == 1 else f'{at_a_time} of {cores} cores'}"
    if places[0].startswith("cuda"):
        where = f"on {', '.join(places)}"
    return f"about {about(_OVERHEAD * n_steps * one_s / at_a_time)} {where}, at {one_s:.2g} s a step"


def about(seconds: float) -> str:
    """Return a time in words, to one or two digits.

    >>> about(40), about(1000), about(30_000), about(2_000_000)
    ('1 min', '17 min', '8.3 h', '23 days')
    """
    for length, unit, limit in ((60.0, "min", 90), (3600.0, "h", 48), (86400.0, "days", math.inf)):
        if seconds < limit * length:
            count = seconds / length
            return f"{max(count, 1):.0f} {unit}" if unit == "min" or count >= 10 else f"{count:.2g} {unit}"
    raise ValueError(f"{seconds} is not a time in seconds")
