"""The examples of a page: picture, sound and words of each, in the order shown."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ossicle.audio.wav import wav_bytes
from ossicle.evaluation.examples.example import EVENT_KINDS, RECORDING_KINDS, Example, ExampleKind
from ossicle.report.figures.example import example_figure
from ossicle.report.figures.style import data_address

MOST_SOUND_BYTES = 5_000_000
PEAK = 0.7

_TITLES: Mapping[ExampleKind, str] = {
    "best": "Best matches: events whose times agree best with the annotation",
    "worst": "Worst matches: found, but with the largest differences in time",
    "missed": "Missed: annotated, not found; the clearest first",
    "false alarm": "False alarms: found, not annotated; the most confident first. Some may be overlooked calls",
}
_RECORDING_TITLES: Mapping[ExampleKind, str] = {
    "confused": "Most confused: recordings whose highest score belongs to another label, the highest scores first",
    "missed": "Missed: the label is in the recording and was not found; the lowest scores first",
    "false alarm": "False alarms: found where it is not annotated; the most confident first. Some may be overlooked",
}


@dataclass(frozen=True, slots=True, eq=False)
class Card:
    """One example ready to show: ``image`` and ``sound`` are ``data:`` addresses; ``sound`` is "" without sound."""

    one: Example
    image: str
    sound: str


@dataclass(frozen=True, slots=True, eq=False)
class Gallery:
    """All examples of one kind under their title."""

    kind: ExampleKind
    title: str
    cards: Sequence[Card]


def galleries(
    examples: Sequence[Example], most_bytes: int = MOST_SOUND_BYTES, *, by_recording: bool = False
) -> list[Gallery]:
    """Return a gallery for every kind of example of events or of whole recordings, including empty ones.

    Sound is embedded up to ``most_bytes`` in total: first the first example of every kind, then the second.
    """
    titles = _RECORDING_TITLES if by_recording else _TITLES
    shown = RECORDING_KINDS if by_recording else EVENT_KINDS
    kinds = {kind: [one for one in examples if one.kind == kind] for kind in shown}
    heard: set[int] = set()
    left = most_bytes
    for _, one in sorted(
        ((rank, one) for of in kinds.values() for rank, one in enumerate(of)), key=lambda pair: pair[0]
    ):
        size = 2 * len(one.samples)
        if 0 < size <= left:
            heard.add(id(one))
            left -= size
    return [
        Gallery(kind, titles[kind], [Card(one, _image(one), _sound(one) if id(one) in heard else "") for one in of])
        for kind, of in kinds.items()
    ]


def raised(samples: NDArray[np.float32], peak: float = PEAK) -> NDArray[np.float32]:
    """Return samples (n,) scaled to a common peak, so that a faint call can be heard; silence stays silence."""
    highest = float(np.max(np.abs(samples), initial=0.0))
    louder: NDArray[np.float32] = samples * np.float32(peak / highest) if highest > 0 else samples
    return louder


def _image(example: Example) -> str:
    return data_address(example_figure(example))


def _sound(example: Example) -> str:
    return "data:audio/wav;base64," + base64.b64encode(wav_bytes(raised(example.samples), example.rate)).decode()
