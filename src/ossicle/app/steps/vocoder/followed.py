"""Does a vocoder do what it is asked to: last as long, move its melody, change its voice?"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ossicle.app.steps.vocoder.spoken_pairs import JudgedSource, voice_for
from ossicle.audio.pitch.settings import PitchSettings
from ossicle.audio.pitch.track import track_f0
from ossicle.evaluation.units.unit_figures import Resampling
from ossicle.metrics.reports.event_report import Estimate
from ossicle.metrics.resampling.bootstrap import bootstrap_interval
from ossicle.metrics.speech.distortion import log_mel_distance
from ossicle.metrics.speech.frames import mel_frames
from ossicle.units.sequences import runs_of

if TYPE_CHECKING:
    from ossicle.models.vocoder.vocoder import Vocoder

SEMITONES = 3.0
DURATION_RATIO, PITCH_SHIFT, VOICE_CHANGE = "duration_ratio", "pitch_shift_semitones", "voice_change_db"
_MILLION = 1_000_000
_Part = tuple[float, float]


def followed_figures(
    vocoder: "Vocoder", sources: Sequence[JudgedSource], pitch: PitchSettings, resampling: Resampling
) -> dict[str, Estimate]:
    """Return how well a vocoder follows what it is asked to, with intervals over recordings.

    Parameters
    ----------
    vocoder
        The vocoder.
    sources
        Segments that it was not trained on.
    pitch
        The range of F0.
    resampling
        Settings of the intervals.

    Returns
    -------
    dict
        ``duration_ratio``: frames of all runs by the duration model, relative to the true ones.
        ``pitch_shift_semitones``: how far the melody moves if it is asked to move by 3 semitones, the mean over
        segments of the median over their voiced frames. ``voice_change_db``: log-mel distance between the first and
        the last of its voices saying the same. NaN where one does not apply.
    """
    parts: dict[str, Callable[[JudgedSource], _Part]] = {
        DURATION_RATIO: lambda judged_source: _durations(vocoder, judged_source),
        PITCH_SHIFT: lambda judged_source: _shift(vocoder, judged_source, pitch),
        VOICE_CHANGE: lambda judged_source: _change(vocoder, judged_source),
    }
    return {name: _ratio(sources, [part(source) for source in sources], resampling) for name, part in parts.items()}


def _durations(vocoder: "Vocoder", judged_source: JudgedSource) -> _Part:
    runs = runs_of(judged_source.units.astype(np.int16)).units
    return float(vocoder.durations(runs, voice_for(vocoder, judged_source.group)).sum()), float(
        len(judged_source.units)
    )


def _shift(vocoder: "Vocoder", judged_source: JudgedSource, pitch: PitchSettings) -> _Part:
    if judged_source.f0_hz is None or not vocoder.spec.pitch or not judged_source.f0_hz.any():
        return 0.0, 0.0
    rate, voice = vocoder.spec.rate, voice_for(vocoder, judged_source.group)
    tracks = []
    for factor in (1.0, 2 ** (SEMITONES / 12)):
        sound = vocoder.synthesise(judged_source.units, (judged_source.f0_hz * factor).astype(np.float32), voice)
        tracks.append(track_f0(sound, rate, low_hz=pitch.low_hz, high_hz=min(1.5 * pitch.high_hz, rate / 4)).f0_hz)
    plain, moved = tracks
    both = (plain > 0) & (moved > 0)
    return (float(np.median(12 * np.log2(moved[both] / plain[both]))), 1.0) if both.any() else (0.0, 0.0)


def _change(vocoder: "Vocoder", judged_source: JudgedSource) -> _Part:
    voices = vocoder.spec.speakers
    if len(voices) < 2:
        return 0.0, 0.0
    first, last = (
        mel_frames(vocoder.synthesise(judged_source.units, judged_source.f0_hz, voice), vocoder.spec.rate)
        for voice in (voices[0], voices[-1])
    )
    return log_mel_distance(first, last), 1.0


def _ratio(sources: Sequence[JudgedSource], parts: Sequence[_Part], resampling: Resampling) -> Estimate:
    """Return the sum of the first parts divided by that of the second ones."""
    names = sorted({source.recording for source in sources})
    counts, groups = np.zeros((len(names), 2), np.int64), dict[str, str]()
    for source, part in zip(sources, parts, strict=True):
        counts[names.index(source.recording)] += np.rint(np.array(part) * _MILLION).astype(np.int64)
        groups[source.recording] = source.group
    if not counts[:, 1].any():
        return Estimate(np.nan, np.nan, np.nan)
    bootstrap = bootstrap_interval(
        counts, [groups[name] for name in names], _divided, resampling.resamples, resampling.seed
    )
    return Estimate(float(bootstrap.value), float(bootstrap.low), float(bootstrap.high))


def _divided(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(counts[:, 0] / counts[:, 1])
