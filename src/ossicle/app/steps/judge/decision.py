"""Step ``decision``: fit cross-fitted decisions on out-of-fold scores, and find the events under them."""

from typing import TYPE_CHECKING

from ossicle.app.project.load import Project
from ossicle.app.steps.engine.fingerprint_keys import postprocess_key
from ossicle.app.steps.engine.step import Context, Step
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.events import DecisionFolder
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.artefacts.typed.scores import ScoresFolder
from ossicle.core.settings import digestible

if TYPE_CHECKING:
    from ossicle.evaluation.ground_truth import Truth

STEP_VERSION = 3


def run(context: Context) -> None:
    """Fit on the out-of-fold scores, and write decisions, events and threshold curves."""
    from ossicle.evaluation.ground_truth import read_truth

    truth = read_truth(context.read(CorpusFolder), context.read(DatasetFolder))
    decide_scores(context.project, truth, context.read(ScoresFolder), context.own(DecisionFolder))


def decide_scores(project: Project, truth: "Truth", scores: ScoresFolder, folder: DecisionFolder) -> None:
    """Fit decisions on scores, and write them with their events and the threshold curves.

    Parameters
    ----------
    project
        The project with the settings of the decision.
    truth
        Annotations and folds of the recordings.
    scores
        Out-of-fold scores of these recordings.
    folder
        The folder to write to.
    """
    from ossicle.evaluation.criteria.table import criterion_of
    from ossicle.evaluation.fitted_decisions import fit_decisions
    from ossicle.evaluation.ground_truth import read_tracks

    settings = project.settings
    # Mapped tracks are not checked where they are read; here, once, because everything after depends on them.
    scores.require_finite(truth.ids)
    tracks = read_tracks(scores, truth.ids, settings.postprocess)
    decisions = fit_decisions(truth, tracks, settings.decision, criterion_of(settings.evaluation))
    folder.write_events(decisions.held_out, decisions.in_sample)
    folder.write_decisions(decisions.fitted.per_fold, decisions.fitted.final, list(decisions.fitted.notes))
    folder.write_threshold_curves(decisions.curves_json())


STEP = Step(
    name=DecisionFolder.step,
    version=STEP_VERSION,
    needs=("corpus", "dataset", "scores"),
    settings=lambda project: {
        "decision": digestible(project.settings.decision),
        "criterion": project.settings.evaluation.criterion,
        "pool": project.settings.evaluation.applied_pool,
        "iou": project.settings.evaluation.iou,
        **postprocess_key(project),
    },
    run=run,
)
