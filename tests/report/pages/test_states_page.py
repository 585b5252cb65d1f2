"""The page of a project for states: with very many labels it shows the worst, and has a row for each figure."""

import re
from typing import Any

import pytest

from ossicle.report.data import TrainingCurve
from ossicle.report.pages.long_table import MOST_SHOWN
from ossicle.report.pages.states_page import render
from ossicle.report.states_data import StatesReportData

FOLDS = ("day", "night")


def figure(value: float) -> dict[str, Any]:
    return {"value": value, "low": None, "high": None, "fold": "day", "mean": value, "gap": 0.0}


def fold(values: dict[str, float]) -> dict[str, Any]:
    switch = {key: figure(0.5) for key in ("found", "false_per_hour", "wrong", "unknown")} | {"n_switches": 3}
    f1 = {label: figure(value) for label, value in values.items()}
    return {
        "basis": "cross-fitted",
        "f1": f1,
        "f1_unmasked": {},
        "files": {"state_accuracy": figure(0.9)},
        "n": 84,
        "recordings": 4,
        "state_accuracy": figure(0.75),
        "switches": dict.fromkeys(values, switch),
    }


def page_of(n: int) -> str:
    values = {f"label {number:03d}": 1 - number / 1000 for number in range(n)}
    states = {**fold(values), "folds": {name: fold(values) for name in FOLDS}}
    curve = {"thresholds": [0.4, 0.6], "f1": [0.9, 0.8], "folds": {"0": [0.9, 0.8]}, "plateau": None}
    rule = {"on": 0.5, "off": 0.4, "smoothing": "none", "frames": 1, "debounce": 1, "min_on_s": 0.0, "min_off_s": 0.0}
    rules = {"masks": {}, "priority": list(values), "rules": dict.fromkeys(values, rule)}
    noise = [
        {
            "probe": "hum",
            "part": f"{level} dBFS",
            "label": label,
            "times_on": 1,
            "on_share": place / n,
            "unknown_share": 0,
        }
        for level in (-40, -20)
        for place, label in enumerate(values)
    ]
    protocol = {"decision": "cross-fitted", "group": "daypart", "window_s": 2.0, "hop_s": 0.5, "encoder": "acoustic"}
    return render(
        StatesReportData(
            title="kitchen",
            summary={"labels": ", ".join(values)},
            metrics={
                "states": states,
                "in_sample": {"states": {**fold(values), "basis": "in-sample"}},
                "protocol": {**protocol, "intervals": "95 %"},
                "noise_gate": {"states": noise},
                "warnings": [],
            },
            decision={
                "folds": {"0": {"name": "day", "basis": "cross-fitted", "decision": rules}},
                "decision": rules,
                "labels": {label: {"curve": curve} for label in values},
            },
            contradictions=[],
            next_steps=[],
            curves=[TrainingCurve("day", [])],
            curve_notes=[],
            split={"ok": True},
            problems=[],
            budget=[],
            files={},
        )
    )


@pytest.fixture(scope="module")
def many() -> str:
    return page_of(50)


def test_of_very_many_labels_the_lowest_figures_are_at_the_top(many: str) -> None:
    top = re.findall(r"<span>(.*?); worst fold", many)
    assert top == ["state accuracy", *(f"F1 label {number:03d}" for number in range(49, 43, -1))]
    assert "state accuracy and the 6 lowest of 50 other figures" in many
    assert "other figures" not in page_of(3)


def test_each_figure_of_very_many_labels_has_a_row_and_each_fold_a_column(many: str) -> None:
    part = many[many.index('id="folds"') : many.index('id="next"')]
    heads = re.findall(r'<th scope="col"[^>]*>(\w+)', part[: part.index("</tr>")])
    assert heads == ["figure", "day", "night", "all", "mean", "gap"]
    shown = re.findall(r'<th scope="row">(F1 [^<]*)</th>', part)
    assert shown[0] == "F1 label 049"
    assert len(shown) == 50
    assert f"Of 50 figures, these {MOST_SHOWN} have the lowest mean of folds." in part
    assert part.count('<th scope="row">state accuracy</th>') == 1
    few = page_of(3)
    assert '<th scope="row">day</th>' in few[few.index('id="folds"') : few.index('id="next"')]


def test_long_tables_and_lists_of_very_many_labels_are_folded_away(many: str) -> None:
    assert "Drawn for the 24 of 50 labels with the lowest F1." in many
    assert many.count('alt="F1 against the threshold for') == 24
    assert "<details><summary>Rules of 50 labels, for each fold and the bundle</summary>" in many
    assert f"Of 100 rows, these {MOST_SHOWN} have the lowest share found." in many
    assert f"Of 100 rows, these {MOST_SHOWN} are on for the largest share of time." in many
    noise = many[many.index('id="noise"') :]
    assert re.findall(r"label \d+", noise)[:2] == ["label 049", "label 049"]
    assert "<details><summary>label 000, " in many[: many.index('id="folds"')]
