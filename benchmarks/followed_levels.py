"""Scores of states that follow the level, from embeddings that are there already."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ossicle.audio.encoders.acoustic import level_direction
from ossicle.core.scores.level_follower import LevelFollower
from ossicle.core.scores.level_model import LevelModel
from ossicle.core.scores.level_settings import LevelSettings
from ossicle.models.heads.head import Head
from ossicle.models.heads.scoring import window_scores
from ossicle.training.heads.level_fit import fit_level

Embeddings = NDArray[np.float32]


def level_model(
    recordings: Mapping[str, Sequence[Embeddings]], truth: Mapping[str, tuple[bool, bool]], settings: LevelSettings
) -> LevelModel:
    """Class models of recordings as they are: all embeddings (n, 1, dim) of each name."""
    pieces = [(name, embeddings) for name, own in recordings.items() for embeddings in own]
    on = np.concatenate([np.tile(truth[name], (len(embeddings), 1)) for name, embeddings in pieces])
    x = np.concatenate([embeddings[:, 0] for _, embeddings in pieces])
    model = fit_level(x, on, np.ones_like(on), level_direction(), settings.shrinkage)
    assert model is not None
    return model


def following(
    head: Head, model: LevelModel, settings: LevelSettings, hop_s: float
) -> Callable[[Embeddings], NDArray[np.float32]]:
    """A function from the embeddings of one recording, in order, to its scores."""

    def scores(embeddings: Embeddings) -> NDArray[np.float32]:
        follower = LevelFollower(model, settings, hop_s, window_scores(head))
        return np.stack([follower(embedding) for embedding in embeddings])

    return scores
