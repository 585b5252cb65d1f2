"""What a page of units lets people hear and see: sound of stretches, examples and mean spectra of units."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ossicle.app.project.load import Project
from ossicle.artefacts.typed.units.sequences import SequenceRow
from ossicle.audio.decoding.mono import load_mono
from ossicle.audio.features.logmel import log_mel
from ossicle.core.errors import AudioError
from ossicle.core.model_input.frontend import FrontEndSettings, band_centres_hz
from ossicle.core.records import Recording
from ossicle.evaluation.units.inventory import longest_runs

RATE = 16000
AROUND_S = 0.04
"""Sound before and after each use of a unit."""
LONGEST_S = 30.0
"""Seconds that are read of a segment."""
_USES = 3
_GAP_S = 0.06
_BANDS, _WINDOW = 40, 400
_FLOOR_DB = -90.0

Samples = NDArray[np.float32]
Hear = Callable[[str, float, float], Samples]
"""From recording id, start and length in seconds to samples at :data:`RATE`; none if it cannot be read."""


def listener(project: Project, recordings: Sequence[Recording]) -> Hear:
    """Return a function that reads stretches of recordings; it returns no samples for those that cannot be read."""
    known = {recording.id: recording for recording in recordings}

    def hear(recording_id: str, start_s: float, length_s: float) -> Samples:
        try:
            file = project.roots.file(known[recording_id])
            return load_mono(file, RATE, max(0.0, start_s), length_s, channel=project.settings.audio.name)
        except AudioError:
            # A recording that was removed or damaged after it was segmented costs only its sound.
            return np.zeros(0, dtype=np.float32)

    return hear


@dataclass
class UnitSounds:
    """Examples and mean spectra of units, collected segment by segment.

    Parameters
    ----------
    k
        Number of units.
    hop_s, origin_s
        The times of frames in seconds.
    """

    k: int
    hop_s: float
    origin_s: float
    uses: dict[int, list[tuple[int, Samples]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        hop = round(self.hop_s * RATE)
        self._front = FrontEndSettings(
            rate=RATE, n_fft=_WINDOW, hop_samples=hop, n_mels=_BANDS, fmin_hz=50, fmax_hz=RATE / 2
        )
        self._sums, self._frames = np.zeros((self.k, _BANDS)), np.zeros(self.k, dtype=np.int64)

    @property
    def bands_hz(self) -> NDArray[np.float64]:
        """Centre of each mel band in Hz, shape (n_bands,)."""
        return band_centres_hz(self._front)

    @property
    def spectra(self) -> NDArray[np.float64]:
        """Mean level in dB of each unit and band, shape (k, n_bands); NaN where no frame was heard."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(self._sums / self._frames[:, None])

    def add(self, row: SequenceRow, hear: Hear) -> None:
        """Listen to the beginning of a segment."""
        samples = hear(row.recording_id, row.start_s, min(LONGEST_S, len(row.units) * self.hop_s + 2 * self.origin_s))
        self._add_spectra(row.units, samples)
        for unit, first, frames in longest_runs(row.runs, row.run_frames, _USES):
            begin_s = self.origin_s + (first - 0.5) * self.hop_s
            begin = max(0, round((begin_s - AROUND_S) * RATE))
            end = round((begin_s + frames * self.hop_s + AROUND_S) * RATE)
            if end <= len(samples):
                unit_uses = self.uses.setdefault(unit, [])
                unit_uses.append((frames, samples[begin:end].copy()))
                unit_uses.sort(key=lambda use: -use[0])
                del unit_uses[_USES:]

    def sound(self, unit: int) -> Samples:
        """Return some uses of a unit after each other, with short gaps; empty if none was heard."""
        gap = np.zeros(round(_GAP_S * RATE), dtype=np.float32)
        parts = [part for _, use in self.uses.get(unit, []) for part in (use, gap)][:-1]
        return np.concatenate(parts) if parts else np.zeros(0, dtype=np.float32)

    def _add_spectra(self, units: NDArray[np.int16], samples: Samples) -> None:
        """Add the spectra of the frames that lie in the sound; windows have their centres where those of frames are."""
        shift = round(self.origin_s * RATE) - _WINDOW // 2
        moved = samples[shift:] if shift >= 0 else np.pad(samples, (-shift, 0))
        if len(moved) < _WINDOW:
            return
        levels = np.maximum(log_mel(moved, self._front), _FLOOR_DB)
        n = min(len(levels), len(units))
        np.add.at(self._sums, units[:n], levels[:n])
        self._frames += np.bincount(units[:n], minlength=self.k)
