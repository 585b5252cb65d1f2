from pathlib import Path

import matplotlib.image
import numpy as np

from ossicle.report.figures.clip_picture import HEIGHT_PX, LEAST_WIDTH_PX, clip_pixels, write_picture

RATE = 16000


def tone(hz: float, seconds: float) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hz * np.arange(int(RATE * seconds)) / RATE)).astype(np.float32)


def test_a_tone_is_brightest_where_it_lies_in_the_band() -> None:
    level = clip_pixels(tone(1500.0, 1.0), RATE, 1000.0, 3000.0)
    assert level.min() >= 0.0
    assert level.max() == 1.0
    brightest = int(level.mean(axis=1).argmax())
    assert abs((brightest + 0.5) / len(level) * 2000 + 1000 - 1500) < 60


def test_pictures_are_large_enough_to_be_seen_and_low_frequencies_lie_below(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png", tone(500.0, 0.05), RATE, 0.0, 8000.0)
    pixels = matplotlib.image.imread(tmp_path / "a.png")[..., :3].sum(axis=-1)
    assert pixels.shape[1] >= LEAST_WIDTH_PX
    assert HEIGHT_PX / 2 <= pixels.shape[0] <= HEIGHT_PX + 16
    assert pixels[len(pixels) // 2 :].mean() > pixels[: len(pixels) // 2].mean()
    again = tmp_path / "b.png"
    write_picture(again, tone(500.0, 0.05), RATE, 0.0, 8000.0)
    assert again.read_bytes() == (tmp_path / "a.png").read_bytes()


def test_silence_nothing_and_a_narrow_band_are_pictures_too(tmp_path: Path) -> None:
    for name, samples in (
        ("silent", np.zeros(4000, np.float32)),
        ("none", np.zeros(0, np.float32)),
        ("one", np.ones(1, np.float32)),
    ):
        write_picture(tmp_path / f"{name}.png", samples, RATE, 3000.0, 3001.0)
        assert (tmp_path / f"{name}.png").stat().st_size > 0
    assert not clip_pixels(np.zeros(4000, np.float32), RATE, 0.0, 8000.0).any()
