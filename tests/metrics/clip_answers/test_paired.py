"""Paired differences of two lists of answers, against the figures of each by itself."""

import numpy as np
import pytest

from ossicle.metrics.clip_answers.answers import Answers, answers_of
from ossicle.metrics.clip_answers.paired import paired_difference, paired_share
from ossicle.metrics.clip_answers.single_label import single_label_report

LABELS = ("kick", "snare", "tom")
GROUPS = [f"machine {row % 12}" for row in range(24)]


def answers(seed: int, boost: float) -> Answers:
    truth = np.random.default_rng(0).integers(0, 3, 240)
    return answers_of(np.random.default_rng(seed).random((240, 3)) + boost * np.eye(3)[truth], truth)


RECORDING = np.repeat(np.arange(24), 10)


def test_the_difference_is_that_of_the_two_reports_and_its_interval_is_paired() -> None:
    weak, strong = answers(1, 0.1), answers(2, 0.8)
    difference = paired_difference(weak, strong, LABELS, RECORDING, GROUPS, 300)
    first, second = (single_label_report(one, LABELS, RECORDING, GROUPS, 10) for one in (weak, strong))
    assert difference.accuracy.value == pytest.approx(second.accuracy.value - first.accuracy.value)
    assert difference.macro_f1.value == pytest.approx(second.macro_f1.value - first.macro_f1.value)
    assert difference.loss.value == pytest.approx(second.loss.value - first.loss.value)
    for label in LABELS:
        assert difference.f1[label].value == pytest.approx(second.f1[label].value - first.f1[label].value)
        assert difference.recall[label].value == pytest.approx(second.recall[label].value - first.recall[label].value)
    assert 0 < difference.macro_f1.low < difference.macro_f1.value < difference.macro_f1.high


def test_equal_answers_differ_by_exactly_nothing() -> None:
    one = answers(1, 0.3)
    difference = paired_difference(one, one, LABELS, RECORDING, GROUPS, 50)
    assert (difference.macro_f1.low, difference.macro_f1.value, difference.macro_f1.high) == (0, 0, 0)


def test_answers_to_other_clips_are_refused() -> None:
    one = answers(1, 0.3)
    other = Answers(one.truth[::-1].copy(), one.answer, one.confidence, one.loss)
    with pytest.raises(ValueError, match="different clips"):
        paired_difference(one, other, LABELS, RECORDING, GROUPS, 10)


def test_the_share_of_a_confusion_is_compared_in_the_same_way() -> None:
    first, second = np.arange(240) % 4 == 0, np.arange(240) % 2 == 0
    estimate = paired_share(first, second, RECORDING, GROUPS, 200)
    assert estimate.value == pytest.approx(0.25)
    assert estimate.low <= 0.25 <= estimate.high
    assert np.isnan(paired_share(first[:0], second[:0], RECORDING[:0], GROUPS, 10).value)
