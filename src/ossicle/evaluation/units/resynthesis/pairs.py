"""One recording and its resynthesis: all figures of the pair, and the defects of the made sound."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ossicle.audio.pitch.track import HIGH_HZ, LOW_HZ, PitchTrack, track_f0
from ossicle.metrics.speech.defects import clicks, clipped_samples, has_offset, offset
from ossicle.metrics.speech.distortion import aligned_cepstral_distortion, cepstral_distortion, log_mel_distance
from ossicle.metrics.speech.frames import mel_cepstra, mel_frames
from ossicle.metrics.speech.pitch_errors import PitchErrors, pitch_errors
from ossicle.metrics.speech.waveforms import si_sdr_db, snr_db

Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Defects:
    """Defects of a sound.

    Attributes
    ----------
    clicks
        Seams between crops or blocks at which the waveform breaks.
    seams
        Seams that were looked at.
    offset
        Mean of the samples.
    has_offset
        Whether it is a defect.
    clipped
        Samples that are clipped.
    """

    clicks: int
    seams: int
    offset: float
    has_offset: bool
    clipped: int

    @property
    def none(self) -> bool:
        """Whether there is no defect."""
        return not (self.clicks or self.has_offset or self.clipped)


@dataclass(frozen=True, slots=True, eq=False)
class JudgedPair:
    """Figures of one pair; NaN where a figure is undefined.

    Attributes
    ----------
    log_mel_db
        Log-mel distance.
    mcd_db, mcd_aligned_db
        Mel-cepstral distortion of frames at the same times, and along the best alignment.
    pitch
        Sums of the differences of F0.
    si_sdr_db, snr_db
        Ratios of the waveforms, phase-blind: they say nothing about how the resynthesis sounds.
    seconds, made_seconds
        Length of the recording and of the resynthesis.
    original_pitch, made_pitch
        The two F0 contours.
    defects
        Defects of the made sound.
    original_defects
        The same of the recording, at the same joints: bursts of speech look like clicks too.
    """

    log_mel_db: float
    mcd_db: float
    mcd_aligned_db: float
    pitch: PitchErrors
    si_sdr_db: float
    snr_db: float
    seconds: float
    made_seconds: float
    original_pitch: PitchTrack
    made_pitch: PitchTrack
    defects: Defects
    original_defects: Defects

    @property
    def length_ratio(self) -> float:
        """The length of the resynthesis relative to the recording; NaN for an empty recording."""
        return self.made_seconds / self.seconds if self.seconds else float("nan")


def judge_pair(
    original: Samples,
    resynthesised: Samples,
    rate: int,
    *,
    low_hz: float = LOW_HZ,
    high_hz: float = HIGH_HZ,
    seams: NDArray[np.integer] | None = None,
    original_pitch: PitchTrack | None = None,
    seconds: float | None = None,
) -> JudgedPair:
    """Return the figures of a recording and its resynthesis.

    Parameters
    ----------
    original, resynthesised
        Samples at the same rate, float32 of shapes (n,) and (m,).
    rate
        Sample rate in Hz.
    low_hz, high_hz
        Range of F0 in Hz.
    seams
        First sample of each part of ``resynthesised`` that was made by itself, or of each unit; None: none.
    original_pitch
        The contour of the recording from :func:`ossicle.audio.pitch.track.track_f0`, where it is known; None: tracked
        here.
    seconds
        Length of the recording in seconds, where ``original`` is cut to what ``resynthesised`` was made from; None: its
        samples.

    Raises
    ------
    ValueError
        If samples are not finite or not one row.
    """
    cepstra = [mel_cepstra(samples, rate) for samples in (original, resynthesised)]
    known = track_f0(original, rate, low_hz=low_hz, high_hz=high_hz) if original_pitch is None else original_pitch
    pitch_track = track_f0(resynthesised, rate, low_hz=low_hz, high_hz=high_hz)
    empty = not len(original) or not len(resynthesised)
    where = np.zeros(0, dtype=np.int64) if seams is None else np.asarray(seams, dtype=np.int64)
    nothing = float("nan")
    return JudgedPair(
        log_mel_db=nothing if empty else log_mel_distance(mel_frames(original, rate), mel_frames(resynthesised, rate)),
        mcd_db=nothing if empty else cepstral_distortion(*cepstra),
        mcd_aligned_db=nothing if empty else aligned_cepstral_distortion(*cepstra),
        pitch=pitch_errors(known.f0_hz, pitch_track.f0_hz),
        si_sdr_db=si_sdr_db(original, resynthesised),
        snr_db=snr_db(original, resynthesised),
        seconds=len(original) / rate if seconds is None else seconds,
        made_seconds=len(resynthesised) / rate,
        original_pitch=known,
        made_pitch=pitch_track,
        defects=_defects(resynthesised, rate, where),
        original_defects=_defects(original, rate, where),
    )


def _defects(samples: Samples, rate: int, seams: NDArray[np.int64]) -> Defects:
    inside = seams[seams < len(samples)]
    return Defects(
        clicks=len(clicks(samples, rate, inside)),
        seams=len(inside),
        offset=offset(samples),
        has_offset=has_offset(samples),
        clipped=clipped_samples(samples),
    )
