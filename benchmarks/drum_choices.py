"""Train and score settings of the drums recipe on inner folds, without whole projects.

Every training is that of a project (`ossicle.training.fit.fit`) on the clips of its dataset and store; only the final
model, the noise gate, the report and the bundle are left out. Scores are kept in a folder, so a stopped measurement
goes on where it ended.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ossicle.app.project.load import Project, load_project
from ossicle.app.steps.engine.step import find_steps
from ossicle.app.steps.pipeline.pipelines import steps_of
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.run_folder import RunFolder
from ossicle.artefacts.typed.shards.store import StoreFolder
from ossicle.core.columns.clip_columns import ClipColumns
from ossicle.core.time import to_samples
from ossicle.models.predictor import load_predictor
from ossicle.training.batches.material import Material, load_material
from ossicle.training.fit import fit

SHIFTS_S = (-0.01, -0.005, 0.0, 0.005, 0.01)
"""Shifts of the window at prediction; 0 is in the middle."""
_BATCH = 32


@dataclass(frozen=True, eq=False)
class InnerHits:
    """The hits of a project with their folds: recordings, columns of labels, groups and folds, (n,) each."""

    project: Project
    material: Material
    clips: ClipColumns

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of the dataset."""
        return self.material.labels

    @property
    def ids(self) -> list[str]:
        """The recording of each hit."""
        return [clip.recording_id for clip in self.clips]

    @property
    def truth(self) -> NDArray[np.int64]:
        """The column of the label of each hit."""
        return np.array([self.labels.index(clip.label) for clip in self.clips], dtype=np.int64)

    @property
    def groups(self) -> tuple[str, ...]:
        """The machine of each hit."""
        return tuple(clip.group for clip in self.clips)


def inner_hits(folder: Path, sets: Sequence[str]) -> InnerHits:
    """Return the hits of a project whose dataset and store are there."""
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
    return InnerHits(project, material, ClipColumns.from_clips(material.clips))


def held_out_scores(hits: InnerHits, work: Path, say: Callable[[str], None] = print) -> NDArray[np.float32]:
    """Return the scores of every hit by the model that held its fold out: (n_shifts, n, n_labels)."""
    kept = work / "scores.npy"
    if kept.exists():
        return np.load(kept)
    settings, fold = hits.project.settings, hits.clips.fold
    out = np.zeros((len(SHIFTS_S), len(fold), len(hits.labels)), dtype=np.float32)
    for one in np.unique(fold).tolist():
        held = fold == one
        run = RunFolder(work / f"fold-{one}")
        train = hits.clips.where(~held)
        fit(hits.material, train, (), settings.model, settings.frontend, settings.training, settings.augment, run)
        predictor = load_predictor(run.weights, settings.model, hits.labels, settings.plan, settings.frontend, "cpu")
        for place, shift_s in enumerate(SHIFTS_S):
            start = to_samples(abs(shift_s), settings.plan.rate) * (1 if shift_s >= 0 else -1)
            crops = [hits.material.model_input(clip.recording_id, start) for clip in hits.clips.where(held)]
            parts = [predictor.predict(np.stack(crops[i : i + _BATCH])) for i in range(0, len(crops), _BATCH)]
            out[place, held] = np.concatenate(parts)[:, 0]
        say(f"{work.name}: fold {one}")
    np.save(kept, out)
    return out
