import base64
import io
from dataclasses import replace

import numpy as np
import pytest
import soundfile

from ossicle.evaluation.examples.example import EVENT_KINDS, EXAMPLE_KINDS, RECORDING_KINDS, Example
from ossicle.report.pages.gallery import PEAK, galleries, in_its_place, raised

SOUND = np.sin(np.arange(4000) * 0.5).astype(np.float32) * 0.01


def one(kind: str, samples: np.ndarray = SOUND) -> Example:
    return Example(kind, "a.wav", "call", 0.1, 0.2, None, None, samples, 8000, 0.0)


def test_every_kind_has_its_place_also_without_examples() -> None:
    shown = galleries([one("missed"), one("best"), one("missed")])
    assert [gallery.kind for gallery in shown] == list(EVENT_KINDS)
    of_recordings = galleries([one("confused"), one("missed")], by_recording=True)
    assert [gallery.kind for gallery in of_recordings] == list(RECORDING_KINDS)
    assert {*EVENT_KINDS, *RECORDING_KINDS} == set(EXAMPLE_KINDS)
    assert [len(gallery.cards) for gallery in shown] == [1, 0, 2, 0]


def test_the_sound_is_the_example_raised_to_the_common_peak() -> None:
    card = galleries([one("best")])[0].cards[0]
    heard, rate = soundfile.read(io.BytesIO(base64.b64decode(card.sound.split(",")[1])), dtype="float32")
    assert rate == 8000
    np.testing.assert_allclose(heard, SOUND * (PEAK / np.abs(SOUND).max()), atol=1e-4)


def test_the_first_of_every_kind_is_heard_first_when_there_is_too_much() -> None:
    examples = [one("best"), one("best"), one("best"), one("worst"), one("missed")]
    shown = galleries(examples, most_bytes=3 * 2 * len(SOUND))
    assert [[bool(card.sound) for card in gallery.cards] for gallery in shown] == [
        [True, False, False],
        [True],
        [True],
        [],
    ]


def test_the_same_example_twice_is_not_counted_as_one_more_sound() -> None:
    example = one("best")
    assert [bool(card.sound) for card in galleries([example, replace(example)])[0].cards] == [True, True]


def test_silence_and_nothing_stay_as_they_are() -> None:
    assert (raised(np.zeros(3, np.float32)) == 0).all()
    assert len(raised(np.zeros(0, np.float32))) == 0
    assert galleries([one("best", np.zeros(0, np.float32))])[0].cards[0].sound == ""


@pytest.mark.parametrize(
    ("references", "words"),
    [
        ([], "no annotation of this label here"),
        ([(0.1, 0.2, "song")], "no annotation of this label here"),
        ([(0.15, 0.9, "call")], "overlaps an annotated call of this label too little, or a better detection has it"),
        ([(0.1, 0.12, "call"), (0.15, 0.2, "call"), (0.2, 0.3, "call")], "joins 2 annotated calls of this label"),
    ],
)
def test_a_false_alarm_says_what_it_lies_on(references: list[tuple[float, float, str]], words: str) -> None:
    assert in_its_place(replace(one("false alarm"), references=references)) == words
    (card,) = galleries([replace(one("false alarm"), references=references)])[-1].cards
    assert card.beside == words


def test_a_missed_call_says_what_divides_it() -> None:
    pieces = [(0.1, 0.13, "call", 0.9), (0.15, 0.2, "call", 0.8), (0.1, 0.2, "song", 0.8)]
    assert in_its_place(replace(one("missed"), predictions=pieces)) == "divided among 2 detections of this label"
    assert in_its_place(replace(one("best"), predictions=pieces)) == ""
