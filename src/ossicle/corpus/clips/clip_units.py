"""Clips in units that no split may separate: a target (all its exact repeats) with its mined noise, or other noise."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import overload

import numpy as np
from numpy.typing import NDArray

from ossicle.core.columns.clip_columns import ClipColumns
from ossicle.core.records import Clip


@dataclass(frozen=True, slots=True)
class Unit:
    """Clips that no split may separate.

    ``quality`` is the target's; ``label`` is empty for noise that belongs to no target.
    """

    clips: tuple[Clip, ...]
    group: str
    label: str = ""
    quality: int | None = None


@dataclass(frozen=True, eq=False)
class ClipUnits(Sequence[Unit]):
    """Clips as columns, and their units; ``Unit`` objects are made when one is asked for.

    Parameters
    ----------
    clips
        The clips, sorted by recording, times, label and role.
    unit
        int64 (n_clips,): the number of each clip's unit. Units of targets come first, in the order of the targets.
    quality
        float64 (n_units,): the quality of the target, NaN if unknown, and for noise without a target.
    """

    clips: ClipColumns
    unit: NDArray[np.int64]
    quality: NDArray[np.float64]

    @property
    def first(self) -> NDArray[np.int64]:
        """int64 (n_units,): the row of a clip of each unit, that of its target if it has one."""
        rows = np.zeros(len(self.quality), dtype=np.int64)
        noise = self.clips.has_role("noise")
        for chosen in (np.flatnonzero(noise), np.flatnonzero(~noise)):
            rows[self.unit[chosen]] = chosen
        return rows

    def in_folds(self, folds: NDArray[np.int64]) -> "ClipUnits":
        """Return the units with each one's clips in its fold: int64 (n_units,)."""
        return replace(self, clips=replace(self.clips, fold=folds.astype(np.int32)[self.unit]))

    def __len__(self) -> int:
        return len(self.quality)

    def __eq__(self, other: object) -> bool:
        """Compare clips, units and qualities."""
        if not isinstance(other, ClipUnits):
            return NotImplemented
        same = np.array_equal(self.unit, other.unit) and np.array_equal(self.quality, other.quality, equal_nan=True)
        return same and self.clips == other.clips

    __hash__ = None  # type: ignore[assignment]

    @overload
    def __getitem__(self, key: int) -> Unit: ...
    @overload
    def __getitem__(self, key: slice) -> tuple[Unit, ...]: ...
    def __getitem__(self, key: int | slice) -> Unit | tuple[Unit, ...]:
        """Return one unit, its target first, or some."""
        if isinstance(key, slice):
            return tuple(self[number] for number in range(len(self))[key])
        number = range(len(self))[key]
        rows = np.flatnonzero(self.unit == number)
        clips = [self.clips[int(row)] for row in rows]
        clips.sort(key=lambda clip: clip.role != "target")
        quality = self.quality[number]
        return Unit(tuple(clips), clips[0].group, clips[0].label, None if np.isnan(quality) else int(quality))

    def __iter__(self) -> Iterator[Unit]:
        """Make one unit after the other."""
        return (self[number] for number in range(len(self)))
