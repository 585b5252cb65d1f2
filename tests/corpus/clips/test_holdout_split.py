from collections import Counter, defaultdict
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ossicle.core.errors import SplitError
from ossicle.core.records import Annotation, Recording
from ossicle.corpus.clips.clip_table import DatasetClips, build_dataset
from ossicle.corpus.clips.holdout_split import divide_clips, place_recordings, undivided, whole_groups
from ossicle.corpus.clips.settings import DatasetSettings
from ossicle.corpus.splits.folds import SplitSettings, make_folds
from ossicle.corpus.splits.leak_audit import audit
from ossicle.corpus.splits.split_kinds import NEVER_HELD_OUT, SPLIT_KINDS, TEST, VAL

from ..splits.test_folds import calls, recording

TRAIN = NEVER_HELD_OUT
LEAKY = [name for name, kind in SPLIT_KINDS.items() if kind.divides_clips]


def corpus(tapes: int, each: int, qualities: int = 4) -> tuple[list[Recording], list[Annotation]]:
    recordings = [recording(f"{i}.wav", 2.0 * each + 5, tape=f"t{i}") for i in range(tapes)]
    annotations = [
        Annotation(recording.id, 2.0 * i, 2.0 * i + 0.3, "hum", quality=i % qualities + 1)
        for recording in recordings
        for i in range(each)
    ]
    return recordings, annotations


def divided(
    recordings: list[Recording], annotations: list[Annotation], noise: str = "beside", **chosen: object
) -> DatasetClips:
    split = SplitSettings(group="tape", **chosen)  # type: ignore[arg-type]
    folds = undivided(recordings, (), "tape")
    return divide_clips(
        build_dataset(recordings, annotations, folds, DatasetSettings(noise=noise), split.seed, 1.0), split
    )


def test_random_cuts_the_whole_at_70_and_15_per_cent() -> None:
    dataset = divided(*corpus(5, 21), strategy="random")
    assert Counter(unit.clips[0].fold for unit in dataset.units) == {TRAIN: 73, VAL: 15, TEST: 17}


@pytest.mark.parametrize("strategy", LEAKY)
@pytest.mark.parametrize("noise", ["beside", "corpus"])
def test_each_bucket_is_cut_by_itself_and_a_target_keeps_its_noise(strategy: str, noise: str) -> None:
    recordings, annotations = corpus(4, 43)
    dataset = divided(recordings, annotations, noise, strategy=strategy, seed=3)
    assert sum(clip.role == "target" for clip in dataset.clips) == len(annotations)
    assert sum(clip.role == "noise" for clip in dataset.clips) == len(annotations)
    buckets: dict[object, Counter[int]] = defaultdict(Counter)
    for unit in dataset.units:
        (fold,) = {clip.fold for clip in unit.clips}
        kind = unit.quality if unit.label else "noise"
        key = (
            kind if "quality" in strategy else "",
            unit.group if "clipwise" in strategy else "",
        )
        buckets[key][fold] += 1
    for bucket in buckets.values():
        n = bucket.total()
        assert bucket[TRAIN] == n * 70 // 100
        assert bucket[VAL] == n * 15 // 100
    assert dataset.units == divided(recordings[::-1], annotations[::-1], noise, strategy=strategy, seed=3).units
    assert dataset.units != divided(recordings, annotations, noise, strategy=strategy, seed=4).units


def test_a_bucket_of_one_goes_to_test_and_of_fewer_than_seven_none_to_val() -> None:
    recordings, annotations = corpus(3, 6, qualities=1)
    with pytest.raises(SplitError, match="leaves no target for val: its buckets are too small"):
        divided(recordings, annotations, strategy="quality_and_clipwise_balanced")
    lone = recording("lone.wav", 20.0, tape="lone")
    dataset = divided([*recordings, lone], [*annotations, *calls(lone, 1)], strategy="clipwise_balanced", val_share=0.2)
    assert {clip.fold for clip in dataset.clips if clip.recording_id == lone.id} == {TEST}


def test_a_label_that_nobody_could_learn_is_refused() -> None:
    recordings, annotations = corpus(2, 30)
    rare = Annotation(recordings[0].id, 62.0, 62.5, "trill")
    for seed in range(30):
        try:
            dataset = divided(recordings, [*annotations, rare], strategy="random", seed=seed)
        except SplitError as error:
            assert "no 'trill' is left to train on: all 1 are in val and test" in str(error)  # noqa: PT017
            break
        (fold,) = {clip.fold for clip in dataset.clips if clip.label == "trill"}
        assert fold == TRAIN
    else:
        pytest.fail("no seed put the only trill outside of train")


def test_the_audit_says_what_a_leaky_strategy_cuts() -> None:
    recordings, annotations = corpus(4, 30)
    split = SplitSettings(group="tape", strategy="clipwise_balanced")
    dataset = divided(recordings, annotations, strategy=split.strategy)
    leak_audit = audit(
        undivided(recordings, (), "tape"), recordings, annotations, dataset.clips, group="tape", by_clip=True
    )
    assert leak_audit.groups_cut == ("t0", "t1", "t2", "t3")
    assert not leak_audit.ok
    sentence = split.kind.leak_in_words(leak_audit.groups_cut, 4, "tape")
    assert sentence == "leaky: clipwise_balanced cuts through 4 of 4 groups of 'tape'"
    assert [(fold_count.fold, fold_count.annotations["hum"]) for fold_count in leak_audit.folds] == [
        (TRAIN, 84),
        (TEST, 20),
        (VAL, 16),
    ]


def test_clips_that_share_time_across_the_split_are_counted() -> None:
    tape = recording("a.wav", 60.0, tape="a")
    notes = [
        Annotation(tape.id, 1.0, 3.0, "hum"),
        Annotation(tape.id, 2.0, 4.0, "hum"),
        Annotation(tape.id, 9.0, 9.5, "hum"),
    ]
    dataset = build_dataset([tape], notes, undivided([tape], (), "tape"), DatasetSettings(noise_per_target=0), 0, 1.0)
    for folds, crossing in (((0, 1, 0), 2), ((0, 0, 1), 0), ((1, 1, 1), 0)):
        clips = [replace(clip, fold=fold) for clip, fold in zip(dataset.clips, folds, strict=True)]
        assert audit({}, [tape], notes, clips, group="tape", by_clip=True).clips_crossing == crossing


@given(
    st.lists(st.integers(0, 20), min_size=3, max_size=12).filter(lambda counts: sum(n > 0 for n in counts) >= 3),
    st.integers(0, 9),
)
@settings(deadline=None, max_examples=100)
def test_whole_tapes_go_to_one_split_each(counts: list[int], seed: int) -> None:
    recordings = [recording(f"{i}-{part}.wav", 30.0, tape=f"t{i}") for i in range(len(counts)) for part in "ab"]
    annotations = [a for i, n in enumerate(counts) for a in calls(recordings[2 * i], n)]
    split = SplitSettings(group="tape", strategy="proportional_by_tape", seed=seed)
    folds = whole_groups(recordings, annotations, split)
    assert list(folds) == sorted(recording.id for recording in recordings)
    of_tape = defaultdict(set)
    held: Counter[int] = Counter()
    for one in recordings:
        of_tape[one.fields["tape"]].add(folds[one.id].fold)
    assert all(len(folds_of_tape) == 1 for folds_of_tape in of_tape.values())
    for annotation in annotations:
        held[folds[annotation.recording_id].fold] += 1
    assert all(held[fold] for fold in (TRAIN, VAL, TEST))
    # Greedy by the largest deficit: no split passes its share by more than its last tape.
    total = sum(counts)
    for fold, share in ((TRAIN, 0.7), (VAL, 0.15), (TEST, 0.15)):
        assert held[fold] <= share * total + max(counts) + 1e-9
    assert folds == whole_groups(recordings[::-1], annotations[::-1], split)


def test_whole_tapes_by_hand() -> None:
    recordings = [recording(f"{i}.wav", tape=f"t{i}") for i in range(20)]
    annotations = [a for recording in recordings for a in calls(recording, 5)]
    split = SplitSettings(group="tape", strategy="proportional_by_tape", seed=1731)
    folds = Counter(entry.fold for entry in whole_groups(recordings, annotations, split).values())
    assert folds == {TRAIN: 14, VAL: 3, TEST: 3}


def test_too_few_tapes_are_refused() -> None:
    pair = [recording("a.wav", tape="a"), recording("b.wav", tape="b"), recording("c.wav", tape="c")]
    split = SplitSettings(group="tape", strategy="proportional_by_tape")
    with pytest.raises(SplitError, match="at least three annotated groups; grouping by 'tape' gives 2"):
        whole_groups(pair, [*calls(pair[0], 3), *calls(pair[1], 3)], split)
    notes = [a for recording in pair for a in calls(recording, 5)] + calls(pair[0], 2, "trill")
    refused = 0
    for seed in range(20):
        split = SplitSettings(group="tape", strategy="proportional_by_tape", seed=seed)
        try:
            assert whole_groups(pair, notes, split)[pair[0].id].fold == TRAIN
        except SplitError as error:
            assert "no 'trill' is left to train on" in str(error)  # noqa: PT017
            refused += 1
    assert 0 < refused < 20


def test_recordings_are_placed_as_the_kind_of_split_says() -> None:
    recordings, annotations = corpus(6, 4)
    part = replace(recording("part.wav", 60.0, tape="t9"), reviewed=False)
    placed = {
        strategy: place_recordings(
            [*recordings, part], annotations, annotations, {part.id}, SplitSettings(strategy=strategy, group="tape")
        )
        for strategy in SPLIT_KINDS
    }
    assert placed["grouped"].judged == make_folds(recordings, annotations, SplitSettings(group="tape"))
    divided = SplitSettings(strategy="proportional_by_tape", group="tape")
    assert placed["proportional_by_tape"].judged == whole_groups(recordings, annotations, divided)
    for strategy, placement in placed.items():
        # What was looked at in part only teaches.
        assert placement.folds[part.id].fold == NEVER_HELD_OUT
        assert part.id not in placement.judged
        assert bool(placement.judged) is SPLIT_KINDS[strategy].judges_recordings


def test_strategies_for_groups_leave_clips_as_they_are() -> None:
    recordings, annotations = corpus(6, 4)
    settings = SplitSettings(group="tape")
    folds = make_folds(recordings, annotations, settings)
    built = build_dataset(recordings, annotations, folds, DatasetSettings(noise_per_target=0), 0, 1.0)
    assert divide_clips(built, settings) is built


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"train_share": 0.8, "val_share": 0.2}, "leave no test"),
        (
            {"strategy": "shuffled"},
            "strategy = 'shuffled' is not one of: grouped, proportional_by_tape, hashed, random",
        ),
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SplitSettings(**settings)  # type: ignore[arg-type]
