"""The work units of a step that trains models: one for each model of the dataset, held-out ones and the final one."""

from collections.abc import Callable
from pathlib import Path

from ossicle.app.steps.engine.step import Context, WorkUnits
from ossicle.app.steps.train.environment_log import log_training_environment
from ossicle.artefacts.typed.dataset import DatasetFolder


def model_units(run: Callable[[Context, str], None], done: Callable[[Path, str], bool]) -> WorkUnits:
    """Return the work units of a step that needs ``dataset`` and trains its models.

    Parameters
    ----------
    run
        Trains one model in the step's unfinished folder.
    done
        Returns whether a model is trained in such a folder.
    """

    def recorded(context: Context, name: str) -> None:
        log_training_environment(context)
        run(context, name)

    return WorkUnits(
        named_by=(DatasetFolder.step,),
        names=lambda inputs: tuple(DatasetFolder.among(inputs).models),
        run=recorded,
        done=done,
        parallel=lambda project: project.settings.training.parallel,
    )
