"""A share of the training clips, stratified by label."""

from collections import Counter
from dataclasses import replace

from ossicle.core.columns.clip_columns import ClipColumns
from ossicle.core.records import Clip
from ossicle.training.batches.subset import subset_of
from ossicle.training.settings import TrainingSettings

COUNTS = {"kick": 40, "snare": 11, "crash": 1}
CLIPS = ClipColumns.from_clips(
    [
        *(
            Clip(f"{label}{n}", 0.0, 0.3, "target", label=label, group="g", fold=0)
            for label, count in COUNTS.items()
            for n in range(count)
        ),
        *(Clip(f"empty{n}", 0.0, 0.3, "noise", group="g", fold=0) for n in range(20)),
    ]
)


def counts(clips: ClipColumns) -> Counter[str]:
    return Counter(clip.label or clip.role for clip in clips)


def test_every_label_and_noise_keep_their_share_and_one_clip_at_least() -> None:
    assert counts(subset_of(CLIPS, TrainingSettings(subset=0.2))) == {"kick": 8, "snare": 2, "crash": 1, "noise": 4}


def test_the_seed_of_the_subset_chooses_the_clips_and_that_of_the_training_does_not() -> None:
    half = TrainingSettings(subset=0.5)
    assert subset_of(CLIPS, half) == subset_of(CLIPS, replace(half, seed=7))
    assert subset_of(CLIPS, half) != subset_of(CLIPS, replace(half, subset_seed=7))


def test_all_clips_are_the_same_object() -> None:
    assert subset_of(CLIPS, TrainingSettings()) is CLIPS
