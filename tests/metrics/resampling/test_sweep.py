"""Rates of many settings at once equal those of each by itself."""

import numpy as np

from ossicle.metrics.events import count_report
from ossicle.metrics.resampling.bootstrap import bootstrap_interval
from ossicle.metrics.resampling.sweep import pooled_and_each, sweep_rates


def test_every_setting_is_judged_as_if_alone() -> None:
    rng = np.random.default_rng(0)
    counts = rng.integers(0, 9, (70, 12, 2, 3))
    tapes = [f"tape{row % 9}" for row in range(12)]
    result = sweep_rates(counts, tapes, 200, 3)
    assert result.value.shape == (70, 3, 3)
    assert result.method == "two-stage"
    for row in (0, 31, 32, 69):
        alone = bootstrap_interval(counts[row], tapes, pooled_and_each, 200, 3)
        for name in ("value", "low", "high"):
            np.testing.assert_array_equal(getattr(result, name)[row], getattr(alone, name))
        report = count_report(counts[row], tapes, np.ones(12), ("a", "b"), 0, 0)
        for column, scores in enumerate((report.pooled, *report.per_label.values())):
            rates = scores.rates
            expected = (rates.precision.value, rates.recall.value, rates.f1.value)
            np.testing.assert_allclose(result.value[row, column], expected)
