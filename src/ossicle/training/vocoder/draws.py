"""Which crop is drawn: a function of (seed, epoch, index), by length over all segments."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ossicle.core.digest import seed_of
from ossicle.models.vocoder.generator import UNKNOWN


@dataclass(frozen=True, slots=True)
class Draw:
    """One crop.

    Attributes
    ----------
    segment
        Number of the segment.
    first, last
        Its first unit, and the one after the last.
    speaker
        Number of the speaker, or ``UNKNOWN``.
    seed
        Seed of its noise.
    whispered
        Whether its pitch is left out, as if all of it were unvoiced.
    """

    segment: int
    first: int
    last: int
    speaker: int
    seed: int
    whispered: bool = False


class Draws:
    """Crops of an epoch: a segment with a probability in proportion to its length, then a start at any of its units.

    Parameters
    ----------
    lengths
        Units of each segment.
    speakers
        Number of the speaker of each segment; ``UNKNOWN``: none.
    units
        Units of a crop; a shorter segment is one crop as a whole.
    unknown, whispered
        Shares of crops whose speaker is ``UNKNOWN``, and whose pitch is left out.
    seed
        Seed.
    """

    def __init__(
        self,
        lengths: Sequence[int],
        speakers: Sequence[int],
        units: int,
        unknown: float = 0.0,
        seed: int = 0,
        *,
        whispered: float = 0.0,
    ) -> None:
        self._lengths, self._speakers = np.asarray(lengths, np.int64), speakers
        self._ends = np.cumsum(self._lengths)
        self._units, self._unknown, self._whispered, self._seed = units, unknown, whispered, seed

    def draw(self, epoch: int, index: int, stream: int = 0) -> Draw:
        """Return one crop; equal arguments give the same crop.

        Parameters
        ----------
        epoch, index
            The epoch, and the crop in it.
        stream
            Which of several independent draws of this index.
        """
        seed = seed_of(self._seed, "crop", epoch, index, stream)
        generator = np.random.default_rng(seed)
        segment = int(np.searchsorted(self._ends, generator.integers(self._ends[-1]), side="right"))
        length = int(self._lengths[segment])
        units = min(self._units, length)
        first = int(generator.integers(length - units + 1))
        unknown = bool(generator.random() < self._unknown)
        whispered = bool(generator.random() < self._whispered)
        speaker = UNKNOWN if unknown else self._speakers[segment]
        return Draw(segment, first, first + units, speaker, seed, whispered)
