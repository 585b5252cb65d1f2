"""The second stage's fits, and that nothing leaks from a held-out fold into what judges it."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from ossicle.audio.features.event_features import EventFeatureSettings
from ossicle.core.records import Annotation, Recording
from ossicle.core.tracks import Event
from ossicle.evaluation.figures.paired_gain import gain
from ossicle.evaluation.ground_truth import Truth
from ossicle.inference.second_stage.candidates import CANDIDATE_FEATURES, PEAK, Candidate
from ossicle.inference.second_stage.stage import LEAST_PROBABILITY
from ossicle.inference.second_stage.trees import logit
from ossicle.metrics.matching.rules import IouMatch
from ossicle.training.second_stage.fold_fits import judge
from ossicle.training.second_stage.label_fits import (
    LEAST_EACH,
    Material,
    fit_calibration,
    fit_label,
    fit_threshold,
    group_parts,
    matched,
)
from ossicle.training.second_stage.settings import SecondStageSettings

CRITERION = IouMatch(threshold=0.5)
CHOSEN = SecondStageSettings(kind="forest", trees=10, inner_parts=2)
TOLD_BY = CANDIDATE_FEATURES.index("centre_hz")
N_RECORDINGS, N_CANDIDATES = 12, 24


def candidates(generator, informative=True):
    """Of one recording, a second apart: a third true, told by one feature where ``informative``; and the true times."""
    result, true_times = [], []
    for number in range(N_CANDIDATES):
        true = generator.random() < 1 / 3
        features = generator.standard_normal(len(CANDIDATE_FEATURES))
        features[TOLD_BY] = (500.0 if true and informative else 2000.0) + 100 * features[TOLD_BY]
        peak = features[PEAK_AT] = 1.0 + generator.standard_normal()
        score = float(1 / (1 + np.exp(-peak)))
        result.append(Candidate(Event(number, number + 0.5, "call", score), bool(score > 0.6), features))
        if true:
            true_times.append((number, number + 0.5))
    return result, true_times


PEAK_AT = CANDIDATE_FEATURES.index(PEAK)


def corpus(seed, informative=True):
    """A truth of 12 recordings, 6 groups and 3 folds, and its candidates."""
    generator = np.random.default_rng(seed)
    ids = tuple(f"r{number:02}" for number in range(N_RECORDINGS))
    result, notes = {}, []
    for key in ids:
        result[key], times = candidates(generator, informative)
        notes += [Annotation(key, start, end, "call") for start, end in times]
    groups = {key: f"g{number // 2}" for number, key in enumerate(ids)}
    folds = {key: number // 2 % 3 for number, key in enumerate(ids)}
    recordings = {key: Recording(key, "root", f"{key}.wav", 8000, 1, 30 * 8000, key) for key in ids}
    return Truth(ids, ("call",), recordings, tuple(notes), groups, folds), result


def judged(truth, found, settings=CHOSEN):
    of = (0, 1, 2, None)
    return judge(truth, dict.fromkeys(of, found), EventFeatureSettings(), settings, CRITERION)


def first_stage(found):
    return {key: [one.event for one in of if one.decided] for key, of in found.items()}


@pytest.mark.parametrize("kind", ["forest", "boosting"])
@pytest.mark.parametrize("calibration", ["platt", "isotonic"])
def test_what_can_be_heard_is_gained(kind, calibration):
    truth, result = corpus(0)
    both = judged(truth, result, replace(CHOSEN, kind=kind, calibration=calibration))
    gained = gain(truth, first_stage(result), both.events, CRITERION, 300, 0)
    assert gained.low[0] > 0.2
    assert gained.value[2] > 0.8
    assert gained.value[0] == pytest.approx(gained.value[2] - gained.value[1])
    assert both.notes == ()
    assert set(both.per_fold) == {0, 1, 2}


def told_apart(truth, found, stage_of):
    """The area under the ROC curve of the trees' word on every candidate, by the stage that ``stage_of`` names."""
    wanted = {(note.recording_id, note.start_s) for note in truth.annotations}
    words, true = [], []
    for key in truth.ids:
        words += stage_of(key).labels["call"].trees.predict(np.stack([one.features for one in found[key]])).tolist()
        true += [(key, one.event.start_s) in wanted for one in found[key]]
    return roc_auc_score(true, words)


def test_features_that_say_nothing_tell_nothing_out_of_fold():
    """In-sample a forest tells noise apart; a leak would let it do so out of fold, where it must not."""
    out_of_fold, in_sample = [], []
    for seed in range(4):
        truth, result = corpus(seed, informative=False)
        both = judged(truth, result, replace(CHOSEN, trees=12))
        out_of_fold.append(told_apart(truth, result, lambda key, of=both, at=truth.folds: of.per_fold[at[key]]))
        in_sample.append(told_apart(truth, result, lambda key, of=both: of.final))
    assert np.mean(out_of_fold) == pytest.approx(0.5, abs=0.04)
    assert np.mean(in_sample) > 0.9


def test_shuffled_annotations_gain_nothing():
    """The features tell true from false, but the annotations were dealt to other recordings' times."""
    truth, result = corpus(1)
    generator = np.random.default_rng(7)
    notes = tuple(replace(note, **at(generator.integers(N_CANDIDATES))) for note in truth.annotations)
    shuffled = replace(truth, annotations=tuple({(note.recording_id, note.start_s): note for note in notes}.values()))
    everything = {key: [one.event for one in of] for key, of in result.items()}
    assert gain(shuffled, everything, judged(shuffled, result).events, CRITERION, 200, 0).low[0] <= 0


def at(place):
    return {"start_s": float(place), "end_s": float(place) + 0.5}


@pytest.mark.parametrize("calibration", ["platt", "isotonic"])
def test_the_annotations_of_a_fold_have_no_part_in_its_events(calibration):
    truth, result = corpus(2)
    settings = replace(CHOSEN, calibration=calibration)
    before = judged(truth, result, settings)
    for fold in (0, 2) if calibration == "platt" else (1,):
        held_out = {key for key in truth.ids if truth.folds[key] == fold}
        # All candidates of the fold become true, which turns its annotations upside down.
        other = [note for note in truth.annotations if note.recording_id not in held_out]
        other += [
            Annotation(key, one.event.start_s, one.event.end_s, "call")
            for key in held_out
            for one in result[key]
            if not any(note.recording_id == key and note.start_s == one.event.start_s for note in truth.annotations)
        ]
        after = judged(replace(truth, annotations=tuple(other)), result, settings)
        for key in held_out:
            assert after.events[key] == before.events[key]
        rest = [key for key in truth.ids if key not in held_out]
        assert any(after.events[key] != before.events[key] for key in rest), "the others should have learnt from it"
        assert any(after.in_sample[key] != before.in_sample[key] for key in held_out)


def test_neither_do_its_sounds():
    truth, result = corpus(3)
    before = judged(truth, result)
    generator = np.random.default_rng(1)
    changed = dict(result)
    for key in truth.ids:
        if truth.folds[key] == 1:
            changed[key] = candidates(generator)[0]
    after = judged(truth, changed)
    assert before.per_fold[1].labels["call"].threshold == after.per_fold[1].labels["call"].threshold
    same = before.per_fold[1].judge(result["r00"]), after.per_fold[1].judge(result["r00"])
    assert same[0] == same[1]


def test_it_is_the_same_again_and_with_more_workers():
    truth, result = corpus(4)
    of = (0, 1, 2, None)
    more = judge(truth, dict.fromkeys(of, result), EventFeatureSettings(), CHOSEN, CRITERION, 2)
    assert more.events == judged(truth, result).events
    assert judged(truth, result, replace(CHOSEN, seed=1)).events != more.events


def test_too_few_candidates_leave_a_label_alone():
    truth, result = corpus(5)
    few = replace(truth, annotations=truth.annotations[: LEAST_EACH - 1])
    both = judged(few, result)
    assert both.events == first_stage(result)
    assert "call stays with the first stage" in both.notes[0]
    one_group = replace(truth, groups=dict.fromkeys(truth.ids, "g"))
    assert judged(one_group, result).events == first_stage(result)


def material(n=40, seed=0):
    generator = np.random.default_rng(seed)
    ids = [f"r{number}" for number in range(7)]
    recordings = np.array([ids[number] for number in generator.integers(0, 6, n)])
    times = np.stack([np.arange(n), np.arange(n) + 0.5], axis=1).astype(np.float64)
    true = generator.random(n) < 0.5
    references = {key: times[(recordings == key) & true] + 0.01 for key in ids}
    groups = {key: "abcd"[number // 2] for number, key in enumerate(ids)}
    return Material(recordings, times, generator.standard_normal((n, 5)), true, references, groups)


def test_candidates_are_true_where_they_are_matched():
    one = material()
    np.testing.assert_array_equal(matched(one.recordings, one.times, one.references, CRITERION), one.true)


def test_no_group_lies_in_two_parts_and_all_lie_in_one():
    one = material()
    parts = group_parts(one, 3)
    assert len(parts) == 3
    assert sorted(key for part in parts for key in part) == sorted(one.groups)
    owners = [{one.groups[key] for key in part} for part in parts]
    assert sum(len(of) for of in owners) == len(set.union(*owners))


def test_the_calibration_is_the_logistic_regression_of_both_stages():
    generator = np.random.default_rng(0)
    true = generator.random(300) < 0.3
    second = np.clip(0.3 * true + 0.7 * generator.random(300), 0, 1)
    first = 2.0 * true + generator.standard_normal(300) * 2
    result = fit_calibration(second, first, true, "platt").weights
    columns = np.stack([logit(second, LEAST_PROBABILITY), first], axis=1)
    n = int(true.sum())
    target = np.where(true, (n + 1) / (n + 2), 1 / (300 - n + 2))
    oracle = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(
        np.concatenate([columns, columns]), [1] * 300 + [0] * 300, np.concatenate([target, 1 - target])
    )
    np.testing.assert_allclose(result, [*oracle.intercept_, *oracle.coef_[0]], rtol=1e-3, atol=1e-3)
    line = fit_calibration(second, first, true, "isotonic")
    scores = fit_calibration(second, first, true, "platt")(second, first)
    expected = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(scores, true).predict(scores)
    np.testing.assert_allclose(line(second, first), expected, atol=1e-6)


def test_a_stage_that_is_wrong_is_weighed_nought_and_not_turned_round():
    true = np.arange(100) % 2 == 0
    first = np.where(true, -2.0, 2.0) + np.sin(np.arange(100))
    second = np.where(true, 0.7, 0.3) + 0.2 * np.cos(np.arange(100))
    weights = fit_calibration(second, first, true, "platt").weights
    assert weights[1] > 0
    assert weights[2] == 0


def test_the_threshold_does_best_by_events_with_annotations_that_nothing_found():
    one = material(60)
    references = dict(one.references) | {"r6": np.array([[500.0, 501.0]] * 1)}
    scores = np.where(one.true, 0.7, 0.3) + 0.05 * np.sin(np.arange(60))
    result = fit_threshold(replace(one, references=references), scores, CRITERION)
    assert 0.35 < result < 0.65


def test_missing_features_are_refused():
    one = material(60)
    wide = np.random.default_rng(0).standard_normal((60, len(CANDIDATE_FEATURES)))
    wide[7, 3] = np.nan
    with pytest.raises(ValueError, match="feature 3 is missing"):
        fit_label(replace(one, features=wide), CRITERION, CHOSEN, "test")
