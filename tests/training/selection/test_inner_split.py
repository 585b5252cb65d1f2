"""Groups held out within a training: whole groups, all labels on the learning side, and no judged group anywhere."""

from collections import Counter

import numpy as np
import pytest

from ossicle.core.columns.clip_columns import ClipColumns
from ossicle.core.errors import UsageError
from ossicle.core.records import Clip
from ossicle.training.selection.inner_split import inner_split
from ossicle.training.settings import TrainingSettings

BEST = TrainingSettings(keep="best")


def clips(n_groups: int = 20, seed: int = 0) -> ClipColumns:
    """Groups of ten hits; the label ``rare`` is in two of them, ``single`` in one."""
    labels = np.random.default_rng(seed).choice(["kick", "snare"], size=(n_groups, 10)).tolist()
    labels[3][0] = labels[11][0] = "rare"
    labels[5][0] = "single"
    return ClipColumns.from_clips(
        [
            Clip(f"g{group:02d}r{n}", 0.0, 0.3, "target", label=label, group=f"g{group:02d}", fold=1)
            for group, of in enumerate(labels)
            for n, label in enumerate(of)
        ]
    )


@pytest.mark.parametrize("seed", range(5))
def test_whole_groups_are_held_out_and_every_label_stays_for_learning(seed: int) -> None:
    whole = clips(seed=seed)
    split = inner_split(whole, TrainingSettings(keep="best", seed=seed))
    assert {clip.group for clip in split.held_out} == set(split.groups)
    assert {clip.group for clip in split.train}.isdisjoint(split.groups)
    assert len(split.train) + len(split.held_out) == len(whole)
    assert len(split.held_out) == 30
    learned, judged = (Counter(clip.label for clip in part) for part in (split.train, split.held_out))
    assert set(learned) == {"kick", "snare", "rare", "single"}
    assert {"kick", "snare", "rare"} <= set(judged)
    assert judged["single"] == 0


def test_the_seed_and_the_share_choose() -> None:
    whole = clips()
    assert inner_split(whole, BEST).groups == inner_split(whole, BEST).groups
    assert inner_split(whole, BEST).groups != inner_split(whole, TrainingSettings(keep="best", seed=1)).groups
    assert len(inner_split(whole, TrainingSettings(inner_share=0.3)).groups) == 6


def test_clips_without_a_group_are_held_out_by_recording() -> None:
    whole = ClipColumns.from_clips(
        [Clip(f"r{n // 4}", float(n), n + 0.3, "target", label="kick", group="", fold=1) for n in range(40)]
    )
    split = inner_split(whole, BEST)
    assert split.groups
    assert set(split.train.recording_ids).isdisjoint(split.held_out.recording_ids)


def test_a_recording_in_two_groups_is_never_on_both_sides() -> None:
    whole = ClipColumns.from_clips(
        [
            Clip(f"r{n // 4}", float(n), n + 0.3, "target", label="kick", group=f"g{(n + 2) // 4}", fold=1)
            for n in range(80)
        ]
    )
    split = inner_split(whole, BEST)
    assert set(split.train.recording_ids).isdisjoint(split.held_out.recording_ids)


def test_groups_that_each_hold_a_label_alone_are_refused_with_a_remedy() -> None:
    whole = ClipColumns.from_clips(
        [Clip(f"r{n}", 0.0, 0.3, "target", label=f"l{n % 2}", group=f"g{n % 2}", fold=1) for n in range(10)]
    )
    with pytest.raises(UsageError, match=r'each of its 2 groups holds more than half of the clips.*keep = "last"'):
        inner_split(whole, BEST)


def test_a_share_is_stated_or_follows_from_what_needs_it() -> None:
    assert TrainingSettings().inner_held_out == 0
    for needing in ({"keep": "best"}, {"patience": 3}, {"schedule": "plateau"}):
        assert TrainingSettings(**needing).inner_held_out == 0.15
    assert TrainingSettings(inner_share=0.3).inner_held_out == 0.3
    with pytest.raises(ValueError, match=r"average_epochs = 3 keeps a mean.*patience = 2"):
        TrainingSettings(average_epochs=3, patience=2)
