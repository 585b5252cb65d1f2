"""The page of a run: one HTML file that needs no network and no other file."""

import base64
import importlib.resources
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from ossicle.artefacts.files import write_text
from ossicle.audio.wav import wav_bytes
from ossicle.metrics.event_report import BOUNDARY_QUANTILES, EventReport, EventScores
from ossicle.report import words
from ossicle.report.data import EXAMPLE_KINDS, Example, ReportData
from ossicle.report.figures_example import LEFT, RIGHT, example_figure
from ossicle.report.figures_groups import groups_figure
from ossicle.report.figures_rates import pr_figure, sweep_figure, threshold_figure
from ossicle.report.figures_training import training_figure
from ossicle.report.style import data_address

_KIND_WORDS = {
    "best": "Best matches: the events whose times agree most with the annotation",
    "worst": "Worst matches: found, but with the largest difference in time",
    "missed": "Missed: annotated, not found; the clearest first",
    "false alarm": "False alarms: found, not annotated; the most confident first. Some may be overlooked calls",
}
_MOST_RECORDINGS = 300
_MOST_GROUPS = 60
_MEDIAN = BOUNDARY_QUANTILES.index(0.5)


def write_report(path: Path, data: ReportData) -> None:
    """Write the page of ``data``, whole or not at all; equal data give equal bytes."""
    write_text(path, render(data))


def render(data: ReportData) -> str:
    """The page as text."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters.update(number=words.number, count=words.count, duration=words.duration, listed=words.listed)
    environment.filters.update(share=words.share, clock=words.clock, signed=words.signed)
    environment.globals.update(interval=words.interval, address=data_address)
    template = environment.from_string(_asset("page.html"))
    return template.render(
        data=data,
        css=Markup(_asset("page.css")),
        js=Markup(_asset("page.js")),
        headline=_headline(data.metrics),
        in_words=words.in_words(data.metrics),
        reach=words.reach(data.metrics),
        few_groups=words.few_groups(data.metrics),
        protocols=_protocols(data),
        median_errors_ms=[
            1000 * of[_MEDIAN] for of in (data.metrics.boundaries.start_s, data.metrics.boundaries.end_s)
        ],
        labels=list(data.metrics.per_label.items()),
        groups=sorted(data.metrics.per_group.items())[:_MOST_GROUPS],
        groups_left=max(0, len(data.metrics.per_group) - _MOST_GROUPS),
        groups_image=data_address(groups_figure(data.metrics.per_group, data.metrics.pooled.rates.f1.value)),
        thresholds=[(curve.label, data_address(threshold_figure(curve))) for curve in data.threshold_curves],
        pr_image=data_address(pr_figure(data.pr_curves)) if data.pr_curves else "",
        sweep_image=data_address(sweep_figure(data.iou_sweep)) if data.iou_sweep else "",
        training_image=data_address(training_figure(data.curves)) if data.curves else "",
        galleries=_galleries(data.examples),
        cursor=(LEFT, RIGHT),
        budget=_budget(data.budget),
        recordings=data.health.per_recording[:_MOST_RECORDINGS],
        recordings_left=max(0, len(data.health.per_recording) - _MOST_RECORDINGS),
        links=[(name, words.relative_link(place)) for name, place in data.files.items()],
    )


def _asset(name: str) -> str:
    return (importlib.resources.files("ossicle.report") / name).read_text(encoding="utf-8")


def _headline(report: EventReport) -> list[tuple[str, Any]]:
    rates = report.pooled.rates
    return [("F1", rates.f1), ("precision", rates.precision), ("recall", rates.recall)]


def _protocols(data: ReportData) -> list[tuple[str, str, EventScores]]:
    """Name, remark and scores of every way in which the same recordings were judged, the headline first."""
    rows = [("headline", "out of fold, cross-fitted decision", data.metrics.pooled)]
    if data.collar is not None:
        rows.append(("at a collar", "the headline's events, matched by onset and offset", data.collar.pooled))
    if data.in_sample is not None:
        rows.append(("in-sample", "the bundle's decision, fitted on these very recordings", data.in_sample.pooled))
    return rows


def _galleries(examples: Sequence[Example]) -> list[tuple[str, str, list[dict[str, Any]]]]:
    out: list[tuple[str, str, list[dict[str, Any]]]] = []
    for kind in EXAMPLE_KINDS:
        cards = [
            {
                "one": example,
                "image": data_address(example_figure(example)),
                "sound": "data:audio/wav;base64," + base64.b64encode(wav_bytes(example.samples, example.rate)).decode(),
                "seconds": len(example.samples) / example.rate,
            }
            for example in examples
            if example.kind == kind
        ]
        out.append((kind, _KIND_WORDS[kind], cards))
    return out


def _budget(phases: Sequence[tuple[str, float]]) -> list[tuple[str, float, float]]:
    """Phase, seconds and share of the whole."""
    total = sum(seconds for _, seconds in phases)
    return [(name, seconds, seconds / total if total else 0.0) for name, seconds in phases]
