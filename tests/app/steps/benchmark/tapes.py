"""Synthetic tapes, the project and the tables of a small benchmark."""

from pathlib import Path

import numpy as np
import polars as pl
import soundfile

from ossicle.bundle.description import BundleDescription
from ossicle.bundle.format import write_bundle
from ossicle.report.pages import benchmark_tables as bt

RATE = 8000
# A dot in the name, equal stems in two folders, blanks and letters beyond ASCII, and one reviewed empty.
TAPES = {
    "herd/alma_20240501_05.23.wav": 3,
    "herd/alma_20240501_05.24.wav": 2,
    "hill/alma_20240501_05.23.wav": 3,
    "hill/-zoë 1_20240502_x.wav": 3,
    "hill/empty_20240503_y.wav": 0,
}
STARTS = (1.0, 3.5, 7.0)
LENGTH_S = 0.3
TRAINING = """
base = "recipe:tapes"
[project]
name = "alpaca-hums"
[corpus]
audio = "train"
annotations = "train-tables"
[split]
group = "folder"
[frontend]
rate = 8000
fmax_hz = 4000.0
"""
"""The project file of a benchmark up to its own table."""
PROJECT = f"""{TRAINING}[benchmark]
audio = "bench"
annotations = "bench-tables"
bootstrap = 100
thresholds = [0.1, 0.5, 0.9]
labels = ["call"]
"""


def write_tape(file: Path, calls: int, seed: int) -> None:
    """Ten seconds of faint noise with tones of 1 kHz."""
    samples = np.random.default_rng(seed).normal(0, 1e-4, 10 * RATE)
    for start in STARTS[:calls]:
        at = np.arange(round(start * RATE), round((start + LENGTH_S) * RATE))
        samples[at] += 0.5 * np.sin(2 * np.pi * 1000 * at / RATE)
    file.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(file, samples, RATE)


def save(old, folder: Path, name: str, **changes: object) -> None:
    files = {file: old.read_bytes(file) for file in old.files if file != "CARD.md"}
    values = {
        key: getattr(old, key)
        for key in ("labels", "plan", "front", "decisions", "provenance", "metrics", "split", "model")
    }
    write_bundle(folder, BundleDescription(name=name, **{**values, **changes}), files)


def tables(folder: Path) -> dict[str, pl.DataFrame]:
    return bt.read_tables(folder / "benchmark")
