"""What the steps that fit heads share: their loop over the models, their settings, and the run folder of a head."""

from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING

from ossicle.app.project.load import Project
from ossicle.app.steps.engine.step import LOCK_WAIT_S, Context
from ossicle.app.steps.train.environment_log import log_training_environment
from ossicle.artefacts.filesystem.changes import make_folder
from ossicle.artefacts.locks.lock import work_unit_lock
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.run_folder import RunFolder
from ossicle.core.settings import digestible

if TYPE_CHECKING:
    from ossicle.training.heads.fit import HeadFit
    from ossicle.training.tracking.tracked_run import TrackedRun

_TIMES_OF_NETWORKS = 4


def fit_missing_heads(context: Context, done: Callable[[str], bool], fit: Callable[[str], None]) -> None:
    """Fit the heads of the dataset's models that are not fitted yet, one after the other: each takes seconds.

    Parameters
    ----------
    context
        The inputs of a step that needs ``dataset``.
    done, fit
        By the name of a model: whether its head is fitted, and the fitting.
    """
    models = context.read(DatasetFolder).models
    if not all(map(done, models)):
        log_training_environment(context)
    for finished, name in enumerate(models, start=1):
        with work_unit_lock(context.folder, name, LOCK_WAIT_S):
            if not done(name):
                fit(name)
        context.progress.advance(finished, len(models), "heads")


def head_settings(project: Project) -> dict[str, object]:
    """Return the settings and versions that shape every head."""
    settings = project.settings
    return {
        "head": digestible(settings.head),
        "seed": settings.training.seed,
        "threads": settings.training.threads,
        "torch": version("torch"),
    }


def head_noise_share(project: Project) -> float:
    """Return how many crops of noise heads on clips are fitted to, as a share of the clips, in [0, 1].

    It is four times ``augment.noise_share``, the share in each batch of a network. A network gets new crops in dozens
    of epochs; a head is fitted to one set of crops in about ten.
    """
    return min(1.0, _TIMES_OF_NETWORKS * project.settings.augment.noise_share)


def write_head_run(run: RunFolder, head_fit: "HeadFit", labels: Sequence[str], tracked: "TrackedRun") -> None:
    """Write the curves of a head and show them in trackers, then write its weights, so that a folder with weights is
    complete.
    """
    # Torch is an optional extra, needed only for actual training.
    from ossicle.models.weights import save_weights
    from ossicle.training.tracking.trackers import track_again

    make_folder(run.path)
    run.keep_epochs(0)
    for line in head_fit.curve:
        run.log_epoch(line.to_json(labels))
    track_again(tracked, run)
    run.write_best()
    save_weights(head_fit.head, run.weights)
