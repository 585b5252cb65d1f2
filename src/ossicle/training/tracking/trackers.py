"""The trackers of one training: rewritten from its log when it begins or resumes, then told each epoch.

No tracker can stop a training of hours: what goes wrong is noted in ``tracking.json``, and `ossicle track sync` writes
the files of Weights & Biases again from the log.
"""

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

from ossicle.artefacts.filesystem.changes import remove_folder
from ossicle.artefacts.typed.run_folder import RunFolder
from ossicle.training.tracking.settings import TENSORBOARD, WANDB
from ossicle.training.tracking.tensorboard_tracker import TensorBoardTracker
from ossicle.training.tracking.tracked_run import TrackedRun
from ossicle.training.tracking.tracker import Tracker, confusion_table, scalars
from ossicle.training.tracking.wandb_tracker import WandbTracker

TABLE: Mapping[str, Callable[[], Tracker]] = MappingProxyType({TENSORBOARD: TensorBoardTracker, WANDB: WandbTracker})
"""Trackers by the names that ``[tracking] to`` knows."""


class Trackers:
    """Tells trackers about a training.

    Parameters
    ----------
    run
        What they call the training, and which of them are wanted.
    folder
        The run folder. Each tracker has a folder of its own in it, which is emptied first.
    """

    def __init__(self, run: TrackedRun, folder: RunFolder) -> None:
        self._run, self._folder = run, folder
        self._active: dict[str, Tracker] = {}

    def start(self) -> None:
        """Begin, with all epochs that the log of the run folder holds."""
        tracking = self._folder.tracking
        run_id = tracking.get("id") or secrets.token_hex(4)
        shown = {"project": self._run.project, "group": self._run.group, "name": self._run.name}
        if not self._run.to:
            return
        for name in self._run.to:
            remove_folder(self._folder.tracker(name))
        self._folder.write_tracking({**shown, "id": run_id, "tags": list(self._run.tags)})
        self._active = {name: TABLE[name]() for name in self._run.to}
        for name in self._run.to:
            folder = self._folder.tracker(name)
            self._call_tracker(lambda tracker, folder=folder: tracker.start(self._run, folder, run_id), name)  # type: ignore[misc]
        for line in self._folder.epochs():
            self.epoch(line)

    def epoch(self, line: Mapping[str, Any]) -> None:
        """Show one epoch, a line of ``metrics.jsonl``."""
        epoch, table = int(line["epoch"]), confusion_table(line)
        for name in tuple(self._active):
            self._call_tracker(lambda tracker: tracker.log(epoch, scalars(line)), name)
            if table is not None:
                self._call_tracker(lambda tracker, table=table: tracker.log_confusion(epoch, table), name)  # type: ignore[misc]

    @contextmanager
    def following(self) -> Iterator[None]:
        """Follow the training in the block, from its first epoch to its end or interruption."""
        self.start()
        try:
            yield
        finally:
            self.finish()

    def finish(self) -> None:
        """End the training."""
        for name in tuple(self._active):
            self._call_tracker(lambda tracker: tracker.finish(), name)
        self._active = {}

    def _call_tracker(self, act: Callable[[Tracker], None], name: str) -> None:
        if name not in self._active:
            return
        try:
            act(self._active[name])
        except Exception as problem:  # noqa: BLE001 - tracking is no part of the result, and must not end a training
            del self._active[name]
            tracking = self._folder.tracking
            line = f"{type(problem).__name__}: {problem}".splitlines()[0]
            self._folder.write_tracking({**tracking, "problems": {**tracking.get("problems", {}), name: line}})


def track_again(run: TrackedRun, folder: RunFolder) -> None:
    """Write the files of the trackers of a training from its log alone."""
    trackers = Trackers(run, folder)
    trackers.start()
    trackers.finish()
