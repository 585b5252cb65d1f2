"""Repeats and overlaps against the obvious loops."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ossicle.corpus.health.gates.repeats import (
    MOST_EXAMPLES,
    ordered_events,
    overlapping,
    repeated_audio,
    repeated_events,
    repeated_ids,
)

from .made_events import Hit, columns

HITS = st.lists(
    st.tuples(
        st.sampled_from(["a.wav", "b.wav", "c.wav"]),
        st.integers(0, 40).map(lambda step: step / 100),
        st.sampled_from(["kick", "snare", "hihat", None]),
    ),
    max_size=40,
)


def slow_repeats(hits: list[Hit]) -> int:
    labelled = [hit for hit in hits if hit[2] is not None]
    return len(labelled) - len(set(labelled))


def slow_overlaps(hits: list[Hit], within_s: float) -> int:
    labelled = [hit for hit in hits if hit[2] is not None]
    return sum(
        any(
            other[0] == hit[0] and other[2] != hit[2] and abs(other[1] - hit[1]) <= within_s + 1e-9
            for other in labelled
        )
        for hit in labelled
    )


@given(HITS)
def test_repeats_are_those_of_the_obvious_loop(hits: list[Hit]) -> None:
    events = columns(hits).events
    assert repeated_events(events, ordered_events(events)).repeats == slow_repeats(hits)


@given(HITS, st.sampled_from([0.0, 0.01, 0.03, 1.0]))
def test_overlaps_are_those_of_the_obvious_loop(hits: list[Hit], within_s: float) -> None:
    ordered = ordered_events(columns(hits).events)
    assert np.count_nonzero(overlapping(ordered, within_s)) == slow_overlaps(hits, within_s)


def test_a_repeat_is_named_once_however_often_it_occurs() -> None:
    events = columns([("a.wav", 1.0, "kick")] * 4 + [("a.wav", 1.0, "snare"), ("b.wav", 1.0, "kick")]).events
    repeats = repeated_events(events, ordered_events(events))
    assert (repeats.counted, repeats.repeats, repeats.share) == (6, 3, 0.5)
    assert repeats.examples == ("'kick' at 1.000 s of a.wav",)


def test_starts_are_compared_to_a_microsecond() -> None:
    hits: list[Hit] = [("a.wav", 1.25, "kick"), ("a.wav", 1.25 + 1e-9, "kick"), ("a.wav", 1.25001, "kick")]
    events = columns(hits).events
    assert repeated_events(events, ordered_events(events)).repeats == 1


def test_examples_are_few() -> None:
    hits = [(f"{n}.wav", 0.5, "kick") for n in range(3 * MOST_EXAMPLES)] * 2
    events = columns(hits).events
    assert len(repeated_events(events, ordered_events(events)).examples) == MOST_EXAMPLES


def test_labels_of_one_event_share_its_id_and_no_id_is_no_repeat() -> None:
    hits: list[Hit] = [("a.wav", 1.0, "kick"), ("a.wav", 1.0, "snare"), ("a.wav", 2.0, "kick"), ("a.wav", 3.0, "kick")]
    table = columns(hits, first=[True, False, True, True], event_id=[7, 7, 7, 8], sample_id=[None, None, None, None])
    repeats = repeated_ids(table.events, "event_id")
    assert (repeats.counted, repeats.repeats) == (3, 1)
    assert repeats.examples == ("'kick' at 2.000 s of a.wav",)
    assert repeated_ids(table.events, "sample_id").share is None
    assert (table.has("event_id"), table.has("sample_id"), table.has("kit")) == (True, False, False)


def test_recordings_that_were_not_read_are_no_copies() -> None:
    digests = columns([], digests=["x", "", "x", "", "y"]).digests
    assert digests is not None
    repeats = repeated_audio(digests)
    assert (repeats.counted, repeats.repeats, repeats.examples) == (3, 1, ("2.wav",))


@pytest.mark.parametrize("hits", [[], [("a.wav", 0.0, None)]])
def test_without_labels_nothing_repeats_or_overlaps(hits: list[Hit]) -> None:
    events = columns(hits).events
    ordered = ordered_events(events)
    assert repeated_events(events, ordered).share is None
    assert overlapping(ordered, 1.0).tolist() == []
