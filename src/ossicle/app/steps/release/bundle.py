"""Step ``bundle``: export the model trained on all recordings, check it against torch, and add all it needs to run."""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ossicle.app.steps.engine.fingerprint_keys import postprocess_key
from ossicle.app.steps.engine.step import Context, Step
from ossicle.app.steps.judge.calibration import final_maps
from ossicle.app.steps.train.pseudo_inputs import pseudo_in_words
from ossicle.app.steps.train.training import pretrained
from ossicle.artefacts.typed.dataset import FINAL, DatasetFolder
from ossicle.artefacts.typed.events import DecisionFolder, SecondStageFolder
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.artefacts.typed.judged import CalibrationFolder, NoiseGateFolder
from ossicle.artefacts.typed.results.released import BundleFolder
from ossicle.artefacts.typed.training import TrainingFolder
from ossicle.audio.decoding.mono import load_mono
from ossicle.bundle.description import BundleDescription
from ossicle.bundle.format import write_bundle
from ossicle.bundle.manifest import MODEL, SECOND_STAGE, WAVEFORM, WEIGHTS
from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.core.model_input.encoder_spec import EncoderSpec
from ossicle.core.model_input.encoder_windows import EncoderWindows
from ossicle.core.records import Recording
from ossicle.core.settings import digestible
from ossicle.evaluation.criteria.kinds import kind_in
from ossicle.metrics.noise.gate_exceptions import gate_exceptions

if TYPE_CHECKING:
    from ossicle.evaluation.ground_truth import Truth

STEP_VERSION = 7
_PARITY_S = 60.0


def run(context: Context) -> None:
    """Export, check parity on real sound, and write the bundle."""
    from ossicle.evaluation.ground_truth import read_evaluated_truth

    truth = read_evaluated_truth(context.read(CorpusFolder), context.read(DatasetFolder))
    model = exported(context, truth.labels, truth.recordings[truth.ids[0]])
    context.progress.advance(2, 3, "writing")
    write_judged(context, truth, model)


def write_judged(context: Context, truth: "Truth", model: "ExportedModel") -> None:
    """Write the bundle of an evaluated model.

    Parameters
    ----------
    context
        The inputs of the step.
    truth
        The judged recordings.
    model
        The final model.
    """
    settings = context.project.settings
    metrics, stage = context.read(NoiseGateFolder).metrics, context.read(SecondStageFolder)
    verdict = stage.verdict
    second = {SECOND_STAGE: stage.model_file} if stage.kept else {}
    write_bundle(
        context.own(BundleFolder).bundle,
        BundleDescription(
            name=settings.project.name,
            labels=truth.labels,
            plan=model.plan,
            front=settings.frontend,
            decisions=context.read(DecisionFolder).decisions[None],
            provenance={
                **origin(context),
                "recordings": len(truth.ids),
                "annotations": len(truth.annotations),
                **({"annotations_from_reviews": truth.reviewed} if truth.reviewed else {}),
                **({"annotations_that_only_teach": truth.training_only} if truth.training_only else {}),
                "hours": round(sum(truth.durations_s.values()) / 3600, 6),
                "parity": model.parity,
                **({"second_stage": f"{verdict['kind']}, {verdict['fitted_with']}"} if stage.kept else {}),
            },
            metrics={
                "figures": figures(metrics),
                "criterion": metrics["protocol"]["criterion"],
                **({"notes": metrics["notes"]} if metrics["notes"] else {}),
                **gate_verdict(metrics["gate"]),
                "out_of_fold": metrics,
            },
            split={
                "strategy": settings.split.strategy,
                "group": settings.split.group,
                "n_groups": len(set(truth.groups.values())),
                "n_folds": len(set(truth.folds.values())),
                "audit": "no leak found",
                "decision": "fitted on the out-of-fold scores of all folds",
                **({"warning": "few groups: the intervals say little about new ones"} if metrics["few_groups"] else {}),
            },
            model=model.model,
            pool=settings.evaluation.applied_pool,
            postprocess=settings.postprocess,
            calibration=final_maps(context.read(CalibrationFolder)),
            encoder=model.encoder,
            encoder_windows=model.windows,
        ),
        files={**model.files, **second},
        replace=True,
    )


@dataclass(frozen=True, slots=True)
class ExportedModel:
    """What a bundle holds of a model.

    Attributes
    ----------
    files
        Its files by name.
    parity
        The largest difference in score of each graph from torch.
    plan
        Its chunk plan.
    model
        Its settings.
    encoder, windows
        The encoder of a head, and the windows in which it reads a clip; None for a network.
    """

    files: Mapping[str, Path | bytes]
    parity: Mapping[str, float]
    plan: ChunkPlan
    model: Mapping[str, Any]
    encoder: EncoderSpec | None = None
    windows: EncoderWindows | None = None


def exported(context: Context, labels: Sequence[str], recording: Recording) -> ExportedModel:
    """Return the final network for a bundle, compared with torch on a recording."""
    from ossicle.export.onnx_graph import model_graph, waveform_graph
    from ossicle.export.parity import check_parity
    from ossicle.models.networks.registry import build_network
    from ossicle.models.weights import load_weights

    settings = context.project.settings
    plan, front = settings.plan, settings.frontend
    weights = context.read(TrainingFolder).run(FINAL).weights
    network = build_network(settings.model, front, plan, len(labels)).eval()
    load_weights(network, weights)
    context.progress.advance(0, 3, "exporting")
    graphs = {MODEL: model_graph(network, plan, front), WAVEFORM: waveform_graph(network, plan, front)}
    context.progress.advance(1, 3, "checking parity")
    file = context.project.roots.file(recording)
    samples = load_mono(file, plan.rate, 0.0, _PARITY_S, channel=plan.channel)
    parity = check_parity(network, graphs, plan, front, samples)
    return ExportedModel({WEIGHTS: weights, **graphs}, parity, plan, digestible(settings.model))


def origin(context: Context) -> dict[str, Any]:
    """Return the provenance that every bundle records."""
    return {
        "ossicle": version("ossicle"),
        "torch": version("torch"),
        "python": platform.python_version(),
        "dataset": context.read(DatasetFolder).content,
        "training": context.read(TrainingFolder).content,
        "training_settings": digestible(context.project.settings.training),
        **pretrained(context.project),
        **({"pseudo_labels": pseudo_note} if (pseudo_note := pseudo_in_words(context.read(TrainingFolder))) else {}),
    }


def figures(metrics: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the figures of the model card: the out-of-fold headline first, then in-sample figures, named as such.

    The value of an undefined figure is None.
    """
    kind = kind_in(metrics)
    figures = _clip_figures(metrics["clips"]) if "clips" in metrics else []
    if kind.clips_lead:
        return figures
    if kind.ranks_recordings:
        pooled = metrics["recordings"]
        ranked = {"macro ROC AUC": pooled["macro"]["roc_auc"], "cmAP": pooled["macro"]["cmap"]}
        ranked |= {} if pooled["accuracy"] is None else {"top-1 accuracy": pooled["accuracy"]}
        figures += [{"name": name, "basis": "held-out", **_estimate(estimate)} for name, estimate in ranked.items()]
    for basis, values in (("cross-fitted", metrics["events"]), ("in-sample", metrics["in_sample"]["events"])):
        figures += [
            {"name": kind.figure.format(name), **values[name], "basis": basis} for name in ("f1", "precision", "recall")
        ]
    for label, scores in metrics["per_label"].items():
        figures.append({"name": kind.figure.format("f1"), **scores["f1"], "basis": "cross-fitted", "label": label})
    return figures


def _clip_figures(clips: Mapping[str, Any]) -> list[dict[str, Any]]:
    named = {"accuracy by clip": "accuracy", "macro f1 by clip": "macro_f1", "loss by clip": "loss"}
    figures = [{"name": name, "basis": "held-out", **_estimate(clips[key])} for name, key in named.items()]
    for label, estimate in clips["f1"].items():
        figures.append({"name": "f1 by clip", "basis": "held-out", "label": label, **_estimate(estimate)})
    return figures


def gate_verdict(gate: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a bundle records of the noise gate: its verdict, and the sounds that could not refuse the bundle."""
    exceptions = gate_exceptions(gate)
    verdict = {"gate": "passed" if gate["passed"] else "refused"}
    silent = {"gate_found_nothing": gate["found_nothing"]} if gate.get("found_nothing") else {}
    return {**verdict, **silent, **({"gate_exceptions": list(exceptions)} if exceptions else {})}


def _estimate(estimate: Mapping[str, Any]) -> dict[str, Any]:
    return {key: estimate[key] for key in ("value", "low", "high")}


STEP = Step(
    name=BundleFolder.step,
    version=STEP_VERSION,
    needs=("corpus", "dataset", "training", "decision", "calibration", "second_stage", "noise_gate"),
    settings=lambda project: {
        "pool": project.settings.evaluation.applied_pool,
        **postprocess_key(project),
        "name": project.settings.project.name,
        "model": digestible(project.settings.model),
        "plan": digestible(project.settings.plan),
        "frontend": digestible(project.settings.frontend),
        "training": digestible(project.settings.training),
    },
    run=run,
)
