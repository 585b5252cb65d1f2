"""How long units last, and how high they are: plain models for sequences without repeats and without pitch."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

_PRIOR_RUNS = 5.0
_HALVINGS = 60
_SMOOTHED = np.array([1.0, 2.0, 3.0, 2.0, 1.0])


@dataclass(frozen=True, eq=False)
class DurationModel:
    """Mean frames of a run of each unit, times how slowly a speaker speaks.

    Attributes
    ----------
    frames
        Mean frames of a run, float64, at least 1, shape (k,).
    slowness
        Of each speaker, float64, shape (speakers,); 1: as all together.
    unknown
        Slowness of a speaker that is not known. The units of speech that trained the quantiser are steadier than those
        of other speech, so it is not 1: see :meth:`for_unknown`.
    """

    frames: NDArray[np.float64]
    slowness: NDArray[np.float64]
    unknown: float = 1.0

    @classmethod
    def fit(
        cls,
        runs: Sequence[NDArray[np.integer]],
        frames: Sequence[NDArray[np.integer]],
        speakers: Sequence[int],
        k: int,
        n_speakers: int,
    ) -> "DurationModel":
        """Return the model of runs; the total that it gives them is the total that they have.

        Parameters
        ----------
        runs, frames
            Of each segment its units without repeats, and the frames of each.
        speakers
            Of each segment its speaker, from 0 to ``n_speakers`` - 1; -1: none.
        k
            Number of units.
        n_speakers
            Number of speakers.
        """
        unit = np.concatenate([np.zeros(0, np.int64), *(np.asarray(run, np.int64) for run in runs)])
        lasted = np.concatenate([np.zeros(0), *(np.asarray(frame, np.float64) for frame in frames)])
        count, total = np.bincount(unit, minlength=k), np.bincount(unit, lasted, minlength=k)
        overall = total.sum() / max(count.sum(), 1) if count.sum() else 1.0
        # Rare units are pulled to the mean of all.
        mean = (total + _PRIOR_RUNS * overall) / (count + _PRIOR_RUNS)
        if total.sum():
            mean *= total.sum() / (mean * count).sum()
        voice = np.repeat(np.asarray(speakers, np.int64), [len(run) for run in runs])
        mean = np.maximum(mean, 1.0)
        slowness = [
            _slowness(mean[unit[voice == speaker_number]], lasted[voice == speaker_number].sum())
            for speaker_number in range(n_speakers)
        ]
        return cls(mean, np.array(slowness, np.float64))

    def for_unknown(
        self, runs: Sequence[NDArray[np.integer]], frames: Sequence[NDArray[np.integer]]
    ) -> "DurationModel":
        """Return the model with the slowness of speakers that neither it nor the quantiser was trained on.

        Parameters
        ----------
        runs, frames
            Segments of such speakers, as in :meth:`fit`; of none, ``unknown`` stays.
        """
        units = np.concatenate([np.zeros(0, np.int64), *(np.asarray(run, np.int64) for run in runs)])
        if not len(units):
            return self
        return replace(self, unknown=_slowness(self.frames[units], float(sum(np.sum(frame) for frame in frames))))

    def durations(self, runs: NDArray[np.integer], speaker: int = -1) -> NDArray[np.int64]:
        """Return frames of each run, at least 1; the rounding of one is made up for by the next, so the total is exact.

        Parameters
        ----------
        runs
            Units without repeats, shape (n,).
        speaker
            Number of the speaker; -1: none.

        Examples
        --------
        >>> model = DurationModel(np.array([1.5, 2.0]), np.array([]))
        >>> model.durations(np.array([0, 1, 0, 1])).tolist()
        [2, 2, 1, 2]
        """
        slowness = self.slowness[speaker] if speaker >= 0 else self.unknown
        frames = np.maximum(self.frames[np.asarray(runs, np.int64)] * slowness, 1.0)
        ends = np.floor(np.cumsum(frames) + 0.5).astype(np.int64)
        return np.diff(ends, prepend=0)


@dataclass(frozen=True, eq=False)
class PitchModel:
    """Mean pitch and voicing of each unit, relative to the speaker.

    Attributes
    ----------
    relative
        Mean log F0 of voiced frames minus that of their speaker, float64, shape (k,).
    voicing
        Share of voiced frames, float64, shape (k,).
    speakers
        Mean log F0 of each speaker, float64, shape (speakers,).
    overall
        The mean over speakers, or over segments where there are none.
    """

    relative: NDArray[np.float64]
    voicing: NDArray[np.float64]
    speakers: NDArray[np.float64]
    overall: float

    @classmethod
    def fit(
        cls,
        units: Sequence[NDArray[np.integer]],
        f0_hz: Sequence[NDArray[np.floating]],
        speakers: Sequence[int],
        k: int,
        n_speakers: int,
    ) -> "PitchModel":
        """Return the model of segments; arguments as in :meth:`DurationModel.fit`, units and F0 frame by frame."""
        unit = np.concatenate([np.zeros(0, np.int64), *(np.asarray(unit, np.int64) for unit in units)])
        f0 = np.concatenate([np.zeros(0), *(np.asarray(contour, np.float64) for contour in f0_hz)])
        voice = np.repeat(np.asarray(speakers, np.int64), [len(unit) for unit in units])
        voiced = f0 > 0
        logs = np.log(np.where(voiced, f0, 1.0))
        overall = float(logs[voiced].mean()) if voiced.any() else float(np.log(120.0))
        means = np.full(n_speakers, overall)
        for number in range(n_speakers):
            speaker_frames = voiced & (voice == number)
            means[number] = logs[speaker_frames].mean() if speaker_frames.any() else overall
        relative = logs - np.where(voice >= 0, means[voice] if n_speakers else overall, overall)
        count = np.bincount(unit[voiced], minlength=k)
        total = np.bincount(unit[voiced], relative[voiced], minlength=k)
        voicing = (np.bincount(unit[voiced], minlength=k) + 0.5) / (np.bincount(unit, minlength=k) + 1.0)
        return cls(total / (count + _PRIOR_RUNS), voicing, means, float(means.mean()) if n_speakers else overall)

    def mean_log(self, speaker: int) -> float:
        """Return the mean log F0 of a speaker; -1: of all."""
        return float(self.speakers[speaker]) if speaker >= 0 else self.overall

    def contour(self, units: NDArray[np.integer], speaker: int = -1) -> NDArray[np.float32]:
        """Return F0 by unit in Hz, smoothed over five units, 0 where unvoiced; shape (n,).

        Parameters
        ----------
        units
            One unit a frame, shape (n,).
        speaker
            Number of the speaker; -1: the mean of all.
        """
        unit = np.asarray(units, np.int64)
        if not len(unit):
            return np.zeros(0, np.float32)
        sure = self.voicing[unit]
        weight = _smooth(sure)
        height = _smooth(sure * self.relative[unit]) / np.maximum(weight, 1e-9)
        voiced = weight / _smooth(np.ones(len(unit))) > 0.5
        return np.where(voiced, np.exp(self.mean_log(speaker) + height), 0.0).astype(np.float32)


def relative_pitch(f0_hz: NDArray[np.floating], mean_log: float | None) -> NDArray[np.float32]:
    """Return the pitch input of the network, float32, shape (n, 2): log F0 relative to a mean, and voicing.

    Parameters
    ----------
    f0_hz
        F0 by unit, 0 where unvoiced, shape (n,).
    mean_log
        Mean log F0 of the speaker; None: that of ``f0_hz``, for an unknown speaker.
    """
    f0 = np.asarray(f0_hz, np.float64)
    voiced = f0 > 0
    logs = np.log(np.where(voiced, f0, 1.0))
    if mean_log is None:
        mean_log = float(logs[voiced].mean()) if voiced.any() else 0.0
    relative = np.where(voiced, np.clip(logs - mean_log, -1.5, 1.5), 0.0)
    return np.stack([relative, voiced.astype(np.float64)], axis=-1).astype(np.float32)


def _slowness(expected: NDArray[np.float64], total: float) -> float:
    """Return the factor with which runs of at least one frame each have a total; 1 without runs."""
    if not len(expected):
        return 1.0
    low, high = 0.0, max(total, 1.0)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if np.maximum(expected * middle, 1.0).sum() < total:
            low = middle
        else:
            high = middle
    return high


def _smooth(values: NDArray[np.float64]) -> NDArray[np.float64]:
    around = len(_SMOOTHED) // 2
    return np.convolve(values, _SMOOTHED)[around : around + len(values)]
