"""Too few recordings, or too wide an interval, for a claim."""

import numpy as np

from ossicle.evaluation.states.sufficiency import thin_sides, wide
from ossicle.metrics.reports.event_report import Estimate


def test_each_thin_side_is_named() -> None:
    truth = np.array([[1], [0]] * 12, dtype=np.int8)
    folds = np.arange(24) // 12
    assert thin_sides(truth, folds, ["ac"], {0: "day", 1: "night"}) == []
    few = thin_sides(truth[:18], folds[:18], ["ac"], {0: "day", 1: "night"})
    assert few == [
        "recordings trained on for day: ac 3 on and 3 off",
        "recordings held out in night: ac 3 on and 3 off",
    ]


def test_an_interval_that_is_wide_or_unknown() -> None:
    assert not wide(Estimate(0.9, 0.8, 1.0))
    assert wide(Estimate(0.9, 0.79, 1.0))
    assert wide(Estimate(float("nan"), float("nan"), float("nan")))
