"""Clips as columns: the same rows, in the same order, as a list of clips."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ossicle.core.columns.clip_columns import ClipColumns
from ossicle.core.records import Clip, grouped

clips = st.lists(
    st.builds(
        Clip,
        recording_id=st.sampled_from(["b", "a", "c"]),
        start_s=st.sampled_from([0.0, 0.5]),
        end_s=st.sampled_from([0.5, 1.0]),
        role=st.sampled_from(["target", "noise", "window", "pseudo"]),
        fold=st.integers(-1, 2),
        group=st.sampled_from(["north", "south"]),
        label=st.sampled_from(["", "wren"]),
        weight=st.sampled_from([1.0, 2.0]),
    ),
    max_size=12,
)


def by_recording(clips: list[Clip]) -> list[Clip]:
    return [
        clip for recording_clips in grouped(clips, lambda clip: clip.recording_id).values() for clip in recording_clips
    ]


@given(clips)
def test_columns_hold_the_clips_by_recording(clips: list[Clip]) -> None:
    columns, expected = ClipColumns.from_clips(clips), by_recording(clips)
    assert list(columns) == expected
    assert columns == expected
    assert [columns[row] for row in range(len(columns))] == expected
    assert [columns.recording_ids[code] for code in columns.recording] == [clip.recording_id for clip in expected]
    for key in ("a", "b", "other"):
        assert list(columns.of(key)) == [clip for clip in expected if clip.recording_id == key]
    assert columns.has_role("noise").tolist() == [clip.role == "noise" for clip in expected]
    assert columns.held_out_in([0, -1]).tolist() == [clip.fold in (0, -1) for clip in expected]
    assert not columns.held_out_in([]).any()


@given(clips, st.data())
def test_some_rows(clips: list[Clip], data: st.DataObject) -> None:
    columns, expected = ClipColumns.from_clips(clips), by_recording(clips)
    is_kept = np.array([data.draw(st.booleans()) for _ in expected], dtype=np.bool_)
    some, rest = columns.where(is_kept), columns.where(~is_kept)
    assert list(some) == [clip for clip, keep in zip(expected, is_kept, strict=True) if keep]
    assert list(columns[:2]) == expected[:2]
    assert ClipColumns.joined([some, rest]) == by_recording([*some, *rest])
    assert ClipColumns.joined([]) == ()


def test_equal_weights_take_no_memory() -> None:
    columns = ClipColumns.from_clips([Clip("a", 0.0, float(k), "target", 0, "g") for k in range(3)])
    assert columns.weight.strides == (0,)
    assert columns != [Clip("a", 0.0, 1.0, "target", 0, "g")]
