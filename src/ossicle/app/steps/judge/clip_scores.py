"""Step ``clip_figures``: how well held-out clips are told apart, by clip and not by event. No part of a run.

``ossicle dataset optimism`` asks for it. It is the one figure that every split has: where recordings are held out as a
whole their out-of-fold scores are read, and where single clips were divided the model that learned from train alone
scores the recordings of val and test, of which only those clips are then looked at. It says little of events on whole
tapes, and of a leaky split it is not to be believed: it is there to be laid beside the grouped figure.
"""

import time
from collections.abc import Collection
from pathlib import Path

import polars as pl

from ossicle.app.steps.engine.step import Context, Step
from ossicle.app.steps.train.trained_predictor import trained_predictor
from ossicle.artefacts.blocks import TrackWriter, track_files
from ossicle.artefacts.files import file_digest, read_json, write_json
from ossicle.artefacts.tables import read_table, write_table
from ossicle.core.digest import digest
from ossicle.core.settings import digestible
from ossicle.corpus.clips.dataset_folder import labels_of, model_names
from ossicle.corpus.indexing.index_storage import read_index
from ossicle.corpus.splits.folds import NEVER_HELD_OUT, TEST, SplitSettings
from ossicle.corpus.tables import clips_of
from ossicle.evaluation.clip_figures import clip_rows, figures_of, judged_folds
from ossicle.inference.batch import write_scores
from ossicle.inference.track_files import track_path

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
        context.log.work_unit("clip_figures", key, "reused" if reused else "computed", time.monotonic() - began)
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
