"""Step ``report``: everything a person should see of a run, on one page."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ossicle.app.steps.engine.step import Context, Step
from ossicle.app.steps.judge.evaluation import evaluate, read_events, recording_figures
from ossicle.app.steps.judge.noise_gate import METRICS
from ossicle.app.steps.judge.second_stage import VERDICT
from ossicle.app.steps.train.pseudo_inputs import pseudo_in_words
from ossicle.artefacts.files import read_json
from ossicle.core.settings import digestible
from ossicle.core.tracks import Event
from ossicle.corpus.clips.dataset_folder import models_of
from ossicle.corpus.health.report import health
from ossicle.corpus.indexing.index_storage import read_index
from ossicle.corpus.splits.folds import SplitSettings
from ossicle.evaluation.criterion import Rule, rule_in_words, rule_of
from ossicle.evaluation.event_examples import choose_examples
from ossicle.evaluation.event_figures import event_curve, sweep
from ossicle.evaluation.ground_truth import Truth, event_times, read_truth
from ossicle.evaluation.recording_examples import recording_examples
from ossicle.evaluation.score_items import recording_items
from ossicle.inference.decisions.fit import ThresholdCurve
from ossicle.metrics.events import count_events, precision_recall_f1
from ossicle.metrics.matching import CollarMatch, IouMatch
from ossicle.metrics.noise_gate import Judged
from ossicle.metrics.psds_settings import PRESETS
from ossicle.metrics.ranking import PrecisionRecall, pr_curve
from ossicle.report.data import (
    CalibrationRow,
    FoldRow,
    PrCurve,
    ReliabilityBin,
    ReportData,
    ScoreRow,
    SweepRow,
    TrainingCurve,
)
from ossicle.training.runfolder import RunFolder

STEP_VERSION = 6
PAGE = "report.html"
MOST_CURVES = 24
"""Of more labels than this the page draws curves of the worst alone."""


def run(context: Context) -> None:
    """Gather and draw."""
    from ossicle.report.pages.page import write_report

    settings = context.project.settings
    truth = read_truth(context.inputs["corpus"], context.inputs["dataset"])
    events, final = read_events(context, "events", truth), read_events(context, "events_in_sample", truth)
    rule = rule_of(settings.evaluation)
    decision = read_json(context.inputs["decision"] / "decision.json")
    figures = read_json(context.inputs["evaluation"] / "metrics.json")
    second = read_json(context.inputs["second_stage"] / VERDICT)
    gate = read_json(context.inputs["noise_gate"] / METRICS)["gate"]
    data = ReportData(
        title=settings.project.name,
        summary=_summary(context, truth, figures, second),
        health=health(read_index(context.inputs["corpus"]), rate=settings.frontend.rate, group=settings.split.group),
        metrics=evaluate(truth, event_times(events), rule, context),
        in_sample=evaluate(truth, event_times(final), rule, context),
        curves=_curves(context),
        threshold_curves=_threshold_curves(context.inputs["decision"], _worst(figures)),
        scores=_score_rows(figures["frames"], figures.get("psds")),
        reliability=_bins(figures["frames"]["reliability"]),
        calibration=_calibration(figures.get("calibration")),
        calibrated=_calibrated(figures.get("calibration")),
        folds=[_fold_row(truth, events, fold, decision, second, rule) for fold in sorted(set(truth.folds.values()))],
        budget=list(context.seconds.items()),
        noise_gate=[Judged.from_json(one) for one in gate["firings"]],
        notes=_notes(decision, figures, second),
        split=read_json(context.inputs["dataset"] / "split.json"),
        # A refused bundle is not laid beside the page.
        files={"metrics.json": "metrics.json"}
        | ({"bundle": "bundle/", "model card": "bundle/CARD.md"} if gate["passed"] else {}),
        **(
            _of_events(context, truth, events, rule)
            if isinstance(rule, IouMatch)
            else _of_recordings(context, truth, events, figures)
        ),
    )
    write_report(context.out / PAGE, data)


def _of_events(context: Context, truth: Truth, events: dict[str, list[Event]], rule: IouMatch) -> dict[str, Any]:
    """What the page shows where events are judged by their times."""
    settings, predicted = context.project.settings, event_times(events)
    shown = settings.report
    return {
        "collar": evaluate(truth, predicted, CollarMatch(collar_s=settings.evaluation.collar_s), context),
        "pr_curves": [_pr_curve(label, event_curve(truth, events, label, rule)) for label in truth.labels],
        "iou_sweep": [
            SweepRow(**{key: _figure(value) for key, value in row.items()}) for row in sweep(truth, predicted)
        ],
        "examples": choose_examples(
            truth, events, rule, context.project.audio_folder, settings.frontend.rate, shown.examples, shown.margin_s
        ),
    }


def _of_recordings(
    context: Context, truth: Truth, events: dict[str, list[Event]], figures: Mapping[str, Any]
) -> dict[str, Any]:
    """What the page shows where recordings are judged as a whole."""
    settings, scores = context.project.settings, context.inputs["scores"]
    items = recording_items(truth, scores, settings.evaluation.pool, settings.postprocess)
    drawn = _worst(figures) or truth.labels
    columns = [(label, column) for column, label in enumerate(truth.labels) if label in drawn]
    return {
        "recordings": recording_figures(truth, context),
        "pr_curves": [
            _pr_curve(label, pr_curve(items.scores[:, column], items.positive[:, column]))
            for label, column in columns
            if items.positive[:, column].any()
        ],
        "examples": recording_examples(
            truth,
            items,
            events,
            scores,
            context.project.audio_folder,
            settings.frontend.rate,
            settings.report.examples,
        ),
    }


def _summary(context: Context, truth: Truth, figures: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, str]:
    settings = context.project.settings
    hours = sum(truth.durations_s.values()) / 3600
    frames = f"{1000 * settings.plan.hop_s:g} ms at {settings.frontend.rate} Hz"
    if "frame_grid" in figures:
        frames += f"; perfect scores on this grid would reach F1 {_figure(figures['frame_grid']['ceiling_f1']):.3f}"
    return {
        "labels": ", ".join(truth.labels),
        "annotated recordings": f"{len(truth.ids)} ({hours:.2f} h)",
        "annotations": _annotations(truth),
        **({"pseudo-labels": words} if (words := pseudo_in_words(context.inputs["training"])) else {}),
        "held out": _held_out(settings.split, truth),
        "decision": "cross-fitted: for each fold on the out-of-fold scores of the others",
        **({} if second["kind"] == "none" else {"second stage": _second_stage(second)}),
        "match": rule_in_words(settings.evaluation),
        "frames": frames,
        "seed": str(settings.training.seed),
    }


def _annotations(truth: Truth) -> str:
    words = [str(len(truth.annotations))]
    if truth.only_teach:
        words.append(f"{truth.only_teach} more in recordings that only teach")
    if truth.reviewed:
        words.append(f"{truth.reviewed} of all from review rounds")
    return "; ".join(words)


def _held_out(split: SplitSettings, truth: Truth) -> str:
    groups = f"grouped by {split.group} ({len(set(truth.groups.values()))} groups)"
    if split.holds_out_once:
        return f"val and test together, by one model that learned from train ({split.strategy}), {groups}"
    return f"one fold at a time, {len(set(truth.folds.values()))} folds, {groups}"


def _second_stage(second: Mapping[str, Any]) -> str:
    figures = second["event_f1"]
    gain, first, both = (figures[name] for name in ("gain", "first_stage", "both_stages"))
    verdict = "kept" if second["kept"] else "not kept, for the interval of its gain reaches zero"
    return (
        f"{second['kind']}, {verdict}: event F1 {_figure(both['value']):.3f} with it, {_figure(first['value']):.3f} "
        f"without, gain {_figure(gain['value']):+.3f} ({_figure(gain['low']):+.3f} to {_figure(gain['high']):+.3f}, "
        "paired bootstrap)"
    )


def _notes(decision: Mapping[str, Any], figures: Mapping[str, Any], second: Mapping[str, Any]) -> list[str]:
    notes = [*decision["notes"], *second.get("notes", ()), *figures.get("calibration", {}).get("notes", ())]
    grid = figures.get("frame_grid", {})
    if grid.get("closer_than_a_frame"):
        notes.append(
            f"{grid['closer_than_a_frame']} of {grid['neighbours']} neighbouring annotations of one class lie less "
            f"than a frame ({1000 * grid['hop_s']:g} ms) apart: no threshold can part them"
        )
    if drawn := _worst(figures):
        notes.append(
            f"threshold and precision curves are drawn for the {len(drawn)} of {len(figures['per_label'])} labels with "
            "the lowest F1; metrics.json has the figures of all"
        )
    return notes


def _worst(figures: Mapping[str, Any]) -> frozenset[str]:
    """The labels to draw curves of where there are too many: those with the lowest F1; empty where all are drawn."""
    of = figures["per_label"]
    if len(of) <= MOST_CURVES:
        return frozenset()
    return frozenset(sorted(of, key=lambda label: (of[label]["f1"]["value"] or 0.0, label))[:MOST_CURVES])


def _bins(rows: Sequence[Mapping[str, Any]]) -> list[ReliabilityBin]:
    names = {"seconds": "weight", "items": "weight"}
    return [ReliabilityBin(**{names.get(key, key): _figure(value) for key, value in row.items()}) for row in rows]


def _calibration(found: Mapping[str, Any] | None) -> list[CalibrationRow]:
    if found is None:
        return []
    return [
        CalibrationRow(
            name,
            _figure(found[name]["ece"]),
            _figure(found[name]["brier"]),
            found[name].get("accuracy"),
            _bins(found[name]["reliability"]),
        )
        for name in ("before", "after")
    ]


def _calibrated(found: Mapping[str, Any] | None) -> str:
    if found is None:
        return ""
    maps = "one map for all labels" if found["shared"] else "a map for each label"
    return (
        f"Scores as probabilities: {found['kind']}, {maps}, fitted on the out-of-fold scores of {found['fitted_on']}. "
        "The bundle gives events these scores; its decisions stay on the scores before, and are the same."
    )


def _curves(context: Context) -> list[TrainingCurve]:
    names = models_of(context.inputs["dataset"])
    return [TrainingCurve(name, RunFolder(context.inputs["training"] / name).epochs()) for name in names]


def _threshold_curves(decision: Path, drawn: frozenset[str]) -> list[ThresholdCurve]:
    return [
        ThresholdCurve(
            label=one["label"],
            chosen=one["chosen"],
            **{key: np.array([_figure(x) for x in one[key]]) for key in ("on", "precision", "recall", "f1")},
        )
        for one in read_json(decision / "threshold_curves.json")
        if not drawn or one["label"] in drawn
    ]


def _pr_curve(label: str, curve: PrecisionRecall) -> PrCurve:
    return PrCurve(label, curve.precision, curve.recall, curve.thresholds, curve.average_precision)


def _score_rows(frames: Mapping[str, Any], psds: Mapping[str, Any] | None) -> list[ScoreRow]:
    """What the scores are worth, all labels first."""
    rows: list[tuple[str | None, Mapping[str, Any]]] = [(None, frames), *frames["per_label"].items()]
    return [
        ScoreRow(
            label=label,
            psds=None if psds is None else _psds([psds[name] for name in PRESETS], label),
            **{key: _figure(of[key]) for key in ("average_precision", "roc_auc", "ece", "brier")},
        )
        for label, of in rows
    ]


def _psds(scenarios: Sequence[Mapping[str, Any]], label: str | None) -> tuple[float, float]:
    first, second = (_figure(one["value"] if label is None else one["per_label"][label]) for one in scenarios)
    return first, second


def _fold_row(
    truth: Truth,
    events: dict[str, list[Event]],
    fold: int,
    decision: Mapping[str, Any],
    second: Mapping[str, Any],
    criterion: Rule,
) -> FoldRow:
    ids = [key for key in truth.ids if truth.folds[key] == fold]
    predicted, references = event_times(events), truth.references
    nothing = np.zeros((0, 2))
    counts = np.zeros(3, dtype=np.int64)
    for key in ids:
        for label in truth.labels:
            counts += count_events(references[key].get(label, nothing), predicted[key].get(label, nothing), criterion)
    precision, recall, f1 = (float(value) for value in precision_recall_f1(*counts))
    fused = second["thresholds"]["per_fold"][str(fold)] if second["kept"] else {}
    return FoldRow(
        fold=fold,
        groups=tuple(sorted({truth.groups[key] for key in ids})),
        decisions={
            label: _words(one) + (f", second stage {fused[label]:g}" if label in fused else "")
            for label, one in decision["per_fold"][str(fold)].items()
        },
        f1=f1,
        precision=precision,
        recall=recall,
        n_reference=int(counts[0] + counts[2]),
        n_predicted=int(counts[0] + counts[1]),
    )


def _words(decision: Mapping[str, Any]) -> str:
    words = f"on {decision['on']:g}, off {decision['off']:.3g}"
    if decision["smoothing"] != "none":
        words += f", {decision['smoothing']} {decision['smoothing_frames']}"
    if decision["min_length_s"]:
        words += f", at least {1000 * decision['min_length_s']:g} ms"
    if decision["min_gap_s"]:
        words += f", gaps to {1000 * decision['min_gap_s']:g} ms joined"
    return words


def _figure(value: float | None) -> float:
    return float("nan") if value is None else float(value)


STEP = Step(
    name="report",
    version=STEP_VERSION,
    needs=("corpus", "dataset", "training", "scores", "decision", "second_stage", "evaluation", "noise_gate"),
    settings=lambda project: {
        "report": digestible(project.settings.report),
        "evaluation": digestible(project.settings.evaluation),
        "name": project.settings.project.name,
    },
    run=run,
)
