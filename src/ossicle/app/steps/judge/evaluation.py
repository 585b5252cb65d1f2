"""Step ``evaluation``: compare out-of-fold events with annotations, with confidence intervals."""

from typing import TYPE_CHECKING

from ossicle.app.steps.engine.fingerprint_keys import postprocess_key
from ossicle.app.steps.engine.step import Context, Step
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.events import SecondStageFolder
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.artefacts.typed.judged import CalibrationFolder, EvaluationFolder
from ossicle.artefacts.typed.scores import ClipBaselinesFolder, ClipScoresFolder, ScoresFolder
from ossicle.core.columns.event_columns import EventColumns
from ossicle.core.settings import digestible

if TYPE_CHECKING:
    from ossicle.evaluation.clips.judged_clips import JudgedClips
    from ossicle.evaluation.criteria.criterion import JudgedRun
    from ossicle.evaluation.ground_truth import Truth

STEP_VERSION = 6
CLIPS_VERSION = 2
"""Raised when only what is written of clips changes, so that other projects keep their figures."""


def run(context: Context) -> None:
    """Write all figures, and the folder ``clip_results`` where clips are judged."""
    from ossicle.evaluation.criteria.table import criterion_of
    from ossicle.evaluation.figures.run import run_figures
    from ossicle.evaluation.ground_truth import read_evaluated_truth

    settings = context.project.settings
    truth = read_evaluated_truth(context.read(CorpusFolder), context.read(DatasetFolder))
    judged = judged_run(context, truth)
    if judged.clips is not None:
        _write_clips(context, judged.clips, truth)
    context.own(EvaluationFolder).write_metrics(
        run_figures(
            judged,
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
    from ossicle.evaluation.criteria.criterion import JudgedRun

    settings = context.project.settings
    clips, held_out = _clips(context, truth) if ClipScoresFolder.step in context.inputs else (None, None)
    return JudgedRun(
        truth,
        judged_events(context, truth),
        context.read(ScoresFolder),
        settings.postprocess,
        settings.plan.hop_s,
        settings.training.apart_frames,
        clips,
        held_out,
        context.read(ClipBaselinesFolder).scores if ClipBaselinesFolder.step in context.inputs else None,
    )


def _clips(context: Context, truth: "Truth") -> "tuple[JudgedClips, JudgedClips]":
    """Return the clips that are evaluated, and all held-out ones."""
    from ossicle.evaluation.clips.judged_clips import read_clips
    from ossicle.evaluation.ground_truth import read_truth

    corpus, scored = context.read(CorpusFolder), context.read(ClipScoresFolder)
    judged = read_clips(scored, truth, corpus.hits)
    every = read_truth(corpus, context.read(DatasetFolder))
    return judged, judged if every.ids == truth.ids else read_clips(scored, every)


def _write_clips(context: Context, judged: "JudgedClips", truth: "Truth") -> None:
    """Write the answers to clips, their confusion as array, table and picture, and the wrong ones."""
    from ossicle.evaluation.clips.answer_table import answer_table, misclassified, misclassified_pairs
    from ossicle.metrics.clip_answers.answers import confusion_matrix
    from ossicle.report.figures.confusion import confusion_figure
    from ossicle.report.figures.style import svg

    labels, answers = judged.clips.labels, judged.answers
    output, table = context.own(EvaluationFolder).clips, answer_table(judged, truth.recordings)
    counts = confusion_matrix(answers.truth, answers.answer, len(labels))
    output.write_answers(table)
    output.write_confusion(labels, counts, svg(confusion_figure(labels, counts)))
    output.write_misclassified(misclassified(table), misclassified_pairs(table))


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
        **({"clips": CLIPS_VERSION} if project.settings.evaluation.kind.judges_clips else {}),
        **postprocess_key(project),
    },
    run=run,
)
