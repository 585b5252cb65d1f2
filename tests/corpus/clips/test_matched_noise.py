import tracemalloc
from collections import Counter

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ossicle.artefacts.records.column_tables import annotations_of
from ossicle.artefacts.records.record_tables import ANNOTATION_SCHEMA
from ossicle.core.errors import SplitError
from ossicle.core.records import Annotation, Clip, Recording
from ossicle.corpus.clips.clip_table import DatasetClips, build_dataset
from ossicle.corpus.clips.holdout_split import undivided
from ossicle.corpus.clips.sampling_report import mining_report
from ossicle.corpus.clips.settings import DatasetSettings


def recording(name: str, seconds: float, tape: str = "t", reviewed: bool = True) -> Recording:
    path = f"{name}.wav"
    return Recording(name, "tapes", path, 1000, 1, round(seconds * 1000), name, reviewed, fields={"tape": tape})


def mined(
    recordings: list[Recording], annotations: list[Annotation], *, seed: int = 0, **chosen: object
) -> DatasetClips:
    wanted = DatasetSettings(noise="beside", **chosen)  # type: ignore[arg-type]
    return build_dataset(recordings, annotations, undivided(recordings, (), "tape"), wanted, seed, crop_s=1.0)


@st.composite
def tapes(draw: st.DrawFn) -> tuple[list[Recording], list[Annotation]]:
    recordings, annotations = [], []
    for index in range(draw(st.integers(1, 5))):
        seconds = draw(st.floats(0.5, 20))
        recordings.append(
            recording(f"r{index}", seconds, draw(st.sampled_from("ab")), index == 0 or draw(st.booleans()))
        )
        for _ in range(draw(st.integers(index == 0, 6))):
            start = draw(st.floats(0, seconds * 0.9))
            label = draw(st.sampled_from(["hum", "trill"]))
            annotations.append(
                Annotation(f"r{index}", start, start + draw(st.floats(0, 3)), label, quality=draw(st.integers(1, 4)))
            )
    return recordings, annotations


@given(tapes(), st.floats(0, 3.5), st.floats(0, 1), st.booleans(), st.sampled_from([0, 2]), st.integers(0, 9))
@settings(deadline=None, max_examples=150)
def test_noise_touches_no_annotation_and_the_report_is_true(
    corpus: tuple[list[Recording], list[Annotation]], k: float, margin: float, fallback: bool, worst: int, seed: int
) -> None:
    recordings, annotations = corpus
    chosen = {"noise_per_target": k, "margin_s": margin, "fallback_raw": fallback, "quality_max": worst}
    try:
        dataset = mined(recordings, annotations, seed=seed, **chosen)
    except SplitError as error:
        assert "no targets:" in str(error)  # noqa: PT017 - all may be worse than worst
        return
    again = mined(recordings[::-1], annotations[::-1], seed=seed, **chosen)
    assert (dataset.units, dataset.tapes, dataset.unplaced) == (again.units, again.tapes, again.unplaced)
    assert dataset.unused == again.unused
    by_id = {recording.id: recording for recording in recordings}
    n_asked, placed, elsewhere = Counter[str](), Counter[str](), Counter[str]()
    for unit in dataset.units:
        target, noise = unit.clips[0], [clip for clip in unit.clips if clip.role == "noise"]
        repeats = len(unit.clips) - len(noise)
        assert target.role == "target"
        assert len(noise) <= repeats * int(np.ceil(k))
        for clip in noise:
            owner = by_id[clip.recording_id]
            assert owner.reviewed
            assert owner.fields["tape"] == by_id[target.recording_id].fields["tape"]
            assert clip.end_s - clip.start_s == pytest.approx(target.end_s - target.start_s, abs=1e-9)
            assert -1e-9 <= clip.start_s <= clip.end_s <= owner.duration_s + 1e-9
            # Every annotation keeps noise away, whoever's it is and whatever its quality.
            for other in annotations:
                if other.recording_id == clip.recording_id:
                    assert clip.end_s <= other.start_s - margin + 1e-9 or clip.start_s >= other.end_s + margin - 1e-9
            if clip.recording_id != target.recording_id:
                assert fallback
                elsewhere[unit.group] += 1
            placed[unit.group] += 1
        short = [
            unplaced
            for unplaced in dataset.unplaced
            if (unplaced.recording_id, unplaced.start_s, unplaced.end_s, unplaced.label) == _key(target)
        ]
        missing = sum(unplaced.asked - unplaced.placed for unplaced in short)
        n_asked[unit.group] += len(noise) + missing
        if float(k).is_integer() and target.end_s > target.start_s:
            assert len(noise) + missing == repeats * k
    for row in dataset.tapes:
        assert row.asked == row.placed + row.skipped == n_asked[row.group]
        assert (row.placed, row.from_fallback) == (placed[row.group], elsewhere[row.group])


def _key(clip: Clip) -> tuple[str, float, float, str]:
    return clip.recording_id, clip.start_s, clip.end_s, clip.label


def test_a_fraction_is_a_chance_of_one_more() -> None:
    tape = recording("r", 4000.0)
    calls = [Annotation("r", 2.0 * i, 2.0 * i + 0.1, "hum") for i in range(1000)]
    noise = [len(unit.clips) - 1 for unit in mined([tape], calls, noise_per_target=1.25).units]
    assert set(noise) == {1, 2}
    assert np.mean(noise) == pytest.approx(1.25, abs=0.05)


def test_the_rest_of_the_tape_is_asked_only_where_a_clip_has_no_room() -> None:
    full = [recording("full", 2.0), recording("free", 30.0), recording("other", 30.0, tape="u")]
    calls = [Annotation("full", 0.05, 1.95, "hum"), Annotation("free", 10.0, 11.0, "hum")]
    dataset = mined(full, calls, noise_per_target=2)
    (tape,) = [row for row in dataset.tapes if row.group == "t"]
    assert (tape.asked, tape.placed, tape.from_fallback, tape.skipped, tape.overlapping) == (4, 4, 2, 0, 0)
    assert {clip.recording_id for clip in dataset.clips if clip.role == "noise"} == {"free"}
    alone = mined(full, calls, noise_per_target=2, fallback_raw=False)
    assert [(unplaced.recording_id, unplaced.asked, unplaced.placed) for unplaced in alone.unplaced] == [("full", 2, 0)]
    assert (alone.tapes[0].placed, alone.tapes[0].from_fallback, alone.tapes[0].skipped) == (2, 0, 2)


def test_noise_overlaps_only_for_want_of_room_and_can_be_refused() -> None:
    tape, calls = recording("r", 10.0), [Annotation("r", 0.0, 4.0, "hum")]
    assert mined([tape], calls, noise_per_target=1).tapes[0].overlapping == 0
    assert mined([tape], calls, noise_per_target=2).tapes[0].overlapping == 1
    with pytest.raises(SplitError, match="t: 1 overlapping, 0 exact duplicates\nlower noise_per_target"):
        mined([tape], calls, noise_per_target=2, refuse_overlaps=True)
    mined([tape], calls, noise_per_target=1, refuse_overlaps=True)


def test_an_annotation_that_is_there_twice_stays_with_its_repeat_and_can_be_refused() -> None:
    tape, calls = recording("r", 30.0), [Annotation("r", 5.0, 6.0, "hum")] * 2
    dataset = mined([tape], calls)
    assert len(dataset.units) == 1
    assert dataset.tapes[0].duplicates == 1
    with pytest.raises(SplitError, match="1 exact duplicates"):
        mined([tape], calls, refuse_overlaps=True)


def test_a_call_of_no_length_asks_for_no_noise() -> None:
    dataset = mined([recording("r", 9.0)], [Annotation("r", 2.0, 2.0, "click"), Annotation("r", 4.0, 5.0, "hum")])
    assert (dataset.tapes[0].asked, dataset.tapes[0].placed) == (1, 1)


@given(st.lists(st.tuples(st.sampled_from("pq"), st.integers(0, 30), st.integers(1, 5)), max_size=12))
def test_overlaps_and_duplicates_are_counted_as_by_hand(spans: list[tuple[str, int, int]]) -> None:
    clips = [Clip(rid, start / 2, (start + length) / 2, "noise", 0, "g") for rid, start, length in spans]
    (row,) = mining_report({"g": len(clips)}, {}, clips)
    ordered = sorted(clips, key=lambda clip: (clip.recording_id, clip.start_s, clip.end_s))
    overlapping = sum(
        any(a.recording_id == b.recording_id and b.start_s < a.end_s for a in ordered[:i])
        for i, b in enumerate(ordered)
    )
    assert (row.overlapping, row.duplicates) == (overlapping, len(clips) - len(set(clips)))


def test_noise_beside_targets_keeps_no_object_for_each() -> None:
    """Of 2,000 targets neither the clips nor their noise are objects: 330 bytes a target at the peak, not 1,400."""
    n, hits = 20, 100
    recordings = [recording(f"r{k:02d}", 2000.0) for k in range(n)]
    ids, starts = np.repeat([recording.id for recording in recordings], hits), np.tile(np.arange(hits) * 2.0, n)
    frame = pl.DataFrame({"recording_id": ids, "start_s": starts, "end_s": starts + 0.1, "label": "hum"})
    notes = annotations_of(
        frame.with_columns(
            *(pl.lit(None, ANNOTATION_SCHEMA[key]).alias(key) for key in ANNOTATION_SCHEMA if key not in frame.columns)
        )
        .with_columns(pl.lit("annotated").alias("provenance"))
        .select(list(ANNOTATION_SCHEMA))
    )
    folds = undivided(recordings, (), "tape")
    wanted = DatasetSettings(noise="beside", noise_per_target=1)
    tracemalloc.start()
    try:
        dataset = build_dataset(recordings, notes, folds, wanted, 0, crop_s=1.0)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(dataset.clips) == 2 * n * hits
    assert peak < 500 * n * hits
