"""The sample rate of a vocoder, and where the samples of each unit are."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from ossicle.core.errors import UsageError
from ossicle.core.records import Recording
from ossicle.training.vocoder.settings import RATES, VocoderSettings

_TINY = 1e-6


def vocoder_rate(settings: VocoderSettings, recordings: Iterable[Recording]) -> int:
    """Return the sample rate in Hz: ``[vocoder] rate``, or what most of the sound has, 8000 or 16000.

    Parameters
    ----------
    settings
        The settings.
    recordings
        All recordings of the project.

    Examples
    --------
    >>> phone = Recording("a", "r", "a.wav", rate=8000, channels=1, n_samples=9000, digest="")
    >>> vocoder_rate(VocoderSettings(), [phone]), vocoder_rate(VocoderSettings(rate=16000), [phone])
    (8000, 16000)
    """
    if settings.rate:
        return settings.rate
    low, high = RATES
    balance_s = sum(
        recording.duration_s if recording.rate >= high else -recording.duration_s for recording in recordings
    )
    return high if balance_s >= 0 else low


def unit_samples(rate: int, hop_s: float) -> int:
    """Return how many samples a unit has.

    Parameters
    ----------
    rate
        Sample rate in Hz.
    hop_s
        Seconds from one unit to the next.

    Raises
    ------
    UsageError
        The number is not whole.

    Examples
    --------
    >>> unit_samples(8000, 0.02)
    160
    """
    samples = rate * hop_s
    if abs(samples - round(samples)) > _TINY * samples:
        whole = round(round(samples) / hop_s)
        raise UsageError(
            f"[vocoder] rate = {rate}: a unit of {1000 * hop_s:g} ms would have {samples:g} samples, and must have a "
            f"whole number; set rate = {whole}, or 0 for the rate of the recordings"
        )
    return round(samples)


def refuse_units(settings: VocoderSettings, rate: int, hop_s: float) -> None:
    """Refuse settings under which a unit is not a whole number of samples, or these not of frames.

    Parameters
    ----------
    settings
        The settings.
    rate
        Sample rate in Hz.
    hop_s
        Seconds from one unit to the next.

    Raises
    ------
    UsageError
        The setting by name, and what it may be.
    """
    samples, frames = unit_samples(rate, hop_s), settings.network.frames_per_unit
    if samples % frames:
        fit = [n for n in range(1, 2 * frames) if samples % n == 0]
        raise UsageError(
            f"[vocoder.network] frames_per_unit = {frames}: the {samples} samples of a unit at {rate} Hz are not a "
            f"whole number of so many frames; set it to {min(fit, key=lambda n: abs(n - frames))}"
        )


def lead_samples(rate: int, hop_s: float, origin_s: float) -> int:
    """Return where the first unit begins: samples after the start of its segment, or before it if negative.

    A unit is the sound around the centre of its frame, half a hop on either side.

    Parameters
    ----------
    rate
        Sample rate in Hz.
    hop_s, origin_s
        Distance of the centres, and the first centre, in seconds from the start of the segment.

    Examples
    --------
    >>> lead_samples(8000, 0.02, 0.0125)
    20
    """
    return round((origin_s - hop_s / 2) * rate)


def of_units(samples: NDArray[np.floating], lead: int, n_samples: int) -> NDArray[np.float32]:
    """Return the samples of the units of a segment; zeros where it has none.

    Parameters
    ----------
    samples
        The segment from its start, shape (n,).
    lead
        From :func:`lead_samples`.
    n_samples
        Number of units times samples of a unit.

    Examples
    --------
    >>> of_units(np.arange(5.0), 2, 4).tolist(), of_units(np.arange(5.0), -1, 3).tolist()
    ([2.0, 3.0, 4.0, 0.0], [0.0, 0.0, 1.0])
    """
    aligned = np.zeros(n_samples, np.float32)
    before = max(0, -lead)
    part = samples[max(0, lead) : max(0, lead) + n_samples - before]
    aligned[before : before + len(part)] = part
    return aligned
