"""The chain of steps with networks that nobody trained: for tests of everything around the training."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ossicle.app.steps.engine.step import Context, Step
from ossicle.app.steps.pipeline import detector
from ossicle.app.steps.pipeline.pipelines import PIPELINES
from ossicle.artefacts.files import write_json
from ossicle.audio.wav import write_wav
from ossicle.corpus.clips import dataset_folder
from ossicle.corpus.formats.raven import write_raven
from ossicle.corpus.formats.rows import RawSelection
from ossicle.models.networks.registry import build_network
from ossicle.models.weights import save_weights
from ossicle.training.runfolder import RunFolder


def untrained(context: Context) -> None:
    """What the step ``training`` leaves, without the training."""
    labels, settings = dataset_folder.labels_of(context.inputs["dataset"]), context.project.settings
    models = dataset_folder.models_of(context.inputs["dataset"])
    for name in models:
        torch.manual_seed(0)
        folder = RunFolder(context.out / name)
        save_weights(build_network(settings.model, settings.frontend, settings.plan, len(labels)), folder.weights)
    write_json(context.out / "training.json", {"labels": list(labels), "held_out": models})


def chain_without_training() -> tuple[Step, ...]:
    """The steps of a detector, the training replaced."""
    return tuple(replace(step, run=untrained) if step.name == "training" else step for step in detector.PIPELINE.steps)


def use_steps(patch: pytest.MonkeyPatch, steps: Iterable[Step]) -> None:
    """Have detectors consist of other steps, as long as ``patch`` lasts."""
    patch.setitem(PIPELINES, detector.PIPELINE.name, replace(detector.PIPELINE, steps=tuple(steps)))


def use_untrained(patch: pytest.MonkeyPatch) -> None:
    """Have detectors keep networks that nobody trained, as long as ``patch`` lasts."""
    use_steps(patch, chain_without_training())


RATE = 8000
PROJECT = """
base = "recipe:tapes"
[corpus]
audio = "audio"
annotations = "tables"
name_template = "site{site}_*"
[split]
group = "site"
[frontend]
rate = 8000
n_fft = 256
hop_samples = 160
n_mels = 16
fmax_hz = 4000.0
[model.crnn]
channels = [4]
pools = [4]
hidden = 4
[evaluation]
bootstrap = 100
[report]
examples = 0
"""


def write_tapes(place: Path, annotated: Sequence[str], others: Sequence[str] = ()) -> None:
    """Tapes of ten seconds of noise by their stems, ``audio/`` and ``tables/`` below ``place``; three calls on some."""
    (place / "audio").mkdir(parents=True)
    for number, stem in enumerate((*annotated, *others)):
        samples = 0.03 * np.random.default_rng(number).standard_normal(10 * RATE)
        write_wav(place / "audio" / f"{stem}.wav", samples.astype(np.float32), RATE)
    for stem in annotated:
        rows = [RawSelection(float(start), start + 0.5, "call") for start in (1, 4, 7)]
        write_raven(place / "tables" / f"{stem}.Table.1.selections.txt", rows)
