"""Segments are judged at every joint of units, and against their whole length."""

from types import SimpleNamespace

import numpy as np
import pytest
from tests.metrics.speech.pairs import made_pairs

from ossicle.app.steps.vocoder.spoken_pairs import JudgedSource, speak_pairs
from ossicle.audio.pitch.settings import PitchSettings
from ossicle.units.mean_spectrum import mean_spectrum

RATE, HOP = 8000, 160


def test_joints_of_units_are_looked_at_and_the_length_is_that_of_the_segment():
    voice = next(made_pairs(1, RATE))[0][: 12 * HOP]
    units = np.zeros(12, dtype=np.int16)
    broken = voice.copy()
    broken[4 * HOP :] += 3 * np.abs(np.diff(voice, n=2)).max()
    vocoder = SimpleNamespace(spec=SimpleNamespace(rate=RATE, hop=HOP, speakers=("ada",)), synthesise=lambda *_: broken)
    source = JudgedSource("a", "a.wav", "a", "ben", 0.0, units, None, voice, seconds=0.25)
    baseline = mean_spectrum([(voice, units)], 1, RATE, HOP)
    (pair,) = speak_pairs(vocoder, [source], PitchSettings(), baseline=baseline)
    assert pair.speaker is None
    assert (pair.judged.defects.clicks, pair.judged.defects.seams) == (1, 11)
    assert (pair.judged.original_defects.clicks, pair.judged.original_defects.seams) == (0, 11)
    assert pair.judged.length_ratio == pytest.approx(0.24 / 0.25)
    assert pair.to_json()["length_ratio"] == pytest.approx(0.96)
    assert pair.baseline_judged is not None
    assert pair.baseline_judged.length_ratio == pytest.approx(0.96)
    assert pair.baseline_judged.original_pitch is pair.judged.original_pitch
