"""``ossicle score``: any tool's events against any annotations."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from ossicle.app.cli.options import Json
from ossicle.app.cli.table import print_rows
from ossicle.core.errors import UsageError
from ossicle.core.intervals import as_intervals
from ossicle.corpus.event_sets import EventSets, pair_names, read_event_sets
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
        Path, typer.Option(help="Annotations: a folder of Raven, Audacity or CSV files, or one file.")
    ],
    predictions: Annotated[Path, typer.Option(help="Events to judge, in any of these formats.")],
    iou: Annotated[
        float | None,
        typer.Option(
            min=0.000001,
            max=1.0,
            help="Least intersection over union (IoU) of a match; 0.5 where no --collar is given.",
        ),
    ] = None,
    collar: Annotated[
        float | None,
        typer.Option(min=0.0, help="How far an onset may be off, in seconds; an offset by this or half the call."),
    ] = None,
    label_column: Annotated[str, typer.Option(help="Label column: a name, a number from 1, or auto.")] = "auto",
    ignore_labels: Annotated[
        bool, typer.Option("--ignore-labels", help="Judge times only, whatever the labels.")
    ] = False,
    bootstrap: Annotated[
        int, typer.Option(min=0, help="Resamples of recordings for the intervals; 0 for none.")
    ] = 1000,
    as_json: Json = False,
) -> None:
    """Compare events with annotations by optimal matching at an IoU (0.5 unless --iou or --collar is given).

    With both options the headline is at the IoU, and `at_collar` stands beside it. A recording without predictions
    counts as missed; one without a reference table was never annotated and is left out, and said.
    """
    if iou is None and collar is None:
        iou = _IOU
    references, predicted = pair_names(
        read_event_sets(reference, label_column=label_column), read_event_sets(predictions, label_column=label_column)
    )
    unknown = sorted(predicted.keys() - references.keys())
    if unknown:
        print(f"left out, for want of a reference: {', '.join(unknown)}", file=sys.stderr)
    if not predicted.keys() & references.keys():
        raise UsageError(
            f"no recording of {predictions} has the name of one of {reference} "
            f"(for instance {sorted(predicted)[0]!r} and {sorted(references)[0]!r})"
        )
    pairs = _times(references, references, ignore_labels), _times(predicted, references, ignore_labels)
    labels = sorted({label for times in pairs for of in times.values() for label in of})
    criteria: list[tuple[str, Criterion]] = []
    if iou is not None:
        criteria.append(("iou", IouMatch(threshold=iou)))
    if collar is not None:
        criteria.append(("collar", CollarMatch(collar_s=collar)))
    reports = {
        name: evaluate_events(*pairs, dict.fromkeys(references, 0.0), labels, criterion, n_bootstrap=max(bootstrap, 1))
        for name, criterion in criteria
    }
    headline = reports[criteria[0][0]]
    if as_json:
        out = {"criterion": criteria[0][0], "iou": iou, "collar_s": collar, **_as_json(headline, bootstrap > 0)}
        if len(criteria) > 1:
            out["at_collar"] = _as_json(reports["collar"], bootstrap > 0)
        out["left_out"] = unknown
        print(json.dumps(out, indent=2, ensure_ascii=False))
        return
    for name, report in reports.items():
        print(f"at IoU {iou:g}:" if name == "iou" else f"at a collar of {collar:g} s:")
        rows = [("all", *_cells(report.pooled))]
        rows += [(label, *_cells(of)) for label, of in report.per_label.items()] if len(labels) > 1 else []
        print_rows(("events", "F1", "precision", "recall", "annotated", "predicted"), rows)


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
