"""Folds of a corpus like BirdCLEF's: 30,000 recordings, 206 classes in a long tail, authors of very different sizes."""

import time

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

from ossicle.core.records import Annotation, Recording
from ossicle.corpus.splits.folds import SplitSettings, make_folds, rare_labels
from ossicle.corpus.splits.leak_audit import audit
from ossicle.corpus.splits.split_kinds import NEVER_HELD_OUT

N, CLASSES, AUTHORS, FOLDS = 30_000, 206, 3_500, 5
Corpus = tuple[list[Recording], list[Annotation], NDArray[np.int64], NDArray[np.int64]]


def long_tail(exponent: float) -> Corpus:
    """Recordings, annotations, class and author of each; every class has at least one recording."""
    rng = np.random.default_rng(7)
    shares = 1 / np.arange(1, CLASSES + 1) ** exponent
    label = rng.choice(CLASSES, N, p=shares / shares.sum())
    label[:CLASSES] = np.arange(CLASSES)
    sizes = 1 / np.arange(1, AUTHORS + 1)
    author = rng.choice(AUTHORS, N, p=sizes / sizes.sum())
    seconds = np.clip(rng.lognormal(2.8, 0.9, N), 1, 600)
    recordings = [
        Recording(
            f"{i:05d}", "x", f"{label[i]}/{i}.ogg", 32000, 1, int(seconds[i] * 32000), f"{i}", True,
            fields={"author": f"a{author[i]}"},
        )
        for i in range(N)
    ]  # fmt: skip
    notes = [
        Annotation(recording.id, 0.0, recording.duration_s, f"c{label[i]}") for i, recording in enumerate(recordings)
    ]
    return recordings, notes, label, author


def shares(fold: NDArray[np.int64], label: NDArray[np.int64]) -> NDArray[np.float64]:
    """The share of each class that each fold holds out, (FOLDS, CLASSES)."""
    counts = np.zeros((FOLDS, CLASSES))
    np.add.at(counts, (fold, label), 1)
    return counts / counts.sum(axis=0)


@pytest.fixture(scope="module")
def mild() -> Corpus:
    return long_tail(1.1)


def test_sizes_and_shares_are_within_bounds_and_no_author_is_cut(mild: Corpus) -> None:
    recordings, notes, label, author = mild
    began = time.process_time()
    folds = make_folds(recordings, notes, SplitSettings(group="author", folds=FOLDS))
    assert time.process_time() - began < 20  # half a second where measured
    fold = np.array([folds[recording.id].fold for recording in recordings])
    assert np.abs(np.bincount(fold) / N - 1 / FOLDS).max() < 0.01
    common = np.bincount(label) >= 100
    ours = np.abs(shares(fold, label) - 1 / FOLDS)
    assert ours[:, common].max() < 0.05
    greedy_fold = np.zeros(N, dtype=np.int64)
    splitter = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0)
    for number, (_, held) in enumerate(splitter.split(np.zeros(N), label, author)):
        greedy_fold[held] = number
    assert ours.mean() < 1.1 * np.abs(shares(greedy_fold, label) - 1 / FOLDS).mean()
    # Scripts before us had up to six recordings in both parts of a fold.
    assert [
        len(set(fold[author == author_number])) for author_number in range(AUTHORS) if (author == author_number).any()
    ].count(1) == len(set(author.tolist()))
    assert audit(folds, recordings, notes, group="author").ok


def test_every_recording_its_own_group_takes_seconds_too(mild: Corpus) -> None:
    recordings, notes, label, _ = mild
    began = time.process_time()
    folds = make_folds(recordings, notes, SplitSettings(folds=FOLDS))
    assert time.process_time() - began < 30  # two seconds where measured
    fold = np.array([folds[recording.id].fold for recording in recordings])
    common = np.bincount(label) >= 100
    assert np.abs(shares(fold, label) - 1 / FOLDS)[:, common].max() < 0.02


def test_rare_classes_are_dealt_or_kept_in_train_and_listed() -> None:
    recordings, notes, label, author = long_tail(2.0)
    groups = {f"c{class_number}": len(set(author[label == class_number].tolist())) for class_number in range(CLASSES)}
    rare = {name for name, n in groups.items() if n < FOLDS}
    assert len(rare) > 50
    dealt = make_folds(recordings, notes, SplitSettings(group="author", folds=FOLDS))
    listed = rare_labels(dealt, notes)
    assert {rare_label.label for rare_label in listed} == rare
    # Groups of one label are kept apart as far as there are any: no fold holds all of a label that others have too.
    assert all(len(rare_label.folds) > 1 for rare_label in listed if rare_label.groups > 1)
    folds = make_folds(recordings, notes, SplitSettings(group="author", folds=FOLDS, rare="train"))
    assert {recording.id for recording in recordings} == set(folds)
    folds_of = {name: {folds[note.recording_id].fold for note in notes if note.label == name} for name in rare}
    assert all(folds == {NEVER_HELD_OUT} for folds in folds_of.values())
    assert {rare_label.label for rare_label in rare_labels(folds, notes)} >= rare
    assert audit(folds, recordings, notes, group="author").ok
