"""Segments and what a vocoder makes of their units: sounds, figures, files and cards of the page."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ossicle.artefacts.files import FileWriting, whole_file
from ossicle.artefacts.typed.units.resynthesis import PairFiles
from ossicle.audio.pitch.settings import PitchSettings
from ossicle.audio.wav import write_wav
from ossicle.core.digest import seed_of
from ossicle.evaluation.units.resynthesis.figures import FIGURES, figures_to_json, resynthesis_figures
from ossicle.evaluation.units.resynthesis.pairs import JudgedPair, judge_pair
from ossicle.evaluation.units.unit_figures import Resampling
from ossicle.metrics.reports.event_report import Estimate, plain
from ossicle.report.resynthesis_data import PairCard
from ossicle.units.mean_spectrum import MeanSpectrum

if TYPE_CHECKING:
    from ossicle.models.vocoder.vocoder import Vocoder

LONGEST_S = 30.0
"""Seconds that are judged of a segment, from its start: time warping and the page do not hold hours."""

Samples = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class JudgedSource:
    """A segment to resynthesise.

    Attributes
    ----------
    sound_place
        Its path below the folder of the pairs, without an ending.
    path
        Its recording, for people.
    recording, group
        What intervals resample: the recording and its group.
    start_s
        Where its first unit begins in the recording.
    units
        Its units, at most :data:`LONGEST_S` of them.
    f0_hz
        F0 of each; None for a vocoder without pitch.
    original
        The samples of the units at the rate of the vocoder, shape (n * hop,).
    seconds
        Length of the segment, whose last frame may end before it does; of its units where they are not all.
    """

    sound_place: str
    path: str
    recording: str
    group: str
    start_s: float
    units: NDArray[np.integer]
    f0_hz: NDArray[np.float32] | None
    original: Samples
    seconds: float


@dataclass(frozen=True, eq=False)
class SpokenPair:
    """A segment, its resynthesis and its figures; baseline if there is one."""

    source: JudgedSource
    speaker: str | None
    made: Samples
    judged: JudgedPair
    baseline: Samples
    baseline_judged: JudgedPair | None

    @property
    def card(self) -> PairCard:
        """What the page shows of it."""
        source = self.source
        sounds = (source.original, self.made, self.judged, self.baseline, self.baseline_judged)
        return PairCard(source.path, source.start_s, source.group, *sounds, place=source.sound_place)

    def to_json(self) -> dict[str, Any]:
        """Return its figures as plain values; None where one is undefined."""
        source, judged = self.source, self.judged
        values = {name: getattr(judged, name, None) for name in FIGURES}
        values |= {"f0_rmse_cents": judged.pitch.rmse_cents, "voicing_error": judged.pitch.voicing_error}
        return {
            "recording": source.path,
            "start_s": source.start_s,
            "group": source.group,
            "speaker": self.speaker,
            "units": len(source.units),
            **{name: None if value is None else plain(value) for name, value in values.items()},
        }


def drawn(names: Iterable[str], most: int, seed: int) -> list[str]:
    """Return some of the names, drawn by seed, in their order.

    Parameters
    ----------
    names
        All names, each once.
    most
        How many to draw.
    seed
        Seed of the draw; a name that is added later changes no other's place in it.

    Examples
    --------
    >>> drawn(["a", "b"], 5, 0), len(drawn(map(str, range(99)), 20, 0))
    (['a', 'b'], 20)
    """
    every = list(names)
    chosen = set(sorted(every, key=lambda name: drawn_place(name, seed))[:most])
    return [name for name in every if name in chosen]


def drawn_place(name: str, seed: int) -> tuple[int, str]:
    """Return what names are sorted by in the order of the draw by a seed."""
    return seed_of(seed, "resynthesis", name), name


def voice_for(vocoder: "Vocoder", group: str) -> str | None:
    """Return the voice of a group that a vocoder knows; None, the mean of all, for others."""
    return group if group in vocoder.spec.speakers else None


def speak_pairs(
    vocoder: "Vocoder",
    sources: Iterable[JudgedSource],
    pitch: PitchSettings,
    speaker: str | None = None,
    baseline: MeanSpectrum | None = None,
) -> Iterator[SpokenPair]:
    """Yield each segment with its resynthesis and the figures of both.

    Parameters
    ----------
    vocoder
        The vocoder.
    sources
        The segments.
    pitch
        The range of F0.
    speaker
        The voice; None: that of the segment's group if the vocoder knows it, else the mean of all.
    baseline
        A simpler synthesis to compare with; None for none.
    """
    rate, high_hz = vocoder.spec.rate, min(pitch.high_hz, vocoder.spec.rate / 4)
    for judged_source in sources:
        voice = speaker or voice_for(vocoder, judged_source.group)
        sound = vocoder.synthesise(judged_source.units, judged_source.f0_hz, voice)
        joints = np.arange(vocoder.spec.hop, len(sound), vocoder.spec.hop)
        judge = partial(
            judge_pair,
            judged_source.original,
            rate=rate,
            low_hz=pitch.low_hz,
            high_hz=high_hz,
            seconds=judged_source.seconds,
        )
        judged = judge(sound, seams=joints)
        simple, simple_judged = np.zeros(0, np.float32), None
        if baseline is not None:
            simple = baseline.synthesise(judged_source.units)
            simple_judged = judge(simple, original_pitch=judged.original_pitch)
        yield SpokenPair(judged_source, voice, sound, judged, simple, simple_judged)


def pair_figures(
    pairs: Sequence[SpokenPair], judged: Sequence[JudgedPair], resampling: Resampling
) -> dict[str, Estimate]:
    """Return the figures of all pairs with intervals.

    Parameters
    ----------
    pairs
        The pairs: their recordings and groups are resampled.
    judged
        Figures of each: those of the pairs, or of another synthesis of the same segments.
    resampling
        Settings of the intervals.
    """
    recordings = [pair.source.recording for pair in pairs]
    return resynthesis_figures(list(judged), recordings, [pair.source.group for pair in pairs], resampling)


def write_pairs(
    files: PairFiles,
    pairs: Sequence[SpokenPair],
    rate: int,
    figures: Mapping[str, Any],
    writing: FileWriting = whole_file,
) -> None:
    """Write the sounds of all pairs, then their figures.

    Parameters
    ----------
    files
        Where to.
    pairs
        The pairs.
    rate
        Of all samples, in Hz.
    figures
        Figures of all pairs together.
    writing
        Gives each file a name to write to.
    """
    for pair in pairs:
        sounds = {"original": pair.source.original, "resynthesis": pair.made, "baseline": pair.baseline}
        for kind, samples in sounds.items():
            if kind == "baseline" and not len(samples):
                continue
            with writing(files.sound_file(pair.source.sound_place, kind)) as part:
                write_wav(part, samples, rate)
    files.write_figures({**figures, "rate": rate, "pairs": [pair.to_json() for pair in pairs]}, writing)


def to_json(figures: dict[str, Estimate]) -> dict[str, Any]:
    """Return figures as plain values."""
    return figures_to_json(figures)
