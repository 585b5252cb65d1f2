"""How far a training of centres is: enough to continue it to the same bytes."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ossicle.artefacts.array_files.arrays import arrays_from_bytes, arrays_to_bytes
from ossicle.artefacts.files import whole_file
from ossicle.artefacts.filesystem.reading import read_regular
from ossicle.core.errors import ArtefactError
from ossicle.units.kmeans.cluster_sums import Centres, ClusterSums

SAVE_EVERY_S = 300.0
"""Seconds of work that an interrupted training repeats at most."""
_MOST_BYTES = 1 << 30


@dataclass(frozen=True, eq=False)
class KMeansState:
    """Where a training of ``k`` centres stands.

    Attributes
    ----------
    centres
        The centres of the present pass, float32 (k, dim).
    passes
        Finished passes over all frames.
    block
        Finished blocks of the present pass.
    sums
        Sums of those blocks.
    inertia
        That of the last finished pass; infinite before.
    reseeded
        How often a centre without frames was put elsewhere.
    converged
        Whether the centres are final, and this pass only measures them.
    """

    centres: Centres
    passes: int
    block: int
    sums: ClusterSums
    inertia: float
    reseeded: int
    converged: bool

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Return the state as arrays."""
        return {
            "centres": self.centres,
            "sums": self.sums.sums,
            "counts": self.sums.counts,
            "numbers": np.array([self.passes, self.block, self.reseeded, self.converged], np.int64),
            "values": np.array([self.sums.squares, self.inertia]),
        }

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray[np.generic]]) -> "KMeansState":
        """Return the state that :meth:`arrays` gave; KeyError or ValueError if they are not of one."""
        passes, block, reseeded, converged = (int(number) for number in arrays["numbers"])
        squares, inertia = (float(value) for value in arrays["values"])
        sums = ClusterSums(arrays["sums"].astype(np.float64), arrays["counts"].astype(np.int64), squares)
        return cls(arrays["centres"].astype(np.float32), passes, block, sums, inertia, reseeded, bool(converged))


@dataclass
class Checkpoint:
    """The file with the state of a training that is not finished.

    Parameters
    ----------
    path
        The file.
    every_s
        Seconds between two writes.
    clock
        Returns seconds; tests give their own.
    """

    path: Path
    every_s: float = SAVE_EVERY_S
    clock: Callable[[], float] = time.monotonic
    _saved_s: float = field(init=False)

    def __post_init__(self) -> None:
        """Start the interval."""
        self._saved_s = self.clock()

    def load(self, key: str) -> KMeansState | None:
        """Return the state that was saved under ``key``; None if there is none, or it is of another training."""
        if not self.path.exists():
            return None
        try:
            arrays, text = arrays_from_bytes(read_regular(self.path, _MOST_BYTES), str(self.path))
            return KMeansState.from_arrays(dict(arrays)) if text.get("key") == key else None
        except (ArtefactError, KeyError, ValueError):
            # A damaged state costs the work since the start of the training, not the training.
            return None

    def save(self, key: str, state: KMeansState, *, now: bool = False) -> None:
        """Write the state if the last write was long enough ago, or ``now``."""
        if not now and self.clock() - self._saved_s < self.every_s:
            return
        with whole_file(self.path) as part:
            part.write_bytes(arrays_to_bytes(state.arrays(), {"key": key}))
        self._saved_s = self.clock()
