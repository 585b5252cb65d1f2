"""The patterns of the benchmark of transcription: exact onsets, levels, and one answer for each moment."""

import numpy as np
import pytest

from ossicle.core.tracks import Event

RATE = 8000
KIT = {label: [np.ones(400, dtype=np.float32)] for label in ("bd", "sd", "hh", "cp")}


def test_hits_lie_where_their_sound_begins_at_the_levels_they_say() -> None:
    from drum_patterns import LOWEST_DB, make_pattern

    samples, hits = make_pattern(KIT, 20.0, np.random.default_rng(0), RATE)
    assert len(hits) > 20
    together: dict[float, float] = {}
    for hit in hits:
        together[hit.onset_s] = together.get(hit.onset_s, 0.0) + 0.25 * 10 ** (hit.level_db / 20)
        assert LOWEST_DB <= hit.level_db <= 0
    # Where nothing sounds before, the samples begin with the sum of the hits.
    for onset_s, height in together.items():
        first = round(onset_s * RATE)
        if abs(samples[first - 1]) < 0.01:
            assert abs(samples[first] - height) < 0.01
    counts = [sum(hit.onset_s == onset_s for hit in hits) for onset_s in together]
    assert set(counts) == {1, 2, 3}
    # Steps are further apart than the window in which onsets are judged.
    assert np.diff(sorted(together)).min() > 0.06


def test_each_copy_of_a_contradictory_pattern_has_one_hit_of_a_moment() -> None:
    from bench_transcription import separated
    from drum_patterns import Hit

    hits = [Hit(1.0, "bd", 0.0), Hit(1.0, "hh", 0.0), Hit(2.0, "sd", 0.0)]
    assert [[one.label for one in separated(hits, copy)] for copy in range(3)] == [
        ["bd", "sd"],
        ["hh", "sd"],
        ["bd", "sd"],
    ]


def test_kits_are_named_into_the_parts_that_are_asked_for() -> None:
    from bench_transcription import kits_by_part, part_of

    parts = kits_by_part({f"kit{n}": KIT for n in range(5)}, {"test": 2, "val": 1})
    assert {part: len(of) for part, of in parts.items()} == {"test": 2, "val": 1, "train": 2}
    assert all(part_of(name) == part for part, of in parts.items() for name in of)


def test_one_answer_is_kept_for_each_moment() -> None:
    from single_answers import single_answers

    events = [
        Event(t, t + 0.01, label, score) for t, label, score in ((1.0, "a", 0.5), (1.02, "b", 0.9), (1.04, "a", 0.4))
    ]
    assert [(event.start_s, event.label) for event in single_answers(events, 0.03)] == [(1.02, "b"), (1.04, "a")]


def test_one_answer_for_each_onset_has_a_bound() -> None:
    from single_answers import one_answer_bound

    # Three at once, two at once 20 ms apart, and one alone that counts for nothing.
    bound = one_answer_bound([[1.0, 1.0, 1.0, 2.0], [0.5, 0.52]], 0.03)
    assert (bound.n_hits, bound.n_onsets) == (5, 2)
    # Two of five hits are found, and nothing else is answered.
    assert bound.f1 == pytest.approx(2 * (2 / 5) / (1 + 2 / 5))
    assert one_answer_bound([[1.0, 2.0], []], 0.03).f1 == 0.0
