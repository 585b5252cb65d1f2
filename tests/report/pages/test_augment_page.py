"""The page of one crop's way through augmentation: what it says, what it plays, and what it leaves out."""

import base64
import io
import re

import numpy as np
import pytest
import soundfile

from ossicle.models.augmentation.settings import EarlySettings, MixupSettings, SpectralSettings
from ossicle.models.settings import AugmentSettings
from ossicle.report.pages.augment_page import AugmentPage, StageView, render
from ossicle.report.pages.augment_words import TITLES, stage_words

RATE = 8000
HOSTILE = "<script>alert(1)</script>"


def view(stage: str, samples: np.ndarray | None, targets: np.ndarray, words: tuple[str, ...] = ()) -> StageView:
    log_mel = np.full((20, 8), -40.0 if samples is None else float(np.abs(samples).sum()), dtype=np.float32)
    log_mel[3:9] += 12
    return StageView(stage, words, samples, log_mel, targets, np.ones_like(targets))


def page(*views: StageView, labels: tuple[str, ...] = ("song", HOSTILE)) -> AugmentPage:
    return AugmentPage("Test", {"recording": HOSTILE}, views, labels, list(np.linspace(100, 4000, 8)), RATE, 0.05)


def test_each_stage_is_shown_once_and_what_did_not_change_is_not_shown_again() -> None:
    tone = (0.5 * np.sin(np.arange(RATE) / 5)).astype(np.float32)
    targets = np.array([[1.0, 0.0]], dtype=np.float32)
    mixed = np.array([[1.0, 0.25]], dtype=np.float32)
    text = render(
        page(
            view("read", tone, targets),
            view("early", tone, targets, ("all crops: sign turned",)),
            view("mixup", tone / 4, mixed, ("all crops: another one",)),
            view("late", tone / 4, mixed),
            view("spectral", None, mixed, ("all crops: masks",)),
        )
    )
    sounds = re.findall(r"data:audio/wav;base64,([A-Za-z0-9+/=]+)", text)
    assert len(sounds) == 2
    assert text.count("data:image/svg") == 3
    assert "left alone this time" in text
    assert text.count(">off<") == 1
    assert "song; &lt;script&gt;alert(1)&lt;/script&gt; with target 0.25" in text
    # Told as they are, played at one peak.
    assert "peak -6.0 dBFS, level -9.0 dBFS" in text
    assert "peak -18.1 dBFS, level -21.1 dBFS" in text
    for sound in sounds:
        samples, rate = soundfile.read(io.BytesIO(base64.b64decode(sound)))
        assert rate == RATE
        assert np.abs(samples).max() == pytest.approx(0.7, abs=1e-3)
    assert HOSTILE not in text
    assert "default-src &#39;none&#39;" in text
    assert not re.search(r'(src|href)="(?!data:|#)', text)


def test_frames_and_the_unknown_are_counted() -> None:
    targets = np.zeros((10, 2), dtype=np.float32)
    targets[2:5, 0] = 0.5
    shown = view("read", np.zeros(RATE, dtype=np.float32), targets)
    mask = np.ones_like(targets)
    mask[5:] = 0
    text = render(page(StageView("read", (), shown.samples, shown.log_mel, targets, mask)))
    assert "song with target 0.5 in 3 of 10 frames; not known 50 %" in text
    assert "digital silence" in text


def test_every_stage_says_what_it_does_and_nothing_where_it_is_off() -> None:
    off = AugmentSettings(
        gain_probability=0.0, background_probability=0.0, tilt_probability=0.0,
        spectral=SpectralSettings(frequency_mask_probability=0.0),
    )  # fmt: skip
    assert set(stage_words(off)) == set(TITLES)
    assert not any(stage_words(off).values())
    on = AugmentSettings(
        background_by="share", normalise="both", time_mask_s=0.32, pitch_low=0.5, time_high=2.0,
        gain_probability=0.5,
        early=EarlySettings(shift_probability=0.25, polarity_probability=0.5, hiss_probability=0.125),
        mixup=MixupSettings(probability=0.5, alpha=0.4, labels="soft", balance="pressure"),
        spectral=SpectralSettings(
            filter_probability=0.5, power_probability=0.5, treble_probability=0.5, time_masks=3,
            time_mask_probability=0.3,
        ),
    )  # fmt: skip
    words = stage_words(on)
    assert words["early"] == [
        "50 % of the crops: gain from -6 to 6 dB",
        "50 % of the crops: sign inverted",
        "25 % of the crops: shifted by up to 1 s, circular",
        "12.5 % of the crops: steady noise 5 to 20 dB below the calls",
        "each crop is scaled to full peak before mixing",
    ]
    assert words["mixup"] == [
        "50 % of the crops: another crop of the batch, shares from Beta(0.4, 0.4) of loudness; labels weighted by share"
    ]
    assert words["late"] == [
        "50 % of the crops: a crop of the batch without targets (if there is one), 25 to 75 % of "
        "the sum, after scaling both to the same peak"
    ]
    assert words["filter"] == ["50 % of the crops: 4 gains from -20 to 0 dB over frequency; then scaled to full peak"]
    assert words["stretch"] == ["all crops: pitch times 0.5 to 1", "all crops: durations times 1 to 2"]
    assert words["spectral"][-1] == "30 % of the crops: one to 3 masks in time of up to 0.32 s"
    assert len(words["spectral"]) == 5
