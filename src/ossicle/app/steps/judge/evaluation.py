"""Step ``evaluation``: compare out-of-fold events with annotations, with confidence intervals."""

from typing import TYPE_CHECKING

from ossicle.app.steps.engine.fingerprint_keys import postprocess_key
from ossicle.app.steps.engine.step import Context, Step
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.events import SecondStageFolder
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.artefacts.typed.judged import CalibrationFolder, EvaluationFolder
from ossicle.artefacts.typed.scores import ClipScoresFolder, ScoresFolder
from ossicle.core.columns.event_columns import EventColumns
from ossicle.core.settings import digestible

if TYPE_CHECKING:
    from ossicle.evaluation.criteria.criterion import JudgedRun
    from ossicle.evaluation.ground_truth import Truth

STEP_VERSION = 5


def run(context: Context) -> None:
    """Write all figures."""
    from ossicle.evaluation.criteria.table import criterion_of
    from ossicle.evaluation.figures.run import run_figures
    from ossicle.evaluation.ground_truth import read_evaluated_truth

    settings = context.project.settings
    truth = read_evaluated_truth(context.read(CorpusFolder), context.read(DatasetFolder))
    context.own(EvaluationFolder).write_metrics(
        run_figures(
            judged_run(context, truth),
            judged_events(context, truth, in_sample=True),
            criterion_of(settings.evaluation),
            group=settings.split.group,
            seed=settings.training.seed,
            postprocess=postprocess_key(context.project),
            second=context.read(SecondStageFolder).verdict,
            calibrated=context.read(CalibrationFolder).found,
        ),
    )


def judged_run(context: Context, truth: "Truth") -> "JudgedRun":
    """Return the held-out events of the whole detector and the folder of its scores, with their truth.

    A step that needs ``clip_scores`` too gets the held-out clips.
    """
    from ossicle.evaluation.clips.judged_clips import read_clips
    from ossicle.evaluation.criteria.criterion import JudgedRun

    settings = context.project.settings
    return JudgedRun(
        truth,
        judged_events(context, truth),
        context.read(ScoresFolder),
        settings.postprocess,
        settings.plan.hop_s,
        settings.training.apart_frames,
        read_clips(context.read(ClipScoresFolder), truth) if ClipScoresFolder.step in context.inputs else None,
    )


def judged_events(context: Context, truth: "Truth", *, in_sample: bool = False) -> EventColumns:
    """Return the events of the whole detector within the stretches that can be evaluated.

    Parameters
    ----------
    context
        The inputs of a step that needs ``second_stage``.
    truth
        Annotations of the recordings.
    in_sample
        Whether to return in-sample events instead of held-out events.

    Returns
    -------
    EventColumns
        Events by recording id.
    """
    from ossicle.evaluation.figures.run import known_events

    detected = context.read(SecondStageFolder)
    return known_events(truth, detected.events_in_sample(truth.ids) if in_sample else detected.events(truth.ids))


STEP = Step(
    name=EvaluationFolder.step,
    version=STEP_VERSION,
    needs=("corpus", "dataset", "scores", "calibration", "second_stage"),
    settings=lambda project: {
        "evaluation": digestible(project.settings.evaluation),
        "hop_s": project.settings.plan.hop_s,
        "seed": project.settings.training.seed,
        "apart_frames": project.settings.training.apart_frames,
        **postprocess_key(project),
    },
    run=run,
)
