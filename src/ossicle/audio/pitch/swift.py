"""F0 by swift_f0, a small network in ONNX that the user has installed (extra ``pitch``).

References
----------
L. Nieradzik, "SwiftF0: fast and accurate monophonic pitch detection", arXiv:2508.18440, 2025.
"""

import importlib.util
from importlib.metadata import version

import numpy as np
from numpy.typing import NDArray

from ossicle.audio.pitch.settings import OWN_TRACKER, SWIFT_F0
from ossicle.audio.pitch.track import PitchTrack, check_samples, frame_times
from ossicle.core.errors import UsageError

_PACKAGE = "swift_f0"
_LEAST_CONFIDENCE = 0.5
# Its lowest F0, and the range that its network covers.
_LOWEST_HZ, _HIGHEST_HZ = 46.875, 2093.75


def swift_version() -> str:
    """Return the version of the installed swift_f0.

    Raises
    ------
    UsageError
        It is not installed.
    """
    if importlib.util.find_spec(_PACKAGE) is None:
        raise UsageError(
            f"[pitch] tracker = {SWIFT_F0!r} needs the package swift-f0: pip install 'ossicle[pitch]', or set "
            f"tracker = {OWN_TRACKER!r}"
        )
    return version("swift-f0")


class SwiftTracker:
    """swift_f0 with its session, which takes longer to load than a segment.

    Parameters
    ----------
    low_hz, high_hz
        Range of F0 in Hz.

    Raises
    ------
    UsageError
        The package is not installed, or its network does not cover the range.
    """

    def __init__(self, low_hz: float, high_hz: float) -> None:
        swift_version()
        if low_hz < _LOWEST_HZ or high_hz > _HIGHEST_HZ:
            raise UsageError(
                f"[pitch] low_hz = {low_hz:g} and high_hz = {high_hz:g}: {SWIFT_F0} finds {_LOWEST_HZ:g} to "
                f"{_HIGHEST_HZ:g} Hz; change them, or set tracker = {OWN_TRACKER!r}"
            )
        from swift_f0 import SwiftF0

        self._low_hz, self._high_hz = low_hz, high_hz
        self._network = SwiftF0(threads=1, spin=False)

    def track(self, samples: NDArray[np.floating], rate: int) -> PitchTrack:
        """Return the F0 contour of one voice; its frames of 16 ms are put on the grid of 10 ms.

        Parameters
        ----------
        samples
            Speech of one channel, floats of shape (n,).
        rate
            Sample rate in Hz.

        Raises
        ------
        ValueError
            If samples are not finite, or not one row.
        """
        check_samples(samples)
        times_s = frame_times(len(samples), rate)
        if not len(samples):
            return PitchTrack(np.zeros(0, np.float32), np.zeros(0, np.float32), times_s)
        detected = self._network.detect(samples.astype(np.float32), rate, self._low_hz, self._high_hz)
        hz = np.where(detected.confidence >= _LEAST_CONFIDENCE, detected.pitch_hz, 0.0).astype(np.float32)
        return PitchTrack(hz, detected.confidence.astype(np.float32), detected.timestamps).at(times_s)
