"""Step ``clip_scores``: score every held-out hit in a window at its onset, with the model that held out its group.

Only projects whose criterion judges clips have this step. A hit that fills its file has the pooled score of the file,
which the step ``scores`` computed. A frame-wise network gives a hit the scores of its frames in that recording.
"""

import time
from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ossicle.app.project.load import Project
from ossicle.app.steps.engine.fingerprint_keys import postprocess_key, slice_key
from ossicle.app.steps.engine.step import LOCK_WAIT_S, Context, Step, WorkUnits, work_unit_journal
from ossicle.app.steps.train import clip_baselines as baselines
from ossicle.app.steps.train.trained_predictor import trained_predictor
from ossicle.artefacts.locks.lock import work_unit_lock
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.artefacts.typed.scores import ClipScoresFolder, ScoresFolder
from ossicle.audio.decoding.mono import MonoStream
from ossicle.core.records import Recording
from ossicle.core.scores.pooling import pooled
from ossicle.core.settings import digestible
from ossicle.core.time import to_samples
from ossicle.inference.predictor import Predictor
from ossicle.metrics.clips import clip_scores

if TYPE_CHECKING:
    from ossicle.evaluation.clips.held_out import HeldOutClips
    from ossicle.evaluation.ground_truth import Truth

STEP_VERSION = 2
_SAME_END_S = 0.001
"""A hit that ends this close to the end of its recording fills it."""


def run(context: Context) -> None:
    """Write the clips and one table of scores for each recording with a clip."""
    dataset, done = context.read(DatasetFolder), 0
    clips = _clips(context)
    total = len(np.unique(clips.recording))
    for name in dataset.holding_out:
        with work_unit_lock(context.folder, name, LOCK_WAIT_S):
            done += _score_work_unit(context, name, clips, done, total)
    context.own(ClipScoresFolder).write_clips(clips.table())


def _run_one(context: Context, name: str) -> None:
    clips = _clips(context)
    _score_work_unit(context, name, clips, 0, len(_recordings(context, name, clips)))


def _clips(context: Context) -> "HeldOutClips":
    from ossicle.evaluation.clips.held_out import chosen_clips
    from ossicle.evaluation.ground_truth import read_evaluated_truth, read_truth

    settings, corpus, dataset = context.project.settings, context.read(CorpusFolder), context.read(DatasetFolder)
    judged = set(read_evaluated_truth(corpus, dataset).ids)
    return chosen_clips(read_truth(corpus, dataset), judged, settings.dataset, settings.evaluation)


def _recordings(context: Context, name: str, clips: "HeldOutClips") -> list[str]:
    """Return the recordings with clips that the model ``name`` held out, by fold and id."""
    dataset = context.read(DatasetFolder)
    having = {clips.recording_ids[row] for row in np.unique(clips.recording).tolist()}
    held_out = dataset.folds.filter(pl.col("fold").is_in(dataset.models[name])).sort("fold", "recording_id")
    return [key for key in held_out["recording_id"].to_list() if key in having]


def _score_work_unit(context: Context, name: str, clips: "HeldOutClips", before: int, total: int) -> int:
    """Score the clips that the model ``name`` held out and return the number of their recordings.

    ``before`` (recordings scored earlier) and ``total`` are for progress only.
    """
    from ossicle.evaluation.ground_truth import read_truth

    output, truth = context.own(ClipScoresFolder), read_truth(context.read(CorpusFolder), context.read(DatasetFolder))
    keys = _recordings(context, name, clips)
    predictor, journal = trained_predictor(context, name), work_unit_journal(context.folder, name)
    for done, key in enumerate(keys, start=before + 1):
        began, record = time.monotonic(), journal.done(key)
        reused = record is not None and record["digest"] == output.track_digest(key)
        if not reused:
            scores = _scores(context, predictor, truth, key, clips)
            output.write_rows(key, predictor.labels, scores)
            journal.mark(key, digest=output.track_digest(key))
        context.log.work_unit("clip_scores", key, "reused" if reused else "computed", time.monotonic() - began)
        context.progress.advance(done, total, "recordings")
    output.write_done(name, len(keys))
    return len(keys)


def _scores(
    context: Context, predictor: Predictor, truth: "Truth", key: str, clips: "HeldOutClips"
) -> NDArray[np.float32]:
    """Return the scores of the clips of a recording in their order: float32 (n, n_labels)."""
    from ossicle.evaluation.ground_truth import read_tracks

    settings, rows = context.project.settings, clips.rows(key)
    start_s, end_s = clips.start_s[rows], clips.end_s[rows]
    track = read_tracks(context.read(ScoresFolder), (key,), settings.postprocess)[key]
    fills = (start_s <= 0) & (end_s >= truth.durations_s[key] - _SAME_END_S)
    scores = np.zeros((len(start_s), len(predictor.labels)), dtype=np.float32)
    if fills.any():
        scores[fills] = pooled(track, settings.evaluation.pool)
    inside = np.flatnonzero(~fills)
    if len(inside):
        spans = np.stack([start_s[inside], end_s[inside]], axis=1)
        if settings.kind.windows:
            scores[inside] = _in_own_windows(context.project, predictor, truth.recordings[key], spans)
        else:
            scores[inside] = clip_scores(track, spans)
    return scores


def _in_own_windows(
    project: Project, predictor: Predictor, recording: Recording, spans: NDArray[np.float64]
) -> NDArray[np.float32]:
    from ossicle.inference.stretches import score_stretches

    plan = predictor.plan
    starts = np.array([to_samples(seconds, plan.rate) for seconds in spans[:, 0].tolist()], dtype=np.int64)
    lengths = np.array(
        [to_samples(seconds, plan.rate) for seconds in (spans[:, 1] - spans[:, 0]).tolist()], dtype=np.int64
    )
    stream = MonoStream(project.roots.file(recording), plan.rate, channel=plan.channel)
    return score_stretches(stream, predictor, starts, lengths, project.settings.evaluation.pool)


STEP = Step(
    name=ClipScoresFolder.step,
    version=STEP_VERSION,
    needs=("corpus", "dataset", "training", "scores"),
    settings=lambda project: {
        "plan": digestible(project.settings.plan),
        "threads": project.settings.training.threads,
        "window": [project.settings.dataset.before_s, project.settings.dataset.after_s],
        "pool": project.settings.evaluation.pool,
        **slice_key(project),
        **postprocess_key(project),
    },
    run=run,
    work_units=WorkUnits(
        named_by=(DatasetFolder.step,),
        names=lambda inputs: DatasetFolder.among(inputs).holding_out,
        run=_run_one,
        done=lambda folder, name: ClipScoresFolder(folder).is_done(name),
        max_concurrent=15,
    ),
)


def with_clips(steps: tuple[Step, ...], project: Project, scored: str, readers: Collection[str]) -> tuple[Step, ...]:
    """Return the steps of a project: where clips are judged, their steps come after ``scored``.

    Parameters
    ----------
    steps
        The steps of the pipeline.
    project
        The project.
    scored
        The step that scores whole recordings.
    readers
        The steps that judge and show clips, which read these.
    """
    if not project.settings.evaluation.kind.judges_clips:
        return steps
    added = (STEP, baselines.STEP) if project.settings.evaluation.baselines else (STEP,)
    chain: list[Step] = []
    for step in steps:
        needs = (*step.needs, *(clip_step.name for clip_step in added))
        chain.append(replace(step, needs=needs) if step.name in readers else step)
        if step.name == scored:
            chain += added
    return tuple(chain)
