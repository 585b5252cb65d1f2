"""One training: from clips to averaged weights in a run folder, resumed exactly from the last complete epoch."""

import logging
import signal
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import lightning
import torch
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.utilities.exceptions import SIGTERMException
from torch.utils.data import DataLoader

from ossicle.artefacts.filesystem.changes import make_folder, remove_file, remove_folder
from ossicle.artefacts.typed.run_folder import RunFolder
from ossicle.core.columns.clip_columns import ClipColumns
from ossicle.core.digest import seed_of
from ossicle.core.errors import OssicleError, UsageError
from ossicle.core.records import Clip
from ossicle.metrics.noise.noise_likeness import LabelTexture
from ossicle.models.devices import device, is_out_of_memory
from ossicle.models.networks.pretrained import load_pretrained
from ossicle.models.networks.prior import rare_event_bias
from ossicle.models.networks.registry import build_network
from ossicle.training.batches.crops import Batch, CropDraw, EpochCrops, FixedCrops, validation_crops
from ossicle.training.batches.loading import EpochBatches, crop_loader
from ossicle.training.batches.material import Material
from ossicle.training.batches.noise_labels import known_in_noise, label_textures
from ossicle.training.detector.checkpoint import EpochEnd, read_epoch, state_digest
from ossicle.training.detector.job import FitJob
from ossicle.training.detector.module import FrameDetector
from ossicle.training.optimisation.balance_undone import balance_shift, load_start, save_undone
from ossicle.training.optimisation.class_weights import class_weights, clip_counts
from ossicle.training.selection.inner_loss import InnerLoss, inner_batches
from ossicle.training.selection.inner_split import inner_split
from ossicle.training.settings import TrainingSettings
from ossicle.training.tracking.epoch_clock import EpochClock
from ossicle.training.tracking.trackers import TABLE, Trackers


class Crops(lightning.LightningDataModule):
    """New crops in each epoch; the same held-out crops throughout."""

    def __init__(
        self,
        material: Material,
        train: Sequence[Clip],
        held_out: Sequence[Clip],
        training: TrainingSettings,
    ) -> None:
        super().__init__()
        self._material = material
        self._training = training
        self._draw = CropDraw(train, material, training)
        self.steps, self.pseudo_shares = self._draw.steps, self._draw.pseudo_shares
        # The curves are about the clips from which the training must not learn.
        self._judged = replace(material, withheld={})
        self._held_out = validation_crops(held_out, material, training)

    def train_dataloader(self) -> DataLoader[Batch]:
        """Return the crops of whichever epoch the training is in."""
        return self.batches(self._epoch)

    def batches(self, epoch: Callable[[], int]) -> DataLoader[Batch]:
        """Return the batches of the epoch that ``epoch`` returns whenever they are read."""
        crops = EpochCrops(self._material, self._draw)
        batches = EpochBatches(self._draw.n_crops, self._training.batch_size, epoch)
        return crop_loader(crops, batches, self._training)

    def _epoch(self) -> int:
        assert self.trainer is not None
        return self.trainer.current_epoch

    @property
    def validates(self) -> bool:
        """Whether there are held-out crops."""
        return bool(self._held_out)

    def val_dataloader(self) -> DataLoader[Batch]:
        """Return the held-out crops."""
        return DataLoader(FixedCrops(self._judged, self._held_out), batch_size=self._training.batch_size)


def fit(job: FitJob, material: Material, train: Sequence[Clip], held_out: Sequence[Clip]) -> None:
    """Train on ``train``, draw curves on ``held_out`` (may be empty) and leave the weights in the folder of the job.

    The weights are the average after the last epoch, whatever the curves show: nothing is chosen on held-out data.
    ``training.schedule``, ``keep`` and ``patience`` may ask for inner groups, which are taken from ``train``. A folder
    with the state of an interrupted training is resumed.

    Parameters
    ----------
    job
        Network, settings, weights to begin with, and where the training is kept.
    material
        What was read of the dataset and the store of the job.
    train, held_out
        Clips of the material.

    Raises
    ------
    UsageError
        If there is nothing to train on, or the device is missing.
    ArtefactError
        If that state is damaged or of another training, or pretrained weights do not fit.
    OssicleError
        If memory ran out.
    KeyboardInterrupt
        On Ctrl-C.
    """
    folder, training = RunFolder(job.folder), job.training
    if folder.done:
        folder.forget_state()
        return
    if not train:
        raise UsageError(
            "no clips to train on; annotate recordings, or relax dataset.quality_min and dataset.quality_max"
        )
    inner = inner_split(ClipColumns.from_clips(train), training) if training.inner_held_out else None
    train = train if inner is None else inner.train
    torch.set_num_threads(training.threads)
    torch.manual_seed(seed_of(training.seed, "weights"))
    network = build_network(job.model, job.front, material.plan, len(material.labels))
    if training.pretrained and job.start is None:
        load_pretrained(network, job.pretrained or training.pretrained, job.model.window)
    if job.start is None:
        rare_event_bias(network, torch.from_numpy(material.positive_share(train)).float())
    else:
        load_start(network, job.start)
    crops = Crops(material, train, held_out, training)
    made_from = state_digest(material, train, job.model, job.front, training, job.augment)
    make_folder(folder.path)
    textures = _textures(folder, material, train)
    known = known_in_noise(textures, material.labels)
    module = FrameDetector(
        network,
        material.plan,
        job.front,
        training,
        job.augment,
        crops.steps,
        known,
        material.log_mel is not None,
        class_weights(clip_counts(train, material.labels), training.class_weights),
    )
    device_name, trackers = device(training.device), Trackers(job.tracked, folder)
    clock = EpochClock(device_name, training.threads)
    callbacks: list[Callback] = [EpochEnd(folder, made_from, material.labels, clock, trackers, crops.pseudo_shares)]
    if inner is not None:
        callbacks.insert(0, InnerLoss(inner_batches(inner.held_out, material, training)))
    resume = _resumable(folder, made_from)
    kind, chosen = _lightning(device_name)
    with _quiet(), _out_of_memory(training, folder), trackers.following():
        trainer = lightning.Trainer(
            max_epochs=training.epochs,
            accelerator=kind,
            devices=chosen,
            # Always one process: otherwise Lightning looks for ranks and requeues on a machine with Slurm.
            plugins=[LightningEnvironment()],
            precision=training.precision,  # type: ignore[arg-type]
            gradient_clip_val=training.gradient_clip or None,
            accumulate_grad_batches=training.accumulate,
            check_val_every_n_epoch=training.validate_every,
            limit_val_batches=1.0 if crops.validates else 0,
            num_sanity_val_steps=0,
            logger=False,
            callbacks=callbacks,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        with _plain_signals():
            trainer.fit(
                module,
                datamodule=crops,
                ckpt_path=str(folder.checkpoint) if resume else None,
                weights_only=True,
            )
    if inner is not None and module.selection is not None:
        folder.write_selection(module.selection.to_json(inner.groups, len(inner.held_out)))
    folder.write_best()
    shift = balance_shift(module.kept, clip_counts(train, material.labels), training)
    save_undone(module.kept, shift, folder.weights)
    folder.forget_state()


def _textures(folder: RunFolder, material: Material, train: Sequence[Clip]) -> dict[str, LabelTexture]:
    """Return what the training clips of each label are like, measured once for each run folder."""
    if not folder.noise_likeness_file.exists():
        textures = label_textures(material.labels, material.store.read, material.plan.rate, train)
        folder.write_noise_likeness({label: label_texture.to_json() for label, label_texture in textures.items()})
    return {label: LabelTexture.from_json(texture) for label, texture in folder.noise_likeness.items()}


def _lightning(name: str) -> tuple[str, int | list[int]]:
    """Return Lightning's accelerator and devices for a device of torch."""
    if name.startswith("cuda:"):
        return "gpu", [int(name.removeprefix("cuda:"))]
    return name, 1


@contextmanager
def _out_of_memory(training: TrainingSettings, folder: RunFolder) -> Iterator[None]:
    """Report which batch was too large, and what to try; the state of the last complete epoch stays."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        done = len(folder.epochs())
        raise OssicleError(
            f"out of memory in epoch {done + 1} with batches of {training.batch_size} crops: run again with more "
            f"free memory to resume after epoch {done}, or start again with --set training.batch_size="
            f"{max(1, training.batch_size // 2)} --set training.accumulate={2 * training.accumulate}"
        ) from error


def _resumable(folder: RunFolder, made_from: str) -> bool:
    """Return whether there is a state to resume from; the lines of later epochs are dropped."""
    if not folder.checkpoint.exists():
        for stale in (folder.metrics, folder.best, folder.tracking_file):
            remove_file(stale)
        for tracker in TABLE:
            remove_folder(folder.tracker(tracker))
        return False
    folder.keep_epochs(before=read_epoch(folder.checkpoint, made_from) + 1)
    return True


@contextmanager
def _plain_signals() -> Iterator[None]:
    """Let Ctrl-C raise KeyboardInterrupt and SIGTERM exit with code 143.

    Lightning turns the first into exit code 1 and then ignores it, and gives the second no code.
    """
    before = signal.getsignal(signal.SIGINT)
    try:
        yield
    except SIGTERMException:
        raise SystemExit(128 + signal.SIGTERM) from None
    except SystemExit as left:
        # A handler of the caller may exit in the same way; only Lightning's exit is caused by a KeyboardInterrupt.
        if not isinstance(left.__context__, KeyboardInterrupt):
            raise
        signal.signal(signal.SIGINT, before)
        raise KeyboardInterrupt from None


@contextmanager
def _quiet() -> Iterator[None]:
    """Suppress Lightning's advice.

    It does not apply to crops from a store, an average kept in eval mode, and trainings of one process, also on Slurm.
    """
    loggers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*does not have many workers.*")
            # Whoever sets [training] workers may know better than the number of cores.
            warnings.filterwarnings("ignore", message=".*This DataLoader will create .* worker processes.*")
            warnings.filterwarnings("ignore", message=".*smaller than the logging interval.*")
            warnings.filterwarnings("ignore", message=".*module.s. in eval mode at the start of training.*")
            warnings.filterwarnings("ignore", message=".*`srun` command is available.*")
            warnings.filterwarnings("ignore", message=".*isinstance.treespec, LeafSpec.* is deprecated.*")
            yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
