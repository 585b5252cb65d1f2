"""Rows and curves of a report, from the plain values that the steps of a run wrote."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ossicle.core.tracks import Event
from ossicle.evaluation.criteria.criterion import Counting
from ossicle.evaluation.figures.folds import counts_by_fold
from ossicle.evaluation.ground_truth import Truth
from ossicle.inference.decisions.fit import ThresholdCurve
from ossicle.metrics.events import precision_recall_f1
from ossicle.metrics.psds.settings import PRESETS
from ossicle.metrics.ranking import PrecisionRecall
from ossicle.report.data import CalibrationRow, FoldRow, PrCurve, QualityRow, ReliabilityBin, ScoreRow, SweepRow

MOST_CURVES = 24
"""With more labels than this the page draws only the threshold curves of the worst."""


def worst_labels(figures: Mapping[str, Any]) -> frozenset[str]:
    """Return the labels with the lowest F1, for curves, if there are too many labels; empty if all are drawn."""
    per_label = figures["per_label"]
    if len(per_label) <= MOST_CURVES:
        return frozenset()
    f1 = {label: label_figures["f1"]["value"] for label, label_figures in per_label.items()}
    return frozenset(sorted(per_label, key=lambda label: (f1[label] is None, f1[label] or 0.0, label))[:MOST_CURVES])


def score_rows(figures: Mapping[str, Any]) -> list[ScoreRow]:
    """Return the quality of the scores, all labels first; ``figures`` is the content of ``metrics.json``."""
    frames, psds = figures["frames"], figures.get("psds")
    rows: list[tuple[str | None, Mapping[str, Any]]] = [(None, frames), *frames["per_label"].items()]
    return [
        ScoreRow(
            label=label,
            psds=None if psds is None else _psds([psds[name] for name in PRESETS], label),
            **{key: number_of(label_figures[key]) for key in ("average_precision", "roc_auc", "ece", "brier")},
        )
        for label, label_figures in rows
    ]


def reliability_bins(rows: Iterable[Mapping[str, Any]]) -> list[ReliabilityBin]:
    """Return the bins of a reliability diagram; their weight is seconds of frames or a number of recordings."""
    names = {"seconds": "weight", "items": "weight"}
    return [ReliabilityBin(**{names.get(key, key): number_of(value) for key, value in row.items()}) for row in rows]


def calibration_rows(calibration: Mapping[str, Any] | None) -> list[CalibrationRow]:
    """Return the figures before and after calibration, empty without calibration."""
    if calibration is None:
        return []
    return [
        CalibrationRow(
            name,
            number_of(calibration[name]["ece"]),
            number_of(calibration[name]["brier"]),
            calibration[name].get("accuracy"),
            reliability_bins(calibration[name]["reliability"]),
        )
        for name in ("before", "after")
    ]


def threshold_curves(rows: Iterable[Mapping[str, Any]], drawn: frozenset[str]) -> list[ThresholdCurve]:
    """Return the curves of the labels ``drawn`` (of all if empty), from ``threshold_curves.json``."""
    return [
        ThresholdCurve(
            label=row["label"],
            chosen=row["chosen"],
            **{key: np.array([number_of(x) for x in row[key]]) for key in ("on", "precision", "recall", "f1")},
        )
        for row in rows
        if not drawn or row["label"] in drawn
    ]


def pr_curves(curves: Iterable[tuple[str, PrecisionRecall]]) -> list[PrCurve]:
    """Return precision over recall of each label."""
    return [
        PrCurve(
            label,
            precision_recall.precision,
            precision_recall.recall,
            precision_recall.thresholds,
            precision_recall.average_precision,
        )
        for label, precision_recall in curves
    ]


def quality_rows(figures: Mapping[str, Any]) -> list[QualityRow]:
    """Return the recall of annotations by their quality, the clearest first; empty if no annotation states one."""
    recalls: Mapping[str, Any] = figures.get("recall_by_quality", {})
    if set(recalls) <= {"unknown"}:
        return []
    rows = sorted(recalls.items(), key=lambda item: (item[0] == "unknown", len(item[0]), item[0]))
    return [
        QualityRow(name, recall["annotated"], recall["found"], number_of(recall["recall"])) for name, recall in rows
    ]


def sweep_rows(rows: Iterable[Mapping[str, float | None]]) -> list[SweepRow]:
    """Return the headline's events at other IoU thresholds."""
    return [SweepRow(**{key: number_of(value) for key, value in row.items()}) for row in rows]


def fold_rows(
    truth: Truth,
    events: Mapping[str, Sequence[Event]],
    decision: Mapping[str, Any],
    second: Mapping[str, Any],
    rule: Counting,
) -> list[FoldRow]:
    """Return one row per fold: its held-out data, its decision, and precision, recall and F1 on the held-out data.

    ``decision`` and ``second`` are what the steps ``decision`` and ``second_stage`` wrote.
    """
    counts = counts_by_fold(truth, events, rule)
    return [_fold_row(truth, fold, fold_counts, decision, second) for fold, fold_counts in sorted(counts.items())]


def number_of(value: float | None) -> float:
    """Return a figure of JSON as a float, NaN if undefined."""
    return float("nan") if value is None else float(value)


def _psds(scenarios: Sequence[Mapping[str, Any]], label: str | None) -> tuple[float, float]:
    first, second = (
        number_of(scenario["value"] if label is None else scenario["per_label"][label]) for scenario in scenarios
    )
    return first, second


def _fold_row(
    truth: Truth, fold: int, counts: NDArray[np.int64], decision: Mapping[str, Any], second: Mapping[str, Any]
) -> FoldRow:
    precision, recall, f1 = (float(value) for value in precision_recall_f1(*counts))
    fused = second["thresholds"]["per_fold"][str(fold)] if second["kept"] else {}
    return FoldRow(
        fold=fold,
        groups=tuple(sorted({truth.groups[key] for key in truth.ids if truth.folds[key] == fold})),
        decisions={
            label: _decision_in_words(label_decision) + (f", second stage {fused[label]:g}" if label in fused else "")
            for label, label_decision in decision["per_fold"][str(fold)].items()
        },
        f1=f1,
        precision=precision,
        recall=recall,
        n_reference=int(counts[0] + counts[2]),
        n_predicted=int(counts[0] + counts[1]),
    )


def _decision_in_words(decision: Mapping[str, Any]) -> str:
    text = f"on {decision['on']:g}, off {decision['off']:.3g}"
    if decision["smoothing"] != "none":
        text += f", {decision['smoothing']} {decision['smoothing_frames']}"
    if decision["min_length_s"]:
        text += f", at least {1000 * decision['min_length_s']:g} ms"
    if decision["min_gap_s"]:
        text += f", gaps to {1000 * decision['min_gap_s']:g} ms joined"
    return text
