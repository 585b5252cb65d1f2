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
    asked = chosen_clips(read_truth(corpus, dataset), judged, settings.dataset, settings.evaluation)
    every = target_clips(dataset.annotations, recordings, dataset.labels, settings.dataset)
    share = MOST_TRAINING_CLIPS / max(len(every), 1)
    taught = sliced(every, min(share, 1.0), _FLOOR, settings.training.seed)
    needed = _needed(asked, taught)
    features = _features(context, needed, recordings)
    folds = _folds(dataset)
    asked_rows, taught_rows = _places(needed, asked), _places(needed, taught)
    asked_folds, taught_folds = (
        np.array([folds.get(key, NEVER_HELD_OUT) for key in held_out_clips.recording_ids], dtype=np.int64)[
            held_out_clips.recording
        ]
        for held_out_clips in (asked, taught)
    )
    scores = {name: np.zeros((len(asked), len(dataset.labels)), dtype=np.float32) for name in BASELINES}
    for name in dataset.holding_out:
        held = list(dataset.models[name])
        here, learned = np.isin(asked_folds, held), ~np.isin(taught_folds, held)
        found = _scored(
            features[taught_rows[learned]],
            taught.label[learned],
            features[asked_rows[here]],
            len(dataset.labels),
            settings.training.seed,
        )
        for model, of in found.items():
            scores[model][here] = of
    table = asked.table().select("recording_id", "onset_s", "label")
    context.own(ClipBaselinesFolder).write_scores(
        table.with_columns(pl.Series(name, of.tolist(), dtype=pl.List(pl.Float32)) for name, of in scores.items())
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
    found = {majority: majority_scores(labels, n_labels, len(judged))}
    # A forest of nothing says what the majority does.
    found[forest] = forest_scores(features, labels, judged, n_labels, seed) if len(labels) else found[majority]
    return found


def _needed(asked: "HeldOutClips", taught: "HeldOutClips") -> "HeldOutClips":
    """Return the clips of both, each once, over the recordings of ``taught``, which has all."""
    from ossicle.evaluation.clips.held_out import HeldOutClips

    both = pl.concat([asked.table(), taught.table()]).unique(maintain_order=True)
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
    return {clips.recording_ids[int(place)]: int(fold) for place, fold in zip(clips.recording, clips.fold, strict=True)}


def _features(context: Context, clips: "HeldOutClips", recordings: dict[str, Recording]) -> NDArray[np.float32]:
    """Return the features of all clips, (n, n_features); those of a recording are kept as soon as they are known."""
    from ossicle.audio.features.mfcc import N_FEATURES

    own, out = context.own(ClipBaselinesFolder), np.zeros((len(clips), N_FEATURES), dtype=np.float32)
    places = np.unique(clips.recording).tolist()
    names = tuple(f"mfcc {place}" for place in range(N_FEATURES))
    for done, place in enumerate(places, start=1):
        key = clips.recording_ids[place]
        began, record = time.monotonic(), context.journal.done(key)
        reused = record is not None and record["digest"] == own.track_digest(key)
        if not reused:
            found = _of_recording(context, recordings[key], clips.where(np.arange(len(clips))[clips.rows(key)]))
            own.write_rows(key, names, found)
            context.journal.mark(key, digest=own.track_digest(key))
        out[clips.rows(key)] = own.track(key).scores
        context.log.work_unit("clip_baselines", key, "reused" if reused else "computed", time.monotonic() - began)
        context.progress.advance(done, len(places), "recordings")
    return out


def _of_recording(context: Context, recording: Recording, clips: "HeldOutClips") -> NDArray[np.float32]:
    from ossicle.audio.features.mfcc import N_FEATURES, RATE, mfcc_features

    out = np.zeros((len(clips), N_FEATURES), dtype=np.float32)
    starts = np.array([to_samples(one, RATE) for one in clips.start_s.tolist()], dtype=np.int64)
    lengths = np.array([to_samples(min(one, _MOST_S), RATE) for one in (clips.end_s - clips.start_s).tolist()])
    stream = MonoStream(context.project.roots.file(recording), RATE, channel=context.project.settings.audio.name)
    for place, samples in stretches_of(stream, starts, int(lengths.max(initial=1))):
        out[place] = mfcc_features(samples[: max(int(lengths[place]), 1)])
    return out


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
