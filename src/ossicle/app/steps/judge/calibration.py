"""Step ``calibration``: what scores are worth as probabilities, and maps that make them so, fitted out of fold.

Under criterion ``recording`` the items are recordings with their pooled scores, else frames. ``[calibration]`` asks for
maps; the figures before are there in any case. Decisions are made on scores as the model gives them, and maps are
applied to the scores of events (``inference.delivery``), so they change no decision.
"""

from pathlib import Path
from typing import Any

from ossicle.app.project.load import Project
from ossicle.app.steps.engine.fingerprint_keys import postprocess_key
from ossicle.app.steps.engine.step import Context, Step
from ossicle.artefacts.files import write_json
from ossicle.bundle.reading import parse_object
from ossicle.bundle.score_maps import read_maps
from ossicle.core.score_map import ScoreMap
from ossicle.core.settings import digestible
from ossicle.evaluation.calibration_figures import calibration_figures
from ossicle.evaluation.criteria.table import criterion_of
from ossicle.evaluation.ground_truth import read_truth
from ossicle.metrics.calibrating import NONE

STEP_VERSION = 1
CALIBRATION = "calibration.json"


def run(context: Context) -> None:
    """Write ``calibration.json``: the maps of every fold and the final ones, and the figures before and after."""
    settings = context.project.settings
    chosen, criterion = settings.calibration, criterion_of(settings.evaluation)
    if chosen.kind == NONE:
        write_json(context.out / CALIBRATION, {"kind": NONE})
        return
    truth = read_truth(context.inputs["corpus"], context.inputs["dataset"])
    items = criterion.items(truth, context.inputs["scores"], settings.postprocess)
    write_json(context.out / CALIBRATION, calibration_figures(items, truth.labels, chosen, criterion))


def final_maps(calibration: Path) -> dict[str, ScoreMap]:
    """The maps for the bundle, from this step's artefact: none where none were asked for."""
    place = calibration / CALIBRATION
    found = parse_object(place.read_bytes(), place)
    return {} if found.value["kind"] == NONE else read_maps(found.table("final"))


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
