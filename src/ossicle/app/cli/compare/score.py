"""``ossicle score``: compare events or scores of any tool with annotations in any format."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from ossicle.app.api.evaluation.event_evaluation import EventEvaluation, evaluate
from ossicle.app.cli.compare.annotation_notes import exit_if_incomplete, print_notes
from ossicle.app.cli.compare.score_scores import score_scores
from ossicle.app.cli.options import Json, LabelColumn, LabelNames
from ossicle.app.cli.printable import json_text, printable
from ossicle.app.cli.tables.cells import figure_cell
from ossicle.app.cli.tables.rows_shown import names_in_words, worst_shown
from ossicle.app.cli.tables.table import print_rows
from ossicle.core.errors import UsageError
from ossicle.metrics.reports.event_report import EventReport, EventScores, Rates, mean_in_words, plain


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(score)


def score(
    reference: Annotated[
        Path, typer.Option(help="Annotations in any format of docs/formats.md: a folder, or one file.")
    ],
    predictions: Annotated[
        Path | None, typer.Option(help="Events to evaluate, in any of these formats.", show_default=False)
    ] = None,
    scores: Annotated[
        Path | None,
        typer.Option(
            help="Scores to evaluate instead of events: a folder of DCASE tables (.tsv), of score tracks, or the "
            "output of the step `scores`.",
            show_default=False,
        ),
    ] = None,
    durations: Annotated[
        Path | None,
        typer.Option(
            help="Table `filename duration` (seconds) of the recordings. Needed for false alarms per hour, and for "
            "PSDS of recordings that are longer than their scores.",
            show_default=False,
        ),
    ] = None,
    iou: Annotated[
        float | None,
        typer.Option(
            min=0.000001,
            max=1.0,
            help="Lowest intersection over union (IoU) of a match. Default: 0.5, unless --collar is given.",
        ),
    ] = None,
    collar: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            help="Match by start within this time, in seconds, and by end within this or half the event length.",
        ),
    ] = None,
    label_column: LabelColumn = "auto",
    ignore_labels: Annotated[
        bool, typer.Option("--ignore-labels", help="Compare times only and ignore the labels.")
    ] = False,
    label_map: LabelNames = None,
    bootstrap: Annotated[
        int, typer.Option(min=0, help="Number of resamples for the intervals; 0: no intervals.")
    ] = 1000,
    as_json: Json = False,
) -> None:
    """Compare the events of any tool with annotations: precision, recall and F1 by optimal matching.

    With both --iou and --collar the main figures are those at the IoU; those at the collar are under `at_collar`.
    Annotations in a recording without predictions count as missed. A recording without a reference table is not
    annotated; it is skipped and listed.

    Exit code 3: files that look like annotations were not read; they are listed.

    With --scores: PSDS for the two DCASE scenarios over all thresholds, and average precision, ROC AUC, expected
    calibration error and Brier score of frames. Every recording with a reference must have scores.
    """
    if predictions is not None and scores is None:
        _score_events(
            reference,
            predictions,
            durations,
            iou,
            collar,
            label_column,
            tuple(label_map or ()),
            ignore_labels,
            bootstrap,
            as_json=as_json,
        )
    elif scores is not None and predictions is None:
        if iou is not None or collar is not None or ignore_labels or label_map:
            raise UsageError(
                "--iou, --collar, --map and --ignore-labels apply to events only: leave them out with --scores"
            )
        score_scores(reference, scores, durations, label_column, as_json=as_json)
    else:
        raise UsageError("give either --predictions (events) or --scores (a folder of score files)")


def _score_events(
    reference: Path,
    predictions: Path,
    durations: Path | None,
    iou: float | None,
    collar: float | None,
    label_column: str,
    label_map: tuple[str, ...],
    ignore_labels: bool,
    bootstrap: int,
    *,
    as_json: bool,
) -> None:
    evaluation = evaluate(
        reference,
        predictions,
        iou=iou,
        collar_s=collar,
        durations_s=durations,
        ignore_labels=ignore_labels,
        bootstrap=bootstrap,
        label_column=label_column,
        label_map=label_map,
    )
    print_notes(evaluation.notes)
    if evaluation.left_out:
        print(printable(f"skipped, no reference: {names_in_words(evaluation.left_out)}"), file=sys.stderr)
    if as_json:
        print(json_text(evaluation.to_json()))
    else:
        _print_reports(evaluation)
    exit_if_incomplete(evaluation.notes)


def _print_reports(evaluation: EventEvaluation) -> None:
    if evaluation.iou is not None:
        print(printable(f"at IoU {evaluation.iou:g}:"))
        _print_report(evaluation.report, timed=evaluation.timed)
    if evaluation.collar_s is not None:
        print(printable(f"at a collar of {evaluation.collar_s:g} s:"))
        _print_report(evaluation.at_collar or evaluation.report, timed=evaluation.timed)


def _print_report(report: EventReport, *, timed: bool) -> None:
    header = ("events", "F1", "precision", "recall", "annotated", "predicted", "false/h")
    several, remark = len(report.per_label) > 1, ""
    rows = [_row("all", report.pooled)]
    if several:
        # Events are counted once, in the first row.
        rows.append((f"macro {mean_in_words(report.macro_labels)}", *_figures(report.macro), "", "", ""))
        figures = {label: _listed(scores) for label, scores in report.per_label.items()}
        labels, remark = worst_shown(figures, "label", "--json lists all")
        rows += [_row(label, report.per_label[label]) for label in labels]
    shown = len(header) if timed else len(header) - 1
    print_rows(header[:shown], [row[:shown] for row in rows])
    if remark:
        print(printable(remark))


def _listed(scores: EventScores) -> dict[str, Any]:
    return {"n_reference": scores.n_reference, "f1": {"value": plain(scores.rates.f1.value)}}


def _row(name: str, scores: EventScores) -> tuple[str, ...]:
    alarms = figure_cell(plain(scores.false_alarms_per_hour), digits=1)
    return (name, *_figures(scores.rates), str(scores.n_reference), str(scores.n_predicted), alarms)


def _figures(rates: Rates) -> tuple[str, ...]:
    return tuple(figure_cell(plain(estimate.value)) for estimate in (rates.f1, rates.precision, rates.recall))
