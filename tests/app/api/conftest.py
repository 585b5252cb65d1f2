"""Bundles of every kind, and recordings at two rates."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from ossicle.bundle.format import read_bundle
from ossicle.core.scores.combination import Combination
from ossicle.core.scores.postprocess import Postprocess
from ossicle.core.scores.score_map import Isotonic, Platt
from ossicle.inference.second_stage.file import second_stage_bytes

from ...bundle.conftest import LABELS, tiny_graph, written
from ...bundle.entries.test_ensembles import ensembled
from ...inference.second_stage.test_stage import stage

GRAPH = tiny_graph().SerializeToString()
CALIBRATION = {LABELS[0]: Platt(1.5, -0.5), LABELS[1]: Isotonic((-2.0, 0.1, 2.0), (0.05, 0.4, 0.95))}
KERNEL = Postprocess(kernel=(0.25, 0.5, 1.0, 0.5, 0.25))
KINDS: dict[str, dict[str, Any]] = {
    "plain": {},
    "mean": {"pool": "mean"},
    "kernel": {"postprocess": KERNEL},
    "prior": {"postprocess": Postprocess(file_prior_top=5, file_prior_power=0.1)},
    "calibration": {"calibration": CALIBRATION},
    "second stage": {
        "files": {"model.onnx": GRAPH, "second_stage.safetensors": second_stage_bytes(stage(0.2, LABELS))}
    },
    "all at once": {"pool": "mean", "postprocess": KERNEL, "calibration": CALIBRATION},
    "ensemble": {},
}


@pytest.fixture
def bundle_of(tmp_path: Path) -> Callable[[str], Path]:
    """Maker of a bundle of one of ``KINDS``."""

    def make(kind: str) -> Path:
        folder = tmp_path / f"bundle-{kind.replace(' ', '-')}"
        if kind != "ensemble":
            return written(folder, **KINDS[kind]).folder
        other = tiny_graph()
        weights = other.graph.initializer[0]
        weights.raw_data = (np.frombuffer(weights.raw_data, np.float32) * -0.7).tobytes()
        members = {"one": written(tmp_path / "one", name="one")}
        members["two"] = written(tmp_path / "two", other, name="two", labels=LABELS[::-1])
        return ensembled(folder, members, Combination(rule="vlom", weights=(0.25, 0.75)), postprocess=KERNEL).folder

    return make


@pytest.fixture
def audio(tmp_path: Path) -> Path:
    """A folder of three recordings, one of them at another rate, one in two channels."""
    folder = tmp_path / "audio"
    (folder / "night").mkdir(parents=True)
    for seed, (name, rate, channels) in enumerate(
        (("one.wav", 8000, 1), ("night/two.flac", 22050, 1), ("night/three.wav", 8000, 2))
    ):
        noise = np.random.default_rng(seed).normal(0, 0.1, (5 * rate + 123, channels))
        noise[rate : 2 * rate] *= 4.0
        soundfile.write(folder / name, np.clip(noise, -1, 1), rate)
    return folder


@pytest.fixture
def old_manifest(old_bundle: Path) -> Any:
    """What the kept bundle says."""
    return read_bundle(old_bundle)
