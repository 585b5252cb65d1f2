"""The tracker that settings name, and what its results depend on."""

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ossicle.audio.pitch.settings import SWIFT_F0, PitchSettings
from ossicle.audio.pitch.swift import SwiftTracker, swift_version
from ossicle.audio.pitch.track import TRACKER_VERSION, PitchTrack, track_f0

Tracker = Callable[[NDArray[np.floating], int], PitchTrack]
"""From samples of one channel, floats (n,), and their rate in Hz to the contour."""


def pitch_tracker(settings: PitchSettings) -> Tracker:
    """Return the tracker.

    Parameters
    ----------
    settings
        Its name and its range of F0.

    Raises
    ------
    UsageError
        It needs a package that is not installed.

    Examples
    --------
    >>> track = pitch_tracker(PitchSettings(low_hz=80.0))
    >>> len(track(np.zeros(800, np.float32), 8000).f0_hz)
    11
    """
    if settings.tracker == SWIFT_F0:
        return SwiftTracker(settings.low_hz, settings.high_hz).track
    return partial(track_f0, low_hz=settings.low_hz, high_hz=settings.high_hz)


def tracker_version(settings: PitchSettings) -> str:
    """Return the version of the tracker, which belongs into the fingerprint of what it finds.

    Parameters
    ----------
    settings
        Names the tracker.

    Raises
    ------
    UsageError
        It needs a package that is not installed.

    Examples
    --------
    >>> tracker_version(PitchSettings())
    'yin 1'
    """
    return f"{settings.tracker} {swift_version() if settings.tracker == SWIFT_F0 else TRACKER_VERSION}"
