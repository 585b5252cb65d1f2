from ossicle.app.cli.tables.unit_table import unit_remarks, unit_rows

METRICS = {
    "units": {
        "ami": {
            "value": 0.09,
            "low": 0.08,
            "high": 0.1,
            "fold": "bob",
            "mean": 0.11,
            "gap": 0.04,
            "chance": 0.001,
            "shifted": 0.02,
        },
        "abx_across": {"value": 0.3, "low": None, "high": None, "fold": "ada", "mean": 0.28, "gap": 0.0, "chance": 0.5},
        "r_value": {"value": None, "low": None, "high": None, "fold": None, "mean": None, "gap": None},
        "bitrate": {"value": 310.4, "low": 300.2, "high": 320.1, "fold": "ada", "mean": 300.0, "gap": 9.0},
        "features": {"abx_across": {"value": 0.25, "low": 0.2, "high": 0.3, "shuffled": 0.501}},
        "folds": {},
    },
    "notes": ["a note"],
    "protocol": {"group": "speaker", "basis": "held out by speaker", "in_words": "Each figure is that of the worst."},
}


def test_each_figure_has_a_row_beside_chance():
    header, rows = unit_rows(METRICS)
    assert header == ("units, held out by speaker", "worst fold", "which", "mean", "by chance")
    assert rows == [
        ("AMI with words", "0.090 [0.080, 0.100]", "bob", "0.110", "0.001; moved in time 0.020"),
        ("ABX error across speaker", "0.300", "ada", "0.280", "0.500"),
        ("R-value", "–", "–", "–", "–"),
        ("bits a second", "310 [300, 320]", "ada", "300", "–"),
        ("ABX error across speaker, features", "0.250 [0.200, 0.300]", "all", "–", "0.501"),
    ]


def test_what_the_data_cannot_support_is_the_last_line():
    assert unit_remarks(METRICS) == ["Each figure is that of the worst.", "a note"]
    thin = {**METRICS, "insufficient_because": [f"reason {n}" for n in range(8)]}
    assert unit_remarks(thin)[-1].startswith("insufficient: reason 0; ")
    assert unit_remarks(thin)[-1].endswith("reason 5; and 2 more in metrics.json")
