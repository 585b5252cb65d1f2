"""The promotion gate: limits on figures, and no label worse than the promoted model."""

from typing import Any

import pytest

from ossicle.evaluation.gates.conditions import parse_condition
from ossicle.evaluation.gates.figures import figure_at, paths_like
from ossicle.evaluation.gates.gate_line import GateLine, failed
from ossicle.evaluation.gates.promotion import promotion_lines
from ossicle.evaluation.gates.settings import ProbeGateSettings, PromotionSettings

DRUMS = PromotionSettings(
    require=(
        "clips.accuracy >= 0.93",
        "clips.loss <= 0.45",
        "clips.f1.kick > 0.9",
        "clips.f1.snare > 0.9",
        "clips.f1.crash > 0.9",
    )
)


def figures(accuracy: float = 0.95, loss: float = 0.3, **f1: float | None) -> dict[str, Any]:
    """The figures of a run as ``metrics.json`` holds them."""
    labels = {"kick": 0.95, "snare": 0.94, "crash": 0.92} | f1
    return {
        "clips": {
            "accuracy": {"value": accuracy, "low": accuracy - 0.02, "high": accuracy + 0.02},
            "loss": {"value": loss, "low": None, "high": None},
            "f1": {label: {"value": value, "low": None, "high": None} for label, value in labels.items()},
        }
    }


def reasons(metrics: dict[str, Any], promoted: dict[str, Any] | None = None, **more: Any) -> tuple[str, ...]:
    settings = PromotionSettings(require=DRUMS.require, **more)
    return failed(promotion_lines(metrics, settings, promoted, against="version 2"))


def test_a_run_within_all_limits_passes() -> None:
    lines = promotion_lines(figures(), DRUMS)
    assert len(lines) == 5
    assert all(line.passed for line in lines)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"accuracy": 0.9299}, "clips.accuracy >= 0.93: 0.9299 is below 0.93"),
        ({"loss": 0.46}, "clips.loss <= 0.45: 0.46 is above 0.45"),
        ({"kick": 0.9}, "clips.f1.kick > 0.9: 0.9 is not above 0.9"),
        ({"crash": 0.0}, "clips.f1.crash > 0.9: 0 is not above 0.9"),
        ({"snare": None}, "clips.f1.snare > 0.9: is undefined: the held-out data cannot give this figure"),
    ],
)
def test_each_limit_refuses_by_name(changed: dict[str, Any], reason: str) -> None:
    assert reasons(figures(**changed)) == (reason,)


def test_a_limit_itself_is_reached_by_at_least_and_not_by_above() -> None:
    assert reasons(figures(accuracy=0.93, loss=0.45)) == ()


def test_every_failed_line_is_listed() -> None:
    assert len(reasons(figures(accuracy=0.5, loss=2.0, kick=0.1, snare=0.1, crash=0.1))) == 5


def test_an_absent_class_is_named_with_those_that_there_are() -> None:
    metrics = figures()
    del metrics["clips"]["f1"]["crash"]
    (reason,) = reasons(metrics)
    assert reason == "clips.f1.crash > 0.9: there is no 'crash' in clips.f1; choose one of: kick, snare"


def test_a_run_without_such_figures_fails_every_line() -> None:
    result = reasons({"events": {"f1": {"value": 1.0}}})
    assert len(result) == 5
    assert "there is no 'clips.accuracy' among the figures of the run" in result[0]


def test_no_label_may_be_worse_than_the_promoted_by_more_than_the_margin() -> None:
    promoted = figures()
    assert reasons(figures(snare=0.92), promoted) == ()
    assert reasons(figures(snare=0.9199), promoted) == (
        "clips.f1.snare no worse than version 2: 0.9199 is below 0.94 by more than the margin of 0.02",
    )
    assert len(reasons(figures(snare=0.9399), promoted, margin=0.0)) == 1


def test_a_label_that_the_promoted_model_knows_must_not_be_lost() -> None:
    promoted = figures(clap=0.4)
    (reason,) = reasons(figures(), promoted)
    assert reason.startswith("clips.f1.clap no worse than version 2: there is no 'clap' in clips.f1")
    (reason,) = reasons(figures(clap=None), promoted)
    assert "is undefined" in reason
    assert "(before: 0.4)" in reason


def test_a_new_label_and_one_that_is_undefined_in_both_pass() -> None:
    assert reasons(figures(clap=0.1), figures()) == ()
    assert reasons(figures(clap=None), figures(clap=None)) == ()


def test_figures_of_other_data_are_not_compared() -> None:
    lines = promotion_lines(figures(), DRUMS, figures(), against="version 2", other_data="it has other clips")
    assert failed(lines) == ("same data as version 2: it has other clips",)


def test_other_figures_can_be_named() -> None:
    promoted = figures() | {"onsets": {"f1": {"value": 0.8}}}
    worse = figures(kick=0.5) | {"onsets": {"f1": {"value": 0.7}}}
    result = failed(promotion_lines(worse, PromotionSettings(no_worse=("onsets.f1",)), promoted))
    assert result == ("onsets.f1 no worse than the promoted model: 0.7 is below 0.8 by more than the margin of 0.02",)
    (reason,) = failed(promotion_lines(worse, PromotionSettings(no_worse=("onset.*",)), promoted))
    assert reason == "onset.* no worse than the promoted model: neither run has such a figure"


def test_each_recipe_has_figures_that_are_compared_by_default() -> None:
    for better, worse in (
        ({"per_label": {"call": {"f1": {"value": 0.8}}}}, {"per_label": {"call": {"f1": {"value": 0.7}}}}),
        ({"states": {"f1": {"fan": {"value": 0.8}}}}, {"states": {"f1": {"fan": {"value": 0.7}}}}),
    ):
        assert failed(promotion_lines(better, PromotionSettings(), worse)) == ()
        assert len(failed(promotion_lines(worse, PromotionSettings(), better))) == 1
    (reason,) = failed(promotion_lines({}, PromotionSettings(), {}))
    assert "no figures of labels to compare" in reason


@pytest.mark.parametrize(
    "text", ["", "clips.accuracy", "clips.accuracy = 0.9", "> 0.9", "a > b", "a >= 1 2", "a > nan"]
)
def test_what_is_no_condition_is_refused_with_the_key(text: str) -> None:
    with pytest.raises(ValueError, match=r"require: .* is not a condition: write a figure"):
        PromotionSettings(require=(text,))


@pytest.mark.parametrize("pair", ["", "kick", "kick >", "> snare", "a > b > c"])
def test_what_is_no_confusion_is_refused_with_the_key(pair: str) -> None:
    with pytest.raises(ValueError, match=r"pairs: .* is not a confusion"):
        ProbeGateSettings(pairs=(pair,))


def test_a_label_may_hold_dots_blanks_and_signs() -> None:
    metrics = {"clips": {"f1": {"St. Kilda > wren": {"value": 0.5}, "St": {"value": 0.1}}}}
    condition = parse_condition("clips.f1.St. Kilda > wren >= 0.4")
    assert condition.check(metrics) == GateLine(str(condition), True, 0.5, 0.4)
    assert paths_like(metrics, "clips.f1.*") == ["clips.f1.St. Kilda > wren", "clips.f1.St"]
    assert figure_at(metrics, "clips.f1.St").value == 0.1


@pytest.mark.parametrize(
    ("metrics", "words"),
    [
        ({"clips": {"accuracy": {"low": 1}}}, "is a table of figures; name one of them: low"),
        ({"clips": {"accuracy": {"value": True}}}, "is not a number"),
        ({"clips": {"accuracy": "0.9"}}, "is not a number"),
        ({"clips": 3}, "clips is no table of figures"),
    ],
)
def test_what_is_no_figure_is_no_figure(metrics: dict[str, Any], words: str) -> None:
    assert words in figure_at(metrics, "clips.accuracy").missing
