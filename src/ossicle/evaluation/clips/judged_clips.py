"""Held-out clips with the scores of the model that held them out."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ossicle.artefacts.typed.scores import ClipScoresFolder
from ossicle.evaluation.clips.held_out import HeldOutClips
from ossicle.evaluation.ground_truth import Truth
from ossicle.metrics.clip_answers.answers import Answers, answers_of


@dataclass(frozen=True, eq=False)
class JudgedClips:
    """Clips with their scores.

    Attributes
    ----------
    clips
        The clips.
    scores
        float32 (n, n_labels), out of fold.
    known
        bool (n, n_labels): whether the presence of the label in the recording is known.
    folds
        int64 (n,): the fold that held out each clip.
    groups
        The group of each recording of ``clips``.
    """

    clips: HeldOutClips
    scores: NDArray[np.float32]
    known: NDArray[np.bool_]
    folds: NDArray[np.int64]
    groups: tuple[str, ...]

    @cached_property
    def answers(self) -> Answers:
        """The label with the highest score of each clip, beside its own."""
        return answers_of(self.scores, self.clips.label, self.known)

    def where(self, rows: NDArray[np.generic]) -> "JudgedClips":
        """Return the clips of ``rows``, a mask or places."""
        chosen = self.clips.where(rows)
        return JudgedClips(chosen, self.scores[rows], self.known[rows], self.folds[rows], self.groups)


def read_clips(scored: ClipScoresFolder, truth: Truth) -> JudgedClips:
    """Return the scored clips of the recordings of ``truth``.

    Parameters
    ----------
    scored
        The artefact of the step ``clip_scores``.
    truth
        The recordings that are evaluated, with their folds, groups and unknown labels.
    """
    ids = tuple(sorted(truth.ids))
    clips = HeldOutClips.from_table(scored.clips, ids, truth.labels)
    scores = [np.zeros((0, len(truth.labels)), dtype=np.float32)]
    for place in np.unique(clips.recording).tolist():
        track = scored.track(ids[place])
        scores.append(track.scores[:, [track.labels.index(label) for label in truth.labels]])
    known = np.array([[(key, label) not in truth.unknown for label in truth.labels] for key in ids], dtype=np.bool_)
    return JudgedClips(
        clips,
        np.concatenate(scores),
        known.reshape(len(ids), len(truth.labels))[clips.recording],
        np.array([truth.folds[key] for key in ids], dtype=np.int64)[clips.recording],
        tuple(truth.groups[key] for key in ids),
    )
