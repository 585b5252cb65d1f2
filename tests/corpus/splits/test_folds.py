from collections import Counter, defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ossicle.core.digest import recording_id
from ossicle.core.errors import SplitError
from ossicle.core.records import Annotation, Recording
from ossicle.corpus.splits.folds import FoldEntry, SplitSettings, group_of, make_folds, split_notes


def recording(path: str, seconds: float = 60.0, reviewed: bool = True, status: str = "ok", **fields: str) -> Recording:
    return Recording(
        recording_id("tapes", path),
        "tapes",
        path,
        8000,
        1,
        int(seconds * 8000),
        digest=path,
        reviewed=reviewed,
        status=status,  # type: ignore[arg-type]
        reason="" if status == "ok" else "is no audio",
        fields=fields,
    )


def calls(source: Recording, n: int, label: str = "hum") -> list[Annotation]:
    return [Annotation(source.id, float(i), i + 0.3, label) for i in range(n)]


@st.composite
def corpora(draw: st.DrawFn) -> tuple[list[Recording], list[Annotation]]:
    sites = draw(st.integers(2, 7))
    recordings, annotations = [], []
    for index in range(draw(st.integers(sites, 16))):
        site = index if index < sites else draw(st.integers(0, sites - 1))
        tape = recording(f"{site}/t.{index}.wav", draw(st.floats(5, 300)), site=f"s{site}")
        recordings.append(tape)
        # Every group has some hums, so that no fold can lack them; trills are rare.
        annotations += calls(tape, draw(st.integers(1, 9)))
        annotations += calls(tape, draw(st.integers(0, 2)), "trill")
    return draw(st.permutations(recordings)), draw(st.permutations(annotations))


@given(corpora(), st.sampled_from([0, 2, 3]), st.integers(0, 5))
@settings(deadline=None, max_examples=80)
def test_no_group_is_cut_and_every_recording_has_one_fold(
    corpus: tuple[list[Recording], list[Annotation]], folds: int, seed: int
) -> None:
    recordings, annotations = corpus
    sites = {r.fields["site"] for r in recordings}
    if folds > len(sites):
        with pytest.raises(SplitError, match=f"gives {len(sites)} groups"):
            make_folds(recordings, annotations, SplitSettings(group="site", folds=folds, seed=seed))
        return
    try:
        made = make_folds(recordings, annotations, SplitSettings(group="site", folds=folds, seed=seed))
    except SplitError as error:
        assert "trill" in str(error)  # noqa: PT017 - only the rare label may be out of reach
        assert folds == 2
        return
    assert list(made) == sorted(r.id for r in recordings)
    assert {entry.fold for entry in made.values()} == set(range(folds or len(sites)))
    fold_of_site = defaultdict(set)
    for recording in recordings:
        assert made[recording.id].group == recording.fields["site"]
        fold_of_site[recording.fields["site"]].add(made[recording.id].fold)
    assert all(len(folds_of_site) == 1 for folds_of_site in fold_of_site.values())
    if folds == 0:
        assert len({fold for folds_of_site in fold_of_site.values() for fold in folds_of_site}) == len(sites)


@given(corpora(), st.integers(0, 3))
@settings(deadline=None, max_examples=30)
def test_input_order_does_not_matter(corpus: tuple[list[Recording], list[Annotation]], seed: int) -> None:
    recordings, annotations = corpus
    chosen = SplitSettings(group="site", folds=2, seed=seed)

    def outcome(r: list[Recording], a: list[Annotation]) -> object:
        try:
            return make_folds(r, a, chosen)
        except SplitError as error:
            return str(error)

    assert outcome(recordings, annotations) == outcome(recordings[::-1], annotations[::-1])


def test_folds_are_balanced_per_label() -> None:
    recordings = [recording(f"{i}.wav", site=f"s{i:02}") for i in range(12)]
    annotations = [a for i, r in enumerate(recordings) for a in calls(r, 1 + i) + calls(r, 12 - i, "trill")]
    folds = make_folds(recordings, annotations, SplitSettings(group="site", folds=3))
    held = Counter((folds[a.recording_id].fold, a.label) for a in annotations)
    assert all(0.8 * 26 <= n <= 1.2 * 26 for n in held.values()), held
    assert Counter(entry.fold for entry in folds.values()) == {0: 4, 1: 4, 2: 4}


def test_duration_is_balanced_where_calls_are_equal() -> None:
    recordings = [recording(f"{i}.wav", seconds=100 if i < 2 else 10) for i in range(6)]
    folds = make_folds(recordings, [a for r in recordings for a in calls(r, 2)], SplitSettings(folds=2))
    assert folds[recordings[0].id].fold != folds[recordings[1].id].fold


def test_the_two_groups_of_a_rare_label_are_kept_apart() -> None:
    for seed in range(20):
        recordings = [recording(f"{i}.wav") for i in range(8)]
        annotations = [a for i, r in enumerate(recordings) for a in calls(r, 3 + i)]
        annotations += calls(recordings[0], 1, "rare") + calls(recordings[7], 1, "rare")
        folds = make_folds(recordings, annotations, SplitSettings(folds=2, seed=seed))
        assert folds[recordings[0].id].fold != folds[recordings[7].id].fold


def test_a_label_is_kept_in_training_even_where_balance_speaks_against_it() -> None:
    """By balance alone 'both' would join 'rare' in one fold, and the other would train on no rare call."""
    main, rare, both, rest = (recording(f"{name}.wav") for name in ("main", "rare", "both", "rest"))
    annotations = calls(rare, 6, "rare") + calls(both, 1, "rare")
    for label in ("hum", "trill"):
        annotations += calls(main, 7, label) + calls(both, 3, label) + calls(rest, 1, label)
    folds = make_folds([main, rare, both, rest], annotations, SplitSettings(folds=2))
    assert folds[rare.id].fold != folds[both.id].fold
    assert folds[main.id].fold != folds[rest.id].fold


def test_the_seed_matters_only_among_equals() -> None:
    recordings = [recording(f"{i}.wav") for i in range(9)]
    annotations = [a for r in recordings for a in calls(r, 2)]
    fold_sets = [make_folds(recordings, annotations, SplitSettings(folds=3, seed=seed)) for seed in (0, 0, 1, 2)]
    assert fold_sets[0] == fold_sets[1]
    assert fold_sets[0] != fold_sets[2] or fold_sets[0] != fold_sets[3]


def test_unreviewed_and_left_out_recordings() -> None:
    reviewed = [recording("a/1.wav"), recording("b/1.wav")]
    beside = recording("a/2.wav", reviewed=False)
    alone, broken = recording("c/1.wav", reviewed=False), recording("b/2.wav", status="left_out")
    folds = make_folds(
        [*reviewed, beside, alone, broken], calls(reviewed[0], 2) + calls(reviewed[1], 2), SplitSettings(group="folder")
    )
    assert set(folds) == {reviewed[0].id, reviewed[1].id, beside.id}
    assert folds[beside.id] == FoldEntry("tapes/a", 0)


def test_group_of() -> None:
    tape = recording("x/ü.1.wav", site="A", tape="")
    assert group_of(tape, "site") == "A"
    assert group_of(tape, "recording") == tape.id
    assert group_of(tape, "folder") == "tapes/x"
    with pytest.raises(SplitError, match=r"x/ü\.1\.wav has no field 'animal'.*recording, folder, site$"):
        group_of(tape, "animal")
    with pytest.raises(SplitError, match="no field 'tape'"):
        group_of(tape, "tape")


def test_errors_name_the_remedy() -> None:
    pair = [recording("1.wav", site="A"), recording("2.wav", site="A")]
    annotated = [a for r in pair for a in calls(r, 2)]
    with pytest.raises(SplitError, match=r"only one \('A'\)"):
        make_folds(pair, annotated, SplitSettings(group="site"))
    with pytest.raises(SplitError, match="found none"):
        make_folds([], [], SplitSettings())
    with pytest.raises(SplitError, match=r"3 folds were requested.*2 groups"):
        make_folds(pair, annotated, SplitSettings(folds=3))
    with pytest.raises(SplitError, match="leaves no annotation to train on"):
        make_folds(pair, calls(pair[0], 5), SplitSettings())
    with pytest.raises(ValueError, match="folds = 1"):
        SplitSettings(folds=1)


def test_a_label_of_one_group_is_noted() -> None:
    pair = [recording("1.wav", site="A"), recording("2.wav", site="B")]
    annotations = calls(pair[0], 2) + calls(pair[1], 2) + calls(pair[1], 1, "rare")
    folds = make_folds(pair, annotations, SplitSettings(group="site"))
    (note,) = split_notes(folds, annotations)
    assert "'rare'" in note
    assert "'B'" in note
