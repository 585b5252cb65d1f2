"""Step ``training`` of a project with an encoder: heads on the cached embeddings of clips, in place of networks."""

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ossicle.app.project.load import Project
from ossicle.app.steps.engine.encoders import open_any_encoder
from ossicle.app.steps.engine.step import Context, Step
from ossicle.app.steps.train.heads.encoded_clips import ClipGrid, clip_grid
from ossicle.app.steps.train.heads.head_run import fit_missing_heads, head_noise_share, head_settings, write_head_run
from ossicle.app.steps.train.model_units import model_units
from ossicle.app.steps.train.tracked_training import tracked_training
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.artefacts.typed.shards.features import FeaturesFolder
from ossicle.artefacts.typed.training import TrainingFolder
from ossicle.audio.decoding.mono import load_mono
from ossicle.core.errors import SplitError
from ossicle.core.intervals import as_intervals, overlap, union
from ossicle.core.records import Clip, Recording, grouped
from ossicle.corpus.indexing.index_storage import read_index
from ossicle.corpus.windows.clip_truth import clip_truth
from ossicle.metrics.noise.noise_likeness import LabelTexture

if TYPE_CHECKING:
    from ossicle.training.heads.windows import HeadWindows

STEP_VERSION = 2
_WHOLE_S = 1e-3
_LEAST_NOISE = 64


def run(context: Context) -> None:
    """Fit all heads that are not fitted yet, one after the other: each takes seconds."""
    dataset, output = context.read(DatasetFolder), context.own(TrainingFolder)
    fit_missing_heads(context, lambda name: output.run(name).done, ClipHeads(context).fit)
    output.write_summary({"labels": list(dataset.labels), "held_out": dataset.models})


def _fit_one(context: Context, name: str) -> None:
    ClipHeads(context).fit(name)


class ClipHeads:
    """What the heads of a project are fitted to; noise is encoded once for all of them."""

    def __init__(self, context: Context) -> None:
        self.project, self.dataset = context.project, context.read(DatasetFolder)
        self.features = context.read(FeaturesFolder)
        self.grid: ClipGrid = clip_grid(context.project, self.features.spec)
        self.recordings: dict[str, Recording] = {
            recording.id: recording for recording in read_index(context.read(CorpusFolder)).recordings
        }
        self._output = context.own(TrainingFolder)

    def fit(self, name: str) -> None:
        """Fit the head of one model to the clips that it does not hold out, and write its run folder.

        Raises
        ------
        SplitError
            There is no clip with a known label.
        """
        # Torch is an optional extra, needed only for actual training.
        from ossicle.models.predictor import use_threads
        from ossicle.training.batches.noise_labels import label_textures
        from ossicle.training.heads.fit import fit_head

        settings, run = self.project.settings, self._output.run(name)
        use_threads(settings.training.threads)
        held_out = self.dataset.models[name]
        clips = [clip for clip in self.dataset.clips if clip.fold not in held_out and clip.role in ("target", "noise")]
        textures = label_textures(self.dataset.labels, self._read, self.grid.plan.rate, clips)
        run.write_noise_likeness({label: texture.to_json() for label, texture in textures.items()})
        head_fit = fit_head(self._material(clips, textures), settings.head, settings.training.seed)
        labels = self.dataset.labels
        write_head_run(run, head_fit, labels, tracked_training(self.project, name, labels, heads=True))

    def _read(self, recording_id: str, start: int, length: int) -> NDArray[np.float32]:
        plan, file = self.grid.plan, self.project.roots.file(self.recordings[recording_id])
        return load_mono(file, plan.rate, start / plan.rate, length / plan.rate, channel=plan.channel)

    def _material(self, clips: list[Clip], textures: dict[str, LabelTexture]) -> "HeadWindows":
        from ossicle.training.heads.windows import HeadWindows

        featured = set(self.features.recording_ids)
        mean = self.project.settings.head.pooling == "mean"
        notes = grouped(self.dataset.annotations, lambda annotation: annotation.recording_id)
        parts: list[NDArray[Any]] = []
        targets: list[NDArray[np.int8]] = []
        weights: list[NDArray[np.float32]] = []
        groups: list[str] = []
        for key, recording_clips in grouped(clips, lambda clip: clip.recording_id).items():
            if key not in featured:
                continue
            truth = self._truth(key, notes.get(key, []))
            rows = np.flatnonzero((truth != -1).any(axis=1))
            for copy in range(self.features.copies + 1):
                parts.append(self._tokens(key, copy, rows, mean))
                targets.append(truth[rows])
                weights.append(np.full(len(rows), np.mean([clip.weight for clip in recording_clips]), dtype=np.float32))
                groups += [recording_clips[0].group] * len(rows)
        if not groups:
            raise SplitError("no clip of the training recordings has a known label; annotate more recordings")
        n_noise = self._n_noise(sum(len(target) for target in targets))
        if n_noise:
            tokens, truth = self._noise(n_noise, textures)
            parts.append(tokens.mean(axis=1, keepdims=True) if mean else tokens)
            targets.append(truth)
            weights.append(np.ones(n_noise, dtype=np.float32))
            groups += self._noise_groups(n_noise, len(set(groups)))
        truths = np.concatenate(targets)
        return HeadWindows(
            np.concatenate([part.astype(np.float32) for part in parts]),
            (truths == 1).astype(np.float32),
            truths != -1,
            np.concatenate(weights),
            np.array(groups),
        )

    def _truth(self, key: str, notes: list[Any]) -> NDArray[np.int8]:
        """Return what is in the clips of a recording; outside of examined stretches, absence is unknown."""
        n_clips = self.grid.n_clips(self.features.n_windows(key))
        clip_s, duration_s = self.grid.plan.hop_s, self.recordings[key].duration_s
        truth = clip_truth(n_clips, clip_s, duration_s, notes, self.dataset.labels, self.dataset.unknown.get(key, ()))
        if key in self.dataset.known:
            starts_s = clip_s * np.arange(n_clips)
            clips = np.stack([starts_s, np.minimum(starts_s + clip_s, duration_s)], axis=1)
            looked_s = overlap(clips, union(as_intervals(self.dataset.known[key]))).sum(axis=1)
            partly = looked_s < clips[:, 1] - clips[:, 0] - _WHOLE_S
            truth[partly[:, None] & (truth == 0)] = -1
        return truth

    def _tokens(self, key: str, copy: int, rows: NDArray[np.int64], mean: bool) -> NDArray[Any]:
        """Return the tokens of clips, (n, tokens, dim), or their means (n, 1, dim)."""
        windows, n = self.features.copy(key, copy), self.grid.n_windows
        clip_tokens = [np.asarray(windows[first : first + n]) for first in rows * self.grid.clip_hops]
        dim = windows.shape[2]
        if mean:
            return np.array([tokens.astype(np.float32).mean(axis=(0, 1)) for tokens in clip_tokens]).reshape(
                len(rows), 1, dim
            )
        return np.array(clip_tokens).reshape(len(rows), -1, dim)

    def _n_noise(self, n_clips: int) -> int:
        """Return the number of noise crops: few clips still need noise of many kinds."""
        share = head_noise_share(self.project)
        return max(_LEAST_NOISE, round(share * n_clips)) if share > 0 else 0

    def _noise_groups(self, n_noise: int, n_groups: int) -> list[str]:
        """Return the groups of noise crops: their share of the groups is that of the noise, however many they are."""
        n_own = max(1, round(head_noise_share(self.project) * n_groups))
        return [f"(noise {number % n_own})" for number in range(n_noise)]

    def _noise(self, n: int, textures: dict[str, LabelTexture]) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
        """Return tokens and targets of noise crops; labels whose own sounds resemble one are unknown in it."""
        from ossicle.training.batches.noise_labels import known_in_noise

        tokens, kinds = self._all_noise
        known = known_in_noise(textures, self.dataset.labels).numpy()[kinds[:n]]
        return tokens[:n], np.where(known == 1, 0, -1).astype(np.int8)

    @cached_property
    def _all_noise(self) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """The noise crops of the model on all recordings; every other model uses the first of them."""
        from ossicle.training.heads.noise_windows import noise_embeddings

        settings = self.project.settings
        encoder = open_any_encoder(settings.encoder, self.project.folder)
        ids = {clip.recording_id for clip in self.dataset.clips} & set(self.features.recording_ids)
        n_clips = sum(self.grid.n_clips(self.features.n_windows(key)) for key in ids) * (self.features.copies + 1)
        seed, clip_samples = settings.training.seed, self.grid.plan.window_samples
        return noise_embeddings(self._n_noise(n_clips), encoder, self.grid.windows, clip_samples, seed)


def _settings(project: Project) -> dict[str, object]:
    settings = project.settings
    return {
        **head_settings(project),
        "clip_hops": settings.clip_hops,
        "noise_share": head_noise_share(project),
    }


STEP = Step(
    name=TrainingFolder.step,
    version=STEP_VERSION,
    needs=("corpus", "dataset", "features"),
    settings=_settings,
    run=run,
    logs=TrainingFolder.LOGS,
    work_units=model_units(_fit_one, lambda folder, name: TrainingFolder(folder).run(name).done),
)
