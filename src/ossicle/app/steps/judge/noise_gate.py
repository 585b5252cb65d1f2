"""Step ``noise_gate``: measure how often the detector fires without a target, and whether to refuse it for that.

Recordings without the target are evaluated out of fold: each by the model that held out its group, under the decision
fitted on the other folds. The final model with its final decision reads the synthetic probes, which no model has seen.
Both include the second stage if one is kept. The step never fails for a refusal: the report explains it, and the run
ends with exit code 4.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ossicle.app.steps.engine.fingerprint_keys import postprocess_key
from ossicle.app.steps.engine.step import Context, Step
from ossicle.app.steps.judge.evaluation import judged_events
from ossicle.app.steps.judge.second_stage import kept_stage
from ossicle.app.steps.train.trained_predictor import trained_predictor
from ossicle.artefacts.typed.dataset import FINAL, DatasetFolder
from ossicle.artefacts.typed.events import DecisionFolder, SecondStageFolder
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.artefacts.typed.judged import EvaluationFolder, NoiseGateFolder
from ossicle.artefacts.typed.training import TrainingFolder
from ossicle.core.errors import GateRefused
from ossicle.core.settings import digestible
from ossicle.corpus.indexing.index_storage import read_index
from ossicle.corpus.synthetic.noise_probes import synthetic_probes
from ossicle.evaluation.notes.nothing_found import nothing_found
from ossicle.inference.predictor import Predictor
from ossicle.metrics.noise.noise_gate import PROBES, RECORDINGS, judge

STEP_VERSION = 7


def run(context: Context) -> None:
    """Write the figures of the step ``evaluation``, with the noise gate's results under ``gate``."""
    from ossicle.evaluation.gates.noise_gate import excused_probes

    resembles = excused_probes([context.read(TrainingFolder).run(FINAL).noise_likeness])
    judge_detector(context, trained_predictor(context, FINAL), "the final model with its final decision", resembles)


def judge_detector(context: Context, predictor: Predictor, who: str, resembles: Mapping[str, Sequence[str]]) -> None:
    """Write the figures of the step ``evaluation``, with the noise gate's results for a predictor.

    Parameters
    ----------
    context
        The inputs of the step.
    predictor
        The predictor to run on the synthetic probes, with the final decision.
    who
        What to call the predictor in the report.
    resembles
        By label, the probes that its own sounds resemble: detecting it there is a warning.
    """
    from ossicle.evaluation.gates.noise_gate import (
        events_in,
        firings_on_probe,
        firings_on_recordings,
        noise_gate_figures,
    )
    from ossicle.evaluation.ground_truth import read_evaluated_truth
    from ossicle.inference.delivery import Delivery

    settings = context.project.settings
    limits = settings.noise_gate
    truth = read_evaluated_truth(context.read(CorpusFolder), context.read(DatasetFolder))
    annotations = read_index(context.read(CorpusFolder)).annotations
    events = judged_events(context, truth)
    firings = firings_on_recordings(truth, events, annotations, settings.dataset.margin_s)
    decisions, stage = context.read(DecisionFolder).decisions[None], kept_stage(context.read(SecondStageFolder))
    delivery = Delivery(settings.evaluation.applied_pool, postprocess=settings.postprocess)
    rate = predictor.plan.rate
    for done, probe in enumerate(synthetic_probes(rate, limits.probe_s, limits.seed)):
        context.progress.advance(done, done + 1, f"{PROBES[probe.name]}, {probe.part}")
        probe_events = events_in(probe.samples, predictor, decisions, second_stage=stage, delivery=delivery)
        firings += firings_on_probe(probe.name, probe.part, truth.labels, len(probe.samples) / rate, probe_events)
    metrics = context.read(EvaluationFolder).metrics
    judged = judge(firings, limits, resembles, predictor.plan.hop_s)
    gate_figures = noise_gate_figures(
        judged,
        limits,
        who,
        second_stage=stage is not None,
        resembles=resembles,
        found_nothing=nothing_found(metrics),
    )
    context.own(NoiseGateFolder).write_metrics({**metrics, "gate": gate_figures})


def refusal(gate: NoiseGateFolder, bundle: Path | None, mend: Callable[[], str] | None = None) -> GateRefused | None:
    """Return why the noise gate refused a bundle.

    Parameters
    ----------
    gate
        The artefact of this step.
    bundle
        The folder of the bundle, for the message; None if there is none.
    mend
        Returns the command that mends a detector which fires on synthetic probes; None if it is not known.

    Returns
    -------
    GateRefused or None
        The refusal; None if the bundle passed.
    """
    from ossicle.evaluation.gates.noise_gate import refusal_of, worst_refused

    gate_json = gate.metrics["gate"]
    worst = worst_refused(gate_json)
    # Fine-tuning against noise teaches nothing about other recordings.
    synthetic = worst is not None and worst.firing.probe != RECORDINGS
    return refusal_of(gate_json, bundle, mend() if mend is not None and synthetic else "")


STEP = Step(
    name=NoiseGateFolder.step,
    version=STEP_VERSION,
    needs=("corpus", "dataset", "training", "decision", "second_stage", "evaluation"),
    settings=lambda project: {
        "noise_gate": digestible(project.settings.noise_gate),
        "pool": project.settings.evaluation.applied_pool,
        **postprocess_key(project),
        "margin_s": project.settings.dataset.margin_s,
        "plan": digestible(project.settings.plan),
        "threads": project.settings.training.threads,
    },
    run=run,
)
