"""Projects of sliding-window models: what the project file says reaches the network."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from ossicle.app.cli.main import app
from ossicle.app.project.load import load_project
from ossicle.core.errors import ProjectError
from ossicle.core.model_input.chunks import framing
from ossicle.models.networks.registry import build_network

PROJECT = """
[corpus]
audio = "audio"
annotations = "tables"
[frontend]
rate = 48000
n_fft = 2048
hop_samples = 1024
n_mels = 128
fmin_hz = 0.0
fmax_hz = 4000.0
scale = "linear"
preemphasis = 0.98
window_scale = "energy"
[chunks]
core_s = 1.0
window_s = 0.4
step_s = 0.05
[model]
name = "window"
[model.window]
backbone = "resnet10t"
[variants.wide.chunks]
window_s = 0.6
[variants.short.frontend]
n_fft = 1024
hop_samples = 512
[variants.exact.chunks]
exact_step = true
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "ossicle.toml").write_text(PROJECT)
    return tmp_path / "ossicle.toml"


@pytest.mark.parametrize(
    ("variant", "overrides", "shape", "n_windows"),
    [
        ("", (), (17, 128), 23),
        ("wide", (), (27, 128), 23),
        ("short", (), (36, 128), 19),
        ("exact", (), (17, 128), 20),
        ("", ("frontend.n_fft=4096",), (15, 128), 23),
        ("wide", ("frontend.n_mels=64", "chunks.step_s=0.1"), (27, 64), 9),
    ],
)
def test_an_override_reaches_the_network(
    file: Path, variant: str, overrides: tuple[str, ...], shape: tuple[int, int], n_windows: int
) -> None:
    settings = load_project(file, overrides, variant=variant).settings
    network = build_network(settings.model, settings.frontend, settings.plan, 1)
    assert network.images.shape == shape
    assert network.images.n_windows == settings.plan.core_frames == n_windows
    result = framing(settings.plan, settings.frontend)
    rows = network.images.rows.numpy().reshape(n_windows, shape[0])
    assert rows[-1, -1] == result.n_frames - 1
    assert rows[1, 0] == result.step_frames


def test_the_known_model_is_a_preset(file: Path) -> None:
    text = '[corpus]\naudio = "audio"\n[variants.known]\nbase = "preset:known_windows"\n'
    file.write_text(text + '[variants.known.model.window]\nbackbone = "resnet10t"\n')
    settings = load_project(file, variant="known").settings
    front = settings.frontend
    assert (front.rate, front.n_fft, front.hop_samples, front.n_mels) == (48000, 2048, 1024, 128)
    assert (front.fmin_hz, front.fmax_hz, front.floor_db) == (0.0, 4000.0, -100.0)
    assert (front.scale, front.preemphasis, front.window_scale) == ("linear", 0.98, "energy")
    assert (settings.plan.hop_samples, settings.plan.window_samples, settings.plan.core_frames) == (2048, 18432, 12)
    augment = settings.augment
    assert (augment.pitch_low, augment.pitch_high, augment.time_low, augment.time_high) == (0.5, 1.5, 0.5, 2.0)
    assert (augment.background_by, augment.background_low_db, augment.background_high_db) == ("snr", -3.0, 12.0)
    assert settings.model.window.max_pool is False
    assert settings.model.window.normalise == "minmax"
    build_network(settings.model, front, settings.plan, 1)


def test_check_prints_the_windows_as_they_are(file: Path) -> None:
    asked = CliRunner().invoke(app, ["check", "-p", str(file)], env={"COLUMNS": "240"})
    assert "windows of 0.384 s every 0.04267 s (asked: 0.4 s and 0.05 s; 17 STFT frames every 2" in asked.stdout
    exact = load_project(file, variant="exact").settings
    assert "every 0.05 s" in exact.chunks.in_words(exact.frontend)
    assert "each with an STFT of its own" in exact.chunks.in_words(exact.frontend)


def test_a_network_that_cannot_read_the_chunks_is_refused_before_anything_is_built(file: Path) -> None:
    with pytest.raises(ProjectError, match=r"\[model\] name = 'crnn' reads frame by frame"):
        load_project(file, ("model.name=crnn",))
    with pytest.raises(ProjectError, match=r"\[augment\] time_low, time_high: windows of an exact step"):
        load_project(file, ("augment.time_high=2.0",), variant="exact")
