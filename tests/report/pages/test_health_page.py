"""The page of a health report: what failed comes first, every table is there, and names are text."""

import json
import re
from typing import Any

from ossicle.corpus.health.gates.comparison import earlier_report
from ossicle.corpus.health.gates.judged_events import JudgedEvents
from ossicle.corpus.health.gates.judgement import judge_health
from ossicle.corpus.health.gates.settings import HealthSettings
from ossicle.report.pages.health_page import MOST_ROWS, render

from ...corpus.health.gates.made_events import columns

HOSTILE = '<script>alert("x")</script>'


def report(table: JudgedEvents, earlier: dict[str, Any] | None = None, **settings: Any) -> dict[str, Any]:
    old = None if earlier is None else earlier_report(earlier, "old.json")
    judgement = judge_health(table, HealthSettings(**settings), (), old)
    return json.loads(json.dumps(judgement.to_json()))


def hits(label: str = "kick") -> JudgedEvents:
    return columns(
        [("a.wav", 0.0, label), ("a.wav", 0.0, "snare"), ("b.wav", 1.0, label), ("b.wav", 1.0, label)],
        lengths_s=[0.1, 0.2, 0.3, 0.4],
        sounds=[(-20.0, -3.0)],
        techniques={"roll": 1},
        synthetic=[True, False, False, False],
        dynamic=["ghost", "accent", "accent", None],
        openness=[0.05, None, None, None],
        source=["groove"] * 4,
    )


def test_the_figures_of_a_report_are_on_its_page() -> None:
    page = render("drums", report(hits(), class_min=1))
    assert "<h1>drums: health</h1>" in page
    assert "All 2 gates passed." in page
    for words in (
        "class_minimum",
        "1 of 4 events repeat",
        "&#39;kick&#39; at 1.000 s of b.wav",
        "groove",
        "ghost",
        "roll",
    ):
        assert words in page, words
    assert "0.0 to 0.1" in page
    assert "-20.0" in page
    assert ">Changes<" not in page
    assert ">Problems<" not in page


def test_what_failed_comes_first_with_its_reasons() -> None:
    page = render("drums", report(hits(), class_minimums={"crash": 200}, labels=("kick",)))
    assert "<b>class_minimum failed:</b> &#39;crash&#39; is absent, needs 200." in page
    rows = re.findall(r'<span class="tag[ a-z]*">(passed|failed)</span>', page)
    assert rows == sorted(rows)
    assert rows.count("failed") == 2
    assert '<span class="tag warn">absent</span>' in page
    assert '<span class="tag warn">unknown</span>' in page


def test_changes_are_beside_the_labels() -> None:
    earlier = report(hits(), class_min=1) | {"gates": [{"name": "class_minimum", "passed": True}]}
    earlier["events"]["classes"]["kick"]["total"] = 5
    earlier["events"]["classes"]["tom"] = {"total": 2}
    page = render("drums", report(hits(), earlier))
    assert "Labels with another number of events: 2;" in page
    assert "No limit any more: class_minimum." in page
    assert re.search(r'tom.*?<td class="n whole">2</td><td class="n whole">−2</td>', page)


def test_a_report_with_problems_lists_them_and_says_how_many_more() -> None:
    one = {"severity": "warning", "where": "a.wav", "message": "is cut", "remedy": "copy it"}
    page = render("p", report(hits()) | {"problems": [one] * (MOST_ROWS + 2)})
    assert page.count('<td class="words">copy it</td>') == MOST_ROWS
    assert "and 2 more" in page
    assert "No problems." in render("p", report(hits()) | {"problems": []})


def test_bad_lines_are_listed() -> None:
    page = render("p", report(hits()) | {"bad_lines": {"count": 30, "first": [{"line": 7, "reason": HOSTILE}]}})
    assert "30 lines were left out; the first of them" in page
    assert HOSTILE not in page


def test_names_are_text() -> None:
    page = render(HOSTILE, report(hits(HOSTILE)))
    assert HOSTILE not in page
    assert "<script" not in page


def test_without_events_there_is_a_page() -> None:
    assert "No event has a label." in render("p", report(columns([])))
    assert "No gate has a limit" in render("p", report(columns([])))


def test_very_many_labels_are_cut() -> None:
    table = columns([("a.wav", float(n), f"label{n:04d}") for n in range(MOST_ROWS + 5)])
    page = render("p", report(table))
    assert "and 5 more" in page
    assert "label0304" not in page.split('id="repeats"')[0]
