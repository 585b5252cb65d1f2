"""Train and score settings of the drums recipe on inner folds, without whole projects.

Every training is that of a project (`ossicle.training.detector.fit`) on the clips of its dataset and store, and every
hit is scored in the window at its onset. Only what does not change scores is left out: the final model, curves, noise
gate, report and bundle. Scores are kept in a folder, so a stopped measurement goes on where it ended.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from drum_answers import Answered
from numpy.typing import NDArray

from ossicle.app.project.load import load_project
from ossicle.app.steps.engine.step import find_steps
from ossicle.app.steps.pipeline.pipelines import steps_of
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.artefacts.typed.run_folder import RunFolder
from ossicle.artefacts.typed.shards.store import StoreFolder
from ossicle.core.columns.clip_columns import ClipColumns
from ossicle.core.time import to_samples
from ossicle.evaluation.ground_truth import read_evaluated_truth
from ossicle.models.predictor import load_predictor
from ossicle.training.batches.material import Material, load_material
from ossicle.training.detector.fit import fit
from ossicle.training.detector.job import FitJob

PLAIN, ENCODED = "one network, answers as drawn", "BirdNET, frozen"
CHOICES: Mapping[str, tuple[str, ...]] = {
    PLAIN: ("model.networks=1", "training.undo_balance=0"),
    "as the recipe": (),
    "four networks": ("model.networks=4",),
    "no normalisation by the peak": ("model.window.normalise=level", "augment.normalise=none"),
    "bands up to 8 kHz": ("frontend.fmax_hz=8000.0",),
    "sampler: every clip once": ("training.balance=each",),
    "sampler: balanced": ("training.balance=uniform",),
    "class weights, square root": ("training.balance=each", "training.class_weights=sqrt"),
    "focal loss": ("training.loss=focal",),
    "mixup": ("augment.mixup.probability=0.5", "augment.mixup.alpha=0.4", "augment.mixup.labels=soft"),
    "noise behind half of the hits": ("augment.early.hiss_probability=0.5",),
    "onsets moved by up to 10 ms instead of 20 ms": ("augment.early.shift_s=0.01",),
    "contrast of spectrograms varied": ("augment.spectral.power_probability=0.5",),
    "every label by itself (sigmoid)": ("model.window.scores=sigmoid",),
    "ResNet-18": ("model.window.backbone=resnet18", "model.window.max_pool=true"),
    ENCODED: (
        "encoder.name=birdnet",
        "model.networks=1",
        "model.window.scores=sigmoid",
        "training.undo_balance=0",
        *(f"chunks.{key}=3.0" for key in ("window_s", "step_s", "core_s")),
        *(f"features.{key}=3.0" for key in ("window_s", "hop_s")),
    ),
}
"""What each row of ``--choices`` changes in the recipe, in which mixup is off; the first has its former settings."""
SHIFTS_S = (-0.01, -0.005, 0.0, 0.005, 0.01)
"""Shifts of the window at prediction, in seconds."""
UNSHIFTED = SHIFTS_S.index(0.0)
_BATCH = 32
_LEAST = 1e-12


@dataclass(frozen=True, eq=False)
class InnerHits:
    """The hits of a project whose dataset and store are there; ``job``: a training of it, without folder and folds."""

    job: FitJob
    material: Material
    clips: ClipColumns
    files: Mapping[str, str]

    @property
    def paths(self) -> list[str]:
        """The file of each hit, relative to the folder of recordings."""
        return [self.files[clip.recording_id] for clip in self.clips]

    @property
    def truth(self) -> NDArray[np.int64]:
        """The column of the label of each hit."""
        return np.array([self.material.labels.index(clip.label) for clip in self.clips], dtype=np.int64)

    @property
    def groups(self) -> tuple[str, ...]:
        """The machine of each hit."""
        return tuple(clip.group for clip in self.clips)

    def answered(self, scores: NDArray[np.floating]) -> Answered:
        """Return the answers of scores (n, n_labels)."""
        return Answered(self.material.labels, self.truth, scores.argmax(axis=1).astype(np.int64), self.groups)


def inner_hits(folder: Path, sets: Sequence[str]) -> InnerHits:
    """Return the hits of a project that was run until the step ``store``."""
    project = load_project(folder, tuple(sets))
    steps = find_steps(steps_of(project), project)
    paths = {name: path for name, path in steps.items() if path is not None}
    dataset, settings = DatasetFolder.among(paths), project.settings
    job = FitJob(
        folder=Path(),
        held_out=(),
        dataset=dataset,
        store=StoreFolder.among(paths).path,
        labels=dataset.labels,
        plan=settings.plan,
        model=settings.model,
        front=settings.frontend,
        training=settings.training,
        augment=settings.augment,
        audio=project.roots,
    )
    material = load_material(job.dataset, job.store, job.labels, job.plan, job.training.target_rules, audio=job.audio)
    truth = read_evaluated_truth(CorpusFolder.among(paths), dataset)
    files = {key: recording.path for key, recording in truth.recordings.items()}
    return InnerHits(job, material, ClipColumns.from_clips(material.clips), files)


def held_out_scores(hits: InnerHits, work: Path, say: Callable[[str], None] = print) -> NDArray[np.float32]:
    """Return the scores of every hit by the model that held its fold out, for each shift: (n_shifts, n, n_labels)."""
    kept_file = work / "scores.npy"
    if kept_file.exists():
        scores: NDArray[np.float32] = np.load(kept_file)
        return scores
    job, fold = hits.job, hits.clips.fold
    out = np.zeros((len(SHIFTS_S), len(fold), len(hits.material.labels)), dtype=np.float32)
    for held_fold in np.unique(fold).tolist():
        held, run = fold == held_fold, RunFolder(work / f"fold-{held_fold}")
        train = hits.clips.where(~held)
        fit(replace(job, folder=run.path, held_out=(held_fold,)), hits.material, train, ())
        predictor = load_predictor(run.weights, job.model, job.labels, job.plan, job.front, "cpu")
        for index, shift_s in enumerate(SHIFTS_S):
            start = to_samples(abs(shift_s), job.plan.rate) * (1 if shift_s >= 0 else -1)
            windows = [hits.material.model_input(clip.recording_id, start) for clip in hits.clips.where(held)]
            batches = [predictor.predict(np.stack(windows[i : i + _BATCH])) for i in range(0, len(windows), _BATCH)]
            out[index, held] = np.concatenate(batches)[:, 0]
        say(f"{work.name}: fold {held_fold}")
    np.save(kept_file, out)
    return out


def mean_logits(scores: Sequence[NDArray[np.floating]]) -> NDArray[np.float64]:
    """Return scores that sum to 1 from the mean of the logits of several models, as `[model] networks` averages."""
    logits = np.mean([np.log(np.maximum(score, _LEAST)) for score in scores], axis=0)
    shares: NDArray[np.float64] = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return shares / shares.sum(axis=-1, keepdims=True)


def back_to_clips(hits: InnerHits, how_far: float = 0.5) -> NDArray[np.float64]:
    """Factors of scores that take back a part of sampling by the root, from the clips outside each fold: (n, n_labels).

    The root of a number over the number is its root again; what is left is a constant, which changes no answer.
    """
    n_labels, fold = len(hits.material.labels), hits.clips.fold
    out = np.ones((len(fold), n_labels))
    for held_out_fold in np.unique(fold):
        out[fold == held_out_fold] = np.maximum(np.bincount(hits.truth[fold != held_out_fold], minlength=n_labels), 1)
    factors: NDArray[np.float64] = out ** (how_far / 2)
    return factors
