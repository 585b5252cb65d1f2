"""Step ``benchmark-decisions``: apply every decision and threshold of the grid to the scores of one reading."""

from functools import partial
from typing import Any

import polars as pl

from ossicle.app.project.tables.benchmark import BenchmarkSettings
from ossicle.app.steps.benchmark.folders import EventFolders, decision_folder
from ossicle.app.steps.benchmark.index import NAME as INDEX
from ossicle.app.steps.benchmark.index import benchmark_view, read_benchmark
from ossicle.app.steps.benchmark.judged import judged_labels, judging_of
from ossicle.app.steps.benchmark.keys import BUNDLE, bundle_key, decision_key, reading_key, resolved
from ossicle.app.steps.benchmark.leaderboard import bundle_rows, fitted_rows
from ossicle.app.steps.benchmark.models import Opened
from ossicle.app.steps.benchmark.scores import NAME as SCORES
from ossicle.app.steps.benchmark.second_layer import second_digest, second_layer, second_stage_events
from ossicle.app.steps.engine.step import Context, Step
from ossicle.artefacts.typed.benchmark import BenchmarkDecisionsFolder
from ossicle.artefacts.typed.index import BenchmarkIndexFolder
from ossicle.artefacts.typed.scores import BenchmarkScoresFolder
from ossicle.core.decisions.decision import Decision
from ossicle.core.settings import digestible
from ossicle.evaluation.figures.benchmark import Row, Tally, frame, in_order
from ossicle.evaluation.judged_tracks import where_known, with_labels
from ossicle.inference.decisions.grid import found_by_grid
from ossicle.inference.decisions.one_decision import found_by_decisions
from ossicle.inference.postprocess import postprocessed

STEP_VERSION = 2
NAME = BenchmarkDecisionsFolder.step


def decisions_step(opened: Opened, overlap: str) -> Step:
    """Return the step that decides and evaluates one reading.

    Parameters
    ----------
    opened
        The reading with its bundle.
    overlap
        The marks for a benchmark corpus that shares recordings with training, and for labels that the model does not
        know; empty without any.
    """
    marks = all_marks(opened, overlap)
    postprocess = opened.bundle.postprocess
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
            "second_stage": second_digest(opened),
            "decisions": {label: decision.to_plain() for label, decision in opened.bundle.decisions.items()},
            "marks": marks,
            **({} if postprocess.does_nothing else {"postprocess": digestible(postprocess)}),
        },
        run=partial(run, opened, marks),
    )


def all_marks(opened: Opened, overlap: str) -> str:
    """Return every mark of a reading: overlapping corpora, a leaky split, a refusal by the noise gate."""
    leaky = opened.bundle.split.get("leaky")
    refused = opened.bundle.metrics.get("gate") == "refused"
    marks = (
        overlap,
        leaky if isinstance(leaky, str) else "leaky split" if leaky else "",
        "refused by the noise gate" if refused else "",
    )
    return "; ".join(mark for mark in marks if mark)


def shaping(settings: BenchmarkSettings) -> dict[str, Any]:
    """Return the settings that shape figures and events besides the scores, including which tables are written."""
    names = ("thresholds", "off_ratio", "median_s", "ema_s", "min_length_s", "min_gap_s", "ious", "collars_s")
    more = ("tape", "tables", "bootstrap", "seed")
    return {name: getattr(settings, name) for name in (*names, *more)}


def run(opened: Opened, marks: str, context: Context) -> None:
    """Write the tables of figures, and below ``events`` one folder for each decision whose threshold is selected."""
    settings = context.project.settings.benchmark
    scores, output = context.read(BenchmarkScoresFolder), context.own(BenchmarkDecisionsFolder)
    truth = read_benchmark(context.read(BenchmarkIndexFolder), settings.tape).without(scores.left_out)
    labels = judged_labels(truth, opened, context.project.settings.benchmark.labels)
    judging = judging_of(truth, labels, settings)
    postprocess = opened.bundle.postprocess
    tracks = {
        key: where_known(with_labels(postprocessed(scores.track(key), postprocess), labels), truth.known.get(key))
        for key in truth.ids
    }
    references, grid = truth.references(labels), settings.grid(opened.plan.hop_s)
    criteria = tuple(criterion for _, criterion in judging.criteria)
    several = len(grid.decisions()) > grid.n_on
    recordings = [truth.recordings[key] for key in truth.ids]
    folders = EventFolders(output.events, recordings, judging.tapes, labels, opened.bundle.front.fmax_hz)
    tally, written = Tally(judging), {}
    decisions = grid.decisions()
    for done, (decision, events_of_labels) in enumerate(
        zip(decisions, found_by_grid(tracks, references, grid, labels, criteria), strict=True), start=1
    ):
        key = {**reading_key(opened), **decision_key(decision, grid, opened.plan.hop_s)}
        tally.add(key, events_of_labels)
        if decision.on in (settings.tables or settings.thresholds):
            name = decision_folder(key, several)
            folders.write(
                name, events_of_labels, resolved(opened, dict.fromkeys(labels, decision), key, judging, marks)
            )
            written[name] = key
        context.progress.advance(done, len(decisions), f"decisions, {opened.reading.name}")
    fitted = fitted_rows(opened, tally, judging, grid)
    if opened.own_plan:
        decided = {label: opened.bundle.decisions.get(label, Decision(on=1.0, off=1.0)) for label in labels}
        everything = {**{label: Decision(on=1.0, off=1.0) for label in opened.bundle.labels}, **decided}
        events_of_labels = found_by_decisions(tracks, references, everything, labels, criteria)
        bundled = Tally(judging)
        key = {**reading_key(opened), **bundle_key(decided, labels, opened.plan.hop_s)}
        tally.add(key, events_of_labels)
        bundled.add(key, events_of_labels)
        folders.write(BUNDLE, events_of_labels, resolved(opened, decided, key, judging, marks))
        written[BUNDLE] = key
        fitted += bundle_rows(opened, bundled, judging, decided)
    tables = tally.tables(marks)
    if second_digest(opened):
        view = benchmark_view(context.project).audio_folder
        events = second_stage_events(
            opened, {key: view / truth.recordings[key].path for key in truth.ids}, scores, truth
        )
        more, rows, keys = second_layer(opened, events, references, judging, settings, folders, marks)
        tables = {name: in_order(name, pl.concat([first_table, more[name]])) for name, first_table in tables.items()}
        fitted, written = fitted + rows, {**written, **keys}
    for name, key in written.items():
        folders.write_metrics(name, _rows_of(tables["metrics"], key))
    for name, table in (*tables.items(), ("leaderboard", frame("leaderboard", fitted, marks))):
        output.write_table(name, table)


def _rows_of(metrics: pl.DataFrame, key: Row) -> pl.DataFrame:
    matching = metrics.filter(pl.col("decision") == key["decision"], pl.col("layer") == key.get("layer", "first"))
    if key["decision"] == BUNDLE:
        return matching
    for name, value in key.items():
        if value is not None:
            matching = matching.filter(pl.col(name) == value)
    return matching
