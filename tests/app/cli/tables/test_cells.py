"""Figures in tables: their decimals, their interval, and a dash where there is none."""

from ossicle.app.cli.tables.cells import MISSING, figure_cell, interval_cell


def test_a_figure_has_three_decimals_and_a_sign_where_asked() -> None:
    assert figure_cell(0.12345) == "0.123"
    assert figure_cell(0.5, sign="+") == "+0.500"
    assert figure_cell(-0.5, sign="+") == "-0.500"
    assert figure_cell(0.0) == "0.000"


def test_an_interval_is_shown_only_with_both_bounds() -> None:
    assert interval_cell({"value": 0.5, "low": 0.25, "high": 0.75}) == "0.500 [0.250, 0.750]"
    assert interval_cell({"value": 0.0, "low": -0.25, "high": 0.25}, sign="+") == "+0.000 [-0.250, +0.250]"
    assert interval_cell({"value": 0.5, "low": None, "high": 0.75}) == "0.500"


def test_a_missing_figure_is_a_dash() -> None:
    assert figure_cell(None) == MISSING
    assert interval_cell(None) == MISSING
    assert interval_cell({"value": None, "low": None, "high": None}) == MISSING
