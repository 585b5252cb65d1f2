"""A corpus in the old naming scheme: tapes, labelled clips of them and cut-out segments, whose names say everything.

The bursts lie where the samples have them; tests find them there and not in a list.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

RATE = 4000
TAPE_S = 180
LOUD, QUIET = 0.1, 0.01
# Dots, spaces, letters beyond ASCII, in composed and decomposed form.
TAPES = (
    "Luna_20250610_cut",
    "Luna_20250612_05.23_cut",
    "Zoë B_20250611_am 1_cut",
    unicodedata.normalize("NFD", "Äneas") + "_20250613_cut",
    "387_20201207_cut",
)
# Minutes of each tape that were cut out as clips; nobody looked at the second one.
CLIPS_MIN = ((0, 1), (2, 3))
# Seconds in the clip, and quality; the last clip of several tapes holds none.
CALLS = ((5.25, 5.65, 1), (12.5, 12.75, 2), (33.125, 34.0, 3), (59.5, 59.9, 4))
PROJECT = """
[corpus]
audio = "alpacas"
annotations = "alpacas/segmented"
default_label = "hum"
name_template = "{animal}_{date:#}_*"
clip_names = ["{tape:*}.wav_{start:#}_{end:#}"]
offset_unit = "min"
segment_names = ["{clip:*}_{start:#}_{end:#}Q{quality:1|2|3|4}"]
[split]
group = "animal"
[frontend]
rate = 4000
n_fft = 256
hop_samples = 40
fmax_hz = 2000.0
"""


@dataclass(frozen=True)
class OldCorpus:
    """Where it lies, and the calls that its segments tell: (tape, start, end, quality) in seconds of the tape."""

    folder: Path
    calls: tuple[tuple[str, float, float, int], ...]

    @property
    def raw(self) -> Path:
        return self.folder / "raw_recordings"

    @property
    def clips(self) -> Path:
        return self.folder / "labelled_recordings"

    @property
    def segments(self) -> Path:
        return self.folder / "segmented"

    def clip(self, tape: str, minutes: tuple[float, float] = CLIPS_MIN[0]) -> Path:
        return self.clips / f"{tape}.wav_{minutes[0]:g}_{minutes[1]:g}.wav"

    def segment(self, clip: Path, start_s: float, end_s: float, quality: object = "Q1") -> Path:
        """One more segment of a clip, which need not be there."""
        path = self.segments / f"{clip.stem}_{start_s:g}_{end_s:g}{quality}.wav"
        soundfile.write(path, np.zeros(10), RATE)
        return path


def make_corpus(folder: Path, tapes: Sequence[str] = TAPES) -> OldCorpus:
    """Write a corpus below ``folder``, with raw tapes."""
    out = OldCorpus(folder, tuple(_calls(tapes)))
    for place in (out.raw, out.clips, out.segments):
        place.mkdir(parents=True)
    for number, tape in enumerate(tapes):
        samples = np.random.default_rng(number).standard_normal(TAPE_S * RATE) * QUIET / 3
        tone = np.sin(np.arange(len(samples)) * 2 * np.pi * 500 / RATE) * LOUD
        for of, start_s, end_s, _ in out.calls:
            if of == tape:
                samples[round(start_s * RATE) : round(end_s * RATE)] += tone[: round((end_s - start_s) * RATE)]
        # A call that nobody labelled, in the minute that nobody looked at.
        samples[90 * RATE : 91 * RATE] += tone[:RATE]
        soundfile.write(out.raw / f"{tape}.wav", samples, RATE)
        for first, last in CLIPS_MIN:
            soundfile.write(out.clip(tape, (first, last)), samples[first * 60 * RATE : last * 60 * RATE], RATE)
    for tape, start_s, end_s, quality in out.calls:
        first = next(clip for clip in CLIPS_MIN if clip[0] * 60 <= start_s < clip[1] * 60)
        out.segment(out.clip(tape, first), start_s - first[0] * 60, end_s - first[0] * 60, f"Q{quality}")
    return out


def loud(path: Path) -> NDArray[np.float64]:
    """Where a file is loud: stretches in seconds, (n, 2), found in its samples to 10 ms."""
    samples, rate = soundfile.read(path)
    step = rate // 100
    blocks = np.abs(samples[: len(samples) // step * step]).reshape(-1, step).max(axis=1) > LOUD / 2
    edges = np.flatnonzero(np.diff(np.concatenate([[False], blocks, [False]]).astype(int)))
    return edges.reshape(-1, 2) / 100


def _calls(tapes: Sequence[str]) -> list[tuple[str, float, float, int]]:
    return [
        (tape, first * 60 + start_s, first * 60 + end_s, quality)
        for number, tape in enumerate(tapes)
        for first, _ in CLIPS_MIN
        for start_s, end_s, quality in CALLS
        if len(tapes) == 1 or (number, first) != (len(tapes) - 1, CLIPS_MIN[-1][0])
    ]
