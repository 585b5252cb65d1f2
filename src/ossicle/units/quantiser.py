"""The quantiser: from frames of an encoder to acoustic units, with everything that it depends on."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ossicle.audio.segmentation.hearing import Hearing
from ossicle.core.errors import UsageError
from ossicle.core.model_input.encoder_spec import EncoderSpec
from ossicle.core.value_checks import count_fault, number_fault, raise_first
from ossicle.units.nearest import MOST_CENTRES, Labels, NearestCentre
from ossicle.units.normalisation import FrameStatistics, Normalisation
from ossicle.units.quantiser_files import StoredQuantiser, read_quantiser, write_quantiser

# What does not change an embedding.
_NOT_COMPARED = ("licence", "least_samples")


@dataclass(frozen=True, slots=True)
class QuantiserFit:
    """How a quantiser was trained.

    Attributes
    ----------
    frames, held_out_frames
        Number of frames that it was trained on, and of those that were held out.
    passes
        Passes over all training frames.
    inertia, held_out_inertia
        Mean squared distance of a normalised frame to its centre, of the training frames and of those held out; None:
        there are none.
    usage
        Share of the training frames of each unit, k values.
    dead
        Units that no training frame has.
    reseeded
        How often a centre without frames was put elsewhere during training.
    """

    frames: int
    passes: int
    inertia: float
    held_out_frames: int = 0
    held_out_inertia: float | None = None
    usage: tuple[float, ...] = ()
    dead: tuple[int, ...] = ()
    reseeded: int = 0

    def __post_init__(self) -> None:
        """Reject values that no training gives."""
        counts = ("frames", "passes", "held_out_frames", "reseeded")
        faults = [count_fault(name, getattr(self, name), 0) for name in counts]
        faults.append(number_fault("inertia", self.inertia, 0.0))
        if self.held_out_inertia is not None:
            faults.append(number_fault("held_out_inertia", self.held_out_inertia, 0.0))
        faults += [number_fault("usage", share, 0.0, 1.0) for share in self.usage]
        faults += [count_fault("dead", unit, 0, MOST_CENTRES) for unit in self.dead]
        raise_first("fit", *faults)


@dataclass(frozen=True, eq=False)
class Quantiser:
    """Centres of k-means, what their frames were made with, and how they were trained.

    Parameters
    ----------
    centres
        float32, finite, shape (k, dim), in the space of normalised frames.
    normalisation
        How frames are normalised.
    spec
        The encoder of the frames.
    hop_s
        Seconds from the centre of a frame to that of the next.
    origin_s
        Centre of the first frame in seconds from the start of its segment.
    seed
        Seed of the training.
    fit
        How it was trained; None if that is unknown.
    heard
        How the recordings of its project were heard; None if that is unknown.

    Raises
    ------
    ValueError
        The parts do not fit together.

    Examples
    --------
    >>> from ossicle.units.normalisation import NONE, statistics_of
    >>> plain = Normalisation(NONE, FrameStatistics(np.zeros(1, np.float32), np.ones(1, np.float32)))
    >>> spec = EncoderSpec("mfcc", rate=16000, dim=1, hop_s=0.02, origin_s=0.0125)
    >>> quantiser = Quantiser(np.array([[0.0], [1.0]], np.float32), plain, spec, hop_s=0.02, origin_s=0.0125, seed=0)
    >>> quantiser.assign(np.array([[0.2], [0.9]], np.float32)).tolist()
    [0, 1]
    >>> quantiser.times_s(2).round(4).tolist()
    [0.0125, 0.0325]
    """

    centres: NDArray[np.float32]
    normalisation: Normalisation
    spec: EncoderSpec
    hop_s: float
    origin_s: float
    seed: int
    fit: QuantiserFit | None = None
    heard: Hearing | None = None
    source: str = field(default="the quantiser", compare=False)
    """Where it was read from, for messages."""

    def __post_init__(self) -> None:
        """Reject parts that do not fit together."""
        NearestCentre(self.centres)
        dim = self.centres.shape[1]
        raise_first(
            "quantiser",
            number_fault("hop_s", self.hop_s, 0.0),
            number_fault("origin_s", self.origin_s, 0.0),
            count_fault("seed", self.seed, 0),
            "" if self.hop_s > 0 else f"hop_s = {self.hop_s} must be more than 0",
            "" if self.spec.dim == dim else f"centres have {dim} values, and the encoder gives {self.spec.dim}",
            "" if len(self.normalisation.corpus.mean) == dim else f"mean and scale do not have {dim} values",
        )

    @property
    def k(self) -> int:
        """Number of units."""
        return len(self.centres)

    @property
    def dim(self) -> int:
        """Length of a frame."""
        return int(self.centres.shape[1])

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the centres' bytes (float32, little-endian), 64 hexadecimal digits."""
        return sha256(np.ascontiguousarray(self.centres, "<f4").tobytes()).hexdigest()

    @cached_property
    def _nearest(self) -> NearestCentre:
        return NearestCentre(self.centres)

    def assign(self, frames: NDArray[np.floating], statistics: FrameStatistics | None = None) -> Labels:
        """Return the unit of each frame of a segment.

        Parameters
        ----------
        frames
            All frames of one segment, as the encoder gave them: finite, shape (n, dim).
        statistics
            Statistics of the segment's group, for the normalisation ``group``; None: those of ``frames`` themselves.

        Returns
        -------
        Labels
            int16, shape (n,): numbers from 0 to ``k`` - 1.

        Raises
        ------
        ValueError
            The frames have another shape, or a value is NaN or infinite.
        """
        if frames.ndim != 2 or frames.shape[1] != self.dim:
            raise ValueError(f"frames have the shape {frames.shape}, not (n, {self.dim})")
        return self._nearest.labels(self.normalisation.apply(frames, statistics))

    def times_s(self, n_frames: int) -> NDArray[np.float64]:
        """Return the centre of each frame in seconds from the start of its segment, float64 (n_frames,)."""
        return self.origin_s + np.arange(n_frames, dtype=np.float64) * self.hop_s

    def refuse_spec(self, spec: EncoderSpec, hop_s: float | None = None, origin_s: float | None = None) -> None:
        """Refuse frames of another encoder, layer, rate or hop.

        Parameters
        ----------
        spec
            The encoder of the frames.
        hop_s, origin_s
            Distance of their centres, and the first centre, in seconds; None: those of ``spec``.

        Raises
        ------
        UsageError
            Naming what differs, with both values.
        """
        own_values, other = self.spec.to_json(), spec.to_json()
        for timing, value, stated in (("hop_s", self.hop_s, hop_s), ("origin_s", self.origin_s, origin_s)):
            own_values[timing] = value
            other[timing] = other[timing] if stated is None else stated
        differs = [
            f"{spec_field.name} = {own_values[spec_field.name]!r}, these frames {other[spec_field.name]!r}"
            for spec_field in fields(EncoderSpec)
            if spec_field.name not in _NOT_COMPARED and own_values[spec_field.name] != other[spec_field.name]
        ]
        if differs:
            raise UsageError(
                f"{self.source}: it was trained on frames with {'; '.join(differs)}; use the encoder "
                f"{self.spec.name} as it was in training, or train a quantiser on these frames"
            )

    def save(self, folder: Path) -> None:
        """Write ``quantiser.npz`` and ``quantiser.json`` to a folder; equal quantisers give equal bytes.

        Parameters
        ----------
        folder
            An existing or new folder.
        """
        arrays = {"centres": self.centres, "mean": self.normalisation.corpus.mean}
        arrays["scale"] = self.normalisation.corpus.scale
        described: dict[str, Any] = {
            "encoder": self.spec.to_json(),
            "hop_s": float(self.hop_s),
            "origin_s": float(self.origin_s),
            "normalisation": self.normalisation.kind,
            "seed": self.seed,
            "fit": None if self.fit is None else asdict(self.fit),
            **({} if self.heard is None else {"heard": self.heard.to_json()}),
        }
        write_quantiser(Path(folder), StoredQuantiser(arrays, described))

    @classmethod
    def read(cls, path: Path) -> Self:
        """Return the quantiser in a folder.

        Parameters
        ----------
        path
            The folder, or ``quantiser.json`` or ``quantiser.npz`` in it.

        Raises
        ------
        UsageError
            There is none at ``path``.
        ArtefactError
            It is damaged, or its parts do not fit together. Nothing in it is trusted.
        """
        stored, source = read_quantiser(Path(path))
        with stored.faults_named(source):
            described, arrays = stored.described, stored.arrays
            corpus = FrameStatistics(arrays["mean"], arrays["scale"])
            return cls(
                arrays["centres"],
                Normalisation(described["normalisation"], corpus),
                EncoderSpec(**described["encoder"]),
                described["hop_s"],
                described["origin_s"],
                described["seed"],
                _fit(described["fit"]),
                None if described["heard"] is None else Hearing.from_json(described["heard"]),
                str(source),
            )


def _fit(value: Mapping[str, Any] | None) -> QuantiserFit | None:
    if value is None:
        return None
    return QuantiserFit(**{**value, "usage": tuple(value["usage"]), "dead": tuple(value["dead"])})
