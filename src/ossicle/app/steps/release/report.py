"""Step ``report``: everything a person should see of a run, on one page."""

from ossicle.app.steps.engine.step import Context, Step
from ossicle.app.steps.judge.evaluation import judged_run, read_events
from ossicle.app.steps.judge.noise_gate import METRICS
from ossicle.app.steps.judge.second_stage import VERDICT
from ossicle.app.steps.train.pseudo_inputs import pseudo_in_words
from ossicle.artefacts.files import read_json
from ossicle.core.settings import digestible
from ossicle.corpus.clips.dataset_folder import models_of
from ossicle.corpus.health.report import health
from ossicle.corpus.indexing.index_storage import read_index
from ossicle.evaluation.criteria.criterion import ExampleRequest
from ossicle.evaluation.criteria.table import criterion_of
from ossicle.evaluation.event_reports import event_report
from ossicle.evaluation.ground_truth import event_times, read_truth
from ossicle.evaluation.run_figures import headline
from ossicle.metrics.noise_gate import Judged
from ossicle.report import run_rows as rows
from ossicle.report.data import ReportData, TrainingCurve
from ossicle.report.run_summary import calibrated_in_words, notes, summary
from ossicle.training.runfolder import RunFolder

STEP_VERSION = 6
PAGE = "report.html"


def run(context: Context) -> None:
    """Gather and draw."""
    from ossicle.report.pages.page import write_report

    settings = context.project.settings
    truth = read_truth(context.inputs["corpus"], context.inputs["dataset"])
    judged = judged_run(context, truth)
    in_sample = event_times(read_events(context, "events_in_sample", truth))
    criterion = criterion_of(settings.evaluation)
    decision = read_json(context.inputs["decision"] / "decision.json")
    figures = read_json(context.inputs["evaluation"] / "metrics.json")
    second = read_json(context.inputs["second_stage"] / VERDICT)
    gate = read_json(context.inputs["noise_gate"] / METRICS)["gate"]
    drawn = rows.worst_labels(figures)
    shown = criterion.page_parts(
        judged,
        ExampleRequest(
            context.project.audio_folder, settings.frontend.rate, settings.report.examples, settings.report.margin_s
        ),
        drawn,
    )
    data = ReportData(
        title=settings.project.name,
        summary=summary(
            truth,
            figures,
            second,
            split=settings.split,
            criterion=criterion,
            front=settings.frontend,
            hop_s=settings.plan.hop_s,
            seed=settings.training.seed,
            pseudo=pseudo_in_words(context.inputs["training"]),
        ),
        health=health(read_index(context.inputs["corpus"]), rate=settings.frontend.rate, group=settings.split.group),
        metrics=headline(judged, criterion),
        in_sample=event_report(truth, in_sample, criterion.rule, settings.evaluation),
        collar=shown.collar,
        curves=_curves(context),
        threshold_curves=rows.threshold_curves(read_json(context.inputs["decision"] / "threshold_curves.json"), drawn),
        pr_curves=rows.pr_curves(shown.curves),
        iou_sweep=rows.sweep_rows(shown.iou_sweep),
        scores=rows.score_rows(figures),
        reliability=rows.reliability_bins(figures["frames"]["reliability"]),
        recordings=shown.recordings,
        calibration=rows.calibration_rows(figures.get("calibration")),
        calibrated=calibrated_in_words(figures.get("calibration")),
        folds=rows.fold_rows(truth, judged.events, decision, second, criterion.rule),
        examples=shown.examples,
        budget=list(context.seconds.items()),
        noise_gate=[Judged.from_json(one) for one in gate["firings"]],
        notes=notes(decision, figures, second),
        split=read_json(context.inputs["dataset"] / "split.json"),
        # A refused bundle is not laid beside the page.
        files={"metrics.json": "metrics.json"}
        | ({"bundle": "bundle/", "model card": "bundle/CARD.md"} if gate["passed"] else {}),
    )
    write_report(context.out / PAGE, data)


def _curves(context: Context) -> list[TrainingCurve]:
    names = models_of(context.inputs["dataset"])
    return [TrainingCurve(name, RunFolder(context.inputs["training"] / name).epochs()) for name in names]


STEP = Step(
    name="report",
    version=STEP_VERSION,
    needs=("corpus", "dataset", "training", "scores", "decision", "second_stage", "evaluation", "noise_gate"),
    settings=lambda project: {
        "report": digestible(project.settings.report),
        "evaluation": digestible(project.settings.evaluation),
        "name": project.settings.project.name,
    },
    run=run,
)
