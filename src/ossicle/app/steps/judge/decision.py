"""Step ``decision``: out-of-fold scores to cross-fitted decisions and the events under them."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from ossicle.app.steps.engine.fingerprint_keys import postprocess_key
from ossicle.app.steps.engine.step import Context, Step
from ossicle.artefacts.files import write_json
from ossicle.artefacts.tables import write_table
from ossicle.core.decision import Decision
from ossicle.core.pooling import as_judged
from ossicle.core.settings import digestible
from ossicle.evaluation.criterion import pool_of, rule_of
from ossicle.evaluation.ground_truth import read_tracks, read_truth
from ossicle.inference.decisions.decide import decide
from ossicle.inference.decisions.fit import CrossFit, cross_fit, threshold_curve
from ossicle.inference.decisions.grid import count_grid
from ossicle.inference.event_tables import events_frame

STEP_VERSION = 2


def run(context: Context) -> None:
    """Fit, and write ``decision.json``, ``events`` (headline), ``events_in_sample`` and the threshold curves."""
    settings = context.project.settings
    truth = read_truth(context.inputs["corpus"], context.inputs["dataset"])
    pool = pool_of(settings.evaluation)
    raw = read_tracks(context.inputs["scores"], truth.ids, settings.postprocess)
    tracks = {key: as_judged(one, pool) for key, one in raw.items()}
    counts = count_grid(tracks, truth.references, settings.decision, truth.labels, rule_of(settings.evaluation))
    counts[:, ~truth.known] = 0
    folds = [truth.folds[key] for key in truth.ids]
    fitted = cross_fit(counts, folds, truth.labels, settings.decision)
    held_out = {key: decide(tracks[key], fitted.per_fold[truth.folds[key]]) for key in truth.ids}
    in_sample = {key: decide(tracks[key], fitted.final) for key in truth.ids}
    for name, events in (("events", held_out), ("events_in_sample", in_sample)):
        write_table(
            context.out / f"{name}.parquet", events_frame(events), ["recording_id", "start_s", "end_s", "label"]
        )
    write_json(context.out / "decision.json", _as_json(fitted))
    curves = []
    for column, label in enumerate(truth.labels):
        curve = threshold_curve(counts, int(fitted.final_settings[column]), column, label, settings.decision)
        curves.append({name: np.asarray(value).tolist() for name, value in asdict(curve).items() if name != "label"})
        curves[-1]["label"] = label
    write_json(context.out / "threshold_curves.json", _finite(curves))


def _as_json(fitted: CrossFit) -> dict[str, Any]:
    return {
        "per_fold": {str(fold): _decisions(of) for fold, of in fitted.per_fold.items()},
        "final": _decisions(fitted.final),
        "notes": list(fitted.notes),
    }


def _decisions(decisions: Mapping[str, Decision]) -> dict[str, Any]:
    return {label: asdict(one) for label, one in decisions.items()}


def _finite(value: Any) -> Any:
    """Figures for JSON: None where nothing was there to count."""
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value


STEP = Step(
    name="decision",
    version=STEP_VERSION,
    needs=("corpus", "dataset", "scores"),
    settings=lambda project: {
        "decision": digestible(project.settings.decision),
        "criterion": project.settings.evaluation.criterion,
        "pool": pool_of(project.settings.evaluation),
        "iou": project.settings.evaluation.iou,
        **postprocess_key(project),
    },
    run=run,
)
