"""One training as a value that can be sent to a process: what it reads, what it trains and how, and where."""

from dataclasses import dataclass
from pathlib import Path

from ossicle.artefacts.roots import Roots
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.run_folder import RunFolder
from ossicle.artefacts.typed.shards.logmel import LogMelFolder
from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.core.model_input.frontend import FrontEndSettings
from ossicle.models.settings import AugmentSettings, ModelSettings
from ossicle.training.batches.pseudo import PseudoSource
from ossicle.training.settings import TrainingSettings
from ossicle.training.tracking.tracked_run import TrackedRun

_UNNAMED = TrackedRun()


@dataclass(frozen=True, slots=True)
class FitJob:
    """One training without the clips of the folds ``held_out``; empty trains on everything.

    ``audio`` is the folder or the roots of recordings, if some are not in the store; ``cache_mb`` megabytes cache whole
    ones. ``pretrained``: the file of ``training.pretrained``, None for none or timm's hub. ``pseudo``: location of
    pseudo-labels, of which the training finds those that it may use. ``log_mel``: kept spectrograms to read instead of
    samples. ``start``: weights of the same network to go on from instead of random ones; ``before``: the training that
    makes them, if it is not done yet. ``tracked``: what trackers call the training.
    """

    folder: Path
    held_out: tuple[int, ...]
    dataset: DatasetFolder
    store: Path
    labels: tuple[str, ...]
    plan: ChunkPlan
    model: ModelSettings
    front: FrontEndSettings
    training: TrainingSettings
    augment: AugmentSettings
    audio: Path | Roots | None = None
    cache_mb: float = 0.0
    pretrained: Path | None = None
    pseudo: PseudoSource | None = None
    log_mel: LogMelFolder | None = None
    start: Path | None = None
    before: "FitJob | None" = None
    tracked: TrackedRun = _UNNAMED

    @property
    def name(self) -> str:
        """The name of the run folder."""
        return self.folder.name

    @property
    def epochs(self) -> int:
        """Number of epochs, including those of the training before it."""
        return self.training.epochs + (self.before.epochs if self.before is not None else 0)

    @property
    def epochs_done(self) -> int:
        """Number of complete epochs so far."""
        folder = RunFolder(self.folder)
        if folder.done:
            return self.epochs
        earlier = self.before.epochs_done if self.before is not None else 0
        return earlier + min(len(folder.epochs()), self.training.epochs)
