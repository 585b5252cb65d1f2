"""``ossicle score``: any tool's events, or scores, against any annotations."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from ossicle.app.cli.compare.score_scores import lengths_of, read_lengths, score_scores
from ossicle.app.cli.options import Json
from ossicle.app.cli.table import print_rows
from ossicle.core.errors import UsageError
from ossicle.core.intervals import as_intervals
from ossicle.corpus.formats.event_folders import EventSets, pair_names, read_event_sets
from ossicle.metrics.event_report import EventReport, plain
from ossicle.metrics.events import evaluate_events
from ossicle.metrics.matching import CollarMatch, Criterion, IouMatch

ANY = "any"
_IOU = 0.5


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
    label_column: Annotated[str, typer.Option(help="Label column: a name, a number from 1, or auto.")] = "auto",
    ignore_labels: Annotated[
        bool, typer.Option("--ignore-labels", help="Compare times only and ignore the labels.")
    ] = False,
    bootstrap: Annotated[
        int, typer.Option(min=0, help="Number of resamples for the intervals; 0: no intervals.")
    ] = 1000,
    as_json: Json = False,
) -> None:
    """Compare the events of any tool with annotations: precision, recall and F1 by optimal matching.

    With both --iou and --collar the main figures are those at the IoU; those at the collar are under `at_collar`.
    Annotations in a recording without predictions count as missed. A recording without a reference table is not
    annotated; it is skipped and listed.

    With --scores: PSDS for the two DCASE scenarios over all thresholds, and average precision, ROC AUC, expected
    calibration error and Brier score of frames. Every recording with a reference must have scores.
    """
    if predictions is not None and scores is None:
        _score_events(
            reference, predictions, durations, iou, collar, label_column, ignore_labels, bootstrap, as_json=as_json
        )
    elif scores is not None and predictions is None:
        if iou is not None or collar is not None or ignore_labels:
            raise UsageError("--iou, --collar and --ignore-labels apply to events only: leave them out with --scores")
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
    ignore_labels: bool,
    bootstrap: int,
    *,
    as_json: bool,
) -> None:
    if iou is None and collar is None:
        iou = _IOU
    lengths = {} if durations is None else read_lengths(durations)
    references, predicted, measured = pair_names(
        read_event_sets(reference, label_column=label_column),
        read_event_sets(predictions, label_column=label_column),
        {name: [] for name in lengths},
    )
    durations_s = lengths_of(references, dict(zip(measured, lengths.values(), strict=True)), durations)
    unknown = sorted(predicted.keys() - references.keys())
    if unknown:
        print(f"skipped, no reference: {', '.join(unknown)}", file=sys.stderr)
    if not predicted.keys() & references.keys():
        raise UsageError(
            f"{predictions} and {reference} have no recording name in common "
            f"(for example {sorted(predicted)[0]!r} and {sorted(references)[0]!r})"
        )
    pairs = _times(references, references, ignore_labels), _times(predicted, references, ignore_labels)
    labels = sorted({label for times in pairs for of in times.values() for label in of})
    criteria: list[tuple[str, Criterion]] = []
    if iou is not None:
        criteria.append(("iou", IouMatch(threshold=iou)))
    if collar is not None:
        criteria.append(("collar", CollarMatch(collar_s=collar)))
    reports = {
        name: evaluate_events(*pairs, durations_s, labels, criterion, n_bootstrap=max(bootstrap, 1))
        for name, criterion in criteria
    }
    headline = reports[criteria[0][0]]
    if as_json:
        out = {"criterion": criteria[0][0], "iou": iou, "collar_s": collar, **_as_json(headline, bootstrap > 0)}
        if durations is not None:
            out["false_alarms_per_hour"] = {
                "all": plain(headline.pooled.false_alarms_per_hour),
                **{label: plain(of.false_alarms_per_hour) for label, of in headline.per_label.items()},
            }
        if len(criteria) > 1:
            out["at_collar"] = _as_json(reports["collar"], bootstrap > 0)
        out["left_out"] = unknown
        print(json.dumps(out, indent=2, ensure_ascii=False))
        return
    for name, report in reports.items():
        print(f"at IoU {iou:g}:" if name == "iou" else f"at a collar of {collar:g} s:")
        judged = [("all", report.pooled), *(report.per_label.items() if len(labels) > 1 else ())]
        header = ("events", "F1", "precision", "recall", "annotated", "predicted")
        if durations is None:
            print_rows(header, [(name, *_cells(of)) for name, of in judged])
        else:
            rows = [(name, *_cells(of), f"{of.false_alarms_per_hour:.1f}") for name, of in judged]
            print_rows((*header, "false/h"), rows)


def _times(sets: EventSets, wanted: EventSets, ignore_labels: bool) -> dict[str, dict[str, Any]]:
    out: dict[str, dict[str, Any]] = {}
    for key in wanted.keys() & sets.keys():
        found: dict[str, list[tuple[float, float]]] = {}
        for row in sets[key]:
            found.setdefault(ANY if ignore_labels else row.label, []).append((row.start_s, row.end_s))
        out[key] = {label: as_intervals(np.array(times)) for label, times in found.items()}
    return out


def _as_json(report: EventReport, intervals: bool) -> dict[str, Any]:
    pooled = report.pooled
    out: dict[str, Any] = {
        "events": _rates(pooled),
        "n_reference": pooled.n_reference,
        "n_predicted": pooled.n_predicted,
        "tp": pooled.tp,
        "fp": pooled.fp,
        "fn": pooled.fn,
        "n_recordings": report.n_recordings,
        "per_label": {
            label: {**_rates(of), "n_reference": of.n_reference, "n_predicted": of.n_predicted}
            for label, of in report.per_label.items()
        },
        "boundary_errors": report.boundaries.to_json(),
    }
    if intervals:
        out["intervals"] = pooled.rates.to_json()
    return out


def _rates(scores: Any) -> dict[str, float | None]:
    rates = scores.rates
    return {name: plain(getattr(rates, name).value) for name in ("f1", "precision", "recall")}


def _cells(scores: Any) -> tuple[str, ...]:
    figures = tuple("–" if value is None else f"{value:.3f}" for value in _rates(scores).values())
    return (*figures, str(scores.n_reference), str(scores.n_predicted))
