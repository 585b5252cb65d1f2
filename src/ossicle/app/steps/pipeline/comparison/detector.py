"""What the leaderboard reads of a detector: figures, seconds of training, and paired differences between events."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ossicle.app.project.load import Project
from ossicle.app.steps.pipeline.pipeline import Artefacts, Comparison, LeaderboardFigures
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.events import SecondStageFolder
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.artefacts.typed.judged import EvaluationFolder, MetricsFolder, NoiseGateFolder
from ossicle.artefacts.typed.training import TrainingFolder
from ossicle.core.digest import digest
from ossicle.metrics.reports.event_report import Estimate

if TYPE_CHECKING:
    from ossicle.evaluation.ground_truth import Truth


def _metrics(artefacts: Artefacts) -> Mapping[str, Any] | None:
    """Return the figures with the results of the noise gate if there are any, else the figures of the evaluation."""
    kinds: tuple[type[MetricsFolder], ...] = (NoiseGateFolder, EvaluationFolder)
    return next((kind.among(artefacts).metrics for kind in kinds if kind.step in artefacts), None)


def _training_s(artefacts: Artefacts) -> float | None:
    """Return the seconds of all epochs of all models on any machine; None if they were not recorded."""
    lines = [line for run in TrainingFolder.among(artefacts).runs() for line in run.epochs()]
    seconds = [float(line["seconds"]) for line in lines if "seconds" in line]
    return round(sum(seconds), 3) if seconds else None


def against(best: Project, best_artefacts: Artefacts) -> Comparison:
    """Return a function that computes the event F1 of another project minus that of ``best``, with its paired interval.

    Both are evaluated on the same resampled recordings and groups, and only if recordings, annotations, labels, groups
    and criterion are the same for both; else the function returns None. The tables of ``best`` are read once. Where
    clips are the headline, it is the macro F1 by hit.

    Parameters
    ----------
    best
        The project to compare others with.
    best_artefacts
        Its artefacts by step.

    Returns
    -------
    Comparison
        Takes the other project and its artefacts by step. Returns ``value``, ``low`` and ``high`` of the difference in
        F1, from -1 to 1.
    """
    from ossicle.evaluation.criteria.table import criterion_of
    from ossicle.evaluation.figures.paired_gain import gain

    if best.settings.evaluation.kind.clips_lead:
        return _against_clips(best, best_artefacts)
    evaluation, truth = best.settings.evaluation, _truth(best_artefacts)
    judged_on, events = _judged_on(best, truth), SecondStageFolder.among(best_artefacts).events(truth.ids)

    def compare(other: Project, artefacts: Artefacts) -> Mapping[str, float | None] | None:
        if _judged_on(other, _truth(artefacts)) != judged_on:
            return None
        others = SecondStageFolder.among(artefacts).events(truth.ids)
        bootstrap = gain(truth, events, others, criterion_of(evaluation).rule, evaluation.bootstrap, evaluation.seed)
        return Estimate(float(bootstrap.value[0]), float(bootstrap.low[0]), float(bootstrap.high[0])).to_json()

    return compare


def _against_clips(best: Project, best_artefacts: Artefacts) -> Comparison:
    """Return a function that computes the macro F1 by hit of another project minus that of ``best``.

    It returns None if the two were not evaluated on the same hits.
    """
    from ossicle.evaluation.clips.comparison import compare_answers, same_clips

    evaluation, answers = best.settings.evaluation, EvaluationFolder.among(best_artefacts).clips.answers

    def compare(other: Project, artefacts: Artefacts) -> Mapping[str, float | None] | None:
        results = EvaluationFolder.among(artefacts).clips
        if not results.answers_file.is_file() or not same_clips(answers, results.answers):
            return None
        comparison = compare_answers(answers, results.answers, (), evaluation.bootstrap, evaluation.seed)
        return comparison.difference.macro_f1.to_json()

    return compare


def _truth(artefacts: Artefacts) -> "Truth":
    from ossicle.evaluation.ground_truth import read_evaluated_truth

    return read_evaluated_truth(CorpusFolder.among(artefacts), DatasetFolder.among(artefacts))


def _judged_on(project: Project, truth: "Truth") -> str:
    """Return the digest of what a figure is computed on: recordings, groups, annotations, labels and criterion."""
    from ossicle.evaluation.criteria.table import criterion_of

    notes = sorted([note.recording_id, note.start_s, note.end_s, note.label] for note in truth.annotations)
    audio = {key: recording.digest for key, recording in truth.recordings.items()}
    return digest([audio, truth.groups, list(truth.labels), notes, criterion_of(project.settings.evaluation).in_words])


FIGURES = LeaderboardFigures(
    metrics=_metrics,
    training_s=_training_s,
    against=against,
    missing=lambda project: (
        "" if project.settings.split.kind.judges_recordings else "its split leaks, so it has no valid figures"
    ),
)
