"""The protocol of every encoder. Its description, :class:`EncoderSpec`, comes from ``core``."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ossicle.core.model_input.encoder_spec import EncoderSpec

__all__ = ["Encoder", "EncoderSpec", "refuse_waveforms"]


class Encoder(Protocol):
    """Anything that turns waveforms into embeddings; each waveform of a batch is encoded independently."""

    @property
    def spec(self) -> EncoderSpec:
        """The description of the encoder."""
        ...

    def encode(self, waveforms: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the embeddings of waveforms.

        Parameters
        ----------
        waveforms
            float32, shape (batch, n_samples), mono at ``spec.rate``, full scale being -1 to 1.

        Returns
        -------
        ndarray
            float32, shape (batch, tokens, spec.dim), finite.

        Raises
        ------
        ValueError
            The waveforms have a length that the encoder does not accept (:meth:`EncoderSpec.length_fault`).
        """
        ...


def refuse_waveforms(waveforms: NDArray[np.float32], spec: EncoderSpec) -> None:
    """Raise ValueError if ``waveforms`` are not a batch (batch, n_samples) of a length that the encoder accepts."""
    if waveforms.ndim != 2:
        raise ValueError(f"waveforms have the shape {waveforms.shape}; the encoder {spec.name} needs (batch, samples)")
    if fault := spec.length_fault(waveforms.shape[1]):
        raise ValueError(f"a waveform {fault}")
