"""Pages of projects with very many labels, or long names: nothing is endless, cut or lost."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ossicle.metrics.events import evaluate_events
from ossicle.metrics.matching.rules import IouMatch
from ossicle.report.data import FoldRow, ReportData, ScoreRow
from ossicle.report.pages.long_table import MOST_SHOWN, long_table
from ossicle.report.pages.page import render

from .test_page import opened_in_browser, report_data

N = MOST_SHOWN + 20
LABELS = [f"label {k:03d}" for k in range(N)]


def data_of(labels: list[str]) -> ReportData:
    times = {label: np.array([[1.0, 1.5], [3.0, 3.5]]) for label in labels}
    found = {label: value[: 1 + k % 2] for k, (label, value) in enumerate(times.items())}
    metrics = evaluate_events({"r": times}, {"r": found}, {"r": 10.0}, labels, IouMatch(), n_bootstrap=0)
    data = report_data()
    one = data.health.by_label[0]
    return replace(
        data,
        metrics=metrics,
        health=replace(data.health, by_label=[replace(one, label=label) for label in labels]),
        scores=[ScoreRow(name, (0.4, 0.6), 0.7, 0.9, 0.05, 0.1) for name in (None, *labels)],
        folds=[FoldRow(0, ("a",), dict.fromkeys(labels, "on 0.5"), 0.5, 0.5, 0.5, 4, 3)],
        split={"ok": True, "folds": [{"fold": 0, "annotations": dict.fromkeys(labels, 12)}]},
    )


def without_folded(page: str) -> str:
    return re.sub(r"<details>.*?</details>", "", page, flags=re.DOTALL)


def test_of_very_many_labels_the_worst_are_shown_and_the_others_can_be_unfolded() -> None:
    page = render(data_of(LABELS))
    rows = {label: page.count(f'<th scope="row">{label}</th>') for label in LABELS}
    # By label, scores and annotations: one row in each table, shown or folded.
    assert set(rows.values()) == {3}
    shown = without_folded(page)
    assert shown.count('<th scope="row">label ') == 3 * MOST_SHOWN
    assert page.count("<summary>The other 20 labels</summary>") == 3
    assert f"Of {N} labels, these {MOST_SHOWN} have the lowest F1." in shown
    by_label = shown[shown.index("<h3>By label") : shown.index("<h3>By group")]
    names = re.findall(r'<th scope="row">(label \d+)</th>', by_label)
    # Every second label is found half as often.
    assert names[: N // 2] == LABELS[::2]
    assert by_label.count("mean over labels") == 1


def test_few_labels_are_all_shown_in_their_order() -> None:
    page = without_folded(render(data_of(LABELS[:MOST_SHOWN])))
    assert "have the lowest" not in page
    by_label = page[page.index("<h3>By label") : page.index("<h3>By group")]
    assert re.findall(r'<th scope="row">(label \d+)</th>', by_label) == LABELS[:MOST_SHOWN]


def test_labels_without_a_figure_are_not_the_worst() -> None:
    figures = [float("nan"), None, *([0.5] * MOST_SHOWN)]
    assert list(long_table(figures, lambda figure: figure, "F1").rest) == figures[:2]


def test_decisions_and_counts_of_many_labels_are_folded_away_in_their_cell() -> None:
    page = render(data_of(LABELS))
    assert f"<summary>of {N} labels</summary>label 000: on 0.5<br>" in page
    assert f"<summary>{12 * N} of {N} labels</summary>label 000: 12, label 001: 12" in page
    few = render(data_of(LABELS[:3]))
    assert "<td>label 000: on 0.5<br>label 001: on 0.5<br>label 002: on 0.5</td>" in few
    assert "<td>label 000: 12, label 001: 12, label 002: 12</td>" in few


MEASURE = """<script>
const beyond = [...document.querySelectorAll("main *, header *")].filter((one) => {
  if (one.getBoundingClientRect().right <= innerWidth + 1) return false;
  for (let above = one.parentElement; above; above = above.parentElement)
    if (getComputedStyle(above).overflowX !== "visible") return false;
  return true;
});
document.body.dataset.beyond = beyond.length;
const heading = [...document.querySelectorAll("h3")].find((one) => one.textContent.startsWith("By label"));
const table = heading.nextElementSibling;
document.body.dataset.first = Math.round(table.querySelector("th.n").getBoundingClientRect().right);
document.body.dataset.width = innerWidth;
const last = table.querySelector("tr").lastElementChild;
document.body.dataset.last = Math.round(last.getBoundingClientRect().right);
const folded = [...document.querySelectorAll("figure details")];
document.body.dataset.fixed = folded.filter((one) => getComputedStyle(one).overflowX !== "auto").length;
</script>"""


@pytest.mark.parametrize("width", [390, 1000])
def test_long_names_are_wrapped_and_hide_no_figure(tmp_path: Path, width: int) -> None:
    long = ["Pipistrellus pipistrellus social call type B (recorded below the bridge)", "Donaudampfschifffahrts" * 4]
    page = render(replace(data_of(long), summary={"labels": ", ".join(long)}, title="many", notes=()))
    page = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page)
    (tmp_path / "x.html").write_text(page.replace("</body>", MEASURE + "</body>"), encoding="utf-8")
    dom = opened_in_browser(tmp_path / "x.html", f"--window-size={width},800")
    told = {name: int(value) for name, value in re.findall(r'data-(beyond|first|width|last|fixed)="(\d+)"', dom)}
    assert told["beyond"] == 0
    # The first figure of a label is on the screen beside its name.
    assert told["first"] < told["width"]
    # Tables that are unfolded below figures scroll too, and a small screen has the whole table of labels.
    assert told["fixed"] == 0
    assert width < 1000 or told["last"] < told["width"]
