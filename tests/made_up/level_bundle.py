"""A bundle of states whose scores follow the level, with class models of two tones."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from ossicle.artefacts.array_files.arrays import arrays_to_bytes
from ossicle.audio.encoders.acoustic import AcousticEncoder, level_direction
from ossicle.bundle.entries.level import LEVEL
from ossicle.bundle.format import Bundle
from ossicle.core.scores.level_model import LevelModel
from ossicle.core.scores.level_settings import LevelSettings
from ossicle.training.heads.level_fit import fit_level

from .state_bundle import RATE, head_bytes, hums, write_state_bundle

FOLLOWING = LevelSettings(follow=True)
_STATES = ((0, 0), (0, 1), (1, 0), (1, 1))
_WINDOWS = 6


@cache
def hum_model() -> LevelModel:
    """The class models of a few windows of each joint state."""
    encoder = AcousticEncoder()
    x = [
        encoder.encode(hums((2.0 * _WINDOWS, *state), seed=number).reshape(_WINDOWS, 2 * RATE))[:, 0]
        for number, state in enumerate(_STATES)
    ]
    on = np.repeat(np.array(_STATES, bool), _WINDOWS, axis=0)
    model = fit_level(np.concatenate(x), on, np.ones_like(on), level_direction(), FOLLOWING.shrinkage)
    assert model is not None
    return model


def write_level_bundle(folder: Path, model: LevelModel | None = None, **changes: Any) -> Bundle:
    """``write_state_bundle`` with a level to follow; keywords change one thing."""
    arrays = (hum_model() if model is None else model).arrays()
    files = {"head.onnx": head_bytes(), LEVEL: arrays_to_bytes(arrays, {})}
    return write_state_bundle(folder, **({"files": files, "level": FOLLOWING} | changes))
