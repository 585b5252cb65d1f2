"""The page of a project for states: one HTML file that needs no network and no other file."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ossicle.artefacts.files import write_text
from ossicle.evaluation.states.judging_rule import judging_rule
from ossicle.metrics.noise.noise_gate import PROBES
from ossicle.metrics.reports.event_report import Estimate
from ossicle.report import words
from ossicle.report.figures.example import LEFT, RIGHT, example_figure
from ossicle.report.figures.state_thresholds import head_losses_figure, state_threshold_figure
from ossicle.report.figures.style import data_address
from ossicle.report.pages.gallery import MOST_SOUND_BYTES, sound_address
from ossicle.report.pages.long_table import MOST_SHOWN, LongTable, long_table
from ossicle.report.pages.template import render_page
from ossicle.report.states_data import ContradictionCard, StatesReportData

_MOST_PROBLEMS = 50
_MOST_HEADLINE = 7
"""Figures at the top of the page; of more, the lowest."""
_MOST_COLUMNS = 6
"""Figures with a column in the table of folds; of more, each has a row, and each fold a column."""
_MOST_CURVES = 24
"""Labels whose threshold curve is drawn; of more, those with the lowest F1."""


@dataclass(frozen=True, slots=True, eq=False)
class _Shown:
    """A contradiction with picture and sound as ``data:`` addresses; ``sound`` is empty to keep the page small."""

    contradiction: ContradictionCard
    image: str
    sound: str


def write_states_report(path: Path, data: StatesReportData) -> None:
    """Write the page of ``data`` atomically; equal data give equal bytes."""
    write_text(path, render(data))


def render(data: StatesReportData) -> str:
    """Return the page as text."""
    states, protocol = data.metrics["states"], data.metrics["protocol"]
    labels, hideable = list(states["f1"]), list(states["f1_unmasked"])
    headline = _headline(states)
    columns = ["state accuracy", *(f"F1 {label}" for label in labels)]
    columns += [f"F1 {label}, not hidden" for label in hideable]
    folds = _folds(states["folds"], labels, hideable)
    inside = _row("all folds", data.metrics["in_sample"]["states"], labels, hideable)
    summary = _summary(states, labels, hideable)
    turned = _turned(columns, [*folds, inside], summary)
    return render_page(
        "states.html",
        data.title,
        scripted=True,
        data=data,
        protocol=protocol,
        insufficient=data.metrics.get("insufficient_because", []),
        headline=_shown_headline(headline),
        n_figures=len(headline),
        columns=columns,
        folds=folds,
        inside=inside,
        summary=summary,
        turned=long_table(turned[1:], lambda row: row[2][0], "mean of folds", "figures"),
        accuracy_row=turned[0],
        is_turned=len(columns) > _MOST_COLUMNS,
        switches=long_table(_switches(states["folds"]), lambda row: row[3]["found"].value, "share found", "rows"),
        thresholds=_thresholds(data.decision, _drawn(states["f1"])),
        n_labels=len(data.decision["labels"]),
        decisions=_decisions(data.decision),
        most_rows=MOST_SHOWN,
        contradictions=_contradictions(data.contradictions),
        noise=_noise(data.metrics.get("noise_gate", {}).get("states", [])),
        probes=PROBES,
        losses=data_address(head_losses_figure(data.curves)) if any(curve.epochs for curve in data.curves) else "",
        problems=data.problems[:_MOST_PROBLEMS],
        problems_left=max(0, len(data.problems) - _MOST_PROBLEMS),
        cursor=(LEFT, RIGHT),
        links=[(name, words.relative_link(path)) for name, path in data.files.items()],
    )


def _estimate(estimate: Mapping[str, Any]) -> Estimate:
    value, low, high = (
        float("nan") if estimate[key] is None else float(estimate[key]) for key in ("value", "low", "high")
    )
    return Estimate(value, low, high)


def _headline(states: Mapping[str, Any]) -> list[tuple[str, Estimate]]:
    """Return name and figure of the worst fold."""
    figures = [("state accuracy", states["state_accuracy"])]
    figures += [(f"F1 {label}", estimate) for label, estimate in states["f1"].items()]
    figures += [(f"F1 {label}, not hidden", estimate) for label, estimate in states["f1_unmasked"].items()]
    return [
        (f"{name}; worst fold: {estimate['fold'] or words.MISSING}", _estimate(estimate)) for name, estimate in figures
    ]


def _shown_headline(headline: list[tuple[str, Estimate]]) -> list[tuple[str, Estimate]]:
    """Return the headline, or of very many figures the first, state accuracy, and the lowest of the others."""
    if len(headline) <= _MOST_HEADLINE:
        return headline
    rest = sorted(headline[1:], key=lambda named: (math.isnan(named[1].value), named[1].value))
    return [headline[0], *rest[: _MOST_HEADLINE - 1]]


def _turned(
    columns: Sequence[str], folds: Sequence[Mapping[str, Any]], summary: Sequence[tuple[str, list[float | None]]]
) -> list[tuple[str, list[Estimate], list[float | None]]]:
    """Return the table of folds with a row for each figure: its name, its values by fold, then mean and gap."""
    return [
        (name, [fold["figures"][place] for fold in folds], [values[place] for _, values in summary])
        for place, name in enumerate(columns)
    ]


def _drawn(f1: Mapping[str, Mapping[str, Any]]) -> frozenset[str]:
    """Return the labels whose threshold curves are drawn: the worst of very many."""
    value = {label: figure["value"] for label, figure in f1.items()}
    return frozenset(sorted(value, key=lambda label: (value[label] is None, value[label] or 0.0))[:_MOST_CURVES])


def _noise(rows: Sequence[Mapping[str, Any]]) -> LongTable[Mapping[str, Any]]:
    """Return the labels on sounds without an appliance; of very many rows those that are on longest come first."""
    if len(rows) <= MOST_SHOWN:
        return LongTable(rows)
    order = sorted(rows, key=lambda row: -row["on_share"])
    remark = f"Of {words.count(len(rows))} rows, these {MOST_SHOWN} are on for the largest share of time."
    return LongTable(order[:MOST_SHOWN], order[MOST_SHOWN:], remark, "rows")


def _row(name: str, fold: Mapping[str, Any], labels: Sequence[str], hideable: Sequence[str]) -> dict[str, Any]:
    figures = [
        fold["state_accuracy"],
        *(fold["f1"][label] for label in labels),
        *(fold["f1_unmasked"][label] for label in hideable),
    ]
    files = fold["files"]["state_accuracy"]
    return {
        "name": name,
        "basis": fold["basis"],
        "recordings": fold["recordings"],
        "windows": fold["n"],
        "figures": [_estimate(figure) for figure in figures],
        "files": _estimate(files),
    }


def _folds(folds: Mapping[str, Any], labels: Sequence[str], hideable: Sequence[str]) -> list[dict[str, Any]]:
    """Return the folds, the worst first."""
    rows = [_row(name, fold, labels, hideable) for name, fold in folds.items()]
    return sorted(rows, key=lambda row: (row["figures"][0].value != row["figures"][0].value, row["figures"][0].value))


def _summary(
    states: Mapping[str, Any], labels: Sequence[str], hideable: Sequence[str]
) -> list[tuple[str, list[float | None]]]:
    figures = [states["state_accuracy"], *(states["f1"][label] for label in labels)]
    figures += [*(states["f1_unmasked"][label] for label in hideable), states["files"]["state_accuracy"]]
    return [(name, [figure[name] for figure in figures]) for name in ("mean", "gap")]


def _switches(folds: Mapping[str, Any]) -> list[tuple[str, str, Mapping[str, Any], dict[str, Estimate]]]:
    keys = ("found", "false_per_hour", "wrong", "unknown")
    return [
        (name, label, switch_figures, {key: _estimate(switch_figures[key]) for key in keys})
        for name, fold in folds.items()
        for label, switch_figures in fold["switches"].items()
    ]


def _thresholds(decision: Mapping[str, Any], drawn: frozenset[str]) -> list[tuple[str, str, Mapping[str, Any] | None]]:
    """Return label, picture of its curve, and plateau of the labels that are ``drawn``."""
    names = {fold: fold_json["name"] for fold, fold_json in decision["folds"].items()}
    rows = []
    thresholds = judging_rule(decision).thresholds
    for label, fit in decision["labels"].items():
        if label not in drawn:
            continue
        figure = state_threshold_figure(label, fit["curve"], thresholds[label], names)
        rows.append((label, data_address(figure), fit["curve"]["plateau"]))
    return rows


def _decisions(decision: Mapping[str, Any]) -> list[tuple[str, str, str, Mapping[str, Any]]]:
    """Return fold, basis, label and rule; those of the bundle last."""
    rows = [
        (fold["name"], fold["basis"], label, rule)
        for fold in decision["folds"].values()
        for label, rule in fold["decision"]["rules"].items()
    ]
    return rows + [("the bundle", "all folds", label, rule) for label, rule in decision["decision"]["rules"].items()]


def _contradictions(cards: Sequence[ContradictionCard]) -> list[_Shown]:
    left, shown = MOST_SOUND_BYTES, []
    for card in cards:
        size = 2 * len(card.example.samples)
        heard = 0 < size <= left
        left -= size if heard else 0
        sound = sound_address(card.example) if heard else ""
        shown.append(_Shown(card, data_address(example_figure(card.example)), sound))
    return shown
