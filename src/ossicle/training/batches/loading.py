"""Batches of crops, read by the training itself or ahead of it by processes of their own.

Which crops a batch holds is a function of the epoch and its number, so results do not depend on who reads them.
"""

import math
from collections.abc import Callable, Iterator

import torch
from torch.utils.data import DataLoader, Sampler

from ossicle.artefacts.processes.workers import end_with_parent, interrupts_held
from ossicle.training.batches.crops import Batch, EpochCrops
from ossicle.training.settings import TrainingSettings


class EpochBatches(Sampler[list[tuple[int, int]]]):
    """The crops of an epoch in batches, each crop as (epoch, number).

    Parameters
    ----------
    n_crops
        Crops in an epoch; the last batch may be smaller.
    batch_size
        Crops in a batch.
    epoch
        Returns the current epoch, whenever an epoch begins.
    """

    def __init__(self, n_crops: int, batch_size: int, epoch: Callable[[], int]) -> None:
        self._n_crops, self._batch_size, self._epoch = n_crops, batch_size, epoch

    def __len__(self) -> int:
        return math.ceil(self._n_crops / self._batch_size)

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        epoch = self._epoch()
        for first in range(0, self._n_crops, self._batch_size):
            yield [(epoch, index) for index in range(first, min(first + self._batch_size, self._n_crops))]


class _CropLoader(DataLoader[Batch]):
    """Starts its processes so that Ctrl-C reaches the training alone, which ends them."""

    def __iter__(self) -> "torch.utils.data.dataloader._BaseDataLoaderIter":
        if self.num_workers == 0:
            return super().__iter__()
        with interrupts_held():
            return super().__iter__()


def crop_loader(crops: EpochCrops, batches: EpochBatches, training: TrainingSettings) -> DataLoader[Batch]:
    """Return a loader of the batches of every epoch, with ``training.workers`` processes that live as long as it.

    The processes are spawned, never forked, because the training has threads; each opens its own files.
    """
    if training.workers == 0:
        return _CropLoader(crops, batch_sampler=batches)
    return _CropLoader(
        crops,
        batch_sampler=batches,
        num_workers=training.workers,
        prefetch_factor=training.prefetch_factor,
        persistent_workers=True,
        multiprocessing_context="spawn",
        worker_init_fn=_begin,
    )


def _begin(worker: int) -> None:
    end_with_parent()
