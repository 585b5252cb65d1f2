from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.audio.decoding.mono import load_mono
from ossicle.core.columns.annotation_columns import AnnotationColumns
from ossicle.core.errors import ArtefactError
from ossicle.core.intervals import as_intervals, part, union
from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.core.records import Annotation
from ossicle.core.tracks import rasterise
from ossicle.inference.scorer import Scorer
from ossicle.training.batches.material import Material, around_onsets, load_material, target_intervals
from ossicle.training.batches.target_rules import TargetRules

LABELS = ("high", "low")
PLAN = ChunkPlan(rate=8000, hop_samples=80, window_samples=256, core_frames=60, context_frames=10)


@pytest.fixture(scope="module")
def material(corpus: Any) -> Material:
    return load_material(corpus.dataset, corpus.store, LABELS, PLAN)


class Listener:
    """A predictor that keeps the chunks it is given."""

    labels = LABELS

    def __init__(self, plan: ChunkPlan) -> None:
        self.plan = plan
        self.heard: list[np.ndarray] = []

    def predict(self, chunks: np.ndarray) -> np.ndarray:
        self.heard += list(chunks.copy())
        return np.zeros((len(chunks), self.plan.core_frames, 2), dtype=np.float32)


@pytest.mark.parametrize(("window", "core", "context"), [(256, 60, 10), (512, 33, 0), (80, 50, 7), (40, 20, 3)])
def test_a_crop_reads_the_samples_that_inference_reads_for_the_same_frames(
    corpus: Any, material: Material, window: int, core: int, context: int
) -> None:
    plan = replace(PLAN, window_samples=window, core_frames=core, context_frames=context)
    ours = replace(material, plan=plan)
    for rid in ("rec0", "rec3"):
        listener = Listener(plan)
        scorer = Scorer(listener, batch_chunks=3)
        samples = load_mono(corpus.audio / f"{rid}.wav", plan.rate)
        scorer.feed(samples)
        scorer.finish()
        assert len(listener.heard) == plan.n_chunks(len(samples)) > 3
        for chunk, heard in enumerate(listener.heard):
            # The first chunk begins before the recording, the last ends behind it: zeros in both. A 16-bit mono WAV at
            # the model's rate is stored as it is, so not one bit differs.
            crop = ours.samples(rid, (chunk * plan.core_frames - plan.context_frames) * plan.hop_samples)
            assert np.array_equal(crop, heard), (rid, chunk)


def test_targets_are_the_annotations_on_the_frames(corpus: Any, material: Material) -> None:
    start_frame = 130
    got = material.targets("rec1", start_frame * PLAN.hop_samples)
    assert got.shape == (80, 2)
    for column, label in enumerate(LABELS):
        pairs = np.array([(n.start_s, n.end_s) for n in corpus.notes if n.recording_id == "rec1" and n.label == label])
        # By brute force: a thousand points a frame.
        points = (start_frame + (np.arange(80 * 1000) + 0.5) / 1000) * PLAN.hop_s
        inside = ((points[:, None] >= pairs[:, 0]) & (points[:, None] < pairs[:, 1])).any(axis=1)
        assert np.abs(got[:, column] - inside.reshape(80, 1000).mean(axis=1)).max() < 2e-3
        assert np.array_equal(got[:, column], rasterise(pairs, 80, PLAN.hop_s, start_s=start_frame * PLAN.hop_s))
    assert got.max() == 1.0


def test_targets_of_overlapping_crops_agree_on_the_frames_they_share(material: Material) -> None:
    assert np.allclose(material.targets("rec2", 8000)[30:], material.targets("rec2", 10400)[:50], atol=1e-6)


def test_a_recording_without_annotations_has_no_targets(material: Material) -> None:
    assert not replace(material, intervals={}).targets("rec0", 0).any()


@pytest.mark.parametrize(
    ("start_frame", "first", "last"), [(-15, 15, 80), (0, 0, 80), (560, 0, 40), (-200, 0, 0), (700, 0, 0)]
)
def test_frames_beyond_the_recording_are_masked(material: Material, start_frame: int, first: int, last: int) -> None:
    mask = material.mask("rec0", start_frame * PLAN.hop_samples)
    expected = np.zeros((80, 2), dtype=np.float32)
    expected[first:last] = 1
    assert np.array_equal(mask, expected)
    assert mask.dtype == np.float32
    if last == 0:
        assert not material.samples("rec0", start_frame * PLAN.hop_samples).any()


def test_a_partial_last_frame_counts() -> None:
    class Short:
        def n_samples(self, recording_id: str) -> int:
            return 81

    material = Material((), LABELS, {}, Short(), PLAN)  # type: ignore[arg-type]
    assert material.mask("r", 0)[:, 0].sum() == 2


@given(
    pairs=st.lists(st.tuples(st.floats(0, 10), st.floats(0, 2)).map(lambda p: (p[0], p[0] + p[1])), max_size=8),
    apart_s=st.sampled_from([0.0, 0.015, 0.5]),
)
def test_intervals_are_disjoint_and_cover_no_more_than_the_annotations(
    pairs: list[tuple[float, float]], apart_s: float
) -> None:
    notes = [Annotation("r", start, end, "a") for start, end in pairs]
    result = target_intervals(notes, apart_s).get("r", {}).get("a", np.zeros((0, 2)))
    assert np.all(result[1:, 0] >= result[:-1, 1] - 1e-9)
    points = np.linspace(0, 12, 2001)
    covered = np.any([(points >= s) & (points <= e) for s, e in pairs], axis=0) if pairs else np.zeros(2001, bool)
    ours = np.any([(points >= s) & (points <= e) for s, e in result], axis=0) if len(result) else np.zeros(2001, bool)
    assert not np.any(ours & ~covered)
    if apart_s == 0.0:
        assert np.array_equal(ours, covered)


@given(
    notes=st.lists(
        st.builds(
            lambda key, start, length, label: Annotation(key, start, start + length, label),
            st.sampled_from("ba"),
            st.integers(0, 20).map(lambda one: one / 10),
            st.sampled_from([0.0, 0.1, 0.3]),
            st.sampled_from("xyz"),
        ),
        max_size=16,
    ),
    apart_s=st.sampled_from([0.0, 0.015, 0.5]),
)
def test_intervals_are_those_of_each_recording_and_label(notes: list[Annotation], apart_s: float) -> None:
    expected: dict[str, dict[str, list[Any]]] = {}
    for key, label in sorted({(note.recording_id, note.label) for note in notes}):
        spans = as_intervals([(o.start_s, o.end_s) for o in notes if (o.recording_id, o.label) == (key, label)])
        expected.setdefault(key, {})[label] = part(union(spans, -1e-9), apart_s).tolist()
    result = target_intervals(notes, apart_s)
    assert {key: {label: times.tolist() for label, times in of.items()} for key, of in result.items()} == expected
    assert list(result) == sorted(result)


def test_touching_annotations_stay_two_and_are_parted() -> None:
    notes = [Annotation("r", 1.0, 2.0, "a"), Annotation("r", 2.0, 3.0, "a"), Annotation("r", 2.5, 3.5, "a")]
    assert np.allclose(target_intervals(notes)["r"]["a"], [[1, 2], [2, 3.5]])
    assert np.allclose(target_intervals(notes, 0.1)["r"]["a"], [[1, 1.95], [2.05, 3.5]])


def test_the_positive_share_is_annotated_time_over_time(corpus: Any, material: Material) -> None:
    clips = tuple(c for c in corpus.clips if c.fold == 0)
    share = material.positive_share(clips)
    for column, label in enumerate(LABELS):
        seconds = sum(
            n.end_s - n.start_s for n in corpus.notes if n.label == label and n.recording_id in ("rec0", "rec2")
        )
        assert share[column] == pytest.approx(seconds / 12.0)


def test_missing_tables_and_recordings_are_named(corpus: Any, material: Material, tmp_path: Any) -> None:
    with pytest.raises(ArtefactError, match="clips"):
        load_material(DatasetFolder(tmp_path), corpus.store, LABELS, PLAN)
    with pytest.raises(ArtefactError, match="nobody"):
        material.samples("nobody", 0)


def test_what_nobody_looked_at_is_masked_and_passes_for_no_background(material: Material) -> None:
    partly = replace(material, known={"rec0": np.array([[1.0, 2.005], [4.0, 4.5]])})
    mask, targets = partly.mask("rec0", 7200), partly.targets("rec0", 7200)
    # 80 frames of 10 ms from 0.9 s on; the stretch begins with frame 10.
    assert np.array_equal(np.flatnonzero(mask[:, 0]), np.arange(10, 80))
    assert np.array_equal(targets[10:], material.targets("rec0", 7200)[10:])
    assert (targets[:10] == 1).all()
    # A frame that is known by half is not known.
    assert np.array_equal(np.flatnonzero(partly.mask("rec0", 12800)[:, 1]), np.arange(0, 40))
    assert np.array_equal(partly.mask("rec1", 7200), material.mask("rec1", 7200))
    assert np.array_equal(partly.targets("rec1", 7200), material.targets("rec1", 7200))


def test_the_positive_share_is_of_known_time(corpus: Any, material: Material) -> None:
    clips = tuple(c for c in corpus.clips if c.recording_id == "rec0")
    whole = material.positive_share(clips)
    partly = replace(material, known={"rec0": np.array([[0.0, 3.0]])})
    assert partly.positive_share(clips) == pytest.approx(2 * whole)


def test_labels_nobody_is_sure_of_are_masked_in_their_recording_alone(material: Material) -> None:
    unsure = replace(material, unknown={"rec1": ("low",)})
    assert (unsure.mask("rec1", 0)[:, 1] == 0).all()
    # 1, as where nobody looked: such a crop is none without calls.
    assert (unsure.targets("rec1", 0)[:, 1] == 1).all()
    for key, column in (("rec1", 0), ("rec2", 0), ("rec2", 1)):
        assert np.array_equal(unsure.mask(key, 0)[:, column], material.mask(key, 0)[:, column])
        assert np.array_equal(unsure.targets(key, 0)[:, column], material.targets(key, 0)[:, column])


def test_targets_of_onsets_lie_around_the_starts_of_annotations(corpus: Any) -> None:
    onsets = load_material(corpus.dataset, corpus.store, LABELS, PLAN, TargetRules(onset_s=0.03))
    whole = load_material(corpus.dataset, corpus.store, LABELS, PLAN)
    for key, by_label in whole.intervals.items():
        for label, times in by_label.items():
            expected = np.stack([np.maximum(times[:, 0] - 0.015, 0.0), times[:, 0] + 0.015], axis=1)
            np.testing.assert_allclose(onsets.intervals[key][label], expected, atol=0.02)
    # Targets 50 ms apart stay two, however long the annotations are.
    notes = AnnotationColumns.from_annotations([Annotation("r", start, start + 0.3, "low") for start in (1.0, 1.05)])
    result = target_intervals(around_onsets(notes, 0.03))["r"]["low"]
    np.testing.assert_allclose(result, [[0.985, 1.015], [1.035, 1.065]])
