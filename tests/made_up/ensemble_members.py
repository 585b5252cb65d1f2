"""Members of an ensemble that nobody trained: made-up scores that follow the annotations, with noise of their own."""

from pathlib import Path

import numpy as np

from ossicle.app.project.load import Project, load_project
from ossicle.app.steps.compare.ensemble import Ensembled, judge_ensemble
from ossicle.app.steps.compare.ensemble_members import Member
from ossicle.app.steps.engine.step import Silent
from ossicle.artefacts.array_files.blocks import write_track
from ossicle.artefacts.typed.scores import ScoresFolder
from ossicle.core.scores.combination import Combination
from ossicle.core.tracks import ScoreTrack, rasterise
from ossicle.evaluation.ground_truth import Truth

from .untrained import PROJECT, write_tapes

HOP_S = 0.02
LABELS = ("call",)
GRID = """
[decision]
on = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
off_ratio = [1.0]
median_frames = [1]
min_length_s = [0.0]
min_gap_s = [0.0]
"""


def write_project(folder: Path, stems: tuple[str, ...], more: str = "") -> Project:
    """A project of tapes in ``folder``, with few decisions to choose from; ``more`` goes at the end of its file."""
    write_tapes(folder, stems)
    (folder / "ossicle.toml").write_text(PROJECT + GRID + more)
    return load_project(folder)


def member(
    project: Project,
    truth: Truth,
    place: Path,
    name: str,
    noise: float,
    spoilt: str = "",
    labels: tuple[str, ...] = LABELS,
    extra: int = 0,
) -> Member:
    """A member; ``spoilt`` is a recording whose scores stand upside down, ``extra`` frames are at the end of each."""
    place = place / f"{name}{'-spoilt' if spoilt else ''}"
    for number, key in enumerate(truth.ids):
        generator = np.random.default_rng([number, round(1000 * noise)])
        n_frames = round(truth.durations_s[key] / HOP_S) + extra
        values = 0.1 + 0.8 * rasterise(truth.references[key]["call"], n_frames, HOP_S)
        values = np.clip(values + noise * generator.standard_normal(n_frames), 0, 1)
        if key == spoilt:
            values = 1 - values
        path = ScoresFolder(place).track_path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        scores = np.repeat(values[:, None], len(labels), axis=1).astype(np.float32)
        write_track(path, ScoreTrack(labels, scores, HOP_S, truth.durations_s[key]))
    return Member(name, project, {"scores": place}, f"{name} {noise} {spoilt}")


def judged(project: Project, members: list[Member], how: Combination) -> Ensembled:
    """The ensemble, judged through the chain's own steps."""
    return judge_ensemble(project, members, how, Silent())
