"""Step ``calibration``: measure scores as probabilities, and fit maps to calibrated probabilities out of fold.

Under the criterion ``recording`` the items are recordings with their pooled scores, else frames. ``[calibration]``
chooses whether to fit maps; the figures before mapping are always written. Decisions use the uncalibrated scores, and
maps are applied to the scores of events (``inference.delivery``), so they change no decision.
"""

from typing import Any

from ossicle.app.project.load import Project
from ossicle.app.steps.engine.fingerprint_keys import postprocess_key
from ossicle.app.steps.engine.step import Context, Step
from ossicle.artefacts.filesystem.reading import MOST_ARTEFACT_BYTES, read_regular
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.artefacts.typed.judged import CalibrationFolder
from ossicle.artefacts.typed.scores import ScoresFolder
from ossicle.bundle.entries.score_maps import read_maps
from ossicle.bundle.reading import parse_object
from ossicle.core.scores.score_map import ScoreMap
from ossicle.core.settings import digestible
from ossicle.metrics.calibration.out_of_fold import NONE

STEP_VERSION = 2


def run(context: Context) -> None:
    """Write the maps of every fold and the final ones, and the figures before and after mapping."""
    from ossicle.evaluation.criteria.table import criterion_of
    from ossicle.evaluation.figures.calibration import calibration_figures
    from ossicle.evaluation.ground_truth import read_truth

    settings = context.project.settings
    chosen, criterion, output = settings.calibration, criterion_of(settings.evaluation), context.own(CalibrationFolder)
    if chosen.kind == NONE:
        output.write({"kind": NONE})
        return
    truth = read_truth(context.read(CorpusFolder), context.read(DatasetFolder))
    items = criterion.items(truth, context.read(ScoresFolder), settings.postprocess)
    output.write(calibration_figures(items, truth.labels, chosen, criterion))


def final_maps(calibration: CalibrationFolder) -> dict[str, ScoreMap]:
    """Return the maps for the bundle from this step's artefact; empty if calibration was not requested."""
    file = calibration.maps_file
    reader = parse_object(read_regular(file, MOST_ARTEFACT_BYTES), file)
    return {} if reader.value["kind"] == NONE else read_maps(reader.table("final"))


def _settings(project: Project) -> dict[str, Any]:
    chosen, evaluation = project.settings.calibration, project.settings.evaluation
    if chosen.kind == NONE:
        return {"kind": NONE}
    settings = {"calibration": digestible(chosen), "criterion": evaluation.criterion, "pool": evaluation.pool}
    return {**settings, **postprocess_key(project)}


STEP = Step(
    name=CalibrationFolder.step,
    version=STEP_VERSION,
    needs=("corpus", "dataset", "scores"),
    settings=_settings,
    run=run,
)
