"""Decisions fitted on out-of-fold scores, cross-fitted and final, with the events and curves under them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ossicle.core.scores.pooling import as_judged
from ossicle.core.tracks import Event, ScoreTrack
from ossicle.evaluation.criteria.criterion import Criterion
from ossicle.evaluation.ground_truth import Truth
from ossicle.inference.decisions.decide import decide
from ossicle.inference.decisions.fit import CrossFit, ThresholdCurve, cross_fit, threshold_curve
from ossicle.inference.decisions.grid import DecisionGrid, count_grid
from ossicle.inference.decisions.onset_grid import OnsetGrid, count_onsets


@dataclass(frozen=True)
class FittedDecisions:
    """Decisions with what they find.

    ``held_out``: events by recording, each decided by the decision of its fold. ``in_sample``: the same under the
    final decision. ``curves``: precision and recall over thresholds, one for each label.
    """

    fitted: CrossFit
    held_out: Mapping[str, list[Event]]
    in_sample: Mapping[str, list[Event]]
    curves: tuple[ThresholdCurve, ...]

    def curves_json(self) -> list[dict[str, Any]]:
        """Return the curves as plain values, None where there was nothing to count."""
        rows = []
        for curve in self.curves:
            row = {name: np.asarray(value).tolist() for name, value in asdict(curve).items() if name != "label"}
            rows.append(_finite({**row, "label": curve.label}))
        return rows


def fit_decisions(
    truth: Truth, tracks: Mapping[str, ScoreTrack], grid: DecisionGrid, criterion: Criterion
) -> FittedDecisions:
    """Return the decisions of ``grid`` with the best F1, fitted for each fold on the other folds, and on all.

    ``tracks``: out-of-fold scores by recording, post-processed; under a criterion that pools, a recording is decided on
    its pooled score.
    """
    pooled_tracks = {key: as_judged(track, criterion.pool) for key, track in tracks.items()}
    choices = criterion.grid(grid)
    counts = (
        count_onsets(pooled_tracks, truth.references, choices, truth.labels, criterion.rule)
        if isinstance(choices, OnsetGrid)
        else count_grid(pooled_tracks, truth.references, choices, truth.labels, criterion.rule)
    )
    counts[:, ~truth.known] = 0
    fitted = cross_fit(counts, [truth.folds[key] for key in truth.ids], truth.labels, choices)
    return FittedDecisions(
        fitted,
        held_out={key: decide(pooled_tracks[key], fitted.per_fold[truth.folds[key]]) for key in truth.ids},
        in_sample={key: decide(pooled_tracks[key], fitted.final) for key in truth.ids},
        curves=tuple(
            threshold_curve(
                counts,
                int(fitted.final_settings[column]),
                column,
                label,
                choices,
                None if criterion.kind.timed else int(truth.known[:, column].sum()),
            )
            for column, label in enumerate(truth.labels)
        ),
    )


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value
