"""A tiny corpus of tone bursts in noise, as a dataset folder and a store, and one straight training on it."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.audio.store import StoreItem, build_store
from ossicle.audio.wav import write_wav
from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.core.model_input.frontend import FrontEndSettings
from ossicle.core.records import Annotation, Clip
from ossicle.models.settings import AugmentSettings, CrnnSettings, ModelSettings
from ossicle.training.detector.job import FitJob
from ossicle.training.settings import TrainingSettings

RATE = 8000
SECONDS = 6.0
LABELS = ("high", "low")
HZ = {"high": 2500.0, "low": 700.0}
FRONT = FrontEndSettings(rate=RATE, n_fft=256, hop_samples=80, n_mels=16, fmax_hz=4000.0)
PLAN = ChunkPlan(rate=RATE, hop_samples=80, window_samples=256, core_frames=60, context_frames=10)
MODEL = ModelSettings(crnn=CrnnSettings(channels=(4, 8), pools=(4, 2), hidden=8))
TINY = TrainingSettings(
    epochs=4, steps_per_epoch=3, batch_size=4, validation_crops=4, validate_every=3, learning_rate=1e-2, device="cpu"
)


@dataclass(frozen=True)
class Corpus:
    """Where it lies, and what is in it."""

    dataset: DatasetFolder
    store: Path
    audio: Path
    notes: tuple[Annotation, ...]
    clips: tuple[Clip, ...]

    def job(self, folder: Path, fold: int | None = 0, **changes: object) -> FitJob:
        """A training of seconds; ``changes`` are training settings."""
        training = replace(TINY, **changes)  # type: ignore[arg-type]
        held_out = () if fold is None else (fold,)
        return FitJob(
            folder, held_out, self.dataset, self.store, LABELS, PLAN, MODEL, FRONT, training, AugmentSettings()
        )


def make_recording(index: int) -> tuple[np.ndarray, list[Annotation]]:
    """Noise with a burst of one of two tones about every second."""
    rng = np.random.default_rng(index)
    wave = 0.003 * rng.standard_normal(int(RATE * SECONDS))
    notes = []
    for second in range(int(SECONDS)):
        label = LABELS[int(rng.integers(2))]
        start_s, length_s = second + 0.1 + 0.4 * rng.random(), 0.15 + 0.2 * rng.random()
        first, last = round(start_s * RATE), round((start_s + length_s) * RATE)
        wave[first:last] += 0.2 * np.sin(2 * np.pi * HZ[label] * np.arange(last - first) / RATE)
        notes.append(Annotation(f"rec{index}", first / RATE, last / RATE, label))
    return wave.astype(np.float32), notes


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """Four recordings of 6 s in two folds; each burst a target clip, each first tenth of a second noise."""
    place = tmp_path_factory.mktemp("corpus")
    notes: list[Annotation] = []
    clips: list[Clip] = []
    items = []
    for index in range(4):
        wave, annotations = make_recording(index)
        path = place / f"rec{index}.wav"
        write_wav(path, wave, RATE)
        items.append(StoreItem(f"rec{index}", path, hashlib.sha256(path.read_bytes()).hexdigest()))
        notes += annotations
        where = {"recording_id": f"rec{index}", "fold": index % 2, "group": f"g{index}"}
        clips += [Clip(start_s=n.start_s, end_s=n.end_s, role="target", label=n.label, **where) for n in annotations]
        clips += [Clip(start_s=s, end_s=s + 0.1, role="noise", **where) for s in np.arange(0.0, SECONDS, 1.0).tolist()]
    dataset = DatasetFolder(place / "dataset")
    dataset.write_clips(clips)
    dataset.write_targets(notes)
    build_store(items, place / "store", RATE)
    return Corpus(dataset, place / "store", place, tuple(notes), tuple(clips))


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Trainings set torch's threads; other tests get back what they had."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def straight(corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run folder of ``corpus.job`` done without interruption."""
    from ossicle.training.detector.crossval import fit_job

    folder = tmp_path_factory.mktemp("runs") / "straight"
    fit_job(corpus.job(folder))
    return folder
