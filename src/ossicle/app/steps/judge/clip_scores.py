"""Step ``clip_figures``: how well held-out clips are told apart, by clip and not by event. No part of a run.

``ossicle dataset optimism`` asks for it. It is the one figure that every split has: where recordings are held out as a
whole their out-of-fold scores are read, and where single clips were divided the model that learned from train alone
scores the recordings of val and test, of which only those clips are then looked at. It says little of events on whole
tapes, and of a leaky split it is not to be believed: it is there to be laid beside the grouped figure.
"""

import time
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ossicle.app.steps.engine.step import Context, Step
from ossicle.app.steps.train.trained_predictor import trained_predictor
from ossicle.artefacts.blocks import TrackWriter, read_track, track_files
from ossicle.artefacts.files import file_digest, read_json, write_json
from ossicle.artefacts.tables import read_table, write_table
from ossicle.core.digest import digest
from ossicle.core.intervals import as_intervals, overlap
from ossicle.core.records import Annotation, Clip
from ossicle.core.settings import digestible
from ossicle.corpus.clips.dataset_folder import labels_of, model_names
from ossicle.corpus.indexing.index_storage import read_index
from ossicle.corpus.splits.folds import NEVER_HELD_OUT, TEST, SplitSettings
from ossicle.corpus.tables import clips_of
from ossicle.inference.batch import write_scores
from ossicle.inference.track_files import track_path
from ossicle.metrics.clips import ClipFigures, clip_figures, clip_scores

STEP_VERSION = 1
FIGURES = "clip_figures.json"
CLIPS = "clips.parquet"
KEY = ("recording_id", "start_s", "end_s", "role", "clip_label", "label")
"""What tells one row of the table of clips from the next: a clip is there once for each label it is judged by."""
_SCHEMA = {
    "recording_id": pl.String,
    "start_s": pl.Float64,
    "end_s": pl.Float64,
    "role": pl.String,
    "clip_label": pl.String,
    "label": pl.String,
    "fold": pl.Int64,
    "positive": pl.Boolean,
    "score": pl.Float64,
}


def run(context: Context) -> None:
    """Write the scores of the held-out clips and their figures."""
    dataset, split = context.inputs["dataset"], context.project.settings.split
    clips = [one for one in clips_of(read_table(dataset / CLIPS)) if one.fold != NEVER_HELD_OUT]
    if split.leaky:
        tracks = _score(context, sorted({one.recording_id for one in clips}))
    else:
        whole = set(read_table(dataset / "folds.parquet")["recording_id"].to_list())
        clips = [one for one in clips if one.recording_id in whole]
        tracks = context.inputs["scores"]
    index, labels = read_index(context.inputs["corpus"]), labels_of(dataset)
    rows = list(clip_rows(clips, labels, index.annotations, tracks))
    table = pl.DataFrame(rows, schema=_SCHEMA)
    write_table(context.out / CLIPS, table, list(KEY))
    told = read_json(dataset / "split.json")
    judged = judged_folds(split, table)
    write_json(
        context.out / FIGURES,
        {
            "strategy": told["strategy"],
            "leaky": told["leaky"],
            "group": split.group,
            "scores": "highest frame score in the clip, by a model that did not learn from it",
            "decision": "best F1 on val" if split.holds_out_once else "best F1 on the clips of the other folds",
            "labels": {label: one.to_json() for label, one in figures_of(table, labels, judged).items()},
        },
    )


def clip_rows(
    clips: Collection[Clip], labels: Collection[str], annotations: Collection[Annotation], tracks: Path
) -> Iterator[dict[str, Any]]:
    """One row for each clip and label: whether the clip is the label's, and its score.

    A target of another label that an annotation of this one touches is neither, and gives no row.
    """
    by_recording: dict[str, list[Clip]] = {}
    for clip in clips:
        by_recording.setdefault(clip.recording_id, []).append(clip)
    notes: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for note in annotations:
        notes.setdefault((note.recording_id, note.label), []).append((note.start_s, note.end_s))
    for key, mine in sorted(by_recording.items()):
        track = read_track(track_path(tracks, key))
        spans = as_intervals([(one.start_s, one.end_s) for one in mine])
        scores = clip_scores(track, spans)
        for column, label in enumerate(track.labels):
            if label not in labels:
                continue
            shared_s = overlap(spans, as_intervals(notes.get((key, label), []))).sum(axis=1)
            for row, clip in enumerate(mine):
                positive = clip.role == "target" and clip.label == label
                if shared_s[row] > 0 and not positive:
                    continue
                told = {name: getattr(clip, name) for name in ("recording_id", "start_s", "end_s", "role", "fold")}
                score = float(scores[row, column])
                yield {**told, "clip_label": clip.label, "label": label, "positive": positive, "score": score}


def judged_folds(split: SplitSettings, table: pl.DataFrame) -> list[int]:
    """The folds that figures are of: test alone where val is there to choose the threshold."""
    return [TEST] if split.holds_out_once else sorted(set(table["fold"].to_list()))


def figures_of(table: pl.DataFrame, labels: Collection[str], judged: Collection[int]) -> dict[str, ClipFigures]:
    """The figures of each label, from the table of clips."""
    return {label: clip_figures(*columns(table.filter(pl.col("label") == label)), judged) for label in labels}


def columns(table: pl.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.int64]]:
    """Scores, truth and folds of the rows (n,)."""
    return (
        table["score"].to_numpy().astype(np.float64),
        table["positive"].to_numpy().astype(np.bool_),
        table["fold"].to_numpy().astype(np.int64),
    )


def _score(context: Context, keys: Collection[str]) -> Path:
    """Score tracks of recordings by the model that learned from train alone; gives the folder that holds them."""
    predictor = trained_predictor(context, model_names(context.inputs["dataset"])[TEST])
    recordings = {one.id: one for one in read_index(context.inputs["corpus"]).recordings}
    for done, key in enumerate(keys, start=1):
        began, path = time.monotonic(), track_path(context.out, key)
        record = context.journal.done(key)
        reused = record is not None and record["digest"] == _digest(path)
        if not reused:
            with TrackWriter(path, predictor.labels, predictor.plan.hop_s) as writer:
                write_scores(context.project.audio_folder / recordings[key].path, predictor, writer)
            context.journal.mark(key, digest=_digest(path))
        context.log.unit("clip_figures", key, "reused" if reused else "computed", time.monotonic() - began)
        context.progress.advance(done, len(keys), "recordings")
    return context.out


def _digest(track: Path) -> str:
    files = track_files(track)
    return digest([file_digest(file) for file in files]) if all(file.exists() for file in files) else ""


def step_for(split: SplitSettings) -> Step:
    """The step for a split: what it reads depends on whether recordings are held out as a whole."""
    return Step(
        name="clip_figures",
        version=STEP_VERSION,
        needs=("corpus", "dataset", "training") if split.leaky else ("corpus", "dataset", "scores"),
        settings=lambda project: {
            "plan": digestible(project.settings.plan),
            "threads": project.settings.training.threads,
        },
        run=run,
    )
