import itertools
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ossicle.core.tracks import ScoreTrack
from ossicle.inference.decisions.decide import decide
from ossicle.inference.decisions.grid import DecisionGrid, count_grid, found_by_grid
from ossicle.metrics.events import count_events
from ossicle.metrics.matching.rules import CollarMatch, IouMatch, RecordingMatch

HOP = 0.01
SMALL = DecisionGrid(
    on=(0.2, 0.5, 0.7),
    off_ratio=(1.0, 0.5),
    median_frames=(1, 3),
    ema_frames=(3,),
    min_length_s=(0.0, 0.03),
    min_gap_s=(0.0, 0.02),
)


def slow_counts(tracks, references, grid, labels, criterion):
    """Decide and match every setting, recording and label on its own."""
    decisions = grid.decisions()
    out = np.zeros((len(decisions), len(tracks), len(labels), 3), np.int32)
    for (s, decision), (r, rid), (c, label) in itertools.product(
        enumerate(decisions), enumerate(tracks), enumerate(labels)
    ):
        events = decide(tracks[rid], dict.fromkeys(tracks[rid].labels, decision))
        predicted = np.array([(e.start_s, e.end_s) for e in events if e.label == label]).reshape(-1, 2)
        out[s, r, c] = count_events(references.get(rid, {}).get(label, np.zeros((0, 2))), predicted, criterion)
    return out


@st.composite
def corpora(draw):
    tracks, references = {}, {}
    for index in range(draw(st.integers(1, 3))):
        n = draw(st.integers(0, 60))
        rng = np.random.default_rng(draw(st.integers(0, 1000)))
        scores = rng.random((n, 2)).round(1).astype(np.float32)
        scores = np.repeat(scores, draw(st.integers(1, 6)), axis=0)[:n]
        tracks[f"r{index}"] = ScoreTrack(("a", "b"), scores, HOP, max(0.0, n * HOP - 0.003))
        starts = np.sort(rng.integers(0, 60, draw(st.integers(0, 6)))) * HOP
        # Overlapping references, and one that reaches past the end, exist in the field.
        references[f"r{index}"] = {"a": np.stack([starts, starts + rng.integers(1, 20, len(starts)) * HOP], axis=1)}
    return tracks, references


@settings(deadline=None, max_examples=25)
@given(
    corpus=corpora(),
    criterion=st.sampled_from(
        [
            IouMatch(threshold=0.5),
            IouMatch(threshold=0.2),
            CollarMatch(collar_s=0.02),
            CollarMatch(collar_s=60.0),
            RecordingMatch(),
        ]
    ),
)
def test_counts_equal_those_of_deciding_one_by_one(corpus, criterion):
    tracks, references = corpus
    counts = count_grid(tracks, references, SMALL, ("b", "a"), criterion)
    np.testing.assert_array_equal(counts, slow_counts(tracks, references, SMALL, ("b", "a"), criterion))


def test_decisions_have_on_fastest_and_the_simplest_first():
    decisions = SMALL.decisions()
    assert len(decisions) == 3 * 2 * 3 * 2 * 2
    assert [d.on for d in decisions[:4]] == [0.2, 0.5, 0.7, 0.2]
    assert decisions[0].smoothing == "none"
    assert decisions[0].off == decisions[0].on
    assert len(set(decisions)) == len(decisions)
    assert len(DecisionGrid().decisions()) == 18 * 27


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"on": ()}, "on is empty"),
        ({"on": (0.5, 0.4)}, "rise"),
        ({"median_frames": (2,)}, "odd"),
        ({"median_frames": ()}, "both empty"),
        ({"off_ratio": (1.5,)}, "at most"),
    ],
)
def test_grids_that_make_no_sense_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        DecisionGrid(**wrong)


def test_tracks_that_do_not_belong_together_are_named():
    tracks = {
        "one": ScoreTrack(("a",), np.zeros((3, 1), np.float32), 0.01, 0.03),
        "two": ScoreTrack(("a",), np.zeros((3, 1), np.float32), 0.02, 0.06),
    }
    with pytest.raises(ValueError, match=r"two.*hop"):
        count_grid(tracks, {}, SMALL, ("a",))
    with pytest.raises(ValueError, match=r"one.*lacks 'b'"):
        count_grid(tracks, {}, SMALL, ("b",))


def test_many_decisions_cost_little(capsys):
    rng = np.random.default_rng(0)
    tracks, references = {}, {}
    for index in range(20):
        scores = rng.random((30_000, 1), dtype=np.float32) * 0.08
        starts = np.sort(rng.choice(2900, 60, replace=False)) * 10
        for start in starts:
            scores[start : start + 8] += rng.random() * 0.9
        tracks[f"r{index}"] = ScoreTrack(("a",), np.clip(scores, 0, 1), HOP, 300.0)
        references[f"r{index}"] = {"a": np.stack([starts * HOP, (starts + 8) * HOP], axis=1)}
    begin = time.perf_counter()
    counts = count_grid(tracks, references, DecisionGrid(), ("a",))
    took = time.perf_counter() - begin
    assert counts.shape == (486, 20, 1, 3)
    assert took < 10, f"486 decisions on 100 minutes took {took:.1f} s"


@settings(deadline=None, max_examples=25)
@given(
    corpus=corpora(),
    criteria=st.sampled_from([(IouMatch(threshold=0.5),), (IouMatch(threshold=0.2), CollarMatch(collar_s=0.02))]),
)
def test_found_events_are_the_decided_ones_and_their_pairs_the_counted_ones(corpus, criteria):
    tracks, references = corpus
    labels, ids = ("b", "a"), list(tracks)
    counts = [count_grid(tracks, references, SMALL, labels, criterion) for criterion in criteria]
    all_found = list(found_by_grid(tracks, references, SMALL, labels, criteria))
    assert len(all_found) == len(SMALL.decisions())
    for row, (decision, by_label) in enumerate(zip(SMALL.decisions(), all_found, strict=True)):
        for column, (label, label_events) in enumerate(zip(labels, by_label, strict=True)):
            expected = [
                (place, event.start_s, event.end_s, event.score)
                for place, rid in enumerate(ids)
                for event in decide(tracks[rid], dict.fromkeys(tracks[rid].labels, decision))
                if event.label == label
            ]
            rows = zip(
                label_events.recording.tolist(),
                *label_events.times.T.tolist(),
                label_events.scores.tolist(),
                strict=True,
            )
            np.testing.assert_allclose(list(rows), expected, rtol=0, atol=1e-12)
            for criterion, pairs in zip(range(len(criteria)), label_events.pairs, strict=True):
                assert len(set(pairs[:, 0].tolist())) == len(set(pairs[:, 1].tolist())) == len(pairs)
                np.testing.assert_array_equal(label_events.reference[pairs[:, 0]], label_events.recording[pairs[:, 1]])
                tp = np.bincount(label_events.recording[pairs[:, 1]], minlength=len(ids))
                np.testing.assert_array_equal(tp, counts[criterion][row, :, column, 0])
