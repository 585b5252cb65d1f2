"""Groups in train, val and test by the hash of their names: stable, whole, and of the shares that were asked for."""

import unicodedata
from collections import Counter, defaultdict

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ossicle.core.errors import SplitError
from ossicle.core.records import Annotation, Recording
from ossicle.corpus.clips.holdout_split import place_recordings
from ossicle.corpus.splits.folds import FoldEntry, SplitSettings
from ossicle.corpus.splits.hashed_split import hashed_fold, hashed_groups
from ossicle.corpus.splits.leak_audit import audit
from ossicle.corpus.splits.split_kinds import NEVER_HELD_OUT, TEST, VAL

from .test_folds import calls, recording

TRAIN = NEVER_HELD_OUT
names = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=12)


def split(**chosen: object) -> SplitSettings:
    return SplitSettings(**({"strategy": "hashed", "group": "session"} | chosen))  # type: ignore[arg-type]


def corpus(sessions: list[str], label: str = "kick", each: int = 2) -> tuple[list[Recording], list[Annotation]]:
    recordings = [
        recording(f"{number}/{take}.wav", session=session)
        for number, session in enumerate(sessions)
        for take in range(2)
    ]
    return recordings, [call for of in recordings for call in calls(of, each, label)]


def placed(recordings: list[Recording], annotations: list[Annotation], chosen: SplitSettings) -> dict[str, FoldEntry]:
    try:
        return hashed_groups(recordings, annotations, chosen)
    except SplitError:
        # Small corpora may leave a part empty, which has its own test.
        assume(False)
        raise


@given(
    st.lists(names, min_size=12, max_size=40, unique=True),
    st.lists(names, max_size=20, unique=True),
    st.integers(0, 99),
    st.randoms(use_true_random=False),
)
@settings(deadline=None, max_examples=60)
def test_a_recording_keeps_its_place_when_sessions_are_added(
    sessions: list[str], more: list[str], seed: int, random: object
) -> None:
    chosen = split(seed=seed, train_share=0.5, val_share=0.25)
    before = placed(*corpus(sessions), chosen)
    added = [name for name in more if name not in sessions]
    recordings, annotations = corpus([*sessions, *added])
    random.shuffle(recordings)  # type: ignore[attr-defined]
    after = hashed_groups(recordings, annotations, chosen)
    assert {key: after[key] for key in before} == before
    assert list(after) == sorted(recording.id for recording in recordings)
    # Whatever else is known of a session, and however much of it there is, moves nothing.
    fewer = [annotation for annotation in annotations if annotation.recording_id in before][::2]
    assert {key: hashed_fold(entry.group, chosen) for key, entry in after.items()} == {
        key: entry.fold for key, entry in after.items()
    }
    assert placed(recordings, fewer, chosen) == after


@given(st.lists(st.integers(0, 11), min_size=12, max_size=40), st.integers(0, 99))
@settings(deadline=None, max_examples=60)
def test_no_session_is_cut_and_the_audit_finds_no_leak(sessions: list[int], seed: int) -> None:
    recordings = [recording(f"{i}.wav", session=f"s{session}") for i, session in enumerate(sessions)]
    annotations = [call for each in recordings for call in calls(each, 1)]
    folds = placed(recordings, annotations, split(seed=seed, train_share=0.5, val_share=0.25))
    folds_of_session = defaultdict(set)
    for one in recordings:
        folds_of_session[one.fields["session"]].add(folds[one.id].fold)
    assert all(len(folds) == 1 for folds in folds_of_session.values())
    assert audit(folds, recordings, annotations, group="session").ok


@pytest.mark.parametrize(("train_share", "val_share"), [(0.7, 0.15), (0.8, 0.1), (0.34, 0.33)])
@pytest.mark.parametrize("seed", [0, 7])
def test_shares_of_many_sessions_are_those_of_the_settings(train_share: float, val_share: float, seed: int) -> None:
    chosen = split(train_share=train_share, val_share=val_share, seed=seed)
    n = 20_000
    counts = Counter(hashed_fold(f"session_{i:05d}", chosen) for i in range(n))
    wanted = {TRAIN: train_share, VAL: val_share, TEST: 1 - train_share - val_share}
    for fold, share in wanted.items():
        # Five standard deviations of a binomial.
        assert abs(counts[fold] - share * n) < 5 * (n * share * (1 - share)) ** 0.5


@given(names, st.floats(0.05, 0.4), st.floats(0.0, 0.3))
def test_a_larger_val_takes_from_train_alone(name: str, val_share: float, more: float) -> None:
    test_share = 0.2
    small = split(train_share=1 - test_share - val_share, val_share=val_share)
    large = split(train_share=1 - test_share - val_share - more, val_share=val_share + more)
    moved = (hashed_fold(name, small), hashed_fold(name, large))
    assert moved in {(TEST, TEST), (VAL, VAL), (TRAIN, TRAIN), (TRAIN, VAL)}


def test_places_never_change_from_release_to_release() -> None:
    # Golden: a change here would move sessions of every corpus that was split before.
    folds = [hashed_fold(f"session-{i}", split()) for i in range(40)]
    assert "".join({TRAIN: ".", VAL: "v", TEST: "t"}[fold] for fold in folds) == GOLDEN


GOLDEN = "..vv........v.v...v.....t..vt......v...."


def test_both_unicode_forms_of_a_name_and_another_seed() -> None:
    chosen = [split(seed=seed) for seed in range(30)]
    composed, decomposed = (unicodedata.normalize(form, "Schlagzeugübung é") for form in ("NFC", "NFD"))
    assert composed != decomposed
    assert [hashed_fold(composed, split_settings) for split_settings in chosen] == [
        hashed_fold(decomposed, split_settings) for split_settings in chosen
    ]
    assert len({hashed_fold(composed, split_settings) for split_settings in chosen}) == 3


def test_an_empty_part_is_refused_and_mended_by_no_move() -> None:
    recordings, annotations = corpus(["a", "b"])
    with pytest.raises(SplitError, match=r"puts none of the 2 annotated groups of 'session' into .*another split.seed"):
        hashed_groups(recordings, annotations, split())


def test_without_annotations_no_seed_is_advised() -> None:
    recordings, _ = corpus(["a", "b"])
    with pytest.raises(SplitError, match=r"no group of 'session' has annotations, .*ossicle dataset health"):
        hashed_groups(recordings, [], split())


def test_a_label_without_training_data_is_refused() -> None:
    sessions = [f"session-{i}" for i in range(40)]
    recordings, annotations = corpus(sessions)
    held = next(recording for recording in recordings if hashed_fold(recording.fields["session"], split()) == VAL)
    rare = calls(held, 3, "cowbell")
    with pytest.raises(SplitError, match="no 'cowbell' is left to train on: all 3 are in val and test"):
        hashed_groups(recordings, [*annotations, *rare], split())


def test_sessions_without_annotations_or_review_and_partly_checked_ones() -> None:
    sessions = [f"session-{i}" for i in range(40)]
    recordings, annotations = corpus(sessions)
    empty = recording("empty.wav", session="quiet")
    unseen = recording("unseen.wav", reviewed=False, session="unseen")
    out = recording("out.wav", status="left_out", session="session-0")
    part = recording("part.wav", reviewed=False, session="looked into")
    placement = place_recordings(
        [*recordings, empty, unseen, out, part], annotations, annotations, {part.id}, split(folds=0)
    )
    assert placement.judged[empty.id] == FoldEntry("quiet", hashed_fold("quiet", split()))
    assert not {unseen.id, out.id, part.id} & placement.judged.keys()
    # What was looked at in part only teaches.
    assert placement.folds[part.id].fold == TRAIN
