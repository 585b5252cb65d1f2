"""Train and score settings of the drums recipe on inner folds, without whole projects.

Every training is that of a project (`ossicle.training.fit.fit`) on the clips of its dataset and store, and every hit is
scored in the window at its onset. Only what does not change scores is left out: the final model, curves, noise gate,
report and bundle. Scores are kept in a folder, so a stopped measurement goes on where it ended.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from drum_answers import Answered
from numpy.typing import NDArray

from ossicle.app.project.load import Project, load_project
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
from ossicle.training.fit import fit

SHIFTS_S = (-0.01, -0.005, 0.0, 0.005, 0.01)
"""Shifts of the window at prediction, in seconds."""
UNSHIFTED = SHIFTS_S.index(0.0)
_BATCH = 32
_LEAST = 1e-12


@dataclass(frozen=True, eq=False)
class InnerHits:
    """The hits of a project whose dataset and store are there."""

    project: Project
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
    found = find_steps(steps_of(project), project)
    paths = {name: path for name, path in found.items() if path is not None}
    dataset, training = DatasetFolder.among(paths), project.settings.training
    material = load_material(
        dataset,
        StoreFolder.among(paths).path,
        dataset.labels,
        project.settings.plan,
        training.apart_frames,
        training.least_presence_s,
        project.roots,
    )
    truth = read_evaluated_truth(CorpusFolder.among(paths), dataset)
    files = {key: recording.path for key, recording in truth.recordings.items()}
    return InnerHits(project, material, ClipColumns.from_clips(material.clips), files)


def held_out_scores(hits: InnerHits, work: Path, say: Callable[[str], None] = print) -> NDArray[np.float32]:
    """Return the scores of every hit by the model that held its fold out, for each shift: (n_shifts, n, n_labels)."""
    kept = work / "scores.npy"
    if kept.exists():
        found: NDArray[np.float32] = np.load(kept)
        return found
    settings, fold = hits.project.settings, hits.clips.fold
    out = np.zeros((len(SHIFTS_S), len(fold), len(hits.material.labels)), dtype=np.float32)
    for held_fold in np.unique(fold).tolist():
        held, run = fold == held_fold, RunFolder(work / f"fold-{held_fold}")
        train = hits.clips.where(~held)
        fit(hits.material, train, (), settings.model, settings.frontend, settings.training, settings.augment, run)
        predictor = load_predictor(
            run.weights, settings.model, hits.material.labels, settings.plan, settings.frontend, "cpu"
        )
        for place, shift_s in enumerate(SHIFTS_S):
            start = to_samples(abs(shift_s), settings.plan.rate) * (1 if shift_s >= 0 else -1)
            windows = [hits.material.model_input(clip.recording_id, start) for clip in hits.clips.where(held)]
            parts = [predictor.predict(np.stack(windows[i : i + _BATCH])) for i in range(0, len(windows), _BATCH)]
            out[place, held] = np.concatenate(parts)[:, 0]
        say(f"{work.name}: fold {held_fold}")
    np.save(kept, out)
    return out


def mean_logits(scores: Sequence[NDArray[np.floating]]) -> NDArray[np.float64]:
    """Return scores that sum to 1 from the mean of the logits of several models, as `[model] networks` averages."""
    logits = np.mean([np.log(np.maximum(one, _LEAST)) for one in scores], axis=0)
    found: NDArray[np.float64] = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return found / found.sum(axis=-1, keepdims=True)
