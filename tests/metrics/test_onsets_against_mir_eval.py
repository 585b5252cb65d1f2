"""Onset F1 of all labels together and of each, against mir_eval, on random lists."""

import mir_eval
import numpy as np
import pytest

from ossicle.metrics.events import evaluate_events
from ossicle.metrics.matching.rules import CollarMatch

LABELS = ("kick", "snare", "hihat_closed")
WINDOW_S = 0.03
LENGTH_S = 20.0


def onsets(rng: np.random.Generator, n: int) -> np.ndarray:
    # Crowded on purpose: many onsets have several partners within the window.
    return np.sort(rng.uniform(0.0, 3.0, n))


def as_times(starts: np.ndarray, length_s: float) -> np.ndarray:
    return np.stack([starts, starts + length_s], axis=1)


@pytest.mark.parametrize("seed", range(5))
def test_micro_and_label_figures_equal_mir_eval(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth, predicted = (
        {name: {label: onsets(rng, int(rng.integers(0, 120))) for label in LABELS} for name in ("a", "b", "c")}
        for _ in range(2)
    )
    report = evaluate_events(
        {name: {label: as_times(times, 0.28) for label, times in by_label.items()} for name, by_label in truth.items()},
        # A found onset lasts one frame: the figures must not depend on ends.
        {
            name: {label: as_times(times, 0.01) for label, times in by_label.items()}
            for name, by_label in predicted.items()
        },
        dict.fromkeys(truth, LENGTH_S),
        LABELS,
        CollarMatch(collar_s=WINDOW_S, evaluate_offset=False),
        n_bootstrap=100,
    )
    # mir_eval knows neither labels nor recordings: lay them one after another.
    places = [(name, label) for name in truth for label in LABELS]
    for label_set in ([label] for label in LABELS), [list(LABELS)]:
        for labels in label_set:
            wanted, estimated = (
                np.concatenate(
                    [
                        LENGTH_S * number + onsets[name][label]
                        for number, (name, label) in enumerate(places)
                        if label in labels
                    ]
                )
                for onsets in (truth, predicted)
            )
            f1, precision, recall = mir_eval.onset.f_measure(wanted, estimated, window=WINDOW_S)
            own = report.pooled if len(labels) > 1 else report.per_label[labels[0]]
            assert own.rates.f1.value == pytest.approx(f1, abs=1e-9)
            assert own.rates.precision.value == pytest.approx(precision, abs=1e-9)
            assert own.rates.recall.value == pytest.approx(recall, abs=1e-9)
    assert set(report.to_json()["boundary_errors"]) == {"start_s"}
