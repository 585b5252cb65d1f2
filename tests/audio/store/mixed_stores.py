"""Recordings of several formats for stores that leave some of them in their files."""

import hashlib
from pathlib import Path

import numpy as np

from ossicle.artefacts.files import file_digest
from ossicle.audio.decoding.mono import MonoStream
from ossicle.audio.store import StoreItem

RATE = 16000


def item(path: Path) -> StoreItem:
    return StoreItem(hashlib.sha256(path.name.encode()).hexdigest()[:16], path, file_digest(path))


def whole(path: Path, decoder: str = "auto") -> np.ndarray:
    return np.concatenate(list(MonoStream(path, RATE, decoder=decoder)))


def sweep_tone(seconds: float, rate: int) -> np.ndarray:
    """A tone that rises, faded in and out.

    AAC makes up noise, and the burst with which a tone breaks off, anew each time: only what is smooth shows equality.
    """
    at = np.arange(round(seconds * rate)) / rate
    faded = np.clip(np.minimum(at, seconds - at) / 0.2, 0, 1)
    return (0.4 * faded * np.sin(2 * np.pi * (100 + 150 * at) * at)).astype(np.float32)
