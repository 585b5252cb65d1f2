"""Step ``evaluation``: events against annotations, out of fold, with intervals; ``metrics.json``."""

from collections.abc import Iterator, Mapping
from typing import Any

from ossicle.app.steps.engine.fingerprint_keys import postprocess_key
from ossicle.app.steps.engine.step import Context, Step
from ossicle.app.steps.judge.calibration import CALIBRATION
from ossicle.app.steps.judge.second_stage import VERDICT
from ossicle.artefacts.files import read_json, write_json
from ossicle.artefacts.tables import read_table
from ossicle.core.settings import digestible
from ossicle.core.tracks import Event
from ossicle.evaluation.criterion import RECORDING, rule_in_words, rule_of
from ossicle.evaluation.event_figures import average_precision, recall_by_quality, sweep
from ossicle.evaluation.frame_grid_ceiling import grid_ceiling
from ossicle.evaluation.ground_truth import Times, Truth, event_times, read_tracks, read_truth
from ossicle.evaluation.score_items import recording_items
from ossicle.inference.event_tables import events_of
from ossicle.metrics.calibrating import NONE
from ossicle.metrics.event_report import EventReport
from ossicle.metrics.events import evaluate_events
from ossicle.metrics.frame_report import FrameTally
from ossicle.metrics.frames import FrameScores, frames_of
from ossicle.metrics.matching import CollarMatch, Criterion, IouMatch, RecordingMatch
from ossicle.metrics.psds import psds
from ossicle.metrics.psds_settings import PRESETS
from ossicle.metrics.recording_report import RecordingReport, recording_report
from ossicle.metrics.segments import evaluate_segments

STEP_VERSION = 3
SEGMENT_S = 1.0


def run(context: Context) -> None:
    """Write ``metrics.json``: the headline at the top, everything else beside it, each under its protocol's name.

    Under criterion ``recording`` what speaks of times is left out: annotations of whole recordings have none.
    """
    project = context.project.settings
    settings, split = project.evaluation, project.split
    truth = read_truth(context.inputs["corpus"], context.inputs["dataset"])
    events = read_events(context, "events", truth)
    rule = rule_of(settings)
    headline = evaluate(truth, event_times(events), rule, context)
    in_sample = evaluate(truth, event_times(read_events(context, "events_in_sample", truth)), rule, context)
    second = read_json(context.inputs["second_stage"] / VERDICT)
    calibrated = read_json(context.inputs["calibration"] / CALIBRATION)
    write_json(
        context.out / "metrics.json",
        {
            **headline.to_json(),
            "protocol": {
                "scores": "out of fold",
                "decision": "cross-fitted: fitted on the out-of-fold scores of the other folds",
                **({"second_stage": f"{second['kind']}, cross-fitted in the same way"} if second["kept"] else {}),
                **postprocess_key(context.project),
                "criterion": rule_in_words(settings),
                "judged": settings.criterion,
                "group": split.group,
                "folds": len(set(truth.folds.values())),
                "seed": project.training.seed,
            },
            "in_sample": {"why": "the bundle's decision, fitted on these very recordings", **in_sample.to_json()},
            "recordings": recording_figures(truth, context).to_json(),
            **frame_figures(truth, context),
            **({} if calibrated["kind"] == NONE else {"calibration": _without_maps(calibrated)}),
            **({} if second["kind"] == "none" else {"second_stage": second}),
            **(timed(truth, events, rule, context) if isinstance(rule, IouMatch) else {}),
        },
    )


def timed(truth: Truth, events: dict[str, list[Event]], rule: IouMatch, context: Context) -> dict[str, Any]:
    """What is said of events by their times, beside the headline."""
    project, predicted = context.project.settings, event_times(events)
    collar = evaluate(truth, predicted, CollarMatch(collar_s=project.evaluation.collar_s), context)
    return {
        "at_collar": {"collar_s": project.evaluation.collar_s, **collar.to_json()},
        "iou_sweep": sweep(truth, predicted),
        "average_precision": average_precision(truth, events, rule),
        "segments": segments(truth, predicted, context),
        "recall_by_quality": recall_by_quality(truth, predicted, rule),
        "frame_grid": grid_ceiling(truth, project.plan.hop_s, rule, project.training.apart_frames),
    }


def recording_figures(truth: Truth, context: Context) -> RecordingReport:
    """Whether each label is in each recording, by the out-of-fold scores pooled over it."""
    settings = context.project.settings.evaluation
    items = recording_items(truth, context.inputs["scores"], settings.pool, context.project.settings.postprocess)
    groups = [truth.groups[key] for key in truth.ids]
    return recording_report(items, truth.labels, groups, settings.pool, settings.bootstrap, settings.seed)


def _without_maps(calibrated: Mapping[str, Any]) -> dict[str, Any]:
    """What the step ``calibration`` found; the maps themselves stay with it, and in the bundle."""
    return {key: value for key, value in calibrated.items() if key not in ("per_fold", "final")}


def read_events(context: Context, name: str, truth: Truth) -> dict[str, list[Event]]:
    """A table of events of the whole detector, from the step ``second_stage``.

    Without those of labels that their recording may hold or not: they are neither right nor wrong.
    """
    found = events_of(read_table(context.inputs["second_stage"] / f"{name}.parquet"), truth.ids)
    return {key: [one for one in of if (key, one.label) not in truth.unknown] for key, of in found.items()}


def evaluate(truth: Truth, predicted: Times, criterion: Criterion | RecordingMatch, context: Context) -> EventReport:
    """The report of events under a criterion, with the project's resampling."""
    settings = context.project.settings.evaluation
    return evaluate_events(
        truth.references,
        predicted,
        truth.durations_s,
        truth.labels,
        criterion,
        truth.groups,
        n_bootstrap=settings.bootstrap,
        seed=settings.seed,
    )


def segments(truth: Truth, predicted: Times, context: Context) -> dict[str, Any]:
    """The headline's events by segments of a second: how much of the time is right, however it is cut into events."""
    settings = context.project.settings.evaluation
    report = evaluate_segments(
        truth.references,
        predicted,
        truth.durations_s,
        truth.labels,
        truth.groups,
        SEGMENT_S,
        n_bootstrap=settings.bootstrap,
        seed=settings.seed,
    )
    return {"segment_s": SEGMENT_S, **report.to_json()}


def frame_figures(truth: Truth, context: Context) -> dict[str, Any]:
    """What the out-of-fold scores are worth under no decision and under all: frames, and PSDS.

    Each recording's scores come from the model that held out its group; a calibration is that of these models together.
    PSDS is of events by their times: there is none under criterion ``recording``.
    """
    settings, scores = context.project.settings.evaluation, context.inputs["scores"]
    tally, references = FrameTally(truth.labels), truth.references

    def tracks() -> Iterator[tuple[str, FrameScores]]:
        for key in truth.ids:
            track = frames_of(read_tracks(scores, (key,), context.project.settings.postprocess)[key])
            tally.add(track, references[key], [label for label in truth.labels if (key, label) in truth.unknown])
            yield key, track

    found: dict[str, Any] = {}
    if settings.criterion == RECORDING:
        for _ in tracks():
            pass
    else:
        values = psds(tracks(), references, truth.durations_s, truth.labels, tuple(PRESETS.values()))
        found = {"psds": {name: one.to_json() for name, one in zip(PRESETS, values, strict=True)}}
    groups = [truth.groups[key] for key in truth.ids]
    return {"frames": tally.report(groups, settings.bootstrap, settings.seed).to_json(), **found}


STEP = Step(
    name="evaluation",
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
