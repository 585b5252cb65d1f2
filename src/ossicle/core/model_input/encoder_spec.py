"""The description of an encoder: everything that its embeddings depend on."""

import re
from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class EncoderSpec:
    """The description of an encoder: everything that its embeddings depend on.

    Two encoders with equal specs give equal embeddings, so a model that was trained on the embeddings of one runs on
    those of the other, and no other encoder.

    Parameters
    ----------
    name
        The kind of encoder, as in ``[encoder] name``.
    rate
        Sample rate of the waveforms in Hz.
    dim
        Length of an embedding.
    window_samples
        Length that a waveform must have; 0: any length from ``least_samples`` on.
    hop_s
        Seconds from the centre of a token to that of the next; 0.0: one token for each waveform.
    origin_s
        Centre of the first token in seconds from the start of the waveform; 0.0 if there is one token.
    layer
        The layer that the embeddings are taken from, counted from 1; -1: the last one.
    sha256
        SHA-256 of the encoder's file, 64 hexadecimal digits; empty for an encoder that is part of Ossicle.
    licence
        Licence of the encoder's weights, as its source states it; empty if unknown.
    least_samples
        The shortest waveform that is accepted.
    version
        Version of the computation; raised when the same waveform gives other embeddings.

    Raises
    ------
    ValueError
        Naming the field, for values that no encoder can have.

    Examples
    --------
    >>> EncoderSpec("acoustic", rate=16000, dim=4).length_fault(0)
    'has 0 samples; the encoder acoustic needs at least 1'
    """

    name: str
    rate: int
    dim: int
    window_samples: int = 0
    hop_s: float = 0.0
    origin_s: float = 0.0
    layer: int = -1
    sha256: str = ""
    licence: str = ""
    least_samples: int = 1
    version: int = 1

    def __post_init__(self) -> None:
        """Reject values that no encoder can have."""
        for field in ("name", "sha256", "licence"):
            if not isinstance(getattr(self, field), str):
                raise ValueError(f"encoder: {field} = {getattr(self, field)!r} is not text")
        bounds = {"rate": 1, "dim": 1, "window_samples": 0, "layer": -1, "least_samples": 1, "version": 1}
        for field, least in bounds.items():
            value = getattr(self, field)
            if type(value) is not int or value < least:
                raise ValueError(f"encoder: {field} = {value!r} is not a whole number from {least} on")
        for field in ("hop_s", "origin_s"):
            value = getattr(self, field)
            if not (type(value) in (int, float) and isfinite(value) and value >= 0):
                raise ValueError(f"encoder: {field} = {value!r} is not a number of seconds")
        if not self.name:
            raise ValueError("encoder: name is empty")
        if self.sha256 and not _SHA256.fullmatch(self.sha256):
            raise ValueError(f"encoder: sha256 = {self.sha256!r} is not 64 hexadecimal digits in lower case")

    @property
    def one_token(self) -> bool:
        """Whether each waveform gives one token."""
        return self.hop_s == 0

    def length_fault(self, n_samples: int) -> str:
        """Return what is wrong with the length of a waveform, in words; empty if nothing is."""
        if self.window_samples and n_samples != self.window_samples:
            return (
                f"has {n_samples} samples; the encoder {self.name} needs {self.window_samples} "
                f"({self.window_samples / self.rate:g} s at {self.rate} Hz)"
            )
        if n_samples < self.least_samples:
            return f"has {n_samples} samples; the encoder {self.name} needs at least {self.least_samples}"
        return ""

    def to_json(self) -> dict[str, Any]:
        """Return the fields as plain values; ``EncoderSpec(**plain)`` gives them back."""
        return asdict(self)
