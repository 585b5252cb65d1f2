"""The trainings of a project and its variants as trackers know them, and the upload of their figures."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from ossicle.app.project.load import Project
from ossicle.app.steps.engine.step import Progress, find_steps
from ossicle.app.steps.pipeline.pipelines import pipeline_of
from ossicle.app.steps.train.tracked_training import tracked_training
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.run_folder import RunFolder
from ossicle.core.errors import UsageError
from ossicle.training.tracking.settings import OFFLINE, WANDB

if TYPE_CHECKING:
    from ossicle.training.tracking.tracked_run import TrackedRun

_NAMES = ("project", "group", "name", "tags")


@dataclass(frozen=True, slots=True)
class Training:
    """One finished training.

    Attributes
    ----------
    model
        The name of the model.
    variant
        The variant; empty for the project itself.
    folder
        Its run folder.
    run
        What trackers call it under the present settings.
    """

    model: str
    variant: str
    folder: RunFolder
    run: "TrackedRun"

    @property
    def names(self) -> dict[str, Any]:
        """Project, group, name and tags under the present settings."""
        return {"project": self.run.project, "group": self.run.group, "name": self.run.name, "tags": [*self.run.tags]}

    @property
    def written(self) -> bool:
        """Whether complete files of Weights & Biases with these names are there."""
        record = self.folder.tracking
        named = {key: record.get(key) for key in _NAMES} == self.names
        has_files = any(self.folder.tracker(WANDB).glob("*run-*/run-*.wandb"))
        return has_files and named and WANDB not in record.get("problems", {})

    @property
    def state(self) -> str:
        """Where its figures are: ``uploaded``, ``online`` (sent during the training), ``offline`` or ``log``."""
        if not self.written:
            return "log"
        if self.folder.tracking.get("uploaded"):
            return "uploaded"
        return "offline" if any(self.folder.tracker(WANDB).glob("offline-run-*")) else "online"


def trainings(projects: Sequence[Project]) -> Iterator[Training]:
    """Yield the finished trainings of projects, those that variants share once."""
    seen_folders = set()
    for project in projects:
        pipeline = pipeline_of(project)
        steps = find_steps(pipeline.steps_of(project), project)
        artefacts = {name: path for name, path in steps.items() if path is not None}
        for model, folder in pipeline.run_folders(artefacts).items():
            if folder.path in seen_folders or not folder.epochs():
                continue
            seen_folders.add(folder.path)
            labels = DatasetFolder.among(artefacts).labels
            yield Training(model, project.variant, folder, tracked_training(project, model, labels))


def upload_all(all_trainings: Sequence[Training], progress: Progress) -> list[Training]:
    """Upload the trainings that are not uploaded yet, and return them.

    Raises
    ------
    UsageError
        wandb is not installed.
    OssicleError
        The server cannot be reached, or refused a training; those before it are uploaded and noted.
    """
    # Torch is an optional extra, needed only to write files again.
    from ossicle.training.tracking.trackers import track_again
    from ossicle.training.tracking.upload import require_server, upload

    waiting = [training for training in all_trainings if training.state not in ("uploaded", "online")]
    if not waiting:
        return []
    if find_spec(WANDB) is None:
        raise UsageError("uploading needs wandb, which is not installed; pip install 'ossicle[wandb]'")
    require_server()
    progress.begin("upload")
    for done, training in enumerate(waiting):
        progress.advance(done, len(waiting), training.run.name)
        if not training.written:
            track_again(replace(training.run, to=(WANDB,), mode=OFFLINE), training.folder)
        upload(training.folder.tracker(WANDB))
        training.folder.write_tracking({**training.folder.tracking, "uploaded": True})
    return waiting
