"""What a network of the recipe ``drums`` sees of a hit: the balance of its bands, up to 18 kHz, and no level."""

import numpy as np
import pytest
import torch

from ossicle.app.project.load import Project, load_project
from ossicle.models.frontend import LogMel
from ossicle.models.networks.window_images import normalise


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("hits")
    (folder / "audio").mkdir()
    (folder / "ossicle.toml").write_text('base = "recipe:drums"\n[corpus]\naudio = "audio"\n')
    return load_project(folder)


def seen(project: Project, *waves: np.ndarray) -> list[np.ndarray]:
    """The images of waves, (n_frames, n_mels) each."""
    settings = project.settings
    with torch.no_grad():
        spectra = LogMel(settings.frontend)(torch.from_numpy(np.stack(waves).astype(np.float32)))
        return list(normalise(spectra, settings.model.window.normalise).numpy())


def hit(project: Project, low_hz: float, high_hz: float, seed: int = 0) -> np.ndarray:
    """A decaying burst of noise in a band, 0.4 s."""
    rate = project.settings.frontend.rate
    noise = np.fft.rfft(np.random.default_rng(seed).standard_normal(round(0.4 * rate)))
    hz = np.fft.rfftfreq(round(0.4 * rate), 1 / rate)
    noise[(hz < low_hz) | (hz > high_hz)] = 0
    wave = np.fft.irfft(noise)
    return np.asarray(wave / np.abs(wave).max() * np.exp(-np.arange(len(wave)) / (0.1 * rate)))


def rows_scaled(image: np.ndarray) -> np.ndarray:
    """Each band scaled to its own least and largest value over time, as the old scripts did."""
    low, high = image.min(axis=0), image.max(axis=0)
    return np.asarray((image - low) / np.maximum(high - low, 1e-9))


def test_the_balance_of_bands_stays(project: Project) -> None:
    rate = project.settings.frontend.rate
    hz = np.fft.rfftfreq(round(0.4 * rate), 1 / rate)
    dark = hit(project, 50, 18000)
    bright = np.fft.irfft(np.fft.rfft(dark) * 10 ** (hz / 18000))
    first, second = seen(project, dark, bright)
    assert np.abs(first - second).mean() > 0.05
    # Bands that were scaled one by one would look the same.
    assert np.abs(rows_scaled(first) - rows_scaled(second)).mean() < 0.02


def test_cymbals_differ_above_8_khz(project: Project) -> None:
    body = hit(project, 200, 7000)
    plain, bright = seen(project, body, body + 0.3 * hit(project, 9000, 16000, seed=1))
    assert np.abs(plain - bright).max() > 0.2
    assert project.settings.frontend.fmax_hz > 16000


def test_the_level_of_a_hit_changes_nothing(project: Project) -> None:
    wave = hit(project, 50, 18000)
    loud, faint = seen(project, 0.9 * wave, 0.1 * wave)
    np.testing.assert_allclose(faint, loud, atol=1e-3)
