from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ossicle.core.records import Annotation, Recording
from ossicle.corpus.review.selection import Candidate, Look, ReviewSettings, choose


def recording(name: str, reviewed: bool) -> Recording:
    return Recording(name, "tapes", f"{name}.wav", 100, 1, 6000, name, reviewed)


RECORDINGS = [recording("new", False), recording("old", True)]
NOTES = [Annotation("old", 10.0, 10.5, "hum", quality=2), Annotation("old", 20.0, 20.5, "hum", 100.0, 900.0)]


def candidate(start_s: float, score: float, key: str = "new", label: str = "hum", length_s: float = 0.5) -> Candidate:
    return Candidate(key, start_s, start_s + length_s, label, score, 0.4, score >= 0.4)


FOUND = [
    candidate(5.0, 0.95),
    candidate(12.0, 0.41),
    candidate(30.0, 0.38),
    candidate(33.0, 0.25),
    candidate(50.0, 0.7, label="trill"),
    candidate(10.1, 0.9, key="old"),  # agrees with the annotation at 10 s
    candidate(40.0, 0.8, key="old"),  # no annotation there
]


def chosen(candidates: Sequence[Candidate] = FOUND, **changes: object) -> dict[str, tuple[Look, ...]]:
    examined = changes.pop("examined", {})
    return choose(RECORDINGS, NOTES, candidates, examined, ReviewSettings(**changes))  # type: ignore[arg-type]


def spots(looks: dict[str, tuple[Look, ...]]) -> list[tuple[str, float, tuple[str, ...]]]:
    return [(key, look.start_s, look.reasons) for key, of in looks.items() for look in of]


def test_uncertain_are_those_closest_to_the_threshold_on_either_side() -> None:
    assert spots(chosen(select=("uncertain",), most=3)) == [
        ("new", 11.0, ("uncertain",)),
        ("new", 29.0, ("uncertain",)),
        ("new", 49.0, ("uncertain",)),
    ]


def test_best_are_the_surest_events_and_never_below_the_threshold() -> None:
    assert spots(chosen(select=("best",), most=2)) == [("new", 4.0, ("best",)), ("new", 49.0, ("best",))]
    assert [start for _, start, _ in spots(chosen(select=("best",)))] == [4.0, 11.0, 49.0]


def test_worst_are_contradictions_of_annotations() -> None:
    looks = chosen(select=("worst",))
    assert spots(looks) == [
        ("old", 19.0, ("annotated, not found",)),
        ("old", 39.0, ("found, not annotated",)),
    ]
    (missed,) = looks["old"][0].rows
    assert (missed.score, missed.reason, missed.low_hz, missed.high_hz) == (None, "annotated", 100.0, 900.0)


def test_what_was_examined_is_not_asked_again() -> None:
    assert [start for _, start, _ in spots(chosen(select=("best",), examined={"new": ((4.0, 20.0),)}))] == [49.0]


def test_stretches_that_meet_are_one_and_show_every_event_in_them() -> None:
    looks = chosen([candidate(5.0, 0.45), candidate(6.2, 0.9), candidate(6.9, 0.3)], select=("uncertain",), most=1)
    ((look,),) = looks.values()
    assert [(row.start_s, row.reason) for row in look.rows] == [(5.0, "found"), (6.2, "found")]
    # The second event is reached, so it is in whole; below the threshold only what was chosen is shown.
    assert (look.start_s, look.end_s) == (4.0, 6.7)


def test_an_event_that_agrees_with_an_annotation_is_not_shown_beside_it() -> None:
    looks = chosen([*FOUND, candidate(11.0, 0.6, key="old")], select=("worst",))
    assert [(row.start_s, row.reason) for row in looks["old"][0].rows] == [(10.0, "annotated"), (11.0, "found")]


candidates = st.builds(
    candidate,
    start_s=st.floats(0, 59, width=32),
    score=st.floats(0.2, 1),
    key=st.sampled_from(["new", "old"]),
    label=st.sampled_from(["hum", "trill"]),
    length_s=st.floats(0.01, 3),
)


@given(st.lists(candidates, max_size=12), st.integers(1, 6), st.floats(0, 3))
def test_stretches_are_apart_lie_in_the_recording_and_cut_no_row(
    candidates: list[Candidate], most: int, margin_s: float
) -> None:
    inside = [candidate for candidate in candidates if candidate.end_s <= 60]
    for key, looks in choose(RECORDINGS, NOTES, inside, {}, ReviewSettings(most=most, margin_s=margin_s)).items():
        ends = [look.end_s for look in looks]
        assert all(look.start_s > end for look, end in zip(looks[1:], ends, strict=False))
        shown = {(row.start_s, row.end_s) for look in looks for row in look.rows}
        for look in looks:
            assert 0 <= look.start_s < look.end_s <= 60
            assert look.reasons
            for row in look.rows:
                assert look.start_s <= row.start_s
                assert row.end_s <= look.end_s
            for candidate in inside:
                touched = (
                    candidate.recording_id == key and candidate.end_s > look.start_s and candidate.start_s < look.end_s
                )
                if touched and candidate.decided and key == "new":
                    assert (candidate.start_s, candidate.end_s) in shown


@pytest.mark.parametrize("change", [{"most": 0}, {"margin_s": -1.0}, {"select": ("all",)}])
def test_impossible_settings_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(change))):
        ReviewSettings(**change)  # type: ignore[arg-type]
