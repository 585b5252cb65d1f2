"""Step ``noise_gate``: how often the detector fires where there is nothing to find, and whether it is refused for it.

Recordings without the target are judged out of fold: each by the model that held out its group, under the decision
fitted on the other folds. The synthetic probes are judged by the final model with its final decision, since no model
has seen them. Both are judged with the second stage where one is kept. The step never fails for a refusal: the report
says why, and the run ends with exit code 4.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ossicle.app.steps.engine.fingerprint_keys import postprocess_key
from ossicle.app.steps.engine.step import Context, Step
from ossicle.app.steps.judge.evaluation import read_events
from ossicle.app.steps.judge.second_stage import kept_stage
from ossicle.app.steps.train.trained_predictor import trained_predictor
from ossicle.artefacts.files import read_json, write_json
from ossicle.core.decision import Decision
from ossicle.core.errors import GateRefused
from ossicle.core.intervals import as_intervals, overlap
from ossicle.core.records import Annotation
from ossicle.core.settings import digestible
from ossicle.core.tracks import Event
from ossicle.corpus.clips.dataset_folder import FINAL
from ossicle.corpus.clips.noise_sampling import free_stretches
from ossicle.corpus.indexing.index_storage import read_index
from ossicle.corpus.synthetic.noise_probes import synthetic_probes
from ossicle.evaluation.criterion import pool_of
from ossicle.evaluation.ground_truth import Truth, read_truth
from ossicle.inference.delivery import Delivery
from ossicle.inference.finder import EventFinder
from ossicle.inference.predictor import Predictor
from ossicle.inference.second_stage.stage import SecondStage
from ossicle.metrics.noise_gate import PROBES, Firing, judge

STEP_VERSION = 2
METRICS = "metrics.json"
EMPTY, BETWEEN = "reviewed empty", "between annotations"
_FEED_S = 10.0


def run(context: Context) -> None:
    """Write ``metrics.json``: that of the step ``evaluation`` with what the noise gate found, under ``gate``."""
    judge_detector(context, trained_predictor(context, FINAL), "the final model with its final decision")


def judge_detector(context: Context, predictor: Predictor, who: str) -> None:
    """Write ``metrics.json`` with what the noise gate found of a predictor with the final decision, named ``who``."""
    settings = context.project.settings
    truth = read_truth(context.inputs["corpus"], context.inputs["dataset"])
    firings = on_recordings(context, truth)
    final = read_json(context.inputs["decision"] / "decision.json")["final"]
    decisions = {label: Decision(**values) for label, values in final.items()}
    stage = kept_stage(context.inputs["second_stage"])
    given, rate = Delivery(pool_of(settings.evaluation), postprocess=settings.postprocess), predictor.plan.rate
    for done, probe in enumerate(synthetic_probes(rate, settings.noise_gate.probe_s, settings.noise_gate.seed)):
        context.progress.advance(done, done + 1, f"{PROBES[probe.name]}, {probe.part}")
        events = events_in(probe.samples, predictor, decisions, second_stage=stage, delivery=given)
        seconds = len(probe.samples) / rate
        firings += [_firing(probe.name, probe.part, label, seconds, events) for label in truth.labels]
    judged = judge(firings, settings.noise_gate)
    metrics = read_json(context.inputs["evaluation"] / METRICS)
    found = {
        "passed": not any(one.refused for one in judged),
        "judged_by": {
            "recordings": "out of fold: each by the model that held out its group, decision cross-fitted",
            "synthetic probes": who,
            **({"second stage": "in both: the whole detector is judged"} if stage is not None else {}),
        },
        "limits": digestible(settings.noise_gate),
        "firings": [one.to_json() for one in judged],
    }
    write_json(context.out / METRICS, {**metrics, "gate": found})


def on_recordings(context: Context, truth: Truth) -> list[Firing]:
    """The out-of-fold events that touch no annotation of any label, on reviewed-empty recordings and between calls."""
    events = read_events(context, "events", truth)
    notes: dict[str, list[Annotation]] = {}
    for note in read_index(context.inputs["corpus"]).annotations:
        notes.setdefault(note.recording_id, []).append(note)
    margin_s = context.project.settings.dataset.margin_s
    out = []
    for part, ids in (
        (EMPTY, [key for key in truth.ids if key not in notes]),
        (BETWEEN, [key for key in truth.ids if key in notes]),
    ):
        free = {key: free_stretches(truth.recordings[key], notes.get(key, []), margin_s) for key in ids}
        seconds = sum(float((one[:, 1] - one[:, 0]).sum()) for one in free.values())
        for label in truth.labels:
            n_events, active_s = 0, 0.0
            for key in ids:
                times = as_intervals([(one.start_s, one.end_s) for one in events[key] if one.label == label])
                inside = overlap(times, free[key]).sum(axis=1)
                active_s += float(inside.sum())
                # Rounding of times aside, an event that lies wholly in a free stretch touches no annotation.
                n_events += int(np.count_nonzero(inside >= times[:, 1] - times[:, 0] - 1e-9))
            out.append(Firing("recordings", part, label, seconds, n_events, active_s))
    return out


def events_in(
    samples: NDArray[np.float32],
    predictor: Predictor,
    decisions: Mapping[str, Decision],
    batch_chunks: int = 8,
    second_stage: SecondStage | None = None,
    delivery: Delivery | None = None,
) -> list[Event]:
    """The events in float32 samples (n,) at the plan's rate, through the engine that reads recordings."""
    rate = predictor.plan.rate
    finder = EventFinder(predictor, decisions, batch_chunks, second_stage, delivery)
    events: list[Event] = []
    for block in _blocks(samples, int(_FEED_S * rate)):
        events += finder.feed(block)
    return events + finder.finish(len(samples) / rate)


def refusal(metrics: Path, bundle: Path | None) -> GateRefused | None:
    """The message for a refused bundle, from a ``metrics.json`` of this step; None where the noise gate let it pass."""
    return refusal_of(read_json(metrics)["gate"], bundle)


def refusal_of(gate: Mapping[str, Any], bundle: Path | None) -> GateRefused | None:
    """The same of what stands under ``gate`` there."""
    refused = [one for one in gate["firings"] if one["refused"]]
    if not refused:
        return None
    worst = max(refused, key=lambda one: (one["per_hour"], one["active_share"]))
    more = len(refused) - 1
    place = f"; the bundle stays in {bundle}" if bundle is not None else ""
    return GateRefused(
        f"the noise gate refused this bundle: label {worst['label']!r} {_in_words(worst, gate['limits'])}"
        f"{f', and {more} more in report.html' if more else ''}{place}. Train with such sounds in reviewed-empty "
        "recordings or with [augment] noise_probability, or, if it may fire there, raise "
        f'[noise_gate] {worst["probe"]}_per_hour (and active_share) or put "{worst["probe"]}" into [noise_gate] off'
    )


def _in_words(one: Mapping[str, Any], limits: Mapping[str, Any]) -> str:
    words = f"fires {one['per_hour']:.0f} times an hour on {PROBES[one['probe']]} ({one['part']}; limit "
    words += f"{one['limit_per_hour']:g})"
    if one["active_share"] > limits["active_share"]:
        words += f" and fills {one['active_share']:.0%} of it (limit {limits['active_share']:.0%})"
    return words


def _firing(probe: str, part: str, label: str, seconds: float, events: list[Event]) -> Firing:
    mine = [one for one in events if one.label == label]
    return Firing(probe, part, label, seconds, len(mine), sum(one.end_s - one.start_s for one in mine))


def _blocks(samples: NDArray[np.float32], block_samples: int) -> Iterator[NDArray[np.float32]]:
    for start in range(0, len(samples), block_samples):
        yield samples[start : start + block_samples]


STEP = Step(
    name="noise_gate",
    version=STEP_VERSION,
    needs=("corpus", "dataset", "training", "decision", "second_stage", "evaluation"),
    settings=lambda project: {
        "noise_gate": digestible(project.settings.noise_gate),
        "pool": pool_of(project.settings.evaluation),
        **postprocess_key(project),
        "margin_s": project.settings.dataset.margin_s,
        "plan": digestible(project.settings.plan),
        "threads": project.settings.training.threads,
    },
    run=run,
)
