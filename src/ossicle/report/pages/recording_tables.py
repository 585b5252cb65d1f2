"""Tables of a page about whole recordings, selected from their report: rows, confusions, means of folds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ossicle.metrics.reports.recording_report import LabelRecordings, RecordingReport
from ossicle.report.pages.long_table import LongTable, long_table

MOST_MATRIX = 40
"""With more labels than this the confusion matrix is unreadable; the most frequent confusions are shown instead."""
MOST_PAIRS = 15

Cell = tuple[int, float, bool]
"""Count, share of the row, and whether the answer is right."""


@dataclass(frozen=True, slots=True)
class ClassTable:
    """``rows``: labels, the lowest average precision first if there are very many. ``confusion``:
    matrix row by row, empty if too large. ``pairs``: truth, answer, count and share of the truth's recordings.
    """

    rows: LongTable[tuple[str, LabelRecordings]]
    confusion: Sequence[tuple[str, Sequence[Cell]]]
    pairs: Sequence[tuple[str, str, int, float]]
    fold_mean: float | None
    fold_deviation: float


def class_table(report: RecordingReport) -> ClassTable:
    """Return the tables of a report."""
    of_folds = [recordings.accuracy for recordings in report.per_fold if recordings.accuracy is not None]
    return ClassTable(
        rows=long_table(list(report.per_label.items()), lambda row: row[1].average_precision.value, "AP"),
        confusion=_matrix(report),
        pairs=_pairs(report),
        fold_mean=float(np.mean(of_folds)) if of_folds else None,
        fold_deviation=float(np.std(of_folds, ddof=1)) if len(of_folds) > 1 else float("nan"),
    )


def _matrix(report: RecordingReport) -> list[tuple[str, list[Cell]]]:
    if report.confusion is None or len(report.labels) > MOST_MATRIX:
        return []
    counts = report.confusion.tolist()
    return [
        (label, [(value, value / max(1, sum(row_counts)), column == row) for column, value in enumerate(row_counts)])
        for row, (label, row_counts) in enumerate(zip(report.labels, counts, strict=True))
    ]


def _pairs(report: RecordingReport) -> list[tuple[str, str, int, float]]:
    if report.confusion is None:
        return []
    totals = report.confusion.sum(axis=1)
    pairs = [
        (report.labels[row], report.labels[column], int(report.confusion[row, column]), float(totals[row]))
        for row, column in zip(*np.nonzero(report.confusion), strict=True)
        if row != column
    ]
    pairs.sort(key=lambda pair: (-pair[2], pair[0], pair[1]))
    return [(truth, predicted, value, value / total) for truth, predicted, value, total in pairs[:MOST_PAIRS]]
