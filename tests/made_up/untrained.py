"""The chain of steps with networks that nobody trained: for tests of everything around the training."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ossicle.app.steps.engine.step import Context, Step
from ossicle.app.steps.judge import noise_gate
from ossicle.app.steps.pipeline import detector
from ossicle.app.steps.pipeline.pipelines import PIPELINES
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.training import TrainingFolder
from ossicle.audio.wav import write_wav
from ossicle.corpus.formats.cells.rows import RawSelection
from ossicle.corpus.formats.raven import write_raven
from ossicle.models.networks.registry import build_network
from ossicle.models.weights import save_weights


def untrained(context: Context) -> None:
    """What the step ``training`` leaves, without the training."""
    dataset, settings, own = context.read(DatasetFolder), context.project.settings, context.own(TrainingFolder)
    for name in dataset.models:
        torch.manual_seed(0)
        network = build_network(settings.model, settings.frontend, settings.plan, len(dataset.labels))
        save_weights(network, own.run(name).weights)
    own.write_summary({"labels": list(dataset.labels), "held_out": dataset.models})


def chain_without_training() -> tuple[Step, ...]:
    """The steps of a detector, the training replaced."""
    return tuple(replace(step, run=untrained) if step.name == "training" else step for step in detector.PIPELINE.steps)


def use_steps(patch: pytest.MonkeyPatch, steps: Iterable[Step]) -> None:
    """Have detectors consist of other steps, as long as ``patch`` lasts; that they may find nothing is ignored."""
    patch.setitem(PIPELINES, detector.PIPELINE.name, replace(detector.PIPELINE, steps=tuple(steps)))
    patch.setattr(noise_gate, "nothing_found", lambda metrics: "")


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
