"""Step ``benchmark-decisions``: the scores of one reading under every decision and threshold of the grid."""

from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np
import polars as pl

from ossicle.app.project.benchmark import BenchmarkSettings
from ossicle.app.steps.benchmark.figures import Judging, Row, Tally, counted, estimates, frame
from ossicle.app.steps.benchmark.folders import EventFolders, decision_folder
from ossicle.app.steps.benchmark.index import NAME as INDEX
from ossicle.app.steps.benchmark.index import BenchmarkTruth, read_benchmark
from ossicle.app.steps.benchmark.models import Opened
from ossicle.app.steps.benchmark.scores import NAME as SCORES
from ossicle.app.steps.benchmark.scores import left_out_of
from ossicle.app.steps.scores import track_path
from ossicle.app.steps.step import Context, Step
from ossicle.artefacts.blocks import read_track
from ossicle.artefacts.tables import write_table
from ossicle.core.decision import Decision
from ossicle.core.errors import UsageError
from ossicle.core.intervals import Intervals
from ossicle.core.settings import digestible
from ossicle.core.tracks import ScoreTrack, rasterise
from ossicle.inference.decided import found_by_decisions
from ossicle.inference.fit import cross_fit
from ossicle.inference.grid import DecisionGrid, found_by_grid
from ossicle.metrics.sweep import sweep_rates

STEP_VERSION = 2
NAME = "benchmark-decisions"
EVENTS = "events"
CROSS_FITTED, IN_SAMPLE, BUNDLE = "cross-fitted", "in-sample", "bundle"
# A score that no threshold reaches: what a model scores a label that it does not know.
_NEVER = np.float32(-1.0)


def decisions_step(opened: Opened, overlap: str) -> Step:
    """The step that decides and judges one reading; ``overlap`` is what to mark of the benchmark's corpus."""
    marks = all_marks(opened, overlap)
    return Step(
        name=NAME,
        version=STEP_VERSION,
        needs=(INDEX, SCORES),
        settings=lambda project: {
            "benchmark": shaping(project.settings.benchmark),
            "labels": project.settings.benchmark.corpus(project.settings.corpus).labels,
            "model": opened.reading.model.name,
            "reading": opened.reading.window_name,
            "identity": opened.identity,
            "plan": digestible(opened.plan),
            "decisions": {label: asdict(one) for label, one in opened.bundle.decisions.items()},
            "marks": marks,
        },
        run=partial(run, opened, marks),
    )


def all_marks(opened: Opened, overlap: str) -> str:
    """What every table says of a reading: an overlap of the corpora, and a model of a split that leaks."""
    leaky = opened.bundle.split.get("leaky")
    return "; ".join(
        one for one in (overlap, leaky if isinstance(leaky, str) else "leaky split" if leaky else "") if one
    )


def shaping(settings: BenchmarkSettings) -> dict[str, Any]:
    """The settings that figures and events follow from, beside the scores; which tables are laid out is one of them."""
    names = ("thresholds", "off_ratio", "median_s", "ema_s", "min_length_s", "min_gap_s", "ious", "collars_s")
    more = ("tape", "tables", "bootstrap", "seed")
    return {name: getattr(settings, name) for name in (*names, *more)}


def run(opened: Opened, marks: str, context: Context) -> None:
    """Write the tables of figures, and below ``events`` a folder for each decision whose threshold is laid out."""
    settings = context.project.settings.benchmark
    scores = context.inputs[SCORES]
    truth = read_benchmark(context.inputs[INDEX], settings.tape).without(left_out_of(scores))
    labels = judged_labels(truth, opened, context.project.settings.benchmark.labels)
    judging = _judging(truth, labels, settings)
    tracks = {
        key: _where_known(_with_labels(read_track(track_path(scores, key)), labels), truth.known.get(key))
        for key in truth.ids
    }
    references, grid = truth.references(labels), settings.grid(opened.plan.hop_s)
    criteria = tuple(criterion for _, criterion in judging.criteria)
    several = len(grid.decisions()) > grid.n_on
    recordings = [truth.recordings[key] for key in truth.ids]
    folders = EventFolders(context.out / EVENTS, recordings, judging.tapes, labels, opened.bundle.front.fmax_hz)
    tally, written = Tally(judging), {}
    decisions = grid.decisions()
    for done, (decision, found) in enumerate(
        zip(decisions, found_by_grid(tracks, references, grid, labels, criteria), strict=True), start=1
    ):
        key = {**_reading_key(opened), **_decision_key(decision, grid, opened.plan.hop_s)}
        tally.add(key, found)
        if decision.on in (settings.tables or settings.thresholds):
            name = decision_folder(key, several)
            folders.write(name, found, _resolved(opened, dict.fromkeys(labels, decision), key, judging, marks))
            written[name] = key
        context.progress.advance(done, len(decisions), f"decisions, {opened.reading.name}")
    fitted = _leaderboard(opened, tally, judging, grid)
    if opened.own_plan:
        own = {label: opened.bundle.decisions.get(label, Decision(on=1.0, off=1.0)) for label in labels}
        everything = {**{label: Decision(on=1.0, off=1.0) for label in opened.bundle.labels}, **own}
        found = found_by_decisions(tracks, references, everything, labels, criteria)
        bundled = Tally(judging)
        key = {**_reading_key(opened), **_bundle_key(own, labels, opened.plan.hop_s)}
        tally.add(key, found)
        bundled.add(key, found)
        folders.write(BUNDLE, found, _resolved(opened, own, key, judging, marks))
        written[BUNDLE] = key
        fitted += _bundle_rows(opened, bundled, judging, own)
    tables = tally.tables(marks)
    for name, key in written.items():
        folders.write_metrics(name, _rows_of(tables["metrics"], key))
    for name, rows in (*tables.items(), ("leaderboard", frame("leaderboard", fitted, marks))):
        write_table(context.out / f"{name}.parquet", rows, [])


def judged_labels(truth: BenchmarkTruth, opened: Opened, wanted: tuple[str, ...]) -> tuple[str, ...]:
    """The labels that are judged: those annotated, for every model alike; UsageError where it knows none of them."""
    labels = wanted or truth.labels
    if not set(labels) & set(opened.bundle.labels):
        raise UsageError(
            f"{opened.reading.model.name} knows {', '.join(opened.bundle.labels)}, and the benchmark's annotations "
            f"hold {', '.join(labels) or 'no label'}: none is the same; name the labels to judge in "
            "[benchmark] labels, or rename them in the tables (default_label in [corpus] names rows that have none)"
        )
    return labels


def _judging(truth: BenchmarkTruth, labels: tuple[str, ...], settings: BenchmarkSettings) -> Judging:
    return Judging(
        labels=labels,
        criteria=settings.criteria,
        tapes=tuple(truth.tapes[key] for key in truth.ids),
        seconds=np.array([truth.seconds(key) for key in truth.ids]),
        qualities={
            label: [
                "unknown" if note.quality is None else str(note.quality)
                for key in truth.ids
                for note in truth.notes(key, label)
            ]
            for label in labels
        },
        n_bootstrap=settings.bootstrap,
        seed=settings.seed,
    )


def _with_labels(track: ScoreTrack, labels: tuple[str, ...]) -> ScoreTrack:
    """The track, its judged labels complete: what a model does not know it never finds."""
    missing = [label for label in labels if label not in track.labels]
    if not missing:
        return track
    never = np.full((len(track.scores), len(missing)), _NEVER, dtype=np.float32)
    scores = np.concatenate([track.scores, never], axis=1)
    return ScoreTrack((*track.labels, *missing), scores, track.hop_s, track.duration_s)


def _where_known(track: ScoreTrack, known: Intervals | None) -> ScoreTrack:
    """The track, nothing being found where nobody looked: whether an event is right there is not known."""
    if known is None:
        return track
    scores = np.array(track.scores)
    scores[rasterise(known, len(scores), track.hop_s) < 1.0] = _NEVER
    return ScoreTrack(track.labels, scores, track.hop_s, track.duration_s)


def _reading_key(opened: Opened) -> Row:
    plan = opened.plan
    return {
        "model": opened.reading.model.name,
        "reading": opened.reading.window_name,
        "window_s": plan.window_samples / plan.rate if opened.reading.model.windowed else None,
        "step_s": plan.hop_s,
    }


def _decision_key(decision: Decision, grid: DecisionGrid, hop_s: float) -> Row:
    # The share as it was asked for: off / on has other last digits.
    ratio = min(grid.off_ratio, key=lambda one: abs(one * decision.on - decision.off)) if decision.on else 1.0
    return {
        "decision": "grid",
        "smoothing": decision.smoothing,
        "smoothing_s": 0.0 if decision.smoothing == "none" else decision.smoothing_frames * hop_s,
        "off_ratio": ratio,
        "min_length_s": decision.min_length_s,
        "min_gap_s": decision.min_gap_s,
        "threshold": decision.on,
    }


def _bundle_key(decisions: Mapping[str, Decision], labels: tuple[str, ...], hop_s: float) -> Row:
    """The bundle's decision of each label; for all together only what they share."""
    each = [
        {
            "smoothing": one.smoothing,
            "smoothing_s": 0.0 if one.smoothing == "none" else one.smoothing_frames * hop_s,
            "off_ratio": one.off / one.on if one.on else 1.0,
            "min_length_s": one.min_length_s,
            "min_gap_s": one.min_gap_s,
            "threshold": one.on,
        }
        for one in (decisions[label] for label in labels)
    ]
    return {
        "decision": BUNDLE,
        **{
            name: (each[0][name] if len({one[name] for one in each}) == 1 else None, *(one[name] for one in each))
            for name in each[0]
        },
    }


def _leaderboard(opened: Opened, tally: Tally, judging: Judging, grid: DecisionGrid) -> list[Row]:
    """What the thresholds of the grid come to: cross-fitted over tapes, and the best in-sample."""
    tapes = sorted(set(judging.tapes))
    place = {tape: number for number, tape in enumerate(tapes)}
    rows: list[Row] = []
    for number, (criterion, _) in enumerate(judging.criteria):
        counts = tally.counts(number)
        if len(tapes) > 1:
            fitted = cross_fit(counts.astype(np.int32), [place[one] for one in judging.tapes], judging.labels, grid)
            words = _words({label: [of[label] for of in fitted.per_fold.values()] for label in judging.labels})
            rows.append(_board_row(opened, CROSS_FITTED, criterion, fitted.held_out, judging, words))
            words = _words({label: [one] for label, one in fitted.final.items()})
            rows.append(_board_row(opened, IN_SAMPLE, criterion, fitted.in_sample, judging, words))
    return rows


def _bundle_rows(opened: Opened, tally: Tally, judging: Judging, own: Mapping[str, Decision]) -> list[Row]:
    words = _words({label: [one] for label, one in own.items()})
    return [
        _board_row(opened, BUNDLE, criterion, tally.counts(number)[0], judging, words)
        for number, (criterion, _) in enumerate(judging.criteria)
    ]


def _board_row(opened: Opened, basis: str, criterion: str, counts: Any, judging: Judging, words: str) -> Row:
    rates = sweep_rates(counts[None].astype(np.int64), judging.tapes, judging.n_bootstrap, judging.seed)
    return {
        **_reading_key(opened),
        "basis": basis,
        "criterion": criterion,
        **estimates(rates.value[0, 0], rates.low[0, 0], rates.high[0, 0]),
        **counted(counts.sum(axis=(0, 1)), judging.hours),
        "decisions": words,
        "tapes": len(set(judging.tapes)),
        "interval": rates.method,
    }


def _words(decisions: Mapping[str, list[Decision]]) -> str:
    """Thresholds in words, the least and the greatest of each label's."""
    out = []
    for label, of in decisions.items():
        low, high = min(one.on for one in of), max(one.on for one in of)
        out.append(f"{label} {low:g}" + (f" to {high:g}" if high > low else ""))
    return ", ".join(out)


def _resolved(
    opened: Opened, decisions: Mapping[str, Decision], key: Row, judging: Judging, marks: str
) -> dict[str, Any]:
    """What a folder's events were made with, nothing left to defaults."""
    return {
        "model": opened.reading.model.name,
        "bundle": opened.bundle.name,
        "identity": opened.identity,
        "runtime": opened.runtime,
        "reading": opened.reading.window_name,
        "plan": asdict(opened.plan),
        "frontend": asdict(opened.bundle.front),
        "decisions": {label: asdict(one) for label, one in decisions.items()},
        "columns": {name: value[0] if isinstance(value, tuple) else value for name, value in key.items()},
        "criteria": [name for name, _ in judging.criteria],
        "split": dict(opened.bundle.split),
        "marks": marks,
    }


def _rows_of(metrics: pl.DataFrame, key: Row) -> pl.DataFrame:
    if key["decision"] == BUNDLE:
        return metrics.filter(pl.col("decision") == BUNDLE)
    kept = metrics.filter(pl.col("decision") == key["decision"])
    for name, value in key.items():
        if value is not None:
            kept = kept.filter(pl.col(name) == value)
    return kept
