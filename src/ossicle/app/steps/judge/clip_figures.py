"""Step ``clip_figures``: how well held-out clips are classified, by clip and not by event. Not part of a run.

``ossicle dataset optimism`` runs it. This is the one figure that every split has. If recordings are held out as a
whole, their out-of-fold scores are read. If single clips were divided, the model trained on train alone scores the
recordings of val and test, and only the clips of val and test are evaluated. The figure says little about events in
whole tapes, and that of a leaky split is not reliable: it is meant for comparison with the grouped figure.
"""

import time
from collections.abc import Collection

import polars as pl

from ossicle.app.steps.engine.step import Context, Step
from ossicle.app.steps.train.trained_predictor import trained_predictor
from ossicle.artefacts.array_files.blocks import TrackWriter
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.artefacts.typed.judged import ClipFiguresFolder
from ossicle.artefacts.typed.scores import ScoresFolder, TracksFolder
from ossicle.core.settings import digestible
from ossicle.corpus.indexing.index_storage import read_index
from ossicle.corpus.splits.folds import SplitSettings
from ossicle.corpus.splits.split_kinds import NEVER_HELD_OUT, TEST
from ossicle.evaluation.figures.clips import clip_figures_json, clip_rows
from ossicle.inference.batch import write_scores

STEP_VERSION = 2


def run(context: Context) -> None:
    """Write the scores of the held-out clips and their figures."""
    dataset, split = context.read(DatasetFolder), context.project.settings.split
    clips = [clip for clip in dataset.clips if clip.fold != NEVER_HELD_OUT]
    tracks: TracksFolder
    if not split.kind.judges_recordings:
        tracks = _score(context, sorted({clip.recording_id for clip in clips}))
    else:
        whole = set(dataset.folds["recording_id"].to_list())
        clips = [clip for clip in clips if clip.recording_id in whole]
        tracks = context.read(ScoresFolder)
    index, labels, output = read_index(context.read(CorpusFolder)), dataset.labels, context.own(ClipFiguresFolder)
    rows = list(clip_rows(clips, labels, index.annotations, tracks))
    table = pl.DataFrame(rows, schema=output.CLIP_SCHEMA)
    output.write_clips(table)
    output.write_figures(clip_figures_json(table, labels, split, dataset.split))


def _score(context: Context, keys: Collection[str]) -> ClipFiguresFolder:
    """Score recordings with the model trained on train alone, and return the folder of their tracks."""
    predictor = trained_predictor(context, context.read(DatasetFolder).models_by_fold[TEST])
    recordings = {recording.id: recording for recording in read_index(context.read(CorpusFolder)).recordings}
    output = context.own(ClipFiguresFolder)
    for done, key in enumerate(keys, start=1):
        began, record = time.monotonic(), context.journal.done(key)
        reused = record is not None and record["digest"] == output.track_digest(key)
        if not reused:
            with TrackWriter(output.track_path(key), predictor.labels, predictor.plan.hop_s) as writer:
                write_scores(context.project.roots.file(recordings[key]), predictor, writer)
            context.journal.mark(key, digest=output.track_digest(key))
        context.log.work_unit("clip_figures", key, "reused" if reused else "computed", time.monotonic() - began)
        context.progress.advance(done, len(keys), "recordings")
    return output


def step_for(split: SplitSettings) -> Step:
    """Return the step for a split: what it reads depends on whether recordings are held out as a whole."""
    return Step(
        name=ClipFiguresFolder.step,
        version=STEP_VERSION,
        needs=("corpus", "dataset", "scores" if split.kind.judges_recordings else "training"),
        settings=lambda project: {
            "plan": digestible(project.settings.plan),
            "threads": project.settings.training.threads,
        },
        run=run,
    )
