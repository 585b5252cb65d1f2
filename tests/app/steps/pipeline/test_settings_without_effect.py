"""Settings of a variant that change no figure are named, and no others."""

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ossicle.app.project.load import Project, load_project
from ossicle.app.project.settings import WITHOUT_FIGURES, ProjectSettings
from ossicle.app.steps.pipeline.project_status import (
    idle_together,
    no_effect_in_words,
    settings_without_effect,
)

from ...conftest import Commands

ENCODER = """
base = "recipe:birds"
[corpus]
audio = "audio"
label_field = "folder"
[encoder]
name = "acoustic"
[features]
window_s = 0.5
hop_s = 0.25
"""
TAPES = 'base = "recipe:tapes"\n[corpus]\naudio = "audio"\n'
ELSEWHERE = "[variants.v]\nreport.examples = 3\nbenchmark.bootstrap = 7\nexport.held_out_hours = 0.5\n"


def variant_of(folder: Path, text: str) -> tuple[Project, Project]:
    file = folder / "ossicle.toml"
    file.write_text(text)
    return load_project(file, variant="v"), load_project(file)


@pytest.mark.parametrize(
    ("settings", "idle"),
    [
        ("[variants.v.frontend]\nn_fft = 512\nn_mels = 40\n", ["frontend.n_fft = 512", "frontend.n_mels = 40"]),
        ("[variants.v.augment]\ngain_db = 3.0\n[variants.v.head]\nepochs = 3\n", ["augment.gain_db = 3.0"]),
        ("[variants.v.head]\nepochs = 3\n", []),
        ("[variants.v.encoder]\nname = 'none'\n[variants.v.frontend]\nn_mels = 40\n", []),
        # The recipe's fmax_hz is above half of this rate, so neither value goes alone.
        (
            "[variants.v.frontend]\nrate = 24000\nfmax_hz = 12000.0\n[variants.v.head]\nepochs = 3\n",
            ["frontend.fmax_hz = 12000.0", "frontend.rate = 24000"],
        ),
        ("[variants.v.frontend]\nrate = 48000\n", ["frontend.rate = 48000"]),
        ("[variants.v.features]\nhop_s = 0.125\n", []),
        (ELSEWHERE, []),
    ],
)
def test_settings_without_effect_under_a_frozen_encoder(tmp_path: Path, settings: str, idle: list[str]) -> None:
    variant, project = variant_of(tmp_path, ENCODER + settings)
    assert list(settings_without_effect(variant, project)) == idle


def test_settings_that_say_the_same_hide_no_other() -> None:
    def is_idle(left_out: Sequence[str]) -> bool:
        # Each of two says what the other says; a third changes nothing.
        return not {"a.x = 1", "b.y = 2"} <= set(left_out)

    assert idle_together(["a.x = 1", "b.y = 2", "c.z = 3"], is_idle) == ("a.x = 1", "c.z = 3")
    assert idle_together(["a.x = 1", "a.y = 2"], lambda left_out: False) == ()


def test_a_rate_that_shapes_only_the_health_report_has_no_effect(tmp_path: Path) -> None:
    text = 'base = "recipe:appliances"\n[corpus]\naudio = "audio"\n[variants.v.frontend]\nrate = 24000\n'
    variant, project = variant_of(tmp_path, text)
    assert settings_without_effect(variant, project) == ("frontend.rate = 24000",)


@pytest.mark.parametrize(
    "settings",
    [
        "[variants.v.frontend]\nn_mels = 40\n",
        "[variants.v.training]\nseed = 4\n",
        "[variants.v.decision]\nmin_gap_s = [0.5]\n",
        "[variants.v.noise_gate]\nprobe_s = 60.0\n",
    ],
)
def test_settings_of_networks_have_an_effect(tmp_path: Path, settings: str) -> None:
    variant, project = variant_of(tmp_path, TAPES + settings)
    assert settings_without_effect(variant, project) == ()


def test_words_say_that_all_figures_are_those_of_the_project(tmp_path: Path) -> None:
    variant, project = variant_of(tmp_path, ENCODER + "[variants.v.frontend]\nn_mels = 40\n")
    words = "no effect on the figures, which are those of the project itself: frontend.n_mels = 40"
    assert no_effect_in_words(variant, project) == words
    variant, project = variant_of(tmp_path, ENCODER + "[variants.v]\nfrontend.n_mels = 40\nhead.epochs = 3\n")
    assert no_effect_in_words(variant, project) == "no effect on the figures: frontend.n_mels = 40"


def test_check_and_run_name_them(tmp_path: Path, ossicle: Commands) -> None:
    for label in ("low", "high"):
        (tmp_path / "audio" / label).mkdir(parents=True)
        for take in range(2):
            noise = np.random.default_rng(take).normal(0, 0.1, 8000).astype(np.float32)
            soundfile.write(tmp_path / "audio" / label / f"{take}.wav", noise, 8000)
    (tmp_path / "ossicle.toml").write_text(ENCODER + "[variants.v.frontend]\nn_mels = 40\n")
    words = "variant v: no effect on the figures, which are those of the project itself: frontend.n_mels = 40"
    assert words in " ".join(ossicle("check", "-p", tmp_path, "--variant", "v").out.split())
    assert words in ossicle("run", "-p", tmp_path, "--variant", "v", "--until", "corpus", "--progress", "none").err
    assert "no effect" not in ossicle("run", "-p", tmp_path, "--until", "corpus", "--progress", "none").err


def test_tables_without_figures_are_tables() -> None:
    assert {field.name for field in fields(ProjectSettings)} >= WITHOUT_FIGURES
