"""Labels that the recordings cannot judge are named, and no others."""

import pytest

from ossicle.core.records import Annotation, Recording
from ossicle.evaluation.ground_truth import Truth
from ossicle.evaluation.notes.judging import judging_notes, notes_in_words

FOLDS = {"a1": 0, "a2": 0, "b1": 1, "c1": 2}


def truth(**holders: list[str]) -> Truth:
    """Return four recordings of the groups a, b and c with the given labels in some of them."""
    ids, labels = tuple(FOLDS), tuple(sorted(holders))
    notes = tuple(Annotation(key, 0.0, 1.0, label) for label, of in holders.items() for key in of)
    recordings = {key: Recording(key, "tapes", f"{key}.wav", 100, 1, 1000, key, True) for key in ids}
    return Truth(ids, labels, recordings, notes, {key: key[0] for key in ids}, FOLDS)


@pytest.mark.parametrize("timed", [True, False])
def test_a_label_of_one_group_is_named_with_the_group(timed: bool) -> None:
    result = judging_notes(truth(call=["a1", "a2"], song=["a1", "b1"]), timed=timed)
    assert list(result) == ["call"]
    (note,) = result["call"]
    assert note.startswith("annotated in group 'a' only: the model tested there was never trained on it")


def test_groups_that_one_fold_holds_out_are_named_by_the_fold() -> None:
    one = truth(call=["a1", "b1"], song=["a1", "c1"])
    together = Truth(one.ids, one.labels, one.recordings, one.annotations, one.groups, {**FOLDS, "b1": 0, "c1": 1})
    assert notes_in_words(judging_notes(together, timed=True)) == [
        "call: annotated only in recordings that fold 0 holds out: the model tested there was never trained on it and "
        "its threshold was fitted without it, so its figures do not say how well the bundle finds it"
    ]


def test_labels_of_no_recording_and_of_every_recording() -> None:
    every = list(FOLDS)
    assert judging_notes(truth(absent=[], always=every), timed=True) == {
        "absent": ("no evaluated recording has it, so nothing says whether it is found",)
    }
    result = judging_notes(truth(absent=[], always=every, nearly=every[:3]), timed=False)
    assert "without negatives" in result["always"][0]
    assert result["nearly"] == (
        "only fold 2 has recordings without it, so the threshold there was fitted without negatives",
    )


def test_unknown_labels_are_no_negatives() -> None:
    one = truth(call=["a1", "b1"])
    doubtful = Truth(
        one.ids, one.labels, one.recordings, one.annotations, one.groups, one.folds, unknown=frozenset({("c1", "call")})
    )
    # a2 of fold 0 is left as the only recording that is known to lack it.
    assert "only fold 0 has recordings without it" in judging_notes(doubtful, timed=False)["call"][0]
    assert judging_notes(one, timed=False) == {}
