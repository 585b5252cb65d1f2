"""A trained vocoder: from units, pitch and speaker to sound, with what it was trained on."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ossicle.models.vocoder.settings import VocoderNetworkSettings


@dataclass(frozen=True, slots=True)
class VocoderSpec:
    """What a vocoder reads and gives.

    Attributes
    ----------
    k
        Number of units.
    quantiser
        SHA-256 of the centres of the quantiser of the units.
    hop_s
        Seconds of each unit.
    origin_s
        Centre of the first unit in seconds from the start of the sound that it was taken from.
    rate
        Sample rate of the sound.
    pitch
        Whether it takes F0.
    speakers
        Speakers that it knows, sorted; empty: it takes none.
    network
        Sizes of the generator.
    """

    k: int
    quantiser: str
    hop_s: float
    origin_s: float
    rate: int
    pitch: bool
    speakers: tuple[str, ...]
    network: VocoderNetworkSettings

    @property
    def hop(self) -> int:
        """Samples of each unit."""
        return round(self.hop_s * self.rate)


class Vocoder:
    """A trained vocoder; ``Vocoder.read(folder)`` opens one.

    Attributes
    ----------
    spec
        What it reads and gives.
    about
        How it was trained: plain values, for people.
    """

    spec: VocoderSpec
    about: dict[str, Any]

    @classmethod
    def read(cls, folder: Path, device: str = "cpu") -> Self:
        """Return the vocoder in a folder; nothing is unpickled and nothing in it is trusted.

        Parameters
        ----------
        folder
            A folder with ``vocoder.json`` and ``vocoder.safetensors``, or ``vocoder.json`` itself.
        device
            Device of torch.

        Raises
        ------
        UsageError
            There is none.
        ArtefactError
            It is damaged, or its parts do not fit together.
        """
        raise RuntimeError("not yet there")

    def save(self, folder: Path) -> None:
        """Write ``vocoder.safetensors`` and ``vocoder.json``; equal vocoders give equal bytes.

        Parameters
        ----------
        folder
            A new or existing folder.
        """
        raise RuntimeError("not yet there")

    def synthesise(
        self,
        units: NDArray[np.integer],
        f0_hz: NDArray[np.floating] | None = None,
        speaker: str | None = None,
        *,
        seed: int = 0,
    ) -> NDArray[np.float32]:
        """Return the sound of units, exactly ``n * hop`` samples; equal arguments give equal samples.

        Parameters
        ----------
        units
            One unit a frame, integers from 0 to k - 1, shape (n,).
        f0_hz
            F0 at the centre of each unit, shape (n,); 0: unvoiced. None: :meth:`f0` for a vocoder with pitch.
        speaker
            One of ``spec.speakers``; None: the mean of all.
        seed
            Seed of its noise.

        Returns
        -------
        NDArray[np.float32]
            Shape (n * hop,).

        Raises
        ------
        UsageError
            A unit, the number of F0 values or the speaker does not fit this vocoder.
        """
        raise RuntimeError("not yet there")

    def durations(self, runs: NDArray[np.integer], speaker: str | None = None) -> NDArray[np.int64]:
        """Return how many frames each run of a unit lasts, at least 1 each; their total is unbiased.

        Parameters
        ----------
        runs
            Units without repeats, shape (n,).
        speaker
            As in :meth:`synthesise`.

        Returns
        -------
        NDArray[np.int64]
            Shape (n,). ``np.repeat(runs, durations)`` are units by frame.
        """
        raise RuntimeError("not yet there")

    def f0(self, units: NDArray[np.integer], speaker: str | None = None) -> NDArray[np.float32]:
        """Return a plain F0 contour of units in Hz, 0 where unvoiced, shape (n,); zeros without pitch.

        Parameters
        ----------
        units
            One unit a frame, shape (n,).
        speaker
            As in :meth:`synthesise`.
        """
        raise RuntimeError("not yet there")
