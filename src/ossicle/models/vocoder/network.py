"""The weights of a vocoder as one module: generator, durations and pitch of units."""

from dataclasses import asdict, dataclass
from typing import Any, Self

import torch
from torch import Tensor, nn

from ossicle.core.value_checks import count_fault, number_fault, raise_first
from ossicle.models.vocoder.durations import DurationModel, PitchModel
from ossicle.models.vocoder.generator import VocoderGenerator
from ossicle.models.vocoder.settings import VocoderNetworkSettings

_MOST_UNITS = 1 << 15
_MOST_SPEAKERS = 1 << 16
_LEAST_RATE, _MOST_RATE = 8000, 48000
_MOST_HOP_S = 0.2
_MOST_RUN_S = 3600.0
# Of log F0: beyond any voice, and far from where its exponential overflows.
_MOST_LOG = 12.0


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

    Raises
    ------
    ValueError
        A value is impossible.
    """

    k: int
    quantiser: str
    hop_s: float
    origin_s: float
    rate: int
    pitch: bool
    speakers: tuple[str, ...]
    network: VocoderNetworkSettings

    def __post_init__(self) -> None:
        """Reject values that no vocoder has."""
        hop = self.hop_s * self.rate
        raise_first(
            "vocoder",
            count_fault("k", self.k, 1, _MOST_UNITS),
            count_fault("rate", self.rate, _LEAST_RATE, _MOST_RATE),
            number_fault("hop_s", self.hop_s, 0.0, _MOST_HOP_S),
            number_fault("origin_s", self.origin_s, 0.0, 10.0),
            "" if round(hop) >= 1 and abs(hop - round(hop)) < 1e-6 * hop else f"hop_s = {self.hop_s} at {self.rate} Hz",
            "" if isinstance(self.quantiser, str) and isinstance(self.pitch, bool) else "quantiser or pitch",
            "" if all(isinstance(speaker, str) for speaker in self.speakers) else "speakers are not names",
            "" if len(self.speakers) <= _MOST_SPEAKERS else "there are too many speakers",
            "" if len(set(self.speakers)) == len(self.speakers) else "a speaker is named twice",
        )

    @property
    def hop(self) -> int:
        """Samples of each unit."""
        return round(self.hop_s * self.rate)

    def to_json(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__} | {
            "speakers": list(self.speakers),
            "network": {
                name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self.network).items()
            },
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """Return the spec of plain values; raises KeyError, TypeError or ValueError for wrong ones."""
        sizes: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in value["network"].items()
        }
        parts: dict[str, Any] = {name: value[name] for name in cls.__dataclass_fields__}
        for name, size in sizes.items():
            if not all(type(number) is int for number in (size if isinstance(size, tuple) else (size,))):
                raise TypeError(f"network.{name} is not a whole number")
        return cls(**parts | {"speakers": tuple(value["speakers"]), "network": VocoderNetworkSettings(**sizes)})


class VocoderNetwork(nn.Module):
    """A generator with the durations and the pitch of its units.

    Parameters
    ----------
    spec
        What it reads and gives.
    """

    frames: Tensor
    slowness: Tensor
    unknown: Tensor
    relative: Tensor
    voicing: Tensor
    mean_log_f0: Tensor
    overall: Tensor

    def __init__(self, spec: VocoderSpec) -> None:
        super().__init__()
        speakers = len(spec.speakers)
        self.hop_s = spec.hop_s
        self.generator = VocoderGenerator(spec.k, spec.hop, spec.pitch, speakers, spec.network)
        for name, size, value in (
            ("frames", spec.k, 1.0),
            ("slowness", speakers, 1.0),
            ("unknown", 1, 1.0),
            ("relative", spec.k, 0.0),
            ("voicing", spec.k, 0.5),
            ("mean_log_f0", speakers, 0.0),
            ("overall", 1, 0.0),
        ):
            self.register_buffer(name, torch.full((size,), value, dtype=torch.float64))

    def set_models(self, durations: DurationModel, pitch: PitchModel) -> None:
        """Take over the values of both models."""
        for name, value in (
            ("frames", durations.frames),
            ("slowness", durations.slowness),
            ("relative", pitch.relative),
            ("voicing", pitch.voicing),
            ("mean_log_f0", pitch.speakers),
        ):
            getattr(self, name).copy_(torch.from_numpy(value))
        self.overall.fill_(pitch.overall)
        self.unknown.fill_(durations.unknown)

    def refuse_values(self) -> None:
        """Reject weights that no training gives: sounds of them would be none, or would fill the memory.

        Raises
        ------
        ValueError
            A value is not finite, or a duration or a pitch is impossible.
        """
        for name, values in self.state_dict().items():
            if not bool(torch.isfinite(values).all()):
                raise ValueError(f"{name} has values that are not finite")
        slowest = max(float(scale.max()) for scale in (self.slowness, self.unknown) if len(scale))
        bounds = (
            ("slowness", self.slowness, 0.0, _MOST_RUN_S),
            ("unknown", self.unknown, 0.0, _MOST_RUN_S),
            ("frames", self.frames, 1.0, _MOST_RUN_S / self.hop_s / max(slowest, 1.0)),
            ("relative", self.relative, -_MOST_LOG, _MOST_LOG),
            ("voicing", self.voicing, 0.0, 1.0),
            ("mean_log_f0", self.mean_log_f0, -_MOST_LOG, _MOST_LOG),
            ("overall", self.overall, -_MOST_LOG, _MOST_LOG),
        )
        for name, values, low, high in bounds:
            if not bool(((values >= low) & (values <= high)).all()):
                raise ValueError(f"{name} has values outside {low:g} to {high:g}")

    @property
    def durations(self) -> DurationModel:
        """How long runs of units last."""
        return DurationModel(self.frames.cpu().numpy(), self.slowness.cpu().numpy(), float(self.unknown))

    @property
    def pitch(self) -> PitchModel:
        """How high units are."""
        relative, voicing, means = (tensor.cpu().numpy() for tensor in (self.relative, self.voicing, self.mean_log_f0))
        return PitchModel(relative, voicing, means, float(self.overall))
