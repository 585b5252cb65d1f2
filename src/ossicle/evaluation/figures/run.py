"""The content of ``metrics.json``: the headline at the top, everything else beside it under its protocol's name."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ossicle.core.columns.event_columns import EventColumns
from ossicle.core.tracks import Event
from ossicle.evaluation.clips.baselines import baseline_figures
from ossicle.evaluation.clips.figures import clip_figures
from ossicle.evaluation.criteria.criterion import Criterion, JudgedRun
from ossicle.evaluation.figures.event_reports import event_report
from ossicle.evaluation.figures.recordings import recording_figures
from ossicle.evaluation.figures.scores import score_figures
from ossicle.evaluation.ground_truth import Truth, event_times
from ossicle.evaluation.notes.judging import judging_notes, notes_in_words
from ossicle.evaluation.settings import EvaluationSettings
from ossicle.metrics.calibration.out_of_fold import NONE
from ossicle.metrics.reports.event_report import EventReport


def known_events(truth: Truth, events: Mapping[str, Sequence[Event]]) -> EventColumns:
    """Return the events without those of labels whose presence in the recording is unknown: these are neither right nor
    wrong.
    """
    event_columns = EventColumns.of(events)
    known = np.ones((len(event_columns.recording_ids), len(event_columns.labels)), dtype=np.bool_)
    rows, columns = (
        {name: index for index, name in enumerate(names)}
        for names in (event_columns.recording_ids, event_columns.labels)
    )
    for key, label in truth.unknown:
        if key in rows and label in columns:
            known[rows[key], columns[label]] = False
    return event_columns.where(known[event_columns.recordings, event_columns.codes])


def headline(run: JudgedRun, criterion: Criterion) -> EventReport:
    """Return the report of the held-out events."""
    return event_report(run.truth, event_times(run.events), criterion.rule, criterion.settings)


def run_figures(
    run: JudgedRun,
    in_sample: Mapping[str, Sequence[Event]],
    criterion: Criterion,
    *,
    group: str,
    seed: int,
    postprocess: Mapping[str, Any],
    second: Mapping[str, Any],
    calibrated: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the figures of a run as plain values.

    Parameters
    ----------
    run
        The held-out events and scores with their truth.
    in_sample
        Events under the bundle's decision, which was fitted on these very recordings.
    criterion
        What is judged; figures of times are left out where it has none.
    group, seed
        Field that no fold cuts, and seed of the training.
    postprocess
        What the protocol says of post-processing; empty where there is none.
    second, calibrated
        What the steps ``second_stage`` and ``calibration`` found, as they wrote it.
    """
    settings, truth = criterion.settings, run.truth
    bundled = event_report(truth, event_times(in_sample), criterion.rule, settings)
    figures, notes = headline(run, criterion).to_json(), judging_notes(truth, timed=criterion.kind.timed)
    for label, label_notes in notes.items():
        figures["per_label"][label]["notes"] = list(label_notes)
    return {
        **figures,
        "notes": notes_in_words(notes),
        "protocol": {
            "scores": "out of fold",
            "decision": "cross-fitted: fitted on the out-of-fold scores of the other folds",
            **({"second_stage": f"{second['kind']}, cross-fitted in the same way"} if second["kept"] else {}),
            **postprocess,
            "criterion": criterion.in_words,
            "judged": criterion.kind.name,
            "group": group,
            "folds": len(set(truth.folds.values())),
            "seed": seed,
        },
        "in_sample": {"why": "the bundle's decision, fitted on these very recordings", **bundled.to_json()},
        "recordings": recording_figures(truth, run.scores, run.postprocess, settings).to_json(),
        **score_figures(truth, run.scores, run.postprocess, settings),
        **({} if calibrated["kind"] == NONE else {"calibration": _without_maps(calibrated)}),
        **({} if second["kind"] == NONE else {"second_stage": second}),
        **criterion.figures(run),
        **_clips(run, settings),
    }


def _clips(run: JudgedRun, settings: EvaluationSettings) -> dict[str, Any]:
    """Return ``clips``, with the figures of simple models beside them; nothing where no clips are judged."""
    if run.clips is None:
        return {}
    figures = clip_figures(run.clips, run.held_out_clips or run.clips, settings)
    simple = {} if run.simple_scores is None else baseline_figures(run.clips, run.simple_scores, settings)
    return {"clips": {**figures, **({"baselines": simple} if simple else {})}}


def _without_maps(calibrated: Mapping[str, Any]) -> dict[str, Any]:
    """What the step ``calibration`` found; the maps themselves stay with it, and in the bundle."""
    return {key: value for key, value in calibrated.items() if key not in ("per_fold", "final")}
