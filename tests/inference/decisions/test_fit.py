import numpy as np
import pytest

from ossicle.core.errors import SplitError
from ossicle.inference.decisions.fit import choose, cross_fit, plateau, threshold_curve
from ossicle.inference.decisions.grid import DecisionGrid
from ossicle.metrics.events import precision_recall_f1

GRID = DecisionGrid(on=(0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7), off_ratio=(1.0, 0.5), min_length_s=(0.0,), min_gap_s=(0.0,))
N = len(GRID.decisions())
FOLDS = [0, 0, 1, 1, 2, 2]


def random_counts(seed=0, labels=2):
    return np.random.default_rng(seed).integers(0, 30, (N, len(FOLDS), labels, 3)).astype(np.int32)


def rigged(best, n_recordings=6):
    """Counts in which setting ``best`` is perfect for one label and the others are poor."""
    counts = np.zeros((N, n_recordings, 1, 3), np.int32)
    counts[...] = (5, 5, 5)
    counts[best] = (10, 0, 0)
    return counts


@pytest.mark.parametrize("fold", [0, 1, 2])
def test_poisoning_the_held_out_recordings_changes_nothing_for_them(fold):
    counts = random_counts()
    clean = cross_fit(counts, FOLDS, ("a", "b"), GRID)
    held = np.array(FOLDS) == fold
    for poison in range(5):
        poisoned = counts.copy()
        poisoned[:, held] = np.random.default_rng(poison + 1).integers(0, 10_000, poisoned[:, held].shape)
        fit = cross_fit(poisoned, FOLDS, ("a", "b"), GRID)
        assert fit.per_fold[fold] == clean.per_fold[fold]


def test_the_poison_does_reach_everything_else():
    counts = random_counts()
    clean = cross_fit(counts, FOLDS, ("a", "b"), GRID)
    poisoned = counts.copy()
    poisoned[:, :2] = rigged(9, 2).repeat(2, axis=2) * 10_000
    fit = cross_fit(poisoned, FOLDS, ("a", "b"), GRID)
    assert set(fit.fold_settings[1:].ravel()) == {9}
    assert set(fit.final_settings) == {9}
    np.testing.assert_array_equal(fit.fold_settings[0], clean.fold_settings[0])


def test_each_decision_is_the_best_on_the_others_and_counts_are_its_own():
    counts = random_counts(3)
    fit = cross_fit(counts, FOLDS, ("a", "b"), GRID)
    folds = np.array(FOLDS)
    for row, fold in enumerate(fit.folds):
        for column in range(2):
            tp, fp, fn = counts[:, folds != fold, column].sum(axis=1).T
            f1 = precision_recall_f1(tp, fp, fn)[2]
            assert f1[fit.fold_settings[row, column]] >= f1.max() - 0.02 - 1e-9
            chosen = fit.fold_settings[row, column]
            np.testing.assert_array_equal(fit.held_out[folds == fold, column], counts[chosen, folds == fold, column])
    np.testing.assert_array_equal(fit.in_sample[:, 1], counts[fit.final_settings[1], :, 1])
    assert fit.final["a"] == GRID.decisions()[fit.final_settings[0]]


def test_a_tie_goes_to_the_middle_of_the_widest_plateau():
    pooled = np.tile([5, 5, 5], (N, 1))
    pooled[0] = pooled[2:5] = (10, 0, 0)
    pooled[8:10] = (10, 0, 0)
    assert choose(pooled, GRID) == 3
    pooled[7:14] = (10, 0, 0)
    assert choose(pooled, GRID) == 10


def test_a_lucky_peak_loses_to_a_plateau_within_a_standard_error():
    few = np.zeros((len(GRID.decisions()), 3), dtype=np.int64) + np.array([0, 50, 100])
    few[5] = 90, 8, 10
    few[GRID.n_on : GRID.n_on + 5] = 89, 9, 11
    assert choose(few, GRID) == GRID.n_on + 2
    # A hundred times the events: the same difference is no longer luck.
    assert choose(few * 100, GRID) == 5


def test_equal_plateaus_go_to_the_simpler_settings():
    pooled = np.tile([5, 5, 5], (N, 1))
    pooled[[1, 8]] = (10, 0, 0)
    assert choose(pooled, GRID) == 1


def test_of_equal_plateaus_the_higher_threshold_wins():
    pooled = np.tile([5, 5, 5], (N, 1))
    pooled[[1, GRID.n_on + 2]] = (10, 0, 0)
    assert choose(pooled, GRID) == GRID.n_on + 2


def test_without_references_false_positives_decide():
    pooled = np.zeros((N, 3), np.int64)
    pooled[:, 1] = 9
    pooled[4:7, 1] = 0
    assert choose(pooled, GRID) == 5
    fit = cross_fit(np.tile(pooled[:, None, None], (1, 6, 1, 1)).astype(np.int32), FOLDS, ("a",), GRID)
    assert any("no references" in note for note in fit.notes)


def test_a_fold_that_holds_all_references_is_named():
    counts = np.zeros((N, 6, 1, 3), np.int32)
    # Fold 1 has all references; every decision finds them, so only the note says what the threshold is worth.
    counts[:, np.array(FOLDS) == 1, 0] = (4, 0, 0)
    notes = cross_fit(counts, FOLDS, ("a",), GRID).notes
    assert "a: fold 1 holds all references, so the decision used there was fitted without any" in notes
    counts[:, :, 0] = (4, 0, 0)
    assert not any("holds all references" in note for note in cross_fit(counts, FOLDS, ("a",), GRID).notes)


def test_a_curve_of_recordings_without_negatives_has_a_recall_only():
    counts = np.zeros((N, 6, 1, 3), np.int32)
    counts[:, :, 0] = (1, 0, 0)
    curve = threshold_curve(counts, 0, 0, "a", GRID, n_items=6)
    assert np.isnan(curve.f1).all()
    assert np.isnan(curve.precision).all()
    assert curve.recall.tolist() == [1.0] * GRID.n_on
    assert threshold_curve(counts, 0, 0, "a", GRID, n_items=7).f1.tolist() == [1.0] * GRID.n_on


def test_a_narrow_plateau_an_edge_and_disagreement_are_said():
    assert plateau(rigged(3)[:, 0, 0].astype(np.int64), 3, GRID) == (0.4, 0.4)
    fit = cross_fit(rigged(3), FOLDS, ("a",), GRID)
    (narrow,) = {note for note in fit.notes if "narrow plateau" in note}
    assert narrow.startswith("a: narrow plateau: F1 stays within")
    assert narrow.endswith(
        "only at the threshold on = 0.4, so recordings with slightly other scores may need another threshold"
    )
    assert any("edge of the grid" in note for note in cross_fit(rigged(6), FOLDS, ("a",), GRID).notes)
    counts = np.concatenate([rigged(0, 2) * 5, rigged(5, 2), rigged(5, 2)], axis=1)
    (varied,) = [note for note in cross_fit(counts, FOLDS, ("a",), GRID).notes if "disagree" in note]
    assert varied.endswith("so the best one for new recordings is uncertain")
    broad = np.full((N, 6, 1, 3), 5, np.int32)
    broad[1:6] = (10, 0, 0)
    assert cross_fit(broad, FOLDS, ("a",), GRID).notes == ()


def test_curve_follows_on_at_the_chosen_other_settings():
    counts = random_counts(5, labels=1)
    curve = threshold_curve(counts, 9, 0, "a", GRID)
    assert curve.chosen == 2
    assert curve.on.tolist() == list(GRID.on)
    tp, fp, _ = counts[9, :, 0].sum(axis=0)
    assert curve.precision[2] == pytest.approx(tp / (tp + fp))
    assert curve.f1.shape == (7,)


def test_one_fold_cannot_be_cross_fitted():
    with pytest.raises(SplitError, match="two folds"):
        cross_fit(random_counts(), [0] * 6, ("a", "b"), GRID)
    with pytest.raises(ValueError, match="do not fit"):
        cross_fit(random_counts(), FOLDS, ("a",), GRID)
