import pytest
from tests.evaluation.units.resynthesis.made import judged

from ossicle.evaluation.units.resynthesis.figures import resynthesis_figures
from ossicle.evaluation.units.resynthesis.settings import ResynthesisSettings
from ossicle.evaluation.units.resynthesis.verdict import verdict


def of(bars=None, **figures):
    return verdict(resynthesis_figures([judged(**figures)], ["a"], ["x"]), bars or ResynthesisSettings())


def test_figures_that_reach_the_bars_pass_whatever_the_snr():
    result = of(snr_db=-10.0)
    assert result.passed
    assert result.missed == ()
    assert [(bar.figure, bar.met, bar.decides) for bar in result.bars] == [
        ("mcd_db", True, True),
        ("length_ratio", True, True),
        ("snr_db", False, False),
    ]


@pytest.mark.parametrize(
    ("figures", "missed"),
    [
        ({"mcd_db": 8.1}, ["mcd_db"]),
        ({"made_seconds": 1.88}, ["length_ratio"]),
        ({"made_seconds": 2.12}, ["length_ratio"]),
        ({"mcd_db": 9.0, "made_seconds": 0.0}, ["mcd_db", "length_ratio"]),
        ({"mcd_db": float("nan")}, ["mcd_db"]),
    ],
)
def test_a_bar_that_is_missed_or_undefined_fails(figures, missed):
    result = of(**figures)
    assert not result.passed
    assert [bar.figure for bar in result.missed] == missed


def test_bars_are_settings():
    assert of(ResynthesisSettings(most_mcd_db=20.0), mcd_db=15.0).passed
    assert not of(ResynthesisSettings(most_mcd_db=3.0)).passed


def test_the_verdict_is_written_whole():
    assert of(mcd_db=float("nan")).to_json() == {
        "passed": False,
        "bars": [
            {"figure": "mcd_db", "low": None, "high": 8.0, "value": None, "met": False, "decides": True},
            {"figure": "length_ratio", "low": 0.95, "high": 1.05, "value": 1.0, "met": True, "decides": True},
            {"figure": "snr_db", "low": 5.0, "high": None, "value": -2.0, "met": False, "decides": False},
        ],
    }
