"""The page of a leaderboard: differences have signs, and notes are apart from the noise gate."""

import re
from typing import Any

from ossicle.report.pages.leaderboard_page import render


def row(**changed: Any) -> dict[str, Any]:
    figure = {"value": 0.5, "low": 0.4, "high": 0.6}
    made = {
        "name": ".",
        "criterion": "IoU",
        "gate": "passed",
        "note": "",
        "training_s": 2.0,
        "to_best": None,
        "f1": figure,
    }
    return made | changed


def page(*rows: dict[str, Any]) -> str:
    return render("t", {"rows": list(rows), "figures": {"f1": "event F1"}, "over_seeds": []})


def test_the_ends_of_the_interval_of_a_difference_have_signs() -> None:
    made = page(row(to_best={"value": -0.01, "low": -0.03, "high": 0.015}))
    assert "−0.010<small>−0.030 to +0.015</small>" in made
    assert "0.500<small>0.400 to 0.600</small>" in made


def test_a_difference_without_an_interval_has_none() -> None:
    made = page(row(to_best={"value": -0.01, "low": None, "high": None}))
    assert re.search(r"−0\.010</td>", made)


def test_a_note_does_not_run_into_the_noise_gate() -> None:
    assert 'passed<br><span class="soft">out of date</span>' in page(row(note="out of date"))
    assert '<td class="words"><span class="soft">no figures</span>' in page(row(gate="", note="no figures"))


def test_an_empty_leaderboard_says_how_to_fill_it() -> None:
    assert "<code>ossicle run</code> makes those of the project" in page()
