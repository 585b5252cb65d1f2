"""Recordings of two appliances made of noise and lines: names say what is on, and in which part of the day."""

from itertools import product
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

RATE = 16000
TEMPLATE = "ac-{ac:on|off}-fridge-{fridge:on|off}-{daypart:day|night}"
NAMES = tuple(
    f"ac-{ac}-fridge-{fridge}-{part}.wav"
    for ac, fridge, part in product(("off", "on"), ("off", "on"), ("day", "night"))
)


def hum(ac: bool, fridge: bool, night: bool, seconds: float, seed: int) -> NDArray[np.float32]:
    """Return a room: noise, quieter at night; the wide noise of an air conditioner; the lines of a fridge."""
    draw, n = np.random.default_rng(seed), int(seconds * RATE)
    times = np.arange(n) / RATE
    out = draw.standard_normal(n) * (0.002 if night else 0.003)
    if fridge:
        out += sum(0.01 / k * np.sin(2 * np.pi * 50 * k * times + draw.uniform(0, 6)) for k in (2, 3, 6))
    if ac:
        out += np.convolve(draw.standard_normal(n) * 0.05, np.ones(8) / 8, mode="same")
    return out.astype(np.float32)


def write_hums(folder: Path, names: tuple[str, ...] = NAMES, seconds: float = 3.0) -> Path:
    """Write a recording for each name; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for seed, name in enumerate(names):
        samples = hum("ac-on" in name, "fridge-on" in name, "night" in name, seconds, seed)
        soundfile.write(folder / name, samples, RATE)
    return folder
