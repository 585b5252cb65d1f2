"""Pictures of a recording and what was made of its units: spectrograms on one scale, each with both F0 contours."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator
from numpy.typing import NDArray

from ossicle.audio.pitch.track import PitchTrack
from ossicle.report.figures.example import LEFT, RIGHT
from ossicle.report.figures.spectrogram import Spectrogram, grey_levels, spectrogram
from ossicle.report.figures.style import BLUE, ORANGE, SOFT, styled

_BOTTOM, _MIDDLE, _TOP = 0.16, 0.43, 0.97
_LEAST_HZ, _MOST_HZ = 60.0, 400.0
# Neighbouring voiced frames that are further apart than this (as a share of an octave) are not joined by a line.
_JUMP = 0.25


@dataclass(frozen=True, slots=True, eq=False)
class Sound:
    """A sound with its F0 contour.

    Attributes
    ----------
    samples
        Floats of shape (n,).
    pitch
        Its contour; None: none is drawn.
    """

    samples: NDArray[np.float32]
    pitch: PitchTrack | None


def pair_figures(sounds: Sequence[Sound], rate: int) -> list[Figure]:
    """Draw each sound as a spectrogram over its F0, the first sound being the recording that the others are made from.

    All have the same axes and shades. In each picture the contour of the recording is a dashed blue line, and the one
    of the sound itself a solid orange one.

    Parameters
    ----------
    sounds
        The recording, and what was made of its units.
    rate
        Sample rate of all in Hz.
    """
    seconds = max([len(sound.samples) for sound in sounds] + [1]) / rate
    spectra = [spectrogram(sound.samples, rate) if len(sound.samples) else None for sound in sounds]
    shades = _shades([spectrum for spectrum in spectra if spectrum is not None])
    limits = _range([sound.pitch for sound in sounds if sound.pitch is not None])
    figures = []
    for sound, sound_spectrogram in zip(sounds, spectra, strict=True):
        grey = None if sound_spectrogram is None else shades.pop(0)
        contours = [(sounds[0].pitch, BLUE, "--", 2.6)]
        if sound is not sounds[0]:
            contours.append((sound.pitch, ORANGE, "-", 1.5))
        figures.append(_figure(sound_spectrogram, grey, contours, rate, seconds, limits))
    return figures


@styled
def _figure(
    sound_spectrogram: Spectrogram | None,
    grey: NDArray[np.uint8] | None,
    contours: Sequence[tuple[PitchTrack | None, str, str, float]],
    rate: int,
    seconds: float,
    limits: tuple[float, float],
) -> Figure:
    figure = Figure(figsize=(4.4, 3.0))
    upper = figure.add_axes((LEFT, _MIDDLE + 0.02, RIGHT - LEFT, _TOP - _MIDDLE - 0.02))
    lower = figure.add_axes((LEFT, _BOTTOM, RIGHT - LEFT, _MIDDLE - _BOTTOM))
    if sound_spectrogram is not None and grey is not None:
        first_s, last_s, low_hz, high_hz = sound_spectrogram.extent
        shown = np.repeat(grey[..., None], 3, axis=-1)
        extent = (first_s, last_s, low_hz / 1000, high_hz / 1000)
        upper.imshow(shown, extent=extent, origin="lower", aspect="auto", interpolation="none")
    upper.set(xlim=(0, seconds), ylim=(0, rate / 2000), xticks=[], ylabel="kHz")
    upper.yaxis.set_major_locator(MaxNLocator(4))
    upper.grid(visible=False)
    for track, colour, dashes, width in contours:
        if track is not None:
            times_s, hz = line_of(track)
            lower.plot(times_s, hz, color=colour, linestyle=dashes, linewidth=width)
    lower.set(xlim=(0, seconds), ylim=limits, yscale="log", xlabel="time (s)", ylabel="F0 (Hz)")
    ticks = [hz for hz in (50.0, 75.0, 100.0, 150.0, 200.0, 300.0, 400.0, 600.0, 800.0) if limits[0] < hz < limits[1]]
    step = max(1, -(-len(ticks) // 4))
    lower.yaxis.set_major_locator(FixedLocator(ticks[::step]))
    lower.yaxis.set_minor_locator(NullLocator())
    lower.set_yticklabels([f"{hz:.0f}" for hz in ticks[::step]])
    lower.xaxis.set_major_locator(MaxNLocator(5, prune="both"))
    lower.tick_params(axis="x", colors=SOFT)
    return figure


def line_of(track: PitchTrack) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return times and F0 of a line with gaps (NaN) at unvoiced frames and where F0 jumps.

    Parameters
    ----------
    track
        The contour.

    Returns
    -------
    tuple of numpy.ndarray
        Seconds and Hz, of equal length.

    Examples
    --------
    >>> times = np.arange(4) / 100
    >>> hz = np.array([0, 100, 110, 220], np.float32)
    >>> [round(one) if one == one else None for one in line_of(PitchTrack(hz, hz, times))[1].tolist()]
    [None, 100, 110, None, 220]
    """
    hz = np.where(track.f0_hz > 0, track.f0_hz, np.nan).astype(np.float64)
    jumps = 1 + np.flatnonzero(np.abs(np.diff(np.log2(hz))) > _JUMP)
    return np.insert(track.times_s, jumps, track.times_s[jumps]), np.insert(hz, jumps, np.nan)


def _shades(spectra: list[Spectrogram]) -> list[NDArray[np.uint8]]:
    """Return grey levels of all spectrograms on the scale of the loudest and the median of all together."""
    if not spectra:
        return []
    widths = np.cumsum([spectrum.db.shape[1] for spectrum in spectra])[:-1]
    return list(np.split(grey_levels(np.concatenate([spectrum.db for spectrum in spectra], axis=1)), widths, axis=1))


def _range(tracks: Sequence[PitchTrack]) -> tuple[float, float]:
    """Return the limits of the F0 axis in Hz: those of most voiced frames of all, and at least an octave."""
    voiced = np.concatenate([np.zeros(0), *(pitch_track.f0_hz[pitch_track.f0_hz > 0] for pitch_track in tracks)])
    if not len(voiced):
        return _LEAST_HZ, _MOST_HZ
    low, high = (float(limit) for limit in np.quantile(voiced, [0.01, 0.99]))
    middle = np.sqrt(low * high)
    return min(low / 1.15, middle / np.sqrt(2)), max(high * 1.15, middle * np.sqrt(2))
