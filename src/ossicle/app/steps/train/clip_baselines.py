"""Step ``clip_baselines``: what the majority label and a forest on MFCCs say of the held-out clips.

Each held-out clip is scored by simple models that were fitted on the clips of the recordings that the network of its
fold learned from. Their figures stand beside those of the network (:mod:`ossicle.evaluation.clips.baselines`).
"""

import time
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ossicle.app.steps.engine.fingerprint_keys import slice_key
from ossicle.app.steps.engine.step import Context, Step
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.artefacts.typed.scores import ClipBaselinesFolder
from ossicle.audio.decoding.mono import MonoStream
from ossicle.audio.decoding.stretches import stretches_of
from ossicle.core.records import Recording
from ossicle.core.settings import digestible
from ossicle.core.time import to_samples
from ossicle.corpus.indexing.index_storage import read_index
from ossicle.corpus.splits.split_kinds import NEVER_HELD_OUT

if TYPE_CHECKING:
    from ossicle.evaluation.clips.held_out import HeldOutClips

STEP_VERSION = 1
MOST_TRAINING_CLIPS = 20_000
"""A forest learns from this many clips at most, the same share of each label."""
_FLOOR = 50
_MOST_S = 1.0
"""Of longer clips the first second is read."""


def run(context: Context) -> None:
    """Write features of clips, and the scores that simple models give to the held-out ones."""
    from ossicle.evaluation.clips.baselines import BASELINES
    from ossicle.evaluation.clips.held_out import chosen_clips, sliced, target_clips
    from ossicle.evaluation.ground_truth import read_evaluated_truth, read_truth

    settings, corpus, dataset = context.project.settings, context.read(CorpusFolder), context.read(DatasetFolder)
    recordings = {recording.id: recording for recording in read_index(corpus).recordings}
    judged = set(read_evaluated_truth(corpus, dataset).ids)
    judged_clips = chosen_clips(read_truth(corpus, dataset), judged, settings.dataset, settings.evaluation)
    every = target_clips(dataset.annotations, recordings, dataset.labels, settings.dataset)
    share = MOST_TRAINING_CLIPS / max(len(every), 1)
    taught = sliced(every, min(share, 1.0), _FLOOR, settings.training.seed)
    needed = _needed(judged_clips, taught)
    features = _features(context, needed, recordings)
    folds = _folds(dataset)
    asked_rows, taught_rows = _places(needed, judged_clips), _places(needed, taught)
    asked_folds, taught_folds = (
        np.array([folds.get(key, NEVER_HELD_OUT) for key in held_out_clips.recording_ids], dtype=np.int64)[
            held_out_clips.recording
        ]
        for held_out_clips in (judged_clips, taught)
    )
    scores = {name: np.zeros((len(judged_clips), len(dataset.labels)), dtype=np.float32) for name in BASELINES}
    for name in dataset.holding_out:
        held = list(dataset.models[name])
        here, learned = np.isin(asked_folds, held), ~np.isin(taught_folds, held)
        scores_by_model = _scored(
            features[taught_rows[learned]],
            taught.label[learned],
            features[asked_rows[here]],
            len(dataset.labels),
            settings.training.seed,
        )
        for model, model_scores in scores_by_model.items():
            scores[model][here] = model_scores
    table = judged_clips.table().select("recording_id", "onset_s", "label")
    context.own(ClipBaselinesFolder).write_scores(
        table.with_columns(
            pl.Series(name, model_scores.tolist(), dtype=pl.List(pl.Float32)) for name, model_scores in scores.items()
        )
    )


def _scored(
    features: NDArray[np.float32],
    labels: NDArray[np.int64],
    judged: NDArray[np.float32],
    n_labels: int,
    seed: int,
) -> dict[str, NDArray[np.float32]]:
    # scikit-learn is an optional extra, needed only where there is something to fit.
    from ossicle.evaluation.clips.baselines import BASELINES
    from ossicle.training.clip_baseline import forest_scores, majority_scores

    majority, forest = BASELINES
    scores = {majority: majority_scores(labels, n_labels, len(judged))}
    # A forest of nothing says what the majority does.
    scores[forest] = forest_scores(features, labels, judged, n_labels, seed) if len(labels) else scores[majority]
    return scores


def _needed(judged_clips: "HeldOutClips", taught: "HeldOutClips") -> "HeldOutClips":
    """Return the clips of both, each once, over the recordings of ``taught``, which has all."""
    from ossicle.evaluation.clips.held_out import HeldOutClips

    both = pl.concat([judged_clips.table(), taught.table()]).unique(maintain_order=True)
    ids = taught.recording_ids
    return HeldOutClips.from_table(both.sort("recording_id", "onset_s", "label"), ids, taught.labels)


def _places(needed: "HeldOutClips", some: "HeldOutClips") -> NDArray[np.int64]:
    """Return the row in ``needed`` of each of ``some``."""
    key = ["recording_id", "onset_s", "label"]
    rows = needed.table().select(key).with_row_index("row")
    return some.table().select(key).join(rows, on=key, how="left", maintain_order="left")["row"].to_numpy()


def _folds(dataset: DatasetFolder) -> dict[str, int]:
    """Return the fold of each recording with clips, also of those that are never evaluated."""
    clips = dataset.clips
    return {clips.recording_ids[int(row)]: int(fold) for row, fold in zip(clips.recording, clips.fold, strict=True)}


def _features(context: Context, clips: "HeldOutClips", recordings: dict[str, Recording]) -> NDArray[np.float32]:
    """Return the features of all clips, (n, n_features); those of a recording are kept as soon as they are known."""
    from ossicle.audio.features.mfcc import N_FEATURES

    output, features = context.own(ClipBaselinesFolder), np.zeros((len(clips), N_FEATURES), dtype=np.float32)
    places = np.unique(clips.recording).tolist()
    names = tuple(f"mfcc {number}" for number in range(N_FEATURES))
    for done, row in enumerate(places, start=1):
        key = clips.recording_ids[row]
        began, record = time.monotonic(), context.journal.done(key)
        reused = record is not None and record["digest"] == output.track_digest(key)
        if not reused:
            recording_features = _of_recording(
                context, recordings[key], clips.where(np.arange(len(clips))[clips.rows(key)])
            )
            output.write_rows(key, names, recording_features)
            context.journal.mark(key, digest=output.track_digest(key))
        features[clips.rows(key)] = output.track(key).scores
        context.log.work_unit("clip_baselines", key, "reused" if reused else "computed", time.monotonic() - began)
        context.progress.advance(done, len(places), "recordings")
    return features


def _of_recording(context: Context, recording: Recording, clips: "HeldOutClips") -> NDArray[np.float32]:
    from ossicle.audio.features.mfcc import N_FEATURES, RATE, mfcc_features

    features = np.zeros((len(clips), N_FEATURES), dtype=np.float32)
    starts = np.array([to_samples(seconds, RATE) for seconds in clips.start_s.tolist()], dtype=np.int64)
    lengths = np.array([to_samples(min(seconds, _MOST_S), RATE) for seconds in (clips.end_s - clips.start_s).tolist()])
    stream = MonoStream(context.project.roots.file(recording), RATE, channel=context.project.settings.audio.name)
    for row, samples in stretches_of(stream, starts, int(lengths.max(initial=1))):
        features[row] = mfcc_features(samples[: max(int(lengths[row]), 1)])
    return features


STEP = Step(
    name=ClipBaselinesFolder.step,
    version=STEP_VERSION,
    needs=("corpus", "dataset"),
    settings=lambda project: {
        "window": [project.settings.dataset.before_s, project.settings.dataset.after_s],
        "seed": project.settings.training.seed,
        **digestible(project.settings.audio),
        **slice_key(project),
    },
    run=run,
)
