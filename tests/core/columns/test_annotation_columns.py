"""Annotations as columns: the same rows, in the same order, as a list of annotations."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ossicle.core.columns.annotation_columns import AnnotationColumns
from ossicle.core.records import Annotation, grouped

times = st.integers(0, 6).map(lambda quarter: quarter / 4)
annotations = st.lists(
    st.builds(
        lambda ends, **others: Annotation(start_s=min(ends), end_s=max(ends), **others),
        ends=st.tuples(times, times),
        recording_id=st.sampled_from(["b", "a", "ü\x00", "ü"]),
        label=st.sampled_from(["wren", "robin", "x\x00", "x"]),
        low_hz=st.none() | st.sampled_from([0.0, 100.0]),
        high_hz=st.none() | st.sampled_from([1000.0, 200.0]),
        quality=st.none() | st.integers(1, 3),
        confidence=st.none() | st.sampled_from([-1.0, 0.0, 0.5]),
        provenance=st.sampled_from(["annotated", "mined"]),
    ),
    max_size=12,
)


def by_recording(annotations: list[Annotation]) -> list[Annotation]:
    return [
        annotation
        for recording_annotations in grouped(annotations, lambda annotation: annotation.recording_id).values()
        for annotation in recording_annotations
    ]


@given(annotations)
def test_columns_hold_the_annotations_by_recording(annotations: list[Annotation]) -> None:
    columns, expected = AnnotationColumns.from_annotations(annotations), by_recording(annotations)
    assert list(columns) == expected
    assert columns == expected
    assert len(columns) == len(expected)
    assert [columns[row] for row in range(len(columns))] == expected
    assert [columns[-1 - row] for row in range(len(columns))] == expected[::-1]
    assert columns.offsets[-1] == len(expected)
    assert [columns.recording_ids[code] for code in columns.recording] == [
        annotation.recording_id for annotation in expected
    ]
    for key in ("a", "b", "ü", "ü\x00", "other"):
        assert list(columns.of(key)) == [annotation for annotation in expected if annotation.recording_id == key]
        assert columns.of(key).recording_ids == ((key,) if key in columns.recording_ids else ())
    counts = {
        label: sum(annotation.label == label for annotation in annotations)
        for label in sorted({annotation.label for annotation in annotations})
    }
    assert columns.label_counts() == counts


@given(annotations, st.data())
def test_some_rows(annotations: list[Annotation], data: st.DataObject) -> None:
    columns, expected = AnnotationColumns.from_annotations(annotations), by_recording(annotations)
    is_kept = np.array([data.draw(st.booleans()) for _ in expected], dtype=np.bool_)
    some = columns.where(is_kept)
    assert list(some) == [annotation for annotation, keep in zip(expected, is_kept, strict=True) if keep]
    assert set(some.recording_ids) == {annotation.recording_id for annotation in some}
    assert list(columns[1:3]) == expected[1:3]
    rest = columns.where(~is_kept)
    assert AnnotationColumns.joined([some, rest]) == by_recording([*some, *rest])
    assert AnnotationColumns.joined([]) == ()


@given(annotations, st.permutations(["a", "b", "ü", "ü\x00"]))
def test_rows_in_the_order_of_recordings_and_times(annotations: list[Annotation], order: list[str]) -> None:
    columns = AnnotationColumns.from_annotations(annotations)
    annotation_columns = columns.in_order(order)

    def key(annotation: Annotation) -> tuple[int, float, float, str, str]:
        """The order of an index as annotation objects define it."""
        place = order.index(annotation.recording_id)
        return place, annotation.start_s, annotation.end_s, annotation.label, repr(annotation)

    assert list(annotation_columns) == sorted(annotations, key=key)
    assert list(columns.by_recording(order)) == sorted(
        annotations, key=lambda annotation: order.index(annotation.recording_id)
    )
    for known in [order[1:]] if order[0] in columns.recording_ids else []:
        with pytest.raises(KeyError):
            columns.by_recording(known)


def test_rows_of_one_recording_are_views() -> None:
    columns = AnnotationColumns.from_annotations([Annotation(key, 0.0, 1.0, "x") for key in "aabb"])
    assert np.shares_memory(columns.of("b").start_s, columns.start_s)
    assert columns.low_hz is None
    assert columns.provenance.strides == (0,)
    assert columns.where(np.array([True, False, True, True])).provenance.strides == (0,)


def test_rows_of_a_recording_must_stay_together() -> None:
    columns = AnnotationColumns.from_annotations([Annotation(key, 0.0, 1.0, "x") for key in "aab"])
    with pytest.raises(ValueError, match="sort them by recording"):
        columns.take(np.array([0, 2, 1]))


def test_columns_differ_from_other_rows() -> None:
    annotation = Annotation("a", 0.0, 1.0, "x")
    columns = AnnotationColumns.from_annotations([annotation])
    assert columns != [annotation, annotation]
    assert columns != [Annotation("a", 0.0, 1.0, "y")]
    assert columns != 1
