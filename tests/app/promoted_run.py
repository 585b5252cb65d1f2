"""A finished run of a small project whose networks nobody trained, with figures that a test chooses."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ossicle.app.project.load import load_project
from ossicle.app.steps.engine.step import Silent, find_steps
from ossicle.app.steps.pipeline.pipelines import steps_of
from ossicle.app.steps.pipeline.run_project import run_project
from ossicle.artefacts.files import read_json, write_json
from ossicle.audio.wav import write_wav
from ossicle.corpus.formats.cells.rows import RawSelection
from ossicle.corpus.formats.raven import write_raven

from ..made_up.untrained import PROJECT, RATE

GATES = """
[noise_gate]
off = ["silence", "white_noise", "hum", "speech_like", "recordings"]
may_find_nothing = true
probe_s = 60
[promotion]
require = ["clips.accuracy >= 0.93", "clips.loss <= 0.45", "clips.f1.kick > 0.9"]
[variants.other.training]
seed = 7
"""


def write_hits(place: Path) -> None:
    """Write two recordings of noise with sixteen annotated hits of two labels, ``audio/`` and ``tables/``."""
    (place / "audio").mkdir(parents=True)
    for number, stem in enumerate(("siteA_1", "siteB_1")):
        samples = 0.03 * np.random.default_rng(number).standard_normal(10 * RATE)
        write_wav(place / "audio" / f"{stem}.wav", samples.astype(np.float32), RATE)
        rows = [RawSelection(float(start), start + 0.5, ("kick", "snare")[start % 2]) for start in range(1, 9)]
        write_raven(place / "tables" / f"{stem}.Table.1.selections.txt", rows)


def clip_project(place: Path, tables: str) -> Path:
    """Write a project that judges clips, with further tables."""
    write_hits(place)
    (place / "ossicle.toml").write_text(PROJECT.replace("[evaluation]", '[evaluation]\ncriterion = "clips"') + tables)
    return place


def finished_project(place: Path, variants: tuple[str, ...] = ("",)) -> Path:
    """Make a project and run it; ``use_untrained`` must be active."""
    clip_project(place, GATES)
    for variant in variants:
        run_project(load_project(place, variant=variant), Silent())
    return place


def clip_figures(accuracy: float = 0.95, loss: float = 0.3, **f1: float | None) -> dict[str, Any]:
    """Figures as the criterion of clips gives them."""
    return {
        "accuracy": _figure(accuracy),
        "loss": _figure(loss),
        "f1": {label: _figure(value) for label, value in ({"kick": 0.95, "snare": 0.94} | f1).items()},
    }


def set_figures(place: Path, clips: Mapping[str, Any], variant: str = "") -> None:
    """Replace the figures of a finished run."""
    project = load_project(place, variant=variant)
    folder = find_steps(steps_of(project), project)["noise_gate"]
    assert folder is not None
    write_json(folder / "metrics.json", {**read_json(folder / "metrics.json"), "clips": dict(clips)})


def _figure(value: float | None) -> dict[str, float | None]:
    return {"value": value, "low": None, "high": None}
