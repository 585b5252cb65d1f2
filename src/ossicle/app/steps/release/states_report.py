"""Step ``report`` of a pipeline for states: folds, thresholds, contradictions with sound, and what to try next."""

from collections.abc import Mapping
from typing import Any

from ossicle.app.steps.engine.step import Context, Step
from ossicle.app.steps.train.heads.state_heads import stage_two_in_words
from ossicle.app.steps.train.training_notes import curve_notes
from ossicle.artefacts.typed.dataset import FINAL, DatasetFolder
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.artefacts.typed.judged import NoiseGateFolder
from ossicle.artefacts.typed.results.published import BUNDLE, METRICS
from ossicle.artefacts.typed.results.released import ReportFolder
from ossicle.artefacts.typed.shards.features import FeaturesFolder
from ossicle.artefacts.typed.states import HeadsFolder, StateDecisionFolder, StateEvaluationFolder
from ossicle.audio.decoding.mono import load_mono
from ossicle.bundle.manifest import CARD
from ossicle.core.decisions.states import ON
from ossicle.core.settings import digestible
from ossicle.core.text.counting import counted
from ossicle.corpus.health.problem import Problem
from ossicle.corpus.health.sound_problems import without_front_end
from ossicle.evaluation.examples.example import Example
from ossicle.evaluation.states.next_steps import next_steps
from ossicle.report.data import TrainingCurve
from ossicle.report.states_data import ContradictionCard, StatesReportData

STEP_VERSION = 6
_RATE = 16000


def run(context: Context) -> None:
    """Collect the results and write the page."""
    from ossicle.report.pages.states_page import write_states_report

    settings, dataset = context.project.settings, context.read(DatasetFolder)
    evaluated, heads = context.read(StateEvaluationFolder), context.read(HeadsFolder)
    health: Mapping[str, Any] = context.read(CorpusFolder).health
    data = StatesReportData(
        title=settings.project.name,
        summary=_summary(context),
        metrics=context.read(NoiseGateFolder).metrics,
        decision=context.read(StateDecisionFolder).written,
        contradictions=[
            _card(context, contradiction) for contradiction in evaluated.contradictions[: 2 * settings.report.examples]
        ],
        next_steps=next_steps(
            evaluated.metrics,
            evaluated.contradictions,
            heads.summary,
            settings.head.epochs,
            context.read(FeaturesFolder).spec.name,
        ),
        curves=[TrainingCurve(_held_out_groups(dataset, name), heads.run(name).epochs()) for name in dataset.models],
        curve_notes=curve_notes({_held_out_groups(dataset, name): heads.run(name) for name in dataset.models}),
        split=dataset.split,
        problems=[
            (problem.where, problem.message, problem.remedy)
            for problem in without_front_end(Problem(**problem) for problem in health["problems"])
            if problem.severity != "note"
        ],
        budget=list(context.seconds.items()),
        files={METRICS: METRICS, "bundle": f"{BUNDLE}/", "model card": f"{BUNDLE}/{CARD}"},
    )
    write_states_report(context.own(ReportFolder).page, data)


def _held_out_groups(dataset: DatasetFolder, model: str) -> str:
    """Return the groups that a model holds out."""
    return FINAL if model == FINAL else ", ".join(dataset.fold_name(fold) for fold in dataset.models[model])


def _summary(context: Context) -> dict[str, str]:
    dataset, features = context.read(DatasetFolder), context.read(FeaturesFolder)
    settings, spec = context.project.settings, features.spec
    groups = sorted(set(dataset.folds["group"].to_list()))
    masks = [f"{label} hides {', '.join(hidden)}" for label, hidden in settings.states.masks.items()]
    return {
        "labels": ", ".join(dataset.labels),
        "states": "; ".join([" before ".join(settings.states.decision(dataset.labels).priority), *masks]),
        "recordings": f"{counted(len(dataset.folds), 'recording')} of {counted(len(groups), settings.split.group)}",
        "encoder": f"{spec.name}, {spec.dim} values a token at {spec.rate} Hz; licence: {spec.licence or 'unknown'}",
        "head": f"{settings.head.pooling} pooling, {settings.head.hidden} hidden units; seed {settings.training.seed}",
        **_stage_two(context),
    }


def _stage_two(context: Context) -> dict[str, str]:
    """Return what became of stage 2 in each model; nothing without stage 2."""
    dataset, heads = context.read(DatasetFolder), context.read(HeadsFolder)
    return {
        f"stage 2, {_held_out_groups(dataset, name)}": stage_two_in_words(fit["stage_two"])
        for name, fit in heads.summary.items()
        if "stage_two" in fit
    }


def _card(context: Context, contradiction: Mapping[str, Any]) -> ContradictionCard:
    margin_s = context.project.settings.report.margin_s
    start_s = max(0.0, contradiction["start_s"] - margin_s)
    file = context.project.roots.place(context.project.settings.corpus.root, contradiction["path"])
    length_s = contradiction["end_s"] + margin_s - start_s
    samples = load_mono(file, _RATE, start_s, length_s, channel=context.project.settings.audio.name)
    span = (contradiction["start_s"], contradiction["end_s"])
    on = contradiction["state"] == ON
    example = Example(
        kind="missed" if on else "false alarm",
        recording=contradiction["path"],
        label=contradiction["label"],
        start_s=span[0],
        end_s=span[1],
        score=contradiction["score"],
        iou=None,
        samples=samples,
        rate=_RATE,
        window_start_s=start_s,
        references=[(*span, contradiction["label"])] if on else [],
        predictions=[] if on else [(*span, contradiction["label"], contradiction["score"])],
    )
    keys = ("path", "group", "label", "state", "score", "threshold", "share", "whole")
    return ContradictionCard(**{key: contradiction[key] for key in keys}, example=example)


STEP = Step(
    name=ReportFolder.step,
    version=STEP_VERSION,
    needs=("corpus", "dataset", "features", "heads", "state_decision", "state_evaluation", "noise_gate"),
    settings=lambda project: {
        "report": digestible(project.settings.report),
        "name": project.settings.project.name,
        "states": digestible(project.settings.states),
        "head": digestible(project.settings.head),
        **digestible(project.settings.audio),
    },
    run=run,
)
