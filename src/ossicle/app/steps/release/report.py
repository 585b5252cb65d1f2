"""Step ``report``: all results of a run that a user should see, on one page."""

from dataclasses import replace
from typing import TYPE_CHECKING

from ossicle.app.project.settings import ProjectSettings
from ossicle.app.steps.engine.step import Context, Step
from ossicle.app.steps.judge.evaluation import judged_events, judged_run
from ossicle.app.steps.train.pseudo_inputs import pseudo_in_words
from ossicle.app.steps.train.training_notes import curve_notes
from ossicle.artefacts.typed.clip_results import CLIPS
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.events import DecisionFolder, SecondStageFolder
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.artefacts.typed.judged import EvaluationFolder, NoiseGateFolder
from ossicle.artefacts.typed.results.published import BUNDLE, METRICS
from ossicle.artefacts.typed.results.released import ReportFolder
from ossicle.artefacts.typed.run_folder import RunFolder
from ossicle.artefacts.typed.training import TrainingFolder
from ossicle.bundle.manifest import CARD
from ossicle.core.settings import digestible
from ossicle.corpus.indexing.index_storage import read_index
from ossicle.metrics.noise.gate_exceptions import gate_exceptions
from ossicle.metrics.noise.noise_gate import Judged
from ossicle.models.model_kinds import EMBEDDINGS

if TYPE_CHECKING:
    from ossicle.report.data import TrainingCurve

STEP_VERSION = 15
CLIPS_PER_KIND = 2
"""Misclassified clips on the page for each example of ``[report] examples``: they are short, and the only kind."""


def run(context: Context) -> None:
    """Collect the results and write the page."""
    from ossicle.corpus.health.report import health
    from ossicle.evaluation.criteria.criterion import ExampleRequest
    from ossicle.evaluation.criteria.table import criterion_of
    from ossicle.evaluation.examples.clips import clip_examples
    from ossicle.evaluation.figures.event_reports import event_report
    from ossicle.evaluation.figures.run import headline
    from ossicle.evaluation.ground_truth import event_times, read_evaluated_truth
    from ossicle.report import run_rows as rows
    from ossicle.report.clips_section import clips_section
    from ossicle.report.data import ReportData
    from ossicle.report.pages.page import write_report
    from ossicle.report.run_summary import calibrated_in_words, notes, summary

    settings = context.project.settings
    truth = read_evaluated_truth(context.read(CorpusFolder), context.read(DatasetFolder))
    judged = judged_run(context, truth)
    in_sample = event_times(judged_events(context, truth, in_sample=True))
    criterion = criterion_of(settings.evaluation)
    decision, second = context.read(DecisionFolder), context.read(SecondStageFolder).verdict
    figures, gate = context.read(EvaluationFolder).metrics, context.read(NoiseGateFolder).metrics["gate"]
    drawn = rows.worst_labels(figures)
    request = ExampleRequest(
        context.project.roots,
        settings.frontend.rate,
        settings.report.examples,
        settings.report.margin_s,
        settings.audio.name,
    )
    shown = criterion.page_parts(judged, request, drawn)
    clips, hits = None, []
    if judged.clips is not None:
        clips = clips_section(figures, context.read(EvaluationFolder).clips, leads=criterion.kind.clips_lead)
        hits = clip_examples(judged.clips, truth, replace(request, count=CLIPS_PER_KIND * request.count))
    data = ReportData(
        title=settings.project.name,
        summary=summary(
            truth,
            figures,
            second,
            split=settings.split,
            criterion=criterion,
            reads=_frames(settings),
            seed=settings.training.seed,
            pseudo=pseudo_in_words(context.read(TrainingFolder)),
        ),
        health=health(
            read_index(context.read(CorpusFolder)),
            rate=settings.frontend.rate,
            group=settings.split.group,
            hop_s=settings.plan.hop_s,
        ),
        metrics=headline(judged, criterion),
        in_sample=event_report(truth, in_sample, criterion.rule, settings.evaluation),
        collar=shown.collar,
        curves=_curves(context),
        curve_notes=curve_notes({run_folder.path.name: run_folder for run_folder in _run_folders(context)}),
        threshold_curves=rows.threshold_curves(decision.threshold_curves, drawn),
        pr_curves=rows.pr_curves(shown.curves),
        iou_sweep=rows.sweep_rows(shown.iou_sweep),
        qualities=rows.quality_rows(figures),
        scores=rows.score_rows(figures),
        reliability=rows.reliability_bins(figures["frames"]["reliability"]),
        recordings=shown.recordings,
        clips=clips,
        calibration=rows.calibration_rows(figures.get("calibration")),
        calibrated=calibrated_in_words(figures.get("calibration")),
        folds=rows.fold_rows(truth, judged.events, decision.written, second, criterion.rule),
        examples=[*shown.examples, *hits],
        budget=list(context.seconds.items()),
        noise_gate=[Judged.from_json(firing) for firing in gate["firings"]],
        gate_exceptions=gate_exceptions(gate),
        gate_found_nothing=gate["found_nothing"],
        notes=notes(decision.written, figures, second),
        split=context.read(DatasetFolder).split,
        # A refused bundle is not published next to the page.
        files={METRICS: METRICS}
        | ({} if clips is None else {"answers, confusion and mistakes of hits": f"{CLIPS}/"})
        | ({"bundle": f"{BUNDLE}/", "model card": f"{BUNDLE}/{CARD}"} if gate["passed"] else {}),
    )
    write_report(context.own(ReportFolder).page, data)


def _frames(settings: ProjectSettings) -> str:
    if settings.kind.reads == EMBEDDINGS:
        return settings.windows_in_words
    return f"{1000 * settings.plan.hop_s:g} ms at {settings.frontend.rate} Hz"


def _curves(context: Context) -> "list[TrainingCurve]":
    from ossicle.report.data import TrainingCurve

    return [TrainingCurve(run_folder.path.name, run_folder.epochs()) for run_folder in _run_folders(context)]


def _run_folders(context: Context) -> list[RunFolder]:
    training = context.read(TrainingFolder)
    return [training.run(name) for name in context.read(DatasetFolder).models]


STEP = Step(
    name=ReportFolder.step,
    version=STEP_VERSION,
    needs=("corpus", "dataset", "training", "scores", "decision", "second_stage", "evaluation", "noise_gate"),
    settings=lambda project: {
        "report": digestible(project.settings.report),
        "evaluation": digestible(project.settings.evaluation),
        "name": project.settings.project.name,
    },
    run=run,
)
