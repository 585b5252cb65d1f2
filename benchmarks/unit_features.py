"""Speech whose words are known, frames of each utterance, and units of held-out speakers.

The baseline is that of ``shared/baselines/units.py``: 13 MFCCs with their mean taken from each utterance, doubled
differences, scikit-learn's MiniBatchKMeans.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy
from numpy.typing import NDArray
from sklearn.cluster import MiniBatchKMeans

from ossicle.audio.decoding.mono import load_mono
from ossicle.audio.encoders.frames.blocks import encode_frames
from ossicle.audio.encoders.frames.logmel import FRONT, HOP_S, ORIGIN_S, LogMelEncoder
from ossicle.audio.encoders.frames.mfcc import MfccEncoder
from ossicle.audio.encoders.spec import Encoder
from ossicle.core.columns.annotation_columns import AnnotationColumns
from ossicle.core.records import Annotation
from ossicle.evaluation.units.abx_figures import abx_figures
from ossicle.evaluation.units.unit_figures import Resampling, UnitFigures, unit_figures
from ossicle.evaluation.units.words import FrameTimes, JudgedSegment, SpokenWords
from ossicle.metrics.reports.event_report import Estimate
from ossicle.metrics.units.abx import AbxError
from ossicle.metrics.units.dtw import angles, differing
from ossicle.units.frames import SegmentFrames
from ossicle.units.kmeans.settings import QuantiserSettings
from ossicle.units.normalisation import GROUP, SEGMENT
from ossicle.units.normalised import group_statistics, normalisation_of
from ossicle.units.quantiser_training import train_quantiser

UNITS = 100
TIMES = FrameTimes(HOP_S, ORIGIN_S)

Frames = Mapping[str, NDArray[np.float32]]
Units = Mapping[str, NDArray[np.integer]]
Quantise = Callable[[Frames, Mapping[str, str], str], Units]
"""Units of all utterances from frames and speakers, by a quantiser trained without one speaker."""


@dataclass(frozen=True, slots=True)
class Speech:
    """Utterances with their speakers and words."""

    files: Mapping[str, Path]
    speakers: Mapping[str, str]
    words: SpokenWords

    @property
    def held_out(self) -> list[str]:
        """The speakers, sorted; each is held out once."""
        return sorted(set(self.speakers.values()))


def speech_of(files: Sequence[Path], speaker: Callable[[str], str], words: Sequence[Annotation]) -> Speech:
    """Utterances named by the stems of their files."""
    named = {path.stem: path for path in files}
    return Speech(named, {key: speaker(key) for key in named}, SpokenWords(AnnotationColumns.from_annotations(words)))


def encoded(speech: Speech, encoder: Encoder) -> dict[str, NDArray[np.float32]]:
    """The frames of every utterance that has one."""
    features_of = {}
    for key, path in speech.files.items():
        parts = [encoded_frames.values for encoded_frames in encode_frames([load_mono(path, FRONT.rate)], encoder)]
        if parts:
            features_of[key] = np.concatenate(parts)
    return features_of


def baseline_frames(speech: Speech) -> dict[str, NDArray[np.float32]]:
    """13 coefficients without their mean over the utterance, and their doubled differences."""
    found = {}
    for key, levels in encoded(speech, LogMelEncoder()).items():
        cepstra = scipy.fft.dct(levels, axis=1, norm="ortho")[:, :13]
        cepstra -= cepstra.mean(axis=0)
        changes = 2 * np.gradient(cepstra, axis=0) if len(cepstra) > 1 else 0 * cepstra
        found[key] = np.concatenate([cepstra, changes], axis=1).astype(np.float32)
    return found


def baseline_units(frames: Frames, speakers: Mapping[str, str], held_out: str) -> Units:
    """Units by scikit-learn, with the settings of the baseline."""
    train = np.concatenate([frame for key, frame in frames.items() if speakers[key] != held_out])
    mean, scale = train.mean(axis=0), train.std(axis=0)
    model = MiniBatchKMeans(UNITS, batch_size=4096, random_state=0, n_init=3, max_iter=30).fit((train - mean) / scale)
    return {key: model.predict((frame - mean) / scale) for key, frame in frames.items()}


def our_units(normalisation: str) -> Quantise:
    """Units by Ossicle's quantiser. Normalisation by speaker uses all frames of the held-out speaker, but no word."""

    def quantise(frames: Frames, speakers: Mapping[str, str], held_out: str) -> Units:
        train = {key: frame for key, frame in frames.items() if speakers[key] != held_out}
        settings = QuantiserSettings(k=UNITS, normalisation=normalisation, held_out=0.0)
        spec = next(
            one.spec for one in (MfccEncoder, LogMelEncoder) if one.spec.dim == len(next(iter(train.values()))[0])
        )
        trained = train_quantiser(SegmentFrames.of_arrays(train, speakers), settings, spec, HOP_S, ORIGIN_S)
        own = group_statistics(SegmentFrames.of_arrays(frames, speakers)) if normalisation == GROUP else {}
        return {
            key: trained.assign(frame, own[speakers[key]]) if normalisation == GROUP else trained.assign(frame)
            for key, frame in frames.items()
        }

    return quantise


def normalised(frames: Frames, speakers: Mapping[str, str], normalisation: str) -> dict[str, NDArray[np.float32]]:
    """Frames as the quantiser of all speakers normalises them: for the ABX test before quantising."""
    segments = SegmentFrames.of_arrays(frames, speakers)
    how = normalisation_of(normalisation, segments)
    own = group_statistics(segments) if normalisation == GROUP else {}
    return {key: how.apply(frame, own.get(speakers[key])) for key, frame in frames.items()}


METHODS: Mapping[str, tuple[Callable[[Speech], Frames], str | None]] = {
    "baseline: 26 MFCCs, by utterance": (baseline_frames, None),
    "logmel, by speaker": (lambda speech: encoded(speech, LogMelEncoder()), GROUP),
    "mfcc, by utterance": (lambda speech: encoded(speech, MfccEncoder()), SEGMENT),
    "mfcc, by speaker": (lambda speech: encoded(speech, MfccEncoder()), GROUP),
}
"""Frames, and the normalisation of our quantiser; None: the baseline's own."""


@dataclass(frozen=True, slots=True)
class Judged:
    """Figures of one method: of the units of each held-out speaker, and of the frames before quantising."""

    folds: Mapping[str, UnitFigures]
    frames: Mapping[str, AbxError]
    units: Mapping[str, Units]


def judge(speech: Speech, method: str, resamples: int) -> Judged:
    """Hold out each speaker in turn, and judge the units of that speaker."""
    make, normalisation = METHODS[method]
    frames, speakers, resampling = make(speech), speech.speakers, Resampling(resamples)
    segments = [JudgedSegment(key, key, speakers[key], 0.0, len(frame)) for key, frame in frames.items()]
    quantise = baseline_units if normalisation is None else our_units(normalisation)
    folds, units = {}, {}
    for held_out in speech.held_out:
        found = quantise(frames, speakers, held_out)
        judged = [segment for segment in segments if segment.group == held_out]
        abx = abx_figures(
            segments, speech.words, TIMES, lambda one, f=found: f[one.segment_id], differing, resampling, {held_out}
        )
        of_held_out = [found[judged_segment.segment_id] for judged_segment in judged]
        folds[held_out] = unit_figures(judged, of_held_out, UNITS, TIMES, speech.words, abx, resampling)
        units[held_out] = found
    told_apart = frames if normalisation is None else normalised(frames, speakers, normalisation)
    dim = len(next(iter(frames.values()))[0])
    abx = abx_figures(
        segments,
        speech.words,
        TIMES,
        lambda judged_segment: told_apart[judged_segment.segment_id],
        angles,
        resampling,
        dim=dim,
    )
    return Judged(folds, abx, units)


def with_interval(one: Estimate) -> str:
    """The value, and its interval if it has one."""
    return f"{one.value:.3f}" + (f" ({one.low:.3f} to {one.high:.3f})" if np.isfinite(one.low) else "")
