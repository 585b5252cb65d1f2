"""A dataset from columns is the dataset from objects: clips, units, noise, reports, counts, and their errors."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ossicle.core.columns.annotation_columns import AnnotationColumns
from ossicle.core.columns.clip_columns import ClipColumns
from ossicle.core.errors import SplitError
from ossicle.core.records import Annotation, Recording
from ossicle.corpus.clips.clip_counts import dataset_stats
from ossicle.corpus.clips.clip_table import build_dataset
from ossicle.corpus.clips.holdout_split import divide_clips
from ossicle.corpus.clips.noise_sampling import place_spans
from ossicle.corpus.clips.settings import DatasetSettings, possible_targets
from ossicle.corpus.clips.target_rows import at_clip_starts
from ossicle.corpus.splits.folds import FoldEntry, SplitSettings
from ossicle.corpus.splits.leak_audit import audit
from ossicle.corpus.splits.split_kinds import SPLIT_KINDS

from . import object_dataset as objects
from .object_noise import _place

RATE = 8
recordings = st.lists(
    st.builds(
        Recording,
        id=st.sampled_from(["d", "b", "a", "c", "e"]),
        root=st.just("tapes"),
        path=st.sampled_from(["x.wav", "y.wav"]),
        rate=st.just(RATE),
        channels=st.just(1),
        n_samples=st.integers(1, 12 * RATE),
        digest=st.just(""),
        reviewed=st.sampled_from([True, True, True, False]),
        status=st.sampled_from(["ok", "ok", "ok", "left_out"]),
        reason=st.just("damaged"),
        fields=st.fixed_dictionaries({"rating": st.sampled_from(["", "0", "5", "2"])}),
    ),
    min_size=1,
    unique_by=lambda recording: recording.id,
)
# Few different times, so that annotations repeat, touch, overlap, and pass the ends of recordings.
times = st.sampled_from([0.0, 0.25, 0.5, 0.75, 2.0, 5.0, 11.5, 12.0, 13.0])
annotations = st.lists(
    st.builds(
        lambda recording_id, start_s, length_s, label, quality: Annotation(
            recording_id, start_s, start_s + length_s, label, quality=quality
        ),
        recording_id=st.sampled_from(["a", "a", "a", "b", "c", "other"]),
        start_s=times,
        length_s=st.sampled_from([0.0, 0.25, 0.5, 3.0]),
        label=st.sampled_from(["wren", "robin", "Wren"]),
        quality=st.none() | st.integers(1, 4),
    ),
    max_size=24,
)
chosen = st.builds(
    DatasetSettings,
    quality_min=st.sampled_from([0, 0, 2]),
    quality_max=st.sampled_from([0, 0, 3]),
    noise=st.sampled_from(["corpus", "corpus", "beside", "recordings"]),
    noise_per_target=st.sampled_from([0.0, 0.5, 1.0, 4.0]),
    before_s=st.sampled_from([0.0, 0.0, 0.3]),
    after_s=st.sampled_from([0.0, 0.0, 0.7]),
    margin_s=st.sampled_from([0.0, 0.25]),
    fallback_raw=st.booleans(),
    weight_field=st.sampled_from(["", "rating"]),
)
splits = st.builds(
    SplitSettings, strategy=st.sampled_from(sorted(name for name, kind in SPLIT_KINDS.items() if kind.divides_clips))
)


def result(build: Any, divide: Any, *given: Any, split: SplitSettings | None, **named: Any) -> Any:
    """Return a dataset, divided if its split divides clips, or the message of its error."""
    try:
        built = build(*given, **named)
        return built if split is None else divide(built, split)
    except SplitError as error:
        return str(error)


@settings(deadline=None, max_examples=150)
@given(
    recordings=recordings,
    annotation_list=annotations,
    wanted=chosen,
    split=st.none() | splits,
    seed=st.integers(0, 3),
    partly=st.dictionaries(st.sampled_from(["a", "b"]), st.just(((0.5, 2.0), (3.0, 11.0))), max_size=2),
    unknown=st.sets(st.sampled_from(["a", "c"])),
    folds=st.lists(st.sampled_from([-1, 0, 1]), min_size=5, max_size=5),
)
def test_columns_give_the_dataset_of_objects(
    recordings: list[Recording],
    annotation_list: list[Annotation],
    wanted: DatasetSettings,
    split: SplitSettings | None,
    seed: int,
    partly: dict[str, Any],
    unknown: set[str],
    folds: list[int],
) -> None:
    placed = {key: FoldEntry(f"g{fold}", fold) for key, fold in zip("abcde", folds, strict=True)}
    given_all = (recordings, annotation_list, placed, wanted, seed, 1.0, partly, unknown)
    expected = result(objects.build_dataset, objects.divide_clips, *given_all, split=split)
    built = result(build_dataset, divide_clips, *given_all, split=split)
    if isinstance(expected, str):
        assert built == expected
        return
    assert list(built.clips) == list(expected.clips)
    assert [(unit.group, unit.label, unit.quality) for unit in built.units] == [
        (unit.group, unit.label, unit.quality) for unit in expected.units
    ]
    key = lambda clip: (clip.role != "target", *objects.clip_order(clip))  # noqa: E731
    for unit, theirs in zip(built.units, expected.units, strict=True):
        assert sorted(unit.clips, key=key) == sorted(theirs.clips, key=key)
    assert (built.mining, built.tapes, built.unplaced, built.unused) == (
        expected.mining,
        expected.tapes,
        expected.unplaced,
        expected.unused,
    )
    notes = AnnotationColumns.from_annotations(annotation_list)
    if not (wanted.before_s or wanted.after_s):
        targets = {(clip.recording_id, clip.start_s, clip.label) for clip in expected.clips if clip.role == "target"}
        target_notes = [note for note in notes if (note.recording_id, note.start_s, note.label) in targets]
        assert list(notes.where(built.targets)) == target_notes
        assert dataset_stats(built.clips, built.quality) == objects.dataset_stats(expected.clips, target_notes)
    assert audit(placed, recordings, notes, built.clips, by_clip=True).clips_crossing == crossing(list(built.clips))
    assert list(possible_targets(notes, wanted)) == [note for note in notes if objects.has_quality(note, wanted)]


def crossing(clips: list[Any]) -> int:
    """Return how many clips share time with a clip of another fold of the same recording."""
    return sum(
        any(
            clip.recording_id == other.recording_id
            and clip.fold != other.fold
            and clip.start_s < other.end_s
            and other.start_s < clip.end_s
            for other in clips
        )
        for clip in clips
    )


@settings(deadline=None, max_examples=100)
@given(
    edges=st.lists(st.integers(0, 60), max_size=12, unique=True).map(sorted),
    lengths=st.lists(st.sampled_from([0.5, 1.0, 1.0, 1.0, 2.0, 20.0]), max_size=12),
    seed=st.integers(0, 5),
)
def test_spans_are_drawn_as_one_at_a_time(edges: list[int], lengths: list[float], seed: int) -> None:
    stretches = np.array(edges[: len(edges) // 2 * 2], dtype=np.float64).reshape(-1, 2) / 4
    first, second = np.random.default_rng(seed), np.random.default_rng(seed)
    placed, overlapping = place_spans(stretches, np.array(lengths), first)
    expected, over = _place(stretches, np.array(lengths), second)
    assert [tuple(span) for span in placed.tolist()] == expected
    assert overlapping == over
    assert first.random() == second.random()


def test_a_window_around_an_onset_is_cut_at_the_ends_of_the_recording() -> None:
    tape = Recording("a", "tapes", "a.wav", RATE, 1, 10 * RATE, "", reviewed=True)
    hits = [Annotation("a", start, start + 1.0, "kick") for start in (0.05, 4.0, 9.9)]
    wanted = DatasetSettings(before_s=0.08, after_s=0.2, noise_per_target=0)
    dataset = build_dataset([tape], hits, {"a": FoldEntry("a", 0)}, wanted, 0, 1.0)
    assert [(clip.start_s, clip.end_s) for clip in dataset.clips] == [(0.0, 0.25), (3.92, 4.2), (9.9 - 0.08, 10.0)]
    assert dataset.targets.tolist() == [True] * 3
    # A clip finds its annotation by the start that both have.
    assert [annotation.start_s for annotation in at_clip_starts(AnnotationColumns.from_annotations(hits), wanted)] == [
        clip.start_s for clip in dataset.clips
    ]
    assert list(at_clip_starts(AnnotationColumns.from_annotations(hits), DatasetSettings())) == hits


@pytest.mark.parametrize(("before_s", "after_s"), [(0.1, 0.0), (0.0, 0.1)])
def test_one_side_of_the_window_is_enough(before_s: float, after_s: float) -> None:
    tape = Recording("a", "tapes", "a.wav", RATE, 1, 10 * RATE, "", reviewed=True)
    wanted = DatasetSettings(before_s=before_s, after_s=after_s, noise_per_target=0)
    dataset = build_dataset([tape], [Annotation("a", 4.0, 5.0, "kick")], {"a": FoldEntry("a", 0)}, wanted, 0, 1.0)
    assert list(dataset.clips) == list(ClipColumns.from_clips(dataset.clips))
    assert (dataset.clips[0].start_s, dataset.clips[0].end_s) == (4.0 - before_s, 4.0 + after_s)
