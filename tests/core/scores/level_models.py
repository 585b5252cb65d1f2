"""A level model of two labels in four values, of which the first two move with the level."""

import numpy as np

from ossicle.core.scores.level_model import LevelModel
from ossicle.training.heads.level_fit import fit_level

DIRECTION = np.array([1.0, 1.0, 0.0, 0.0])
MEANS = {(0, 0): (-60.0, -62.0, 0.0, 0.0), (0, 1): (-50.0, -60.0, 6.0, 0.0)}
MEANS |= {(1, 0): (-45.0, -40.0, 0.0, 6.0), (1, 1): (-44.0, -38.0, 6.0, 6.0)}


def embeddings(ac: int, fridge: int, n: int, level_db: float = 0.0, seed: int = 0) -> np.ndarray:
    """Embeddings (n, 1, dim) of a steady recording, float32."""
    rng = np.random.default_rng([seed, ac, fridge])
    vectors = np.array(MEANS[ac, fridge]) + level_db * DIRECTION + rng.normal(0, 1.5, (n, 4))
    return vectors[:, None].astype(np.float32)


def small_model() -> LevelModel:
    """The model of fifty windows of each state."""
    vectors = np.concatenate([embeddings(*state, 50)[:, 0] for state in MEANS])
    on = np.repeat(np.array(list(MEANS), bool), 50, axis=0)
    model = fit_level(vectors, on, np.ones_like(on), DIRECTION, shrinkage=0.9)
    assert model is not None
    return model
