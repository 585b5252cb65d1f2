"""Judged pairs with figures as wanted."""

import numpy as np

from ossicle.audio.pitch.track import PitchTrack
from ossicle.evaluation.units.resynthesis.pairs import Defects, JudgedPair
from ossicle.metrics.speech.pitch_errors import PitchErrors

NO_TRACK = PitchTrack(np.zeros(0, np.float32), np.zeros(0, np.float32), np.zeros(0))


def judged(**figures):
    """Return a pair of 2 s with these figures."""
    values = {
        "log_mel_db": 6.0,
        "mcd_db": 5.0,
        "mcd_aligned_db": 4.0,
        "pitch": PitchErrors(100 * 50.0**2, 100, 20, 200),
        "si_sdr_db": -20.0,
        "snr_db": -2.0,
        "seconds": 2.0,
        "made_seconds": 2.0,
        "original_pitch": NO_TRACK,
        "made_pitch": NO_TRACK,
        "defects": Defects(0, 0, 0.0, False, 0),
        "original_defects": Defects(0, 0, 0.0, False, 0),
    }
    return JudgedPair(**{**values, **figures})
