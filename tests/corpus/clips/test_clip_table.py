import pytest

from ossicle.core.errors import SplitError, UsageError
from ossicle.core.records import Annotation, Recording
from ossicle.corpus.clips.clip_counts import dataset_stats
from ossicle.corpus.clips.clip_table import build_dataset
from ossicle.corpus.clips.settings import DatasetSettings
from ossicle.corpus.splits.folds import FoldEntry, SplitSettings, make_folds
from ossicle.corpus.splits.leak_audit import audit


def recording(name: str, reviewed: bool = True, status: str = "ok", reason: str = "") -> Recording:
    return Recording(
        name,
        "tapes",
        f"{name[0]}/{name}.wav",
        8000,
        1,
        8000 * 30,
        name,
        reviewed,
        status,  # type: ignore[arg-type]
        reason,
    )


RECORDINGS = [
    recording("a1"),
    recording("a2"),  # reviewed empty
    recording("b1"),
    recording("b2", reviewed=False),
    recording("b3", status="left_out", reason="empty file"),
]
ANNOTATIONS = [
    Annotation("a1", 3.0, 3.4, "hum", quality=1),
    Annotation("a1", 8.0, 8.2, "trill", quality=3),
    Annotation("b1", 5.0, 5.5, "hum", quality=4),
    Annotation("b1", 12.0, 12.5, "hum"),
    Annotation("b1", 29.8, 30.4, "trill", quality=2),
    Annotation("b1", 31.0, 31.5, "trill", quality=2),
]
FOLDS = make_folds(RECORDINGS, ANNOTATIONS, SplitSettings(group="folder"))


def test_targets_are_the_annotations_and_noise_keeps_away() -> None:
    dataset = build_dataset(RECORDINGS, ANNOTATIONS, FOLDS, DatasetSettings(noise_per_target=3), seed=7, crop_s=1.0)
    targets = [(c.recording_id, c.start_s, c.end_s, c.label, c.fold) for c in dataset.clips if c.role == "target"]
    assert targets == [
        ("a1", 3.0, 3.4, "hum", 0),
        ("a1", 8.0, 8.2, "trill", 0),
        ("b1", 5.0, 5.5, "hum", 1),
        ("b1", 12.0, 12.5, "hum", 1),
        ("b1", 29.8, 30.0, "trill", 1),
    ]
    noise = [c for c in dataset.clips if c.role == "noise"]
    assert len(noise) == 15
    assert {c.recording_id for c in noise} == {"a1", "a2", "b1"}
    for clip in noise:
        assert clip.end_s - clip.start_s == pytest.approx(1.0)
        assert clip.fold == FOLDS[clip.recording_id].fold
        assert clip.label == ""
        for annotation in ANNOTATIONS:
            apart = clip.end_s <= annotation.start_s - 0.1 + 1e-9 or clip.start_s >= annotation.end_s + 0.1 - 1e-9
            assert annotation.recording_id != clip.recording_id or apart
    assert audit(FOLDS, RECORDINGS, ANNOTATIONS, dataset.clips, group="folder").ok


def test_what_was_not_used_is_listed() -> None:
    dataset = build_dataset(RECORDINGS, ANNOTATIONS, FOLDS, DatasetSettings(), seed=0, crop_s=1.0)
    listed = {(unused.recording_id, unused.start_s): unused.reason for unused in dataset.unused}
    assert set(listed) == {("b2", None), ("b3", None), ("b1", 31.0)}
    assert "reviewed" in listed["b2", None]
    assert "empty file" in listed["b3", None]
    assert "after the end" in listed["b1", 31.0]


def test_poor_annotations_are_no_targets_but_still_block_noise() -> None:
    long_poor = [*ANNOTATIONS[:2], Annotation("b1", 0.0, 28.0, "hum", quality=4), Annotation("b1", 29.0, 29.2, "hum")]
    chosen = DatasetSettings(quality_max=2, noise_per_target=20)
    dataset = build_dataset(RECORDINGS, long_poor, FOLDS, chosen, seed=0, crop_s=0.5)
    assert [c.start_s for c in dataset.clips if c.role == "target"] == [3.0, 29.0]
    assert {unused.start_s for unused in dataset.unused if unused.start_s is not None} == {0.0, 8.0}
    assert all(c.start_s >= 28.1 for c in dataset.clips if c.recording_id == "b1")


def test_same_seed_same_clips_and_order_does_not_matter() -> None:
    first = build_dataset(RECORDINGS, ANNOTATIONS, FOLDS, DatasetSettings(), 3, 1.0).clips
    assert first == build_dataset(RECORDINGS[::-1], ANNOTATIONS[::-1], FOLDS, DatasetSettings(), 3, 1.0).clips
    assert first != build_dataset(RECORDINGS, ANNOTATIONS, FOLDS, DatasetSettings(), 4, 1.0).clips


def test_no_target_left() -> None:
    with pytest.raises(SplitError, match="quality_max"):
        build_dataset(RECORDINGS, ANNOTATIONS[2:3], FOLDS, DatasetSettings(quality_max=1), 0, 1.0)


def test_stats_count_every_clip_once() -> None:
    dataset = build_dataset(RECORDINGS, ANNOTATIONS, FOLDS, DatasetSettings(), seed=0, crop_s=1.0)
    rows = dataset_stats(dataset.clips, dataset.quality)
    assert sum(row.clips for row in rows) == len(dataset.clips)
    targets = {(r.fold, r.group, r.label, r.quality): (r.clips, r.seconds) for r in rows if r.role == "target"}
    assert targets == {
        (0, "tapes/a", "hum", 1): (1, 0.4),
        (0, "tapes/a", "trill", 3): (1, 0.2),
        (1, "tapes/b", "hum", None): (1, 0.5),
        (1, "tapes/b", "hum", 4): (1, 0.5),
        (1, "tapes/b", "trill", 2): (1, 0.2),
    }
    assert all(r.quality is None for r in rows if r.role == "noise")


@pytest.mark.parametrize(
    ("least", "most", "qualities"),
    [(0, 0, [None, 1, 2, 3, 4]), (2, 0, [None, 2, 3, 4]), (0, 2, [None, 1, 2]), (2, 3, [None, 2, 3])],
)
def test_targets_are_kept_by_quality_from_either_end(least: int, most: int, qualities: list[int | None]) -> None:
    notes = [Annotation("a1", 1.0 + 2 * i, 1.5 + 2 * i, "hum", quality=q) for i, q in enumerate([None, 1, 2, 3, 4])]
    notes.append(Annotation("b1", 1.0, 1.5, "hum"))
    dataset = build_dataset(
        RECORDINGS, notes, FOLDS, DatasetSettings(quality_min=least, quality_max=most, noise_per_target=0), 0, 1.0
    )
    assert [unit.quality for unit in dataset.units if unit.clips[0].recording_id == "a1"] == qualities
    reasons = [unused.reason for unused in dataset.unused if unused.start_s is not None]
    assert len(reasons) == 5 - len(qualities)
    assert all("worse than 2" in reason or "worse than 3" in reason or "less than 2" in reason for reason in reasons)


def whole(name: str, reviewed: bool = True, **fields: str) -> Recording:
    return Recording(name, "x", f"{name}.ogg", 8000, 1, 40_000, digest=name, reviewed=reviewed, fields=fields)


def test_whole_recordings_give_a_target_for_each_label_and_noise_only_where_somebody_found_nothing() -> None:
    some = [whole("a"), whole("b"), whole("quiet"), whole("unsure"), whole("unseen", reviewed=False)]
    notes = [Annotation(key, 0.0, 5.0, label) for key, label in (("a", "wren"), ("a", "robin"), ("b", "wren"))]
    folds = {recording.id: FoldEntry(recording.id, number) for number, recording in enumerate(some)}
    for noise in ("recordings", "corpus", "beside"):
        chosen = DatasetSettings(noise=noise, noise_per_target=1.0, fallback_raw=False)
        built = build_dataset(some, notes, folds, chosen, 0, 1.0, unknown={"unsure"})
        targets = [(clip.recording_id, clip.start_s, clip.end_s, clip.label) for clip in built.clips if clip.label]
        assert targets == [("a", 0.0, 5.0, "robin"), ("a", 0.0, 5.0, "wren"), ("b", 0.0, 5.0, "wren")]
        empty = [(clip.recording_id, clip.start_s, clip.end_s) for clip in built.clips if clip.role == "noise"]
        if noise == "recordings":
            assert empty == [("quiet", 0.0, 5.0)]
        assert {key for key, _, _ in empty} == (set() if noise == "beside" else {"quiet"})


def test_ratings_weigh_targets() -> None:
    ratings = {"a": "5", "b": "2.5", "c": "0", "d": ""}
    some = [whole(key, rating=rating) for key, rating in ratings.items()]
    notes = [Annotation(recording.id, 0.0, 5.0, "wren") for recording in some]
    folds = {recording.id: FoldEntry(recording.id, number) for number, recording in enumerate(some)}

    def weights(**chosen: object) -> list[float]:
        settings = DatasetSettings(noise="recordings", **chosen)  # type: ignore[arg-type]
        return [clip.weight for clip in build_dataset(some, notes, folds, settings, 0, 1.0).clips]

    assert weights(weight_field="rating") == [1.0, 0.5, 1.0, 1.0]
    assert weights(weight_field="rating", weight_scale=2.5) == [2.0, 1.0, 1.0, 1.0]
    assert weights() == [1.0] * 4
    for wrong in ("-1", "good", "nan", "inf"):
        some[1] = whole("b", rating=wrong)
        with pytest.raises(
            UsageError, match=rf"'rating': x/b\.ogg has the value '{wrong}', which is not a number of at least 0"
        ):
            weights(weight_field="rating")
