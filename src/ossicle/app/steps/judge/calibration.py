"""Step ``calibration``: what scores are worth as probabilities, and maps that make them so, fitted out of fold.

Under criterion ``recording`` the items are recordings with their pooled scores, else frames. ``[calibration]`` asks for
maps; the figures before are there in any case. Decisions are made on scores as the model gives them, and maps are
applied to the scores of events (``inference.delivery``), so they change no decision.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ossicle.app.project.load import Project
from ossicle.app.steps.engine.fingerprint_keys import postprocess_key
from ossicle.app.steps.engine.step import Context, Step
from ossicle.artefacts.files import write_json
from ossicle.bundle.reading import parse_object
from ossicle.bundle.score_maps import maps_to_json, read_maps
from ossicle.core.score_map import ScoreMap
from ossicle.core.settings import digestible
from ossicle.evaluation.criterion import RECORDING
from ossicle.evaluation.ground_truth import read_truth
from ossicle.evaluation.score_items import frame_items, recording_items
from ossicle.metrics.calibrating import (
    NONE,
    Items,
    Reliability,
    cross_calibrate,
    held_out_scores,
    reliability,
)
from ossicle.metrics.event_report import plain
from ossicle.metrics.frame_report import reliability_rows
from ossicle.metrics.recording_report import top_labels

STEP_VERSION = 1
CALIBRATION = "calibration.json"


def run(context: Context) -> None:
    """Write ``calibration.json``: the maps of every fold and the final ones, and the figures before and after."""
    settings = context.project.settings
    chosen, evaluation = settings.calibration, settings.evaluation
    if chosen.kind == NONE:
        write_json(context.out / CALIBRATION, {"kind": NONE})
        return
    truth = read_truth(context.inputs["corpus"], context.inputs["dataset"])
    by_recording = evaluation.criterion == RECORDING
    items = (
        recording_items(truth, context.inputs["scores"], evaluation.pool, settings.postprocess)
        if by_recording
        else frame_items(truth, context.inputs["scores"], settings.postprocess)
    )
    fitted = cross_calibrate(items, truth.labels, chosen)
    after = held_out_scores(items, truth.labels, fitted)
    unit = "items" if by_recording else "seconds"
    write_json(
        context.out / CALIBRATION,
        {
            "kind": chosen.kind,
            "shared": chosen.shared,
            "fitted_on": f"recordings, {evaluation.pool} of their frames" if by_recording else "frames",
            "before": _figures(items, np.asarray(items.scores), truth.labels, unit),
            "after": _figures(items, after, truth.labels, unit),
            "protocol": "after: each fold's scores mapped by maps fitted on the other folds; final: on all of them",
            "per_fold": {str(fold): maps_to_json(maps) for fold, maps in fitted.per_fold.items()},
            "final": maps_to_json(fitted.final),
            "notes": list(fitted.notes),
        },
    )


def final_maps(calibration: Path) -> dict[str, ScoreMap]:
    """The maps for the bundle, from this step's artefact: none where none were asked for."""
    place = calibration / CALIBRATION
    found = parse_object(place.read_bytes(), place)
    return {} if found.value["kind"] == NONE else read_maps(found.table("final"))


def _figures(items: Items, scores: NDArray[np.floating], labels: tuple[str, ...], unit: str) -> dict[str, Any]:
    found: Reliability = reliability(items, labels, scores)
    answers = top_labels(items, scores) if unit == "items" else None
    return {
        "ece": plain(found.pooled.ece),
        "brier": plain(found.pooled.brier),
        # Maps of labels differ, so the label with the highest score may too.
        **({} if answers is None else {"accuracy": plain(float((answers[0] == answers[1]).mean()))}),
        "per_label": {label: {"ece": plain(of.ece), "brier": plain(of.brier)} for label, of in found.per_label.items()},
        "reliability": reliability_rows(found.pooled, unit),
    }


def _settings(project: Project) -> dict[str, Any]:
    chosen, evaluation = project.settings.calibration, project.settings.evaluation
    if chosen.kind == NONE:
        return {"kind": NONE}
    found = {"calibration": digestible(chosen), "criterion": evaluation.criterion, "pool": evaluation.pool}
    return {**found, **postprocess_key(project)}


STEP = Step(
    name="calibration",
    version=STEP_VERSION,
    needs=("corpus", "dataset", "scores"),
    settings=_settings,
    run=run,
)
