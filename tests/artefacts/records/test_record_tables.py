import json
import random
from dataclasses import asdict

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ossicle.artefacts.records.column_tables import annotations_frame, annotations_of, clips_frame, clips_of
from ossicle.artefacts.records.record_tables import (
    ANNOTATION_SCHEMA,
    CLIP_SCHEMA,
    RECORDING_SCHEMA,
    recordings_frame,
    recordings_of,
)
from ossicle.core.errors import ArtefactError
from ossicle.core.records import Annotation, Clip, Recording

times = st.floats(0, 1e5, allow_nan=False)
words = st.text(max_size=8)
names = st.text(min_size=1, max_size=8)
recordings = st.builds(
    Recording,
    id=names,
    root=words,
    path=names,
    rate=st.integers(1, 384_000),
    channels=st.integers(1, 8),
    n_samples=st.integers(0, 2**40),
    digest=words,
    reviewed=st.booleans(),
    status=st.sampled_from(["ok", "partial", "silent", "left_out"]),
    reason=names,
    fields=st.dictionaries(words, words, max_size=3),
)
annotations = st.builds(
    lambda ends, band, **others: Annotation(
        start_s=min(ends), end_s=max(ends), low_hz=band[0], high_hz=band[1], **others
    ),
    ends=st.tuples(times, times),
    band=st.tuples(st.none() | times, st.none()) | st.tuples(times, times).map(sorted),
    recording_id=names,
    label=names,
    quality=st.none() | st.integers(1, 4),
    confidence=st.none() | st.floats(0, 1),
    provenance=words,
)
clips = st.builds(
    Clip,
    recording_id=words,
    start_s=times,
    end_s=times,
    role=st.sampled_from(["target", "noise", "window", "pseudo"]),
    fold=st.integers(-1, 9),
    group=words,
    label=words,
    weight=times,
)
TABLES = [
    (recordings, recordings_frame, recordings_of, RECORDING_SCHEMA),
    (annotations, annotations_frame, annotations_of, ANNOTATION_SCHEMA),
    (clips, clips_frame, clips_of, CLIP_SCHEMA),
]


def canonical(value) -> str:
    return json.dumps(asdict(value), sort_keys=True)


@pytest.mark.parametrize(("values", "frame", "back", "schema"), TABLES)
@settings(deadline=None, max_examples=30)
@given(data=st.data())
def test_round_trip_in_any_order(values, frame, back, schema, data):
    drawn = data.draw(st.lists(values, max_size=6, unique_by=canonical))
    shuffled = random.Random(0).sample(drawn, len(drawn))
    table = frame(drawn)
    assert dict(table.schema) == {name: kind() for name, kind in schema.items()}
    assert sorted(map(canonical, back(table))) == sorted(map(canonical, drawn))
    if frame is not recordings_frame or len({(one.root, one.path, one.id) for one in drawn}) == len(drawn):
        assert table.equals(frame(shuffled))


def test_the_schema_does_not_depend_on_the_first_rows():
    rows = [Annotation("a", float(k), float(k), "x", quality=3 if k == 500 else None) for k in range(600)]
    assert annotations_of(annotations_frame(rows)) == rows


def test_a_missing_column_is_named():
    with pytest.raises(ArtefactError, match="digest"):
        recordings_of(recordings_frame([]).drop("digest"))
    assert isinstance(recordings_frame([]), pl.DataFrame)
