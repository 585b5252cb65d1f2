"""How far the sound of held-out segments is from the recordings: what chooses the epoch, and the samples of it."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from ossicle.models.vocoder.generator import UNKNOWN, VocoderGenerator
from ossicle.models.vocoder.losses import LogMelDistance
from ossicle.training.vocoder.crops import CropReader
from ossicle.training.vocoder.draws import Draw
from ossicle.training.vocoder.segments import SpeechSegment

_MOST_UNITS = 4000


def spread(segments: Sequence[SpeechSegment], most: int) -> list[int]:
    """Return the numbers of at most so many segments with units, spread evenly over all.

    Parameters
    ----------
    segments
        The segments.
    most
        Most of them.
    """
    voiced_numbers = [number for number, segment in enumerate(segments) if len(segment.units)]
    return [voiced_numbers[position] for position in _spread(len(voiced_numbers), most)]


def held_out_batches(
    segments: Sequence[SpeechSegment], chosen: Sequence[int], speakers: Sequence[str]
) -> list[list[Draw]]:
    """Return segments in batches of similar lengths and bounded size; always with the same noise.

    Of a segment of more than 4000 units, these are taken: the memory of a batch does not grow with its length.

    Parameters
    ----------
    segments
        The segments.
    chosen
        Numbers of those to take.
    speakers
        The speakers that are known; of others the mean is taken.
    """
    numbers = {name: number for number, name in enumerate(speakers)}
    batches: list[list[Draw]] = []
    for number in sorted(chosen, key=lambda number: (len(segments[number].units), number)):
        length = min(len(segments[number].units), _MOST_UNITS)
        if not batches or (len(batches[-1]) + 1) * length > _MOST_UNITS:
            batches.append([])
        batches[-1].append(Draw(number, 0, length, numbers.get(segments[number].voice, UNKNOWN), seed=0))
    return batches


@torch.inference_mode()
def held_out_distance(
    generator: VocoderGenerator, reader: CropReader, batches: Sequence[Sequence[Draw]], distance: LogMelDistance
) -> float:
    """Return the log-mel distance in dB, the mean over segments weighted by their length.

    Parameters
    ----------
    generator
        The network.
    reader
        Reader of the held-out segments.
    batches
        From :func:`held_out_batches`.
    distance
        The measure.
    """
    device = generator.window.device
    total, samples = 0.0, 0.0
    for crops in (reader.read(batch).to(str(device)) for batch in batches):
        generated = generator(crops.units, crops.pitch, crops.speaker, crops.sources) * crops.mask
        counted = crops.mask.sum(dim=-1)
        total += float((distance(generated, crops.real, crops.mask) * counted).sum())
        samples += float(counted.sum())
    return total / max(samples, 1.0)


def sample_draws(batches: Sequence[Sequence[Draw]], count: int) -> Iterator[Draw]:
    """Yield at most so many held-out segments, always the same, spread over their lengths.

    Parameters
    ----------
    batches
        From :func:`held_out_batches`.
    count
        How many.
    """
    every = [draw for batch in batches for draw in batch]
    for index in _spread(len(every), count):
        yield every[index]


def _spread(count: int, most: int) -> list[int]:
    """Return at most so many numbers below ``count``, with the first and the last."""
    return sorted({round(position) for position in np.linspace(0, count - 1, min(most, count))})
