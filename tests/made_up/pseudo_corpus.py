"""A tiny corpus of class folders, and recordings that nobody labelled, with a network that learns it in seconds."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ossicle.app.steps.train import training as training_step
from ossicle.audio.wav import write_wav
from ossicle.training.detector import crossval
from ossicle.training.detector.job import FitJob

RATE = 8000
HZ = {"high": 2500.0, "low": 700.0}
PROJECT = """
base = "recipe:tapes"
[corpus]
audio = "audio"
label_field = "folder"
name_template = "site{site}_*"
[split]
group = "site"
[pseudo]
audio = "unlabelled"
threshold = 0.5
[frontend]
rate = 8000
n_fft = 256
hop_samples = 160
n_mels = 16
fmax_hz = 4000.0
[chunks]
core_s = 0.5
context_s = 0.1
[model.crnn]
channels = [8]
pools = [4]
hidden = 8
[training]
weak = true
epochs = 6
steps_per_epoch = 8
batch_size = 8
learning_rate = 0.02
ema_decay = 0.8
device = "cpu"
[evaluation]
bootstrap = 100
[report]
examples = 0
"""


def tone(label: str, seed: int, seconds: float) -> NDArray[np.float32]:
    """A tone of the label's frequency in noise; noise alone without a label."""
    rng = np.random.default_rng(seed)
    wave = 0.01 * rng.standard_normal(int(RATE * seconds))
    if label in HZ:
        wave += 0.2 * np.sin(2 * np.pi * HZ[label] * np.arange(len(wave)) / RATE)
    return wave.astype(np.float32)


def write_corpus(place: Path, sites: str = "ABC", project: str = PROJECT) -> None:
    """Two recordings of each label, and of none, at each site; unlabelled ones of other sites: tone, noise, tone."""
    for number, (site, label) in enumerate((s, k) for s in sites for k in (*HZ, "nocall")):
        for take in (1, 2):
            write(place / "audio" / label / f"site{site}_{take}.wav", tone(label, 2 * number + take, 1.0))
    for number in range(4):
        parts = [tone(label, 100 + 3 * number + i, 1.0) for i, label in enumerate(("high", "", "low"))]
        write(place / "unlabelled" / f"siteU{number}_1.wav", np.concatenate(parts))
    (place / "ossicle.toml").write_text(project)


def write(path: Path, samples: NDArray[np.float32]) -> None:
    """A WAV file, its folder made where it is not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_wav(path, samples, RATE)


def train_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trainings one after another in this process: spawning costs more than such small ones."""

    def fit_all(jobs: Sequence[FitJob], parallel: int, progress: object = None) -> None:
        for job in jobs:
            crossval.fit_job(job)

    monkeypatch.setattr(crossval, "fit_all", fit_all)
    assert training_step.STEP.name == "training"
