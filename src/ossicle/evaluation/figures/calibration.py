"""Maps from scores to probabilities, fitted out of fold, with reliability before and after."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ossicle.bundle.entries.score_maps import maps_to_json
from ossicle.evaluation.criteria.criterion import Criterion
from ossicle.metrics.calibration.out_of_fold import (
    CalibrationSettings,
    Items,
    cross_calibrate,
    held_out_scores,
    reliability,
)
from ossicle.metrics.reports.event_report import plain
from ossicle.metrics.reports.frame_report import reliability_rows


def calibration_figures(
    items: Items, labels: tuple[str, ...], chosen: CalibrationSettings, criterion: Criterion
) -> dict[str, Any]:
    """Return the maps of every fold and the final ones, and the figures before and after, as plain values.

    ``items`` are those of ``criterion``, with the fold in which each is held out.
    """
    fitted = cross_calibrate(items, labels, chosen)
    after = held_out_scores(items, labels, fitted)
    return {
        "kind": chosen.kind,
        "shared": chosen.shared,
        "fitted_on": criterion.calibrated_on,
        "before": _figures(items, np.asarray(items.scores), labels, criterion),
        "after": _figures(items, after, labels, criterion),
        "protocol": "after: each fold's scores mapped by maps fitted on the other folds, where these lower the Brier "
        "score; final: fitted on all of them",
        "per_fold": {str(fold): maps_to_json(maps) for fold, maps in fitted.per_fold.items()},
        "final": maps_to_json(fitted.final),
        "notes": list(fitted.notes),
    }


def _figures(items: Items, scores: NDArray[np.floating], labels: Sequence[str], criterion: Criterion) -> dict[str, Any]:
    report = reliability(items, labels, scores)
    answers = criterion.answers(items, scores)
    return {
        "ece": plain(report.pooled.ece),
        "brier": plain(report.pooled.brier),
        # Maps of labels differ, so the label with the highest score may too.
        **({} if answers is None else {"accuracy": plain(float((answers[0] == answers[1]).mean()))}),
        "per_label": {
            label: {"ece": plain(calibration.ece), "brier": plain(calibration.brier)}
            for label, calibration in report.per_label.items()
        },
        "reliability": reliability_rows(report.pooled, criterion.weight),
    }
