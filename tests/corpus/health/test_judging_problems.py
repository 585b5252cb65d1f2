"""Labels that cannot be judged are named."""

from ossicle.core.records import Annotation, Recording
from ossicle.corpus.health.judging_problems import labels_without_negatives, unjudged_labels
from ossicle.corpus.indexing.corpus_index import CorpusIndex
from ossicle.corpus.splits.folds import FoldEntry
from ossicle.corpus.splits.split_kinds import NEVER_HELD_OUT


def recording(key: str, *, reviewed: bool = True) -> Recording:
    return Recording(key, "r", f"{key}.wav", 16000, 1, 160000, key, reviewed=reviewed)


def index(*annotations: Annotation, unreviewed: str = "") -> CorpusIndex:
    return CorpusIndex(tuple(recording(key, reviewed=key != unreviewed) for key in "ab"), annotations)


def test_one_class_that_is_everywhere_has_no_negatives() -> None:
    whole = [Annotation(key, 0.0, 10.0, "call") for key in "ab"]
    (problem,) = labels_without_negatives(index(*whole))
    assert (problem.severity, problem.code, problem.where) == ("warning", "no_negatives", "call")
    assert "everything that was checked holds 'call'" in problem.message
    pieces = [Annotation(key, start, start + 2.5, "call") for key in "ab" for start in (0.0, 2.45, 4.9, 7.4)]
    assert [problem.code for problem in labels_without_negatives(index(*pieces))] == ["no_negatives"]


def test_a_gap_a_second_label_or_an_empty_recording_is_a_negative() -> None:
    assert not list(labels_without_negatives(index(Annotation("a", 0.0, 10.0, "call"))))
    two = [Annotation("a", 0.0, 10.0, "call"), Annotation("b", 0.0, 10.0, "other")]
    assert not list(labels_without_negatives(index(*two)))
    gap = [Annotation(key, 0.0, 9.0, "call") for key in "ab"]
    assert not list(labels_without_negatives(index(*gap)))
    assert not list(labels_without_negatives(index()))


def test_what_nobody_checked_is_no_negative() -> None:
    (problem,) = labels_without_negatives(index(Annotation("a", 0.0, 10.0, "call"), unreviewed="b"))
    assert problem.where == "call"


def test_labels_of_one_group_and_labels_that_are_never_held_out() -> None:
    folds = {"a": FoldEntry("A", 0), "b": FoldEntry("B", 1), "c": FoldEntry("C", NEVER_HELD_OUT)}
    notes = [Annotation(key, 1.0, 2.0, label) for key, label in (("a", "x"), ("a", "y"), ("b", "y"), ("c", "z"))]
    (problem,) = unjudged_labels(folds, notes)
    assert "label 'x' occurs in group 'A' only: the model tested there was never trained on it" in problem.message
    assert "label 'z' is never held out" in problem.message
    assert "'y'" not in problem.message
    assert not list(unjudged_labels(folds, notes[1:3]))


def test_hundreds_of_rare_labels_are_one_warning() -> None:
    folds = {str(n): FoldEntry(str(n), n) for n in range(300)}
    (problem,) = unjudged_labels(folds, [Annotation(str(n), 0.0, 1.0, f"bird {n:03d}") for n in range(300)])
    assert "and 295 more" in problem.message
