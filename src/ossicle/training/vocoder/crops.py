"""Crops as tensors: units, pitch, speaker, what is filtered, the recording, and which samples count."""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ossicle.core.errors import UsageError
from ossicle.models.vocoder.durations import PitchModel, relative_pitch
from ossicle.models.vocoder.generator import PADDING, UNKNOWN
from ossicle.models.vocoder.source import HarmonicSource, noise
from ossicle.training.vocoder.draws import Draw
from ossicle.training.vocoder.segments import SpeechSegment, VocoderCorpus

_MOST_CACHED_BYTES = 512 << 20


@dataclass(frozen=True, eq=False)
class Crops:
    """Crops of one length; shorter ones are padded, and nothing that is padded counts.

    Attributes
    ----------
    units
        int64, shape (b, n), ``PADDING`` after the end of a crop.
    pitch
        float32, shape (b, n, 2), 0 in what is padded.
    speaker
        int64, shape (b,).
    sources
        float32, shape (b, 2, n * hop).
    real
        The recordings, float32, shape (b, n * hop), 0 where ``mask`` is 0.
    mask
        float32, shape (b, n * hop): 1 for samples that count.
    weights
        Share of each crop in the samples of the whole batch that count, float32, shape (b,).
    """

    units: Tensor
    pitch: Tensor
    speaker: Tensor
    sources: Tensor
    real: Tensor
    mask: Tensor
    weights: Tensor

    def __len__(self) -> int:
        return len(self.units)

    def to(self, device: str) -> "Crops":
        """Return them on a device of torch."""
        return Crops(*(getattr(self, name).to(device) for name in self.__dataclass_fields__))

    def parts(self, most: int) -> Iterator["Crops"]:
        """Yield at most so many crops at a time; their weights stay those of the whole batch."""
        for first in range(0, len(self), most):
            rows = slice(first, first + most)
            yield Crops(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


class CropReader:
    """Reads crops of some segments; their sound is kept in bounded memory.

    Parameters
    ----------
    corpus
        The corpus of the segments.
    segments
        The segments that draws number.
    pitch
        The pitch of speakers; None: pitch is not used.

    Raises
    ------
    UsageError
        Pitch is used, and a segment has none.
    """

    def __init__(self, corpus: VocoderCorpus, segments: Sequence[SpeechSegment], pitch: PitchModel | None) -> None:
        self._corpus, self._segments, self._pitch = corpus, segments, pitch
        self._sounds: OrderedDict[int, tuple[NDArray[np.float32], int]] = OrderedDict()
        self._cached = 0
        if pitch is not None and (without := [segment.segment_id for segment in segments if segment.f0_hz is None]):
            raise UsageError(
                f"segment {without[0]} has no pitch, and [vocoder] pitch = true needs it: run the step pitch, or "
                "set it to false"
            )

    def read(self, draws: Sequence[Draw]) -> Crops:
        """Return crops in the order of draws, as long as the longest of them.

        Parameters
        ----------
        draws
            At least one.

        Raises
        ------
        OssicleError
            The sound of a segment cannot be read or does not fit its units.
        """
        hop, longest = self._corpus.hop, max(draw.last - draw.first for draw in draws)
        units = np.full((len(draws), longest), PADDING, np.int64)
        pitch = np.zeros((len(draws), longest, 2), np.float32)
        sources = np.zeros((len(draws), 2, longest * hop), np.float32)
        real = np.zeros((len(draws), longest * hop), np.float32)
        counted = np.zeros(len(draws), np.int64)
        for row, draw in enumerate(draws):
            segment, n = self._segments[draw.segment], draw.last - draw.first
            units[row, :n] = segment.units[draw.first : draw.last]
            plain = self._pitch is None or draw.whispered
            f0 = np.zeros(len(segment.units), np.float32) if plain else segment.f0_hz
            assert f0 is not None
            if self._pitch is not None:
                mean = self._pitch.mean_log(draw.speaker) if draw.speaker != UNKNOWN else None
                pitch[row, :n] = relative_pitch(f0, mean)[draw.first : draw.last]
                harmonics = HarmonicSource(f0[draw.first : draw.last], hop, self._corpus.rate)
                sources[row, 0, : n * hop] = harmonics.samples(0, n)
            sources[row, 1, : n * hop] = noise(draw.seed, 0, n, hop)
            sound, known = self._sound(draw.segment)
            counted[row] = min(max(known - draw.first * hop, 0), n * hop)
            start = draw.first * hop
            real[row, : counted[row]] = sound[start : start + counted[row]]
        mask = (np.arange(longest * hop) < counted[:, None]).astype(np.float32)
        weights = counted / max(counted.sum(), 1)
        return Crops(
            units=torch.from_numpy(units),
            pitch=torch.from_numpy(pitch),
            speaker=torch.tensor([draw.speaker for draw in draws]),
            sources=torch.from_numpy(sources),
            real=torch.from_numpy(real),
            mask=torch.from_numpy(mask),
            weights=torch.from_numpy(weights.astype(np.float32)),
        )

    def _sound(self, number: int) -> tuple[NDArray[np.float32], int]:
        if number in self._sounds:
            self._sounds.move_to_end(number)
            return self._sounds[number]
        sound = self._corpus.aligned(self._segments[number])
        self._sounds[number] = sound
        self._cached += sound[0].nbytes
        while self._cached > _MOST_CACHED_BYTES and len(self._sounds) > 1:
            _, (oldest, _) = self._sounds.popitem(last=False)
            self._cached -= oldest.nbytes
        return sound
