"""Speed of a predictor on recordings on this machine, and whether it meets a budget."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ossicle.inference.batch import score_recording
from ossicle.inference.predictor import Predictor

SECONDS_PER_HOUR = 3600.0
SECONDS_PER_MINUTE = 60.0
_BATCH = 8


@dataclass(frozen=True, slots=True)
class Speed:
    """A measurement: reading ``audio_s`` seconds end to end took ``seconds``, loading took ``start_s``.

    End to end means decoding, resampling, spectrogram, network and scores. ``frames`` is the number of score frames
    (for a network of clips: clips).
    """

    audio_s: float
    frames: int
    seconds: float
    start_s: float
    threads: int

    @property
    def real_time(self) -> float:
        """Seconds of sound per second."""
        return self.audio_s / self.seconds

    @property
    def frames_per_s(self) -> float:
        """Score frames per second."""
        return self.frames / self.seconds

    def minutes_for(self, audio_hours: float) -> float:
        """Return the minutes that this much sound takes, including loading."""
        return (self.start_s + audio_hours * SECONDS_PER_HOUR / self.real_time) / SECONDS_PER_MINUTE


@dataclass(frozen=True, slots=True)
class Budget:
    """Minutes allowed for a number of hours of sound, as in competitions or on batteries."""

    minutes: float
    audio_hours: float

    def allows(self, speed: Speed) -> bool:
        """Return whether the predicted time is within the budget."""
        return speed.minutes_for(self.audio_hours) <= self.minutes


def measure(open_predictor: Callable[[], Predictor], recordings: Sequence[Path], threads: int) -> Speed:
    """Open a predictor and read each of ``recordings`` once; the first is read once before, to warm up.

    Raises AudioError for a recording that cannot be read.
    """
    began = time.perf_counter()
    predictor = open_predictor()
    # The first chunk is slow everywhere: memory is allocated and kernels are chosen.
    predictor.predict(np.zeros((1, predictor.plan.chunk_samples), dtype=np.float32))
    start_s = time.perf_counter() - began
    score_recording(recordings[0], predictor, _BATCH)
    audio_s, frames = 0.0, 0
    began = time.perf_counter()
    for recording in recordings:
        track, report = score_recording(recording, predictor, _BATCH)
        audio_s += report.end_s
        frames += len(track.scores)
    return Speed(audio_s, frames, time.perf_counter() - began, start_s, threads)
