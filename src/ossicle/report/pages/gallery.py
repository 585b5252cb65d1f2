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
    "missed": "Missed: annotations that no detection matches; the clearest first",
    "false alarm": "False alarms: detections that match no annotation; the most confident first. Some are overlooked "
    "calls, or join or divide annotated ones",
}
_RECORDING_TITLES: Mapping[ExampleKind, str] = {
    "confused": "Most confused: recordings whose highest score belongs to another label, the highest scores first",
    "missed": "Missed: the label is in the recording and was not found; the lowest scores first",
    "false alarm": "False alarms: found where it is not annotated; the most confident first. Some may be overlooked",
}

_CLIP_TITLE = "Misclassified hits: the most confident wrong answers first, each with its three highest labels"


@dataclass(frozen=True, slots=True, eq=False)
class Card:
    """One example ready to show: ``image`` and ``sound`` are ``data:`` addresses; ``sound`` is "" without sound.

    ``beside``: what lies at the place of an event that matches nothing, in words; "" for other examples.
    """

    example: Example
    image: str
    sound: str
    beside: str


@dataclass(frozen=True, slots=True, eq=False)
class Gallery:
    """All examples of one kind under their title."""

    kind: ExampleKind
    title: str
    cards: Sequence[Card]


def galleries(
    examples: Sequence[Example],
    most_bytes: int = MOST_SOUND_BYTES,
    *,
    by_recording: bool = False,
    by_clip: bool = False,
) -> list[Gallery]:
    """Return a gallery for every kind of example of events, whole recordings or clips, including empty ones.

    Clips have theirs beside those of events, and instead of those of whole recordings.
    Sound is embedded up to ``most_bytes`` in total: first the first example of every kind, then the second.
    """
    titles = _RECORDING_TITLES if by_recording else _TITLES
    shown = RECORDING_KINDS if by_recording else EVENT_KINDS
    if by_clip:
        titles, shown = {**titles, "confused": _CLIP_TITLE}, (*(() if by_recording else EVENT_KINDS), "confused")
    kinds = {kind: [example for example in examples if example.kind == kind] for kind in shown}
    heard: set[int] = set()
    left = most_bytes
    for _, example in sorted(
        ((rank, example) for kind_examples in kinds.values() for rank, example in enumerate(kind_examples)),
        key=lambda pair: pair[0],
    ):
        size = 2 * len(example.samples)
        if 0 < size <= left:
            heard.add(id(example))
            left -= size
    return [
        Gallery(
            kind, titles[kind], [_card(example, id(example) in heard, not by_recording) for example in kind_examples]
        )
        for kind, kind_examples in kinds.items()
    ]


def in_its_place(example: Example) -> str:
    """Return what a missed annotation or a false alarm shares its time with: nothing, a part of a call, several calls.

    >>> silence = np.zeros(8, np.float32)
    >>> joined = Example("false alarm", "a.wav", "call", 1.0, 3.0, 0.9, None, silence, 8, 0.0,
    ...                  references=[(1.0, 1.5, "call"), (2.0, 3.0, "call"), (2.0, 2.5, "song")])
    >>> in_its_place(joined)
    'joins 2 annotated calls of this label'
    """
    if example.kind == "false alarm":
        n_sharing = _sharing(example, [note[:3] for note in example.references])
        return _CASES_FALSE[min(n_sharing, 2)].format(n_sharing)
    if example.kind == "missed":
        n_sharing = _sharing(example, [event[:3] for event in example.predictions])
        return _CASES_MISSED[min(n_sharing, 2)].format(n_sharing)
    return ""


_CASES_FALSE = (
    "no annotation of this label here",
    "overlaps an annotated call of this label too little, or a better detection has it",
    "joins {} annotated calls of this label",
)
_CASES_MISSED = (
    "no detection of this label here",
    "overlaps a detection of this label too little, or another call has it",
    "divided among {} detections of this label",
)


def _sharing(example: Example, others: Sequence[tuple[float, float, str]]) -> int:
    """Return how many events of the example's label share time with it."""
    return sum(
        label == example.label and end > example.start_s and start < example.end_s for start, end, label in others
    )


def _card(example: Example, heard: bool, timed: bool) -> Card:
    return Card(
        example, _image(example), sound_address(example) if heard else "", in_its_place(example) if timed else ""
    )


def raised(samples: NDArray[np.float32], peak: float = PEAK) -> NDArray[np.float32]:
    """Return samples (n,) scaled to a common peak, so that a faint call can be heard; silence stays silence."""
    highest = float(np.max(np.abs(samples), initial=0.0))
    louder: NDArray[np.float32] = samples * np.float32(peak / highest) if highest > 0 else samples
    return louder


def _image(example: Example) -> str:
    return data_address(example_figure(example))


def sound_address(example: Example) -> str:
    """Return the sound of an example, raised to a common peak, as a ``data:`` address."""
    return "data:audio/wav;base64," + base64.b64encode(wav_bytes(raised(example.samples), example.rate)).decode()
