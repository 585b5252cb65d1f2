"""How fast a predictor reads recordings on this machine, and whether that is fast enough for a budget."""

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
    """What was measured: reading ``audio_s`` seconds end to end took ``seconds``, getting ready ``start_s``.

    End to end is decoding, resampling, spectrogram, network and scores. ``frames`` are the score frames (for a network
    of clips: clips) that it gave.
    """

    audio_s: float
    frames: int
    seconds: float
    start_s: float
    threads: int

    @property
    def real_time(self) -> float:
        """Seconds of sound a second."""
        return self.audio_s / self.seconds

    @property
    def frames_per_s(self) -> float:
        """Score frames a second."""
        return self.frames / self.seconds

    def minutes_for(self, audio_hours: float) -> float:
        """Minutes that so much sound takes, from start to end."""
        return (self.start_s + audio_hours * SECONDS_PER_HOUR / self.real_time) / SECONDS_PER_MINUTE


@dataclass(frozen=True, slots=True)
class Budget:
    """Minutes that may be spent on so many hours of sound, as competitions and batteries allow them."""

    minutes: float
    audio_hours: float

    def allows(self, speed: Speed) -> bool:
        """Whether the predicted time lies within the budget."""
        return speed.minutes_for(self.audio_hours) <= self.minutes


def measure(open_predictor: Callable[[], Predictor], recordings: Sequence[Path], threads: int) -> Speed:
    """Open a predictor and read ``recordings`` with it, each once; the first is read before, to warm up.

    Raises AudioError for a recording that cannot be read.
    """
    began = time.perf_counter()
    predictor = open_predictor()
    # The first chunk is slow everywhere: memory is laid out, kernels are chosen.
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
