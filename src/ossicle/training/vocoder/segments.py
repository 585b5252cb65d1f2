"""Speech that a vocoder is trained on: segments with sound, units and pitch, and who is held out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ossicle.core.errors import OssicleError, UsageError


@dataclass(frozen=True, eq=False)
class SpeechSegment:
    """One segment; its sound is read when it is needed.

    Attributes
    ----------
    segment_id
        Its name.
    group
        Its group of ``split.group``.
    units
        One unit a frame, integers from 0 to k - 1, shape (n,).
    audio
        Returns all samples of the segment at the corpus's rate, float32, shape (samples,), the first at its start.
    f0_hz
        F0 at the centre of each unit, float32, shape (n,); 0: unvoiced. None: pitch is not used.
    speaker
        Its speaker; empty: ``group``.
    """

    segment_id: str
    group: str
    units: NDArray[np.integer]
    audio: Callable[[], NDArray[np.float32]]
    f0_hz: NDArray[np.float32] | None = None
    speaker: str = ""

    @property
    def voice(self) -> str:
        """Name of the speaker."""
        return self.speaker or self.group


@dataclass(frozen=True, eq=False)
class VocoderCorpus:
    """What a training reads.

    Attributes
    ----------
    training
        Segments to train on.
    choosing
        Segments of the group that chooses the epoch; none of them is trained on.
    k
        Number of units.
    hop_s
        Seconds of each unit; a whole number of samples.
    origin_s
        Centre of the first unit in seconds from the start of its segment.
    rate
        Sample rate of the sound.
    speakers
        Speakers of the training segments, sorted; empty: speakers are not used.
    quantiser
        SHA-256 of the centres of the quantiser of the units.

    Raises
    ------
    UsageError
        A unit is not a whole number of samples, or there is nothing to train on or to choose by.
    """

    training: Sequence[SpeechSegment]
    choosing: Sequence[SpeechSegment]
    k: int
    hop_s: float
    origin_s: float
    rate: int
    speakers: tuple[str, ...] = ()
    quantiser: str = ""

    def __post_init__(self) -> None:
        """Reject a corpus that no vocoder can be trained on."""
        whole_hop(self.hop_s, self.rate)
        for name, segments in (("to train on", self.training), ("to choose the epoch by", self.choosing)):
            if not any(len(segment.units) for segment in segments):
                raise UsageError(f"a vocoder has no segment with units {name}; add recordings")
        for segment in (*self.training, *self.choosing):
            if segment.f0_hz is not None and len(segment.f0_hz) != len(segment.units):
                raise UsageError(
                    f"segment {segment.segment_id}: {len(segment.f0_hz)} values of F0 for {len(segment.units)} units"
                )
            if len(segment.units) and not 0 <= int(segment.units.min()) <= int(segment.units.max()) < self.k:
                raise UsageError(f"segment {segment.segment_id}: a unit is not a number from 0 to {self.k - 1}")

    @cached_property
    def hop(self) -> int:
        """Samples of each unit."""
        return whole_hop(self.hop_s, self.rate)

    @property
    def first_sample(self) -> int:
        """Where the first unit begins, in samples from the start of its segment; see :func:`first_sample`."""
        return first_sample(self.hop_s, self.origin_s, self.rate)

    def aligned(self, segment: SpeechSegment) -> tuple[NDArray[np.float32], int]:
        """Return the sound of the units of a segment: unit ``i`` is at samples ``i * hop`` to ``(i + 1) * hop``.

        Parameters
        ----------
        segment
            A segment of this corpus.

        Returns
        -------
        samples
            float32, shape (n * hop,).
        known
            How many of them are of the recording; the rest, after its end, is 0.

        Raises
        ------
        OssicleError
            The sound cannot be read, has values that are not finite, or is much shorter than its units.
        """
        try:
            sound = np.asarray(segment.audio(), np.float32)
        except OSError as error:
            raise OssicleError(f"segment {segment.segment_id}: its sound cannot be read: {error}") from error
        if sound.ndim != 1 or not np.isfinite(sound).all():
            raise OssicleError(f"segment {segment.segment_id}: its sound is not one channel of finite samples")
        n_samples, start = len(segment.units) * self.hop, self.first_sample
        part = sound[max(start, 0) :]
        samples = np.zeros(n_samples, np.float32)
        before = min(max(-start, 0), n_samples)
        known = min(len(part), n_samples - before)
        # The window of the last unit may reach beyond the end of its recording by part of a unit.
        if n_samples - before - known > 2 * self.hop:
            raise OssicleError(
                f"segment {segment.segment_id}: {len(sound)} samples of sound for {len(segment.units)} units of "
                f"{self.hop} samples; its recording or its units changed: run again from the step segments"
            )
        samples[before : before + known] = part[:known]
        return samples, before + known


def whole_hop(hop_s: float, rate: int) -> int:
    """Return the samples of a unit.

    Parameters
    ----------
    hop_s
        Seconds of a unit.
    rate
        Sample rate.

    Raises
    ------
    UsageError
        It is not a whole number of samples.

    Examples
    --------
    >>> whole_hop(0.02, 8000)
    160
    """
    hop = round(hop_s * rate)
    if hop < 1 or abs(hop - hop_s * rate) > 1e-6 * hop:
        raise UsageError(
            f"a unit of {hop_s} s is {hop_s * rate:g} samples at {rate} Hz, and a vocoder needs a whole number: "
            "set [vocoder] rate to 8000 or 16000, or choose an encoder with another hop"
        )
    return hop


def first_sample(hop_s: float, origin_s: float, rate: int) -> int:
    """Return where the first unit begins, in samples from the start of its segment; less than 0: before it.

    A unit is the sound around the centre of its frame: half a hop before and after.

    Parameters
    ----------
    hop_s
        Seconds of a unit.
    origin_s
        Centre of the first unit in seconds from the start of its segment.
    rate
        Sample rate.

    Examples
    --------
    >>> first_sample(0.02, 0.0125, 16000)
    40
    """
    return round((origin_s - hop_s / 2) * rate)
