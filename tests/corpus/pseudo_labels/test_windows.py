"""Windows of pseudo-labels: what is kept, how it is held in columns, and what may be labelled at all."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from ossicle.core.errors import ProjectError
from ossicle.core.records import Annotation, Recording
from ossicle.corpus.indexing.corpus_index import CorpusIndex
from ossicle.corpus.notes import LeftOut
from ossicle.corpus.pseudo_labels.settings import PseudoSettings
from ossicle.corpus.pseudo_labels.windows import (
    Kept,
    Labelled,
    all_of,
    gather,
    keep_windows,
    labelled_recordings,
    part_of,
    relabelled,
    together,
    usable,
)

LABELS = ("a", "b", "c")
# Few values, so that ties and scores on the threshold are common.
tracks = arrays(
    np.float32, st.tuples(st.integers(0, 17), st.just(3)), elements=st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 1.0])
)


def recording(name: str, digest: str = "", **changes: object) -> Recording:
    values = {"reviewed": False, "status": "ok", "fields": {}, **changes}
    return Recording(name, "unlabelled", f"{name}.wav", 1000, 1, 20_000, digest or f"digest of {name}", **values)  # type: ignore[arg-type]


def slowly(
    scores: NDArray[np.float32], core: int, threshold: float, floor: float, most: int
) -> tuple[list[int], list[NDArray[np.float32]], int, int]:
    """The same, window by window."""
    windows = []
    for start in range(0, len(scores), core):
        window = np.zeros((core, scores.shape[1]), dtype=np.float32)
        for frame in range(core):
            if start + frame < len(scores):
                window[frame] = scores[start + frame]
        windows.append((start, window))
    sure = [(float(window.max()), start, window) for start, window in windows if window.max() >= threshold]
    chosen = sorted(sorted(sure, key=lambda entry: (-entry[0], entry[1]))[:most], key=lambda entry: entry[1])
    cut = [np.array([[x if x >= floor else 0.0 for x in row] for row in window], np.float32) for _, _, window in chosen]
    return [start for _, start, _ in chosen], cut, len(windows) - len(sure), len(sure) - len(chosen)


@given(
    tracks, st.integers(1, 6), st.sampled_from([0.25, 0.5, 1.0]), st.sampled_from([0.0, 0.1, 0.25]), st.integers(1, 4)
)
def test_the_surest_windows_are_kept_and_low_scores_are_nothing(
    scores: NDArray[np.float32], core: int, threshold: float, floor: float, most: int
) -> None:
    kept_windows = keep_windows(scores, core, threshold, floor, most)
    starts, targets, unsure, too_many = slowly(scores, core, threshold, floor, most)
    assert kept_windows.start_frames.tolist() == starts
    assert (kept_windows.unsure, kept_windows.too_many) == (unsure, too_many)
    assert kept_windows.targets.shape == (len(starts), core, 3)
    for target, expected in zip(kept_windows.targets, targets, strict=True):
        np.testing.assert_array_equal(target, expected)


@given(st.lists(tracks, max_size=4), st.integers(1, 5))
def test_columns_hold_every_window_whole(recording_scores: list[NDArray[np.float32]], core: int) -> None:
    kept_windows = [
        (recording(f"r{i}"), keep_windows(scores, core, 0.25, 0.1, 12), i % 2 == 0)
        for i, scores in enumerate(recording_scores)
    ]
    windows = gather(LABELS, kept_windows)
    expected = [
        (labelled_recording.id, labelled_recording.digest, heard, int(start), target)
        for labelled_recording, windows_of_recording, heard in kept_windows
        for start, target in zip(windows_of_recording.start_frames, windows_of_recording.targets, strict=True)
    ]
    assert len(windows) == len(expected)
    for i, (key, digest, heard, start, target) in enumerate(expected):
        assert (windows.recordings[i], windows.digests[i], windows.start_frames[i]) == (key, digest, start)
        assert windows.heard[i] == heard
        np.testing.assert_array_equal(windows.target(i, core), target)
        peaks = target.max(axis=0)
        assert peaks[windows.top[i]] == peaks.max() == windows.scores[i]
    assert windows.counts() == dict(Counter(LABELS[i] for i in sorted(windows.top.tolist())))
    odd = np.arange(len(windows)) % 2 == 1
    halves = together([windows.take(odd), windows.take(~odd)])
    for i, j in enumerate([*np.flatnonzero(odd), *np.flatnonzero(~odd)]):
        np.testing.assert_array_equal(halves.target(i, core), windows.target(int(j), core))
    other = relabelled(windows, ("x", "c", "a", "b"))
    for i in range(len(windows)):
        np.testing.assert_array_equal(other.target(i, core)[:, [2, 3, 1]], windows.target(i, core))
        assert other.labels[other.top[i]] == windows.labels[windows.top[i]]


def test_what_is_labelled_silent_or_there_twice_is_not_labelled_by_models() -> None:
    corpus = CorpusIndex(
        (recording("x", "same", reviewed=True), recording("y", "unheard"), recording("z", "partly")),
        (Annotation("x", 0, 1, "a"),),
        examined={"z": ((0.0, 1.0),)},
    )
    assert [labelled_recording.id for labelled_recording in labelled_recordings(corpus)] == ["x", "z"]
    own = (
        recording("a", "new"),
        recording("b", "same"),
        recording("c", "unheard"),
        recording("d", "new"),
        recording("e", status="silent"),
        recording("f", "partly"),
    )
    usable_recordings = usable(CorpusIndex(own, (), left_out=(LeftOut("g.wav", "is no audio"),)), corpus)
    assert [recording.id for recording in usable_recordings.recordings] == ["a", "c"]
    assert usable_recordings.dropped == {
        "cannot be used (see `left_out`)": ("g.wav",),
        "is a labelled recording of the project": ("b.wav", "f.wav"),
        "holds the same bytes as another": ("d.wav",),
        "is silent": ("e.wav",),
    }


def test_a_group_lies_in_one_part_and_parts_are_about_equal() -> None:
    parts = [part_of(recording(f"r{i}", fields={"site": f"s{i // 2}"}), "site", 2) for i in range(400)]
    assert parts[::2] == parts[1::2]
    assert 140 < sum(parts) < 260
    assert {part_of(recording("r"), "recording", 1)} == {0}


def test_labelled_recordings_share_by_id_bytes_or_group() -> None:
    labelled = Labelled(frozenset({"a"}), frozenset({"d"}), frozenset({"g"}))
    for other in (
        Labelled(ids=frozenset({"a"})),
        Labelled(digests=frozenset({"d"})),
        Labelled(groups=frozenset({"g"})),
    ):
        assert labelled.shares(other)
    assert not labelled.shares(Labelled(frozenset({"d"}), frozenset({"g"}), frozenset({"a"})))
    assert all_of([]) == Labelled()
    assert all_of([labelled, Labelled(ids=frozenset({"b"}))]).ids == {"a", "b"}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"floor": 0.6}, "floor = 0.6 must be at most"),
        ({"include": ("",)}, "include"),
        ({"audio": " "}, "is not a folder"),
    ],
)
def test_impossible_settings_are_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises((ValueError, ProjectError), match=message):
        PseudoSettings(**values)  # type: ignore[arg-type]


def test_nothing_gathered_is_an_empty_table() -> None:
    windows = gather(LABELS, [])
    assert len(windows) == 0
    assert windows.counts() == {}
    empty = Kept(np.zeros(0, np.int64), np.zeros((0, 4, 3), np.float32), 2, 0)
    assert len(gather(LABELS, [(recording("r"), empty, False)])) == 0
    with pytest.raises(ValueError, match="different labels"):
        together([windows, gather(("a",), [])])
