"""Tables of annotations and clips from columns: the same frames and the same bytes as one Python row each gives."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ossicle.artefacts.records.column_tables import (
    annotations_frame,
    annotations_of,
    clips_frame,
    clips_of,
    read_annotations,
    read_clips,
    write_annotations,
    write_clips,
)
from ossicle.artefacts.records.record_tables import ANNOTATION_SCHEMA, CLIP_SCHEMA
from ossicle.artefacts.tables import read_table, write_table
from ossicle.core.columns.annotation_columns import AnnotationColumns
from ossicle.core.errors import ArtefactError
from ossicle.core.records import Annotation, Clip

ORDERS = {"annotations": ["recording_id", "start_s", "label"], "clips": ["recording_id", "start_s", "label", "role"]}
times = st.integers(0, 6).map(lambda one: one / 4) | st.floats(0, 1e5, allow_nan=False)
names = st.sampled_from(["b", "a", "é", "z\x00", "z", "=1"]) | st.text(min_size=1, max_size=4)
annotations = st.lists(
    st.builds(
        lambda ends, band, **others: Annotation(
            start_s=min(ends), end_s=max(ends), low_hz=band[0], high_hz=band[1], **others
        ),
        ends=st.tuples(times, times),
        band=st.tuples(st.none() | times, st.none()) | st.tuples(times, times).map(sorted),
        recording_id=names,
        label=names,
        quality=st.none() | st.integers(1, 4),
        confidence=st.none() | st.sampled_from([-1.0, 0.0]) | st.floats(0, 1),
        provenance=st.sampled_from(["", "annotated", "mined"]),
    ),
    max_size=10,
)
clips = st.lists(
    st.builds(
        Clip,
        recording_id=names,
        start_s=times,
        end_s=times,
        role=st.sampled_from(["target", "noise", "window", "pseudo"]),
        fold=st.integers(-1, 9),
        group=names,
        label=st.just("") | names,
        weight=times,
    ),
    max_size=10,
)


def rows(values: Sequence[Annotation] | Sequence[Clip]) -> pl.DataFrame:
    """Return the table as one dictionary for each row gives it."""
    schema = CLIP_SCHEMA if values and isinstance(values[0], Clip) else ANNOTATION_SCHEMA
    result = [{name: getattr(value, name) for name in schema} for value in values]
    return pl.DataFrame(result, schema=schema, orient="row").sort(list(schema), nulls_last=False)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ones=annotations)
def test_annotations_as_rows_give_them(tmp_path: Path, ones: list[Annotation]) -> None:
    frame = rows(ones)
    assert annotations_frame(ones).equals(frame)
    assert dict(annotations_frame(ones).schema) == dict(frame.schema)
    assert list(annotations_of(frame)) == [Annotation(**row) for row in frame.iter_rows(named=True)]
    for order in ([], ORDERS["annotations"]):
        write_table(tmp_path / "rows", frame, order)
        write_annotations(tmp_path / "columns", ones, order)
        assert (tmp_path / "rows").read_bytes() == (tmp_path / "columns").read_bytes()
        assert list(read_annotations(tmp_path / "columns")) == list(annotations_of(read_table(tmp_path / "rows")))


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ones=clips.filter(bool))
def test_clips_as_rows_give_them(tmp_path: Path, ones: list[Clip]) -> None:
    frame = rows(ones)
    assert clips_frame(ones).equals(frame)
    assert list(clips_of(frame)) == [Clip(**row) for row in frame.iter_rows(named=True)]
    write_table(tmp_path / "rows", frame, ORDERS["clips"])
    write_clips(tmp_path / "columns", ones, ORDERS["clips"])
    assert (tmp_path / "rows").read_bytes() == (tmp_path / "columns").read_bytes()
    assert list(read_clips(tmp_path / "columns")) == list(clips_of(read_table(tmp_path / "rows")))


def test_tables_of_several_row_groups_have_the_same_bytes(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    n_rows = 140_000
    starts, labels = rng.integers(0, 5000, n_rows) / 8, rng.integers(0, 9, n_rows)
    ids = [f"{code:016x}" for code in rng.integers(0, 40, n_rows)]
    ones = [
        Annotation(key, float(start), float(start) + 0.25, f"label {label}", quality=int(label) or None)
        for key, start, label in zip(ids, starts, labels, strict=True)
    ]
    write_table(tmp_path / "rows", rows(ones), ORDERS["annotations"])
    write_annotations(tmp_path / "columns", ones, ORDERS["annotations"])
    assert (tmp_path / "rows").read_bytes() == (tmp_path / "columns").read_bytes()
    ordered = read_annotations(tmp_path / "columns")
    write_annotations(tmp_path / "again", ordered, ORDERS["annotations"])
    assert (tmp_path / "rows").read_bytes() == (tmp_path / "again").read_bytes()


@pytest.mark.parametrize(
    ("column", "value", "problem"),
    [
        ("start_s", -1.0, "start_s = -1.0"),
        ("start_s", None, "start_s = None"),
        ("end_s", float("inf"), "end_s = inf"),
        ("end_s", 0.5, "is after"),
        ("label", "", "label"),
        ("recording_id", "", "recording_id"),
        ("low_hz", float("nan"), "low_hz = nan"),
        ("low_hz", 300.0, "is above"),
        ("high_hz", -1.0, "high_hz = -1.0"),
        ("confidence", float("inf"), "confidence = inf"),
    ],
)
def test_an_invalid_value_is_an_error_that_states_it(tmp_path: Path, column: str, value: object, problem: str) -> None:
    good = {"recording_id": "a", "start_s": 1.0, "end_s": 2.0, "label": "wren", "low_hz": 100.0, "high_hz": 200.0}
    good |= {"quality": 1, "confidence": 0.5, "provenance": "annotated"}
    frame = pl.DataFrame([good, {**good, column: value}, good], schema=dict(ANNOTATION_SCHEMA))
    with pytest.raises(ArtefactError, match=f"invalid row.*{problem}"):
        annotations_of(frame)


def test_an_unknown_role_and_a_missing_text_are_errors() -> None:
    frame = clips_frame([Clip("a", 0.0, 1.0, "target", 0, "g")])
    with pytest.raises(ArtefactError, match="unknown role 'bark'"):
        clips_of(frame.with_columns(role=pl.lit("bark")))
    with pytest.raises(ArtefactError, match=r"'group'.*without a value"):
        clips_of(frame.with_columns(group=pl.lit(None, pl.String)))
    with pytest.raises(ArtefactError, match=r"'fold'.*without a value"):
        clips_of(frame.with_columns(fold=pl.lit(None, pl.Int64)))


def test_one_column_is_read_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "a[b].parquet"
    write_annotations(path, [Annotation("a", 0.0, 1.0, "wren")], [])
    assert read_annotations(path) == [Annotation("a", 0.0, 1.0, "wren")]
    read_table(path).drop("quality").write_parquet(path)
    with pytest.raises(ArtefactError, match="no column 'quality'"):
        read_annotations(path)
    read_table(path).with_columns(quality=pl.lit("1")).write_parquet(path)
    with pytest.raises(ArtefactError, match="'quality' is String, not Int64"):
        read_annotations(path)
    with pytest.raises(ArtefactError, match="missing"):
        read_annotations(tmp_path / "none.parquet")


def test_rows_of_a_table_that_is_not_sorted_by_recording_are_grouped() -> None:
    ones = [Annotation(key, 0.0, 1.0, "wren", quality=k) for k, key in enumerate("bab", start=1)]
    frame = pl.DataFrame(
        [{name: getattr(annotation, name) for name in ANNOTATION_SCHEMA} for annotation in ones],
        schema=dict(ANNOTATION_SCHEMA),
    )
    assert annotations_of(frame) == [ones[0], ones[2], ones[1]]
    assert annotations_of(frame) == AnnotationColumns.from_annotations(ones)
