"""Which sounds count as noise, on synthetic ones of known kind and on real ones."""

from pathlib import Path

import numpy as np
import pytest
import scipy.signal
from numpy.typing import NDArray

from ossicle.core.digest import seed_of
from ossicle.metrics.noise.noise_likeness import LabelTexture, Texture, label_texture, texture_of

RATE, SECONDS = 16000, 3.0
N = int(RATE * SECONDS)
T = np.arange(N) / RATE


def noise(name: str, seconds: float = SECONDS) -> NDArray[np.float64]:
    return np.random.default_rng(seed_of(0, name)).standard_normal(int(RATE * seconds))


def coloured(low_hz: float, high_hz: float) -> NDArray[np.float64]:
    sos = scipy.signal.butter(2, (low_hz, high_hz), btype="bandpass", fs=RATE, output="sos")
    return scipy.signal.sosfilt(sos, noise("coloured"))


def chirps() -> NDArray[np.float64]:
    return np.sin(2 * np.pi * (1000 * T + 300 * np.sin(2 * np.pi * 3 * T)))


def clicks() -> NDArray[np.float64]:
    wave = np.zeros(N)
    wave[:: RATE // 20] = 1.0
    return scipy.signal.lfilter([1.0], [1.0, -0.9], wave) + 1e-3 * noise("clicks")


def comb(hz: float = 50.0) -> NDArray[np.float64]:
    return sum(np.sin(2 * np.pi * order * hz * T + order**2) / order for order in range(1, 12)) + 0.01 * noise("comb")


SOUNDS = {
    "white": (noise("white"), {"white_noise", "hum"}),
    "coloured": (coloured(200.0, 2000.0), {"white_noise", "hum"}),
    "swelling": (noise("swelling") * np.exp(0.9 * np.sin(2 * np.pi * T / 3)), {"white_noise", "hum", "speech_like"}),
    "modulated": (noise("modulated") * np.exp(1.2 * np.sin(2 * np.pi * 4 * T)), {"speech_like"}),
    "hum": (comb(), {"hum"}),
    "chirps": (chirps() + 0.05 * noise("chirps"), set()),
    "clicks": (clicks(), set()),
    "voice": (comb(170.0) * (1 + np.sign(np.sin(2 * np.pi * 3 * T))) + 0.01 * noise("voice"), set()),
    "burst": (np.where(T < 0.3, noise("burst"), 0.003 * noise("after")), set()),
    "silence": (np.zeros(N), set()),
}


def of_label(wave: NDArray[np.float64]) -> LabelTexture:
    return label_texture([texture_of(wave.astype(np.float32), RATE)] * 4, 4)


@pytest.mark.parametrize("name", SOUNDS)
def test_a_label_resembles_the_probes_that_its_sounds_are_like(name: str) -> None:
    wave, expected = SOUNDS[name]
    assert set(of_label(wave).resembles) == expected


@pytest.mark.parametrize("gain", [1e-4, 1.0, 30.0])
@pytest.mark.parametrize("name", ["coloured", "modulated", "hum", "chirps"])
def test_neither_level_nor_a_constant_offset_matter(name: str, gain: float) -> None:
    wave, expected = SOUNDS[name]
    assert set(of_label(gain * (wave + 0.5)).resembles) == expected


def test_the_figures_of_gaussian_noise_are_those_of_an_exponential_distribution() -> None:
    texture = texture_of(noise("long", 20.0).astype(np.float32), RATE)
    assert texture.seconds == pytest.approx(20.0, abs=0.1)
    assert texture.peaked == pytest.approx(9 * np.exp(-8), rel=0.3)
    assert texture.variation == pytest.approx(1.0, abs=0.05)
    assert texture.fast_db < 0.5


@pytest.mark.parametrize("n", [0, 1, 100, 511, 512, 600])
def test_short_clips_are_measured_and_are_no_textures(n: int) -> None:
    texture = texture_of(noise("short")[:n].astype(np.float32), RATE)
    assert not texture.noise
    assert not texture.hum
    assert np.isfinite(
        [texture.seconds, texture.peaked, texture.swing_db, texture.fast_db, texture.variation, texture.low]
    ).all()


def test_three_quarters_of_all_clips_decide_and_short_events_count_as_others() -> None:
    rain = Texture(5.0, 0.01, 1.0, 1.0, 1.0, 0.3)
    bark = Texture(1.5, 0.3, 9.0, 9.0, 2.0, 0.3)
    assert label_texture([rain] * 3 + [bark], 4).resembles == ("white_noise", "hum")
    assert label_texture([rain] * 2 + [bark] * 2, 4).resembles == ()
    assert label_texture([rain] * 3, 5).resembles == ()
    assert label_texture([], 0) == LabelTexture(0, 0.0, 0.0, 0.0, 0.0, ())


def test_a_label_texture_is_read_as_it_was_written() -> None:
    texture = of_label(SOUNDS["swelling"][0])
    assert LabelTexture.from_json(texture.to_json()).to_json() == texture.to_json()
    assert LabelTexture.from_json(texture.to_json()).resembles == texture.resembles


def test_of_the_ten_real_classes_rain_and_sea_waves_are_noise(real_data: Path) -> None:
    import soundfile
    import soxr

    likes: dict[str, tuple[str, ...]] = {}
    for folder in sorted((real_data / "esc10").iterdir()):
        textures = []
        for path in sorted(folder.glob("*.ogg"))[::3]:
            samples, rate = soundfile.read(path, dtype="float32")
            textures.append(texture_of(soxr.resample(samples, rate, 32000), 32000))
        likes[folder.name] = label_texture(textures, len(textures)).resembles
    assert {name for name, like in likes.items() if like} == {"rain", "sea_waves"}
    assert all("white_noise" in likes[name] for name in ("rain", "sea_waves"))
