"""Step ``bundle`` of a pipeline for states: the head on all recordings, its encoder's entry, and the decision."""

import platform
from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import version
from typing import Any

import numpy as np

from ossicle.app.steps.engine.step import Context, Step
from ossicle.app.steps.release.head_files import PARITY_WINDOWS, head_files
from ossicle.app.steps.score.state_plan import state_plan
from ossicle.app.steps.train.heads.fitted_heads import FittedHeads
from ossicle.app.steps.train.heads.state_heads import stage_two_in_words
from ossicle.artefacts.typed.dataset import FINAL, DatasetFolder
from ossicle.artefacts.typed.judged import NoiseGateFolder
from ossicle.artefacts.typed.results.released import BundleFolder
from ossicle.artefacts.typed.shards.features import FeaturesFolder
from ossicle.artefacts.typed.states import HeadsFolder, StateDecisionFolder
from ossicle.bundle.description import BundleDescription
from ossicle.bundle.entries.level import LEVEL
from ossicle.bundle.format import write_bundle
from ossicle.core.decisions.decision import Decision
from ossicle.core.settings import digestible
from ossicle.evaluation.states.judging_rule import judging_rule
from ossicle.evaluation.states.sufficiency import INSUFFICIENT

STEP_VERSION = 2


def run(context: Context) -> None:
    """Export the head, compare its scores with those of torch, and write the bundle."""
    settings, dataset, features = context.project.settings, context.read(DatasetFolder), context.read(FeaturesFolder)
    metrics, weights = context.read(NoiseGateFolder).metrics, context.read(HeadsFolder).run(FINAL).weights
    tokens = np.asarray(features.rows(features.shard_names[0])[:PARITY_WINDOWS]).astype(np.float32)
    heads, spec = FittedHeads(context.project, features, context.read(HeadsFolder), len(dataset.labels)), features.spec
    stage_two = context.read(HeadsFolder).fit(FINAL).get("stage_two")
    head = heads.on_features(FINAL)
    if stage_two is not None and not stage_two["kept"]:
        # The blocks are those of the encoder's own file, so the whole encoder is read from there.
        tokens, head, spec = heads.after_blocks(FINAL, tokens), heads.head(FINAL), replace(spec, layer=-1)
    files, _ = head_files(head, weights, tokens, len(dataset.labels))
    if follows := heads.level(FINAL) is not None:
        files[LEVEL] = context.read(HeadsFolder).level_file(FINAL)
    write_bundle(
        context.own(BundleFolder).bundle,
        BundleDescription(
            name=settings.project.name,
            labels=dataset.labels,
            plan=state_plan(context.project, features.spec),
            front=settings.frontend,
            # States are decided by rules of their own; every bundle also has a decision about events.
            decisions=dict.fromkeys(dataset.labels, Decision()),
            provenance=_provenance(context),
            metrics={
                "figures": figures(metrics),
                **({INSUFFICIENT: metrics[f"{INSUFFICIENT}_because"]} if metrics[INSUFFICIENT] else {}),
                "noise_reported": metrics["noise_gate"]["sentences"],
                "out_of_fold": metrics,
            },
            split={
                "strategy": settings.split.strategy,
                "group": settings.split.group,
                "n_groups": len(set(dataset.folds["group"].to_list())),
                "n_folds": len(set(dataset.folds["fold"].to_list())),
                "audit": "no leak found",
                "decision": "fitted on the out-of-fold scores of all folds",
            },
            model={"head": digestible(settings.head)},
            encoder=spec,
            states=judging_rule(context.read(StateDecisionFolder).written).decision,
            level=settings.head.level if follows else None,
        ),
        files=files,
        replace=True,
    )


def _provenance(context: Context) -> dict[str, Any]:
    dataset, features = context.read(DatasetFolder), context.read(FeaturesFolder)
    fit = context.read(HeadsFolder).fit(FINAL)
    return {
        "ossicle": version("ossicle"),
        "torch": version("torch"),
        "python": platform.python_version(),
        "dataset": dataset.content,
        "heads": context.read(HeadsFolder).content,
        "encoder": features.spec.name,
        **({"stage_two": stage_two_in_words(fit["stage_two"])} if "stage_two" in fit else {}),
        "recordings": len(dataset.folds),
        "windows": sum(features.n_windows(key) for key in features.recording_ids),
    }


def figures(metrics: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the figures of the model card: the worst fold, every fold, and the in-sample figures, named as such."""
    states = metrics["states"]
    figures = [{"name": "state accuracy, worst fold", **_estimate(states["state_accuracy"]), "basis": _basis(metrics)}]
    for title, key in (("F1", "f1"), ("F1 where not hidden", "f1_unmasked")):
        figures += [
            {"name": f"{title}, worst fold", "label": label, **_estimate(estimate), "basis": _basis(metrics)}
            for label, estimate in states[key].items()
        ]
    for name, fold in states["folds"].items():
        figures.append({"name": f"state accuracy, {name}", **_estimate(fold["state_accuracy"]), "basis": fold["basis"]})
    inside = metrics["in_sample"]["states"]
    figures.append({"name": "state accuracy", **_estimate(inside["state_accuracy"]), "basis": "in-sample"})
    return [figure for figure in figures if figure["value"] is not None]


def _basis(metrics: Mapping[str, Any]) -> str:
    return str(metrics["protocol"]["decision"])


def _estimate(estimate: Mapping[str, Any]) -> dict[str, Any]:
    return {key: estimate[key] for key in ("value", "low", "high")}


STEP = Step(
    name=BundleFolder.step,
    version=STEP_VERSION,
    needs=("dataset", "features", "heads", "state_decision", "noise_gate"),
    settings=lambda project: {
        "name": project.settings.project.name,
        "head": digestible(project.settings.head),
        "frontend": digestible(project.settings.frontend),
        "features": [project.settings.features.window_s, project.settings.features.hop_s],
        **digestible(project.settings.audio),
    },
    run=run,
)
