"""Folds that come with the recordings, and labels of fewer groups than folds."""

from pathlib import Path

import pytest

from ossicle.core.errors import SplitError
from ossicle.core.records import Annotation, Recording
from ossicle.corpus.indexing.corpus_index import index_corpus
from ossicle.corpus.indexing.settings import CorpusSettings
from ossicle.corpus.splits.folds import RareLabel, SplitSettings, make_folds, rare_labels
from ossicle.corpus.splits.leak_audit import audit
from ossicle.corpus.splits.published_folds import fold_values
from ossicle.corpus.splits.split_kinds import NEVER_HELD_OUT


def recording(name: str, **fields: str) -> Recording:
    return Recording(name, "x", f"{name}.ogg", 8000, 1, 8000, digest=name, reviewed=True, fields=fields)


def labelled(recordings: list[Recording], *labels: str) -> list[Annotation]:
    return [Annotation(recording.id, 0.0, 1.0, labels[i % len(labels)]) for i, recording in enumerate(recordings)]


def test_folds_are_those_of_the_field_by_number() -> None:
    some = [recording(f"r{i}", fold=str(fold), source=f"s{i // 2}") for i, fold in enumerate((10, 10, 2, 2, 1, 1))]
    folds = make_folds(some, labelled(some, "a"), SplitSettings(group="source", fold_field="fold", folds=4, seed=9))
    assert [folds[recording.id].fold for recording in some] == [2, 2, 1, 1, 0, 0]
    assert fold_values(some, "fold") == ["1", "2", "10"]
    assert fold_values([recording("a", fold="x"), recording("b", fold="3")], "fold") == ["3", "x"]


def test_a_group_that_published_folds_cut_is_named() -> None:
    some = [recording(f"r{i}", fold=str(i % 2), author="Ann" if i in (0, 3) else f"a{i}") for i in range(4)]
    with pytest.raises(SplitError, match=r"group 'Ann' is in several folds \(0: r0\.ogg; 1: r3\.ogg\)"):
        make_folds(some, labelled(some, "a"), SplitSettings(group="author", fold_field="fold"))


def test_recordings_without_a_fold_and_one_fold_are_refused() -> None:
    some = [recording("a", fold="1"), recording("b", fold="2"), recording("c")]
    with pytest.raises(SplitError, match=r"1 of 3 recordings have no fold, including c\.ogg"):
        make_folds(some, labelled(some, "a"), SplitSettings(fold_field="fold"))
    same = [recording(name, fold="1") for name in "ab"]
    with pytest.raises(SplitError, match="all recordings are in one fold, '1'"):
        make_folds(same, labelled(same, "a"), SplitSettings(fold_field="fold"))


def test_settings_that_say_two_things_are_refused() -> None:
    with pytest.raises(ValueError, match="fold_field = 'fold' is for strategy"):
        SplitSettings(fold_field="fold", strategy="random")
    for more in ({"folds": 0}, {"fold_field": "fold", "folds": 3}):
        with pytest.raises(ValueError, match='rare = "train" works with new folds only'):
            SplitSettings(rare="train", **more)  # type: ignore[arg-type]


def test_rare_labels_are_listed_with_the_folds_that_can_judge_them() -> None:
    some = [recording(f"r{i}") for i in range(6)]
    notes = labelled(some, "a") + labelled(some[:1], "one") + labelled(some[1:3], "two")
    made = make_folds(some, notes, SplitSettings(folds=3))
    folds = sorted({made["r1"].fold, made["r2"].fold})
    assert rare_labels(made, notes) == (
        RareLabel("one", 1, 1, (made["r0"].fold,)),
        RareLabel("two", 2, 2, tuple(folds)),
    )
    assert len(folds) == 2


def test_groups_of_rare_labels_may_stay_in_train() -> None:
    some = [recording(f"r{i}", author=f"a{i // 2}") for i in range(10)]
    notes = labelled(some, "a") + labelled(some[:1], "one")
    folds = make_folds(some, notes, SplitSettings(group="author", folds=4, rare="train"))
    # r1 is by the author of the rare recording: held out, it would lie beside what every model has learnt from.
    assert [folds[recording.id].fold for recording in some[:2]] == [NEVER_HELD_OUT] * 2
    assert {folds[recording.id].fold for recording in some[2:]} == {0, 1, 2, 3}
    assert audit(folds, some, notes, group="author").ok
    with pytest.raises(SplitError, match=r"5 folds were requested.*5 groups, 1 of them with.*rare = \"each_fold\""):
        make_folds(some, notes, SplitSettings(group="author", folds=5, rare="train"))


def test_esc10_is_divided_as_published(real_data: Path) -> None:
    settings = CorpusSettings(
        audio="esc10", label_field="folder", name_template="{fold:#}-{source:#}-{take}", decode=False
    )
    corpus_index = index_corpus(real_data / "esc10", None, settings, group="source", workers=2)
    folds = make_folds(
        corpus_index.recordings, corpus_index.annotations, SplitSettings(group="source", fold_field="fold")
    )
    assert len(folds) == 400
    assert all(
        folds[recording.id].fold == int(Path(recording.path).name[0]) - 1 for recording in corpus_index.recordings
    )
    assert sorted(entry.fold for entry in folds.values()) == sorted(list(range(5)) * 80)
    with pytest.raises(SplitError, match="is in several folds"):
        make_folds(corpus_index.recordings, corpus_index.annotations, SplitSettings(group="folder", fold_field="fold"))
