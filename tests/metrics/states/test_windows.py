import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score

from ossicle.core.decisions.states import OFF, ON, UNKNOWN, StateDecision, overall_status
from ossicle.metrics.states.windows import StateWindows, hidden_windows, state_figures

LABELS = ["ac", "fan", "fridge"]
MASKS = {"ac": ["fan", "fridge"], "fan": ["fridge"]}
WORDS = {1: ON, 0: OFF, -1: UNKNOWN}


def made(seed, n=200, n_recordings=9, unknown=0.1):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, (n, 3)).astype(np.int8)
    truth[rng.random((n, 3)) < unknown] = -1
    scores = np.clip(0.4 * truth + rng.random((n, 3)), 0, 1).astype(np.float32)
    recording = np.sort(rng.integers(0, n_recordings, n))
    thresholds = rng.uniform(0.4, 0.7, (n_recordings, 3))
    groups = tuple(f"g{number % 3}" for number in range(n_recordings))
    return StateWindows(scores, truth, recording, groups, thresholds)


def as_states(row):
    return dict(zip(LABELS, (WORDS[int(state)] for state in row), strict=True))


@pytest.mark.parametrize("seed", range(4))
def test_figures_equal_those_of_scikit_learn(seed):
    windows = made(seed)
    level_figures = state_figures(windows, LABELS, MASKS, LABELS, n_bootstrap=0)
    limits = windows.thresholds[windows.recording]
    on = np.array([[s >= t for s, t in zip(*pair, strict=True)] for pair in zip(windows.scores, limits, strict=True)])
    both = zip(windows.truth, on, strict=True)
    statuses = [tuple(overall_status(as_states(row), LABELS) for row in pair) for pair in both]
    known = [pair for pair in statuses if pair[0] != UNKNOWN]
    assert level_figures.n == len(known) > 50
    assert level_figures.state_accuracy.value == pytest.approx(accuracy_score(*zip(*known, strict=True)))
    hide = StateDecision(masks={label: tuple(hidden) for label, hidden in MASKS.items()})
    for c, label in enumerate(LABELS):
        is_known = windows.truth[:, c] >= 0
        assert level_figures.f1[label].value == pytest.approx(f1_score(windows.truth[is_known, c], on[is_known, c]))
        # Unmasked: known, and not hidden by what is on or might be.
        might = [hide.hidden(as_states(np.where(row == -1, 1, row)))[label] != UNKNOWN for row in windows.truth]
        is_counted = is_known & np.array(might)
        if label != "ac":
            assert level_figures.f1_unmasked[label].value == pytest.approx(
                f1_score(windows.truth[is_counted, c], on[is_counted, c])
            )
    assert set(level_figures.f1_unmasked) == {"fan", "fridge"}


def test_a_file_is_on_if_the_median_of_its_windows_is():
    scores = np.array([[0.9, 0.1], [0.9, 0.2], [0.1, 0.9], [0.2, 0.9], [0.4, 0.1]], np.float32)
    truth = np.array([[1, 0], [1, 1], [1, 0], [0, 1], [0, 1]], np.int8)
    files = StateWindows(scores, truth, np.array([0, 0, 0, 2, 2]), ("a", "b", "c"), np.full((3, 2), 0.5)).as_files()
    assert files.decided.tolist() == [[True, False], [False, True]]
    assert files.truth.tolist() == [[1, -1], [0, 1]]
    assert files.recording.tolist() == [0, 2]
    level_figures = state_figures(files, ["ac", "fridge"], {"ac": ["fridge"]}, ["ac", "fridge"], n_bootstrap=0)
    assert (level_figures.n, level_figures.state_accuracy.value, level_figures.f1["ac"].value) == (2, 1.0, 1.0)


def test_intervals_are_over_recordings():
    windows = made(1, n=600, n_recordings=12, unknown=0.0)
    level_figures = state_figures(windows, LABELS, MASKS, LABELS, n_bootstrap=200, seed=3)
    again = state_figures(windows, LABELS, MASKS, LABELS, n_bootstrap=200, seed=3)
    assert level_figures.to_json() == again.to_json()
    estimate = level_figures.state_accuracy
    assert estimate.low < estimate.value < estimate.high
    # Every window twice: as much is known of recordings as before.
    twice = StateWindows(
        *(np.repeat(rows, 2, axis=0) for rows in (windows.scores, windows.truth, windows.recording)),
        windows.groups,
        windows.thresholds,
    )
    assert state_figures(twice, LABELS, MASKS, LABELS, n_bootstrap=200, seed=3).state_accuracy == estimate


def test_without_a_priority_or_anything_known_figures_are_undefined():
    windows = StateWindows(
        np.zeros((2, 1), np.float32), np.full((2, 1), -1, np.int8), np.array([0, 1]), ("a", "b"), np.full((2, 1), 0.5)
    )
    figures = state_figures(windows, ["ac"], {}, [], n_bootstrap=10).to_json()
    undefined = {"value": None, "low": None, "high": None}
    assert figures == {"n": 0, "state_accuracy": undefined, "f1": {"ac": undefined}, "f1_unmasked": {}}


def test_a_hidden_label_hides_nothing():
    truth = np.array([[1, 1, 0], [0, 1, 0], [0, 0, 0], [-1, 0, 0]], np.int8)
    hidden = hidden_windows(truth, LABELS, {"ac": ["fan"], "fan": ["fridge"]})
    assert hidden.tolist() == [[False, True, False], [False, False, True], [False] * 3, [False, True, False]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"truth": np.zeros((2, 2), np.int8)}, "do not fit"),
        ({"thresholds": np.zeros((1, 1))}, "thresholds have the shape"),
        ({"recording": np.array([0, 2])}, "outside 0 to 1"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(change, message):
    good = {
        "scores": np.zeros((2, 1), np.float32),
        "truth": np.zeros((2, 1), np.int8),
        "recording": np.array([0, 1]),
        "groups": ("a", "b"),
        "thresholds": np.zeros((2, 1)),
    }
    with pytest.raises(ValueError, match=message):
        StateWindows(**(good | change))


def test_f1_needs_windows_that_are_on_and_windows_that_are_off() -> None:
    scores = np.array([[0.9], [0.2], [0.7]], dtype=np.float32)
    recording = np.arange(3)

    def f1(truth: list[int]) -> float:
        rows = StateWindows(scores, np.array(truth, np.int8)[:, None], recording, ("a", "b", "c"), np.full((3, 1), 0.5))
        return state_figures(rows, ["ac"], {}, ["ac"], n_bootstrap=0).f1["ac"].value

    assert f1([1, 0, 0]) == pytest.approx(2 / 3)
    assert np.isnan(f1([1, 1, 1]))
    assert np.isnan(f1([0, 0, 0]))


def test_an_interval_of_f1_leaves_out_draws_without_the_label() -> None:
    scores = np.array([[0.9], [0.9], [0.9], [0.1]], dtype=np.float32)
    truth = np.array([[1], [1], [0], [0]], dtype=np.int8)
    windows = StateWindows(scores, truth, np.arange(4), ("a", "b", "c", "d"), np.full((4, 1), 0.5))
    estimate = state_figures(windows, ["ac"], {}, ["ac"], n_bootstrap=1000, seed=0).f1["ac"]
    # The worst draw that holds the label holds it once, beside three false windows.
    assert 0.4 <= estimate.low < estimate.value < estimate.high == 1.0
