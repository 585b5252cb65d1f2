"""The second-stage layer: the events of a bundle's second stage at every threshold, and at the bundle's own."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from ossicle.app.project.tables.benchmark import BenchmarkSettings
from ossicle.app.steps.benchmark.folders import EventFolders, decision_folder
from ossicle.app.steps.benchmark.index import BenchmarkTruth
from ossicle.app.steps.benchmark.keys import BUNDLE, reading_key, resolved
from ossicle.app.steps.benchmark.leaderboard import bundle_rows, fitted_rows
from ossicle.app.steps.benchmark.models import Opened
from ossicle.artefacts.typed.scores import BenchmarkScoresFolder
from ossicle.audio.decoding.mono import MonoStream
from ossicle.bundle.manifest import SECOND_STAGE
from ossicle.core.decisions.decision import Decision
from ossicle.core.tracks import Event, ScoreTrack, event_order
from ossicle.evaluation.figures.benchmark import Judging, Row, Tally
from ossicle.evaluation.ground_truth import Times
from ossicle.evaluation.judged_tracks import where_known
from ossicle.inference.decisions.grid import DecisionGrid
from ossicle.inference.decisions.one_decision import found_of
from ossicle.inference.finder import EventFinder
from ossicle.inference.second_stage.file import bundled_second_stage
from ossicle.inference.second_stage.stored_scores import StoredScores

SECOND = "second"
_SECOND: Row = {"layer": SECOND}


def second_digest(opened: Opened) -> str:
    """Return the digest of a reading's second stage; empty without one, or if it was fitted on another plan."""
    return opened.bundle.files[SECOND_STAGE].sha256 if opened.own_plan and SECOND_STAGE in opened.bundle.files else ""


def second_stage_events(
    opened: Opened, paths: Mapping[str, Path], scores: BenchmarkScoresFolder, truth: BenchmarkTruth
) -> dict[str, list[Event]]:
    """Return all candidates of the bundle's second stage with their fused scores, by recording, below thresholds too.

    The stored scores are searched in the same way as in ``ossicle predict``.
    """
    stage = bundled_second_stage(opened.bundle)
    if stage is None:
        raise ValueError(f"{opened.bundle.folder} has no second stage")
    every = replace(
        stage, labels={label: replace(label_stage, threshold=0.0) for label, label_stage in stage.labels.items()}
    )
    events_by_recording = {}
    for key, path in paths.items():
        track = where_known(scores.track(key), truth.known.get(key))
        heard = ScoreTrack(track.labels, np.maximum(track.scores, np.float32(0.0)), track.hop_s, track.duration_s)
        finder = EventFinder(StoredScores(heard, opened.plan), opened.bundle.decisions, second_stage=every)
        stream, events = MonoStream(path, opened.plan.rate, channel=opened.plan.channel), []
        for block in stream:
            events += finder.feed(block)
        events += finder.finish(stream.report.end_s)
        events_by_recording[key] = sorted(events, key=event_order)
    return events_by_recording


def second_layer(
    opened: Opened,
    events: Mapping[str, list[Event]],
    references: Times,
    judging: Judging,
    settings: BenchmarkSettings,
    folders: EventFolders,
    marks: str,
) -> tuple[dict[str, pl.DataFrame], list[Row], dict[str, Row]]:
    """Evaluate both stages together at every threshold and at the bundle's own thresholds.

    Returns
    -------
    tuple[dict[str, polars.DataFrame], list[Row], dict[str, Row]]
        Tables by name, rows of the leaderboard, and the key of each decision by the name of its folder.
    """
    stage = bundled_second_stage(opened.bundle)
    judged = {} if stage is None else {label: label_stage.threshold for label, label_stage in stage.labels.items()}
    criteria = tuple(criterion for _, criterion in judging.criteria)
    tally, bundle_tally, written = Tally(judging), Tally(judging), {}
    for threshold in settings.thresholds:
        events_of_labels = found_of(
            _reaching(events, dict.fromkeys(judged, threshold)), references, judging.labels, criteria
        )
        key = {**reading_key(opened), **_SECOND, "decision": "grid", "threshold": threshold}
        tally.add(key, events_of_labels)
        if threshold in (settings.tables or settings.thresholds):
            name = decision_folder(key, False)
            folders.write(name, events_of_labels, resolved(opened, opened.bundle.decisions, key, judging, marks))
            written[name] = key
    grid = DecisionGrid(on=settings.thresholds, off_ratio=(1.0,), min_length_s=(0.0,), min_gap_s=(0.0,))
    rows = fitted_rows(opened, tally, judging, grid)
    events_of_labels = found_of(_reaching(events, judged), references, judging.labels, criteria)
    shared = set(judged.values())
    each = (shared.pop() if len(shared) == 1 else None, *(judged.get(label) for label in judging.labels))
    key = {**reading_key(opened), **_SECOND, "decision": BUNDLE, "threshold": each}
    tally.add(key, events_of_labels)
    bundle_tally.add(key, events_of_labels)
    name = decision_folder(key, False)
    folders.write(name, events_of_labels, resolved(opened, opened.bundle.decisions, key, judging, marks))
    rows += bundle_rows(
        opened,
        bundle_tally,
        judging,
        {label: Decision(on=threshold, off=threshold) for label, threshold in judged.items()},
    )
    return tally.tables(marks), [{**row, "layer": SECOND} for row in rows], {**written, name: key}


def _reaching(events: Mapping[str, list[Event]], thresholds: Mapping[str, float]) -> dict[str, list[Event]]:
    """Return the events whose score reaches the threshold of their label; other labels keep first-stage events."""
    return {
        key: [event for event in recording_events if event.score >= thresholds.get(event.label, 0.0)]
        for key, recording_events in events.items()
    }
