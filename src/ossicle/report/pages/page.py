"""The page of a run: one HTML file that needs no network and no other file."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ossicle.artefacts.files import write_text
from ossicle.corpus.health.report import HealthReport
from ossicle.metrics.noise.noise_gate import PROBES
from ossicle.metrics.reports.event_report import (
    BOUNDARY_QUANTILES,
    Estimate,
    EventReport,
    EventScores,
    mean_in_words,
)
from ossicle.report import words
from ossicle.report.data import ReportData
from ossicle.report.figures.calibration import reliability_figure
from ossicle.report.figures.example import LEFT, MOST_BOXES, RIGHT, crowded
from ossicle.report.figures.groups import groups_figure, says_something
from ossicle.report.figures.noise_gate import noise_gate_figure, worst_by_part
from ossicle.report.figures.rates import MOST_NAMED, pr_figure, sweep_figure, threshold_figure
from ossicle.report.figures.style import data_address
from ossicle.report.figures.training import training_figure
from ossicle.report.pages.gallery import galleries
from ossicle.report.pages.long_table import LongTable, long_table
from ossicle.report.pages.recording_tables import class_table
from ossicle.report.pages.template import render_page

_MOST_RECORDINGS = 300
_MOST_GROUPS = 60
# The decisions of more labels than this make the row of a fold taller than a screen: they are folded away.
_MOST_DECISIONS = 12


def write_report(path: Path, data: ReportData) -> None:
    """Write the page of ``data`` atomically; equal data give equal bytes."""
    write_text(path, render(data))


def render(data: ReportData) -> str:
    """Return the page as text."""
    return render_page(
        "page.html",
        data.title,
        scripted=True,
        data=data,
        timed=data.metrics.timed,
        headline=_headline(data),
        in_words="" if data.clips and data.clips.leads else words.in_words(data.metrics),
        reach=words.reach(data.metrics),
        few_groups=words.few_groups(data.metrics),
        protocols=_protocols(data),
        boundaries=_boundaries(data.metrics),
        ends_judged=data.metrics.ends_judged,
        labels=long_table(list(data.metrics.per_label.items()), lambda row: row[1].rates.f1.value, "F1"),
        label_scores=long_table(
            [row for row in data.scores if row.label is not None], lambda row: row.average_precision, "AP"
        ),
        annotated=long_table(data.health.by_label, lambda row: row.annotations, "number of annotations"),
        clip_labels=_clip_labels(data, multi=False),
        multi_labels=_clip_labels(data, multi=True),
        most_decisions=_MOST_DECISIONS,
        over_labels=mean_in_words(data.metrics.macro_labels),
        over_recording_labels=mean_in_words(data.recordings.mean_over) if data.recordings else "",
        groups=sorted(data.metrics.per_group.items())[:_MOST_GROUPS],
        groups_left=max(0, len(data.metrics.per_group) - _MOST_GROUPS),
        groups_image=_groups_image(data.metrics),
        thresholds=[(curve.label, data_address(threshold_figure(curve))) for curve in data.threshold_curves],
        pr_image=data_address(pr_figure(data.pr_curves)) if data.pr_curves else "",
        pr_named=MOST_NAMED,
        sweep_image=data_address(sweep_figure(data.iou_sweep)) if data.iou_sweep else "",
        reliability_image=data_address(reliability_figure([("frames", data.reliability)])) if data.reliability else "",
        by_label=class_table(data.recordings) if data.recordings else None,
        calibration_image=_calibration_image(data),
        training_image=data_address(training_figure(data.curves)) if data.curves else "",
        gate_image=data_address(noise_gate_figure(data.noise_gate)) if data.noise_gate else "",
        gate_rows=worst_by_part(data.noise_gate),
        gate_names=PROBES,
        gate_exceptions=data.gate_exceptions,
        gate_found_nothing=data.gate_found_nothing,
        gate_refused=[judged for judged in data.noise_gate if judged.refused],
        galleries=galleries(data.examples, by_recording=not data.metrics.timed, by_clip=data.clips is not None),
        crowded_boxes=MOST_BOXES if any(map(crowded, data.examples)) else 0,
        cursor=(LEFT, RIGHT),
        budget=_budget(data.budget),
        tallies=_tallies(data.health),
        leaks=_leaks(data.split),
        recordings=data.health.per_recording[:_MOST_RECORDINGS],
        recordings_left=max(0, len(data.health.per_recording) - _MOST_RECORDINGS),
        quantiles=BOUNDARY_QUANTILES,
        links=[(name, words.relative_link(path)) for name, path in data.files.items()],
    )


def _headline(data: ReportData) -> list[tuple[str, Estimate]]:
    rates, recordings = data.metrics.pooled.rates, data.recordings
    if data.clips and data.clips.leads:
        return data.clips.headline
    if recordings is None:
        noun = "event" if data.metrics.ends_judged else "onset"
        return [(f"{noun} F1", rates.f1), (f"{noun} precision", rates.precision), (f"{noun} recall", rates.recall)]
    first = [] if recordings.accuracy is None else [("top-1 accuracy", recordings.accuracy)]
    return [*first, ("macro ROC AUC", recordings.roc_auc), ("cmAP", recordings.cmap), ("F1 by recording", rates.f1)]


def _clip_labels(data: ReportData, *, multi: bool) -> LongTable[str]:
    """Return the labels of held-out clips, or of clips with several labels; empty without any."""
    figures = data.clips.figures if data.clips else {}
    figures = figures.get("multi_label", {}) if multi else figures
    labels = list(figures.get("confusion" if multi else "support", ()))
    return long_table(labels, lambda label: figures["f1"][label]["value"], "F1")


def _calibration_image(data: ReportData) -> str:
    if not data.calibration:
        return ""
    curves = [(calibration_row.name, calibration_row.bins) for calibration_row in data.calibration]
    if data.metrics.timed:
        return data_address(reliability_figure(curves))
    return data_address(reliability_figure(curves, "a recording", "of all"))


def _protocols(data: ReportData) -> list[tuple[str, str, EventScores]]:
    """Return name, remark and scores of every evaluation of the same recordings, the headline first."""
    rows = [("headline", "out of fold, cross-fitted decision", data.metrics.pooled)]
    if data.collar is not None:
        rows.append(("at a collar", "the same events, matched by start and end", data.collar.pooled))
    if data.in_sample is not None:
        rows.append(("in-sample", "the bundle's decision, fitted on these same recordings", data.in_sample.pooled))
    return rows


def _budget(phases: Sequence[tuple[str, float]]) -> list[tuple[str, float, float]]:
    """Return phase, seconds and share of the total."""
    total = sum(seconds for _, seconds in phases)
    return [(name, seconds, seconds / total if total else 0.0) for name, seconds in phases]


def _groups_image(report: EventReport) -> str:
    drawn = bool(report.per_group) and says_something(report.per_group)
    return data_address(groups_figure(report.per_group, report.pooled.rates.f1.value)) if drawn else ""


def _boundaries(report: EventReport) -> list[tuple[str, list[float]]]:
    """Return errors of start and end in ms at :data:`BOUNDARY_QUANTILES`."""
    errors = [("start", report.boundaries.start_s)]
    errors += [("end", report.boundaries.end_s)] if report.ends_judged else []
    return [(name, [1000 * value for value in quantiles]) for name, quantiles in errors]


def _tallies(health: HealthReport) -> list[tuple[str, str, list[tuple[str, int, float]], int]]:
    """Return what is counted, its unit, rows of name, count and share of the largest, and the number of omitted
    rows.
    """
    tallies = []
    for title, unit, counts in (
        ("by group", "annotations", health.by_group),
        ("by quality", "annotations", health.by_quality),
        ("by sample rate (Hz)", "recordings", health.by_rate),
    ):
        most = max(counts.values(), default=0)
        rows = [(name, value, value / most if most else 0.0) for name, value in counts.items()]
        tallies.append((title, unit, rows[:_MOST_GROUPS], max(0, len(rows) - _MOST_GROUPS)))
    return tallies


def _leaks(split: Mapping[str, Any]) -> list[str]:
    """Return every leak in the audit as a sentence."""
    return [
        *(f"group {name} is in several folds" for name in split.get("groups_cut", ())),
        *(f"recording {name} is in several folds" for name in split.get("recordings_cut", ())),
        *(
            f"the same audio is in several folds: {words.listed(copies.get('files'))}"
            for copies in split.get("equal_audio", ())
        ),
        *(f"recording id {name} is not in the corpus" for name in split.get("strangers", ())),
    ]
