"""Any audio file to acoustic units with exact times, by a trained quantiser."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ossicle.app.steps.engine.encoders import any_encoder_of_spec
from ossicle.audio.decoding.channels import cancel_words
from ossicle.audio.decoding.mono import MonoStream
from ossicle.audio.encoders.frames.blocks import encode_frames
from ossicle.audio.encoders.frames.shards import Segment, SegmentCutter
from ossicle.audio.segmentation.hearing import Hearing
from ossicle.audio.segmentation.recordings import segment_recording
from ossicle.audio.segmentation.settings import SILENCES, SegmentSettings
from ossicle.core.errors import AudioError
from ossicle.core.model_input.channel import MEAN
from ossicle.core.settings import digestible
from ossicle.core.text.counting import counted
from ossicle.core.time import to_seconds
from ossicle.units.normalisation import GROUP, FrameStatistics, FrameSums
from ossicle.units.quantiser import Quantiser
from ossicle.units.sequences import boundaries_s, runs_of


@dataclass(frozen=True, slots=True)
class EncodedSegment:
    """The units of a stretch of a file.

    Attributes
    ----------
    start_s, end_s
        The stretch, in seconds from the start of the file.
    units
        One unit a frame, int16.
    """

    start_s: float
    end_s: float
    units: NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class EncodedFile:
    """The units of a file.

    Attributes
    ----------
    duration_s
        Seconds that decode.
    segments
        Its stretches, in order.
    partial
        Why it is read in part only; empty if it is read whole.
    without
        Why it has no unit; empty if it has some.
    rate
        Its sample rate in Hz.
    cancel_db
        How many dB the mean of its channels lies below the loudest one (negative), in all or a part of it; None unless
        they cancel.
    """

    duration_s: float
    segments: tuple[EncodedSegment, ...]
    partial: str = ""
    without: str = ""
    rate: int = 0
    cancel_db: float | None = None

    @property
    def loss(self) -> str:
        """What is lost of the file, in words; empty if nothing is."""
        if self.without:
            return f"no units: {self.without}"
        return f"read in part ({self.partial}); its units are those of what decodes" if self.partial else ""

    @property
    def cancelled(self) -> str:
        """That its channels cancel each other in what was heard, and what to do; empty if they do not."""
        if self.cancel_db is None:
            return ""
        return f"{cancel_words(self.cancel_db)}; choose one with --channel first or loudest"


class UnitEncoder:
    """Turns files into units.

    Parameters
    ----------
    quantiser
        A folder that :meth:`~ossicle.units.quantiser.Quantiser.save` wrote, such as ``quantiser`` of a project.
    weights
        File or folder of its encoder, if that reads one; None looks for it below the folders of ``OSSICLE_ENCODERS``.
    threads
        Threads of one operator.

    Raises
    ------
    UsageError, ArtefactError
        There is no sound quantiser at this path.
    BundleError
        The encoder's file is not found, or is another encoder, layer, hop or rate than the quantiser was trained with.
    """

    def __init__(self, quantiser: Path, weights: Path | None = None, threads: int = 1) -> None:
        self.quantiser = Quantiser.read(quantiser)
        self._encoder = any_encoder_of_spec(self.quantiser.spec, weights, threads)
        self.quantiser.refuse_spec(self._encoder.spec)

    @property
    def cut(self) -> SegmentSettings:
        """How recordings are cut at silences: as in the quantiser's project, or by default if that is not known."""
        return (self.quantiser.heard or Hearing()).at_silences

    @property
    def channel(self) -> str:
        """The channel that the quantiser's project hears; the mean of all channels if that is not known."""
        return (self.quantiser.heard or Hearing()).channel

    def encode(
        self,
        path: Path,
        cut: SegmentSettings | None = None,
        channel: str = MEAN,
        statistics: FrameStatistics | None = None,
    ) -> EncodedFile:
        """Return the units of a file; one without a frame has none, and says why.

        Parameters
        ----------
        path
            The file.
        cut
            How it is cut at silences first; None: the whole file is one segment. A quantiser that normalises segments
            does so with each of them.
        channel
            The channel to hear, as in :mod:`ossicle.core.model_input.channel`.
        statistics
            Statistics of the file's group, from :meth:`group_statistics`, for a quantiser that normalises groups; None:
            the file is a group.

        Raises
        ------
        AudioError
            The file cannot be read.
        """
        heard = self._heard(path, cut, channel)
        if self.quantiser.normalisation.kind != GROUP:
            statistics = None
        elif statistics is None:
            statistics = self._statistics([heard.frames])
        segments = [
            EncodedSegment(start, end, self.quantiser.assign(frame, statistics).astype(np.int16))
            for (start, end), frame in zip(heard.stretches, heard.frames, strict=True)
        ]
        without = self._why_none(heard)
        return EncodedFile(heard.duration_s, tuple(segments), heard.partial, without, heard.rate, heard.cancel_db)

    def _why_none(self, heard: "_HeardStretches") -> str:
        if any(map(len, heard.frames)):
            return ""
        frame_ms = 2000 * self.quantiser.origin_s
        longest_s = max((end_s - start_s for start_s, end_s in heard.stretches), default=0.0)
        return heard.left_out or f"it has {1000 * longest_s:.4g} ms of sound, less than a frame of {frame_ms:g} ms"

    def group_statistics(
        self,
        paths: Iterable[Path],
        cut: SegmentSettings | None = None,
        channel: str = MEAN,
        heard: Callable[[int], None] = lambda files: None,
    ) -> FrameStatistics | None:
        """Return mean and scale of all frames of files of one group, for example of one speaker.

        Parameters
        ----------
        paths
            The files; those that cannot be read are left out.
        cut, channel
            As of :meth:`encode`.
        heard
            Called with the number of files that were read, after each.

        Returns
        -------
        FrameStatistics or None
            None if the quantiser does not normalise groups; no file is read then.
        """
        if self.quantiser.normalisation.kind != GROUP:
            return None

        def readable() -> Iterator[list[NDArray[np.float32]]]:
            for number, path in enumerate(paths, start=1):
                # Whoever encodes the file says why it cannot be read.
                with suppress(AudioError):
                    yield self._heard(path, cut, channel).frames
                heard(number)

        return self._statistics(readable())

    def _heard(self, path: Path, cut: SegmentSettings | None, channel: str) -> "_HeardStretches":
        rate = self.quantiser.spec.rate
        stream = MonoStream(path, rate, channel=channel)
        if cut is None:
            frames = [self._frames(stream)]
            report = stream.report
            duration_s = to_seconds(report.n_samples, stream.info.rate)
            partial = report.reason if report.status == "partial" else ""
            stretches = [(0.0, duration_s)]
            return _HeardStretches(duration_s, partial, stretches, frames, stream.info.rate, report.cancel_db)
        recording = segment_recording(path, cut, channel=channel)
        stretches = [(segment.start_s, segment.end_s) for segment in recording.segments]
        cutter = SegmentCutter(stream)
        frames = [self._frames(cutter.cut(Segment(path.name, *stretch), rate)) for stretch in stretches]
        return _HeardStretches(
            recording.duration_s,
            recording.partial,
            stretches,
            frames,
            stream.info.rate,
            recording.cancel_db,
            recording.left_out,
        )

    def heard_in_words(self, cut: SegmentSettings | None, channel: str) -> Iterator[str]:
        """Yield how files are heard where the quantiser's project may hear recordings otherwise, or ``cut`` says so.

        Parameters
        ----------
        cut, channel
            As of :meth:`encode`.
        """
        known = self.quantiser.heard
        unknown = "an earlier version wrote the quantiser, so those of its project are not known"
        if cut is not None:
            whose = f"default settings: {unknown}" if known is None else "by [segments] of the quantiser's project"
            yield f"{cut.in_words}; {whose}"
        elif known is not None and known.segments.by == SILENCES:
            yield "each file is one segment; the quantiser's project cuts recordings at silences, as --cut does"
        if known is not None and channel != known.channel:
            yield f"channel: {channel}; the quantiser's project reads {known.channel}"
        elif known is not None and channel != MEAN:
            yield f"channel: {channel}, as in the quantiser's project"

    def slow_in_words(self, rates: Mapping[str, int]) -> str:
        """Return which files have less sound than the encoder hears; empty if none has.

        Parameters
        ----------
        rates
            Sample rate in Hz of each file by its name.
        """
        slow = {name: rate for name, rate in rates.items() if rate < self.quantiser.spec.rate}
        if not slow:
            return ""
        name, rate = next(iter(slow.items()))
        return (
            f"{counted(len(slow), 'recording')} at less than the {self.quantiser.spec.rate} Hz of the encoder (first: "
            f"{name}, {rate} Hz): what lies above half of their rate is missing, so sounds may get other units than in "
            "the quantiser's project, unless it was trained on such recordings"
        )

    def described(
        self, name: str, encoded: EncodedFile, cut: SegmentSettings | None = None, channel: str = MEAN
    ) -> dict[str, Any]:
        """Return the units of a file for JSON: all runs with their times, and the units of each segment by frame.

        Times are seconds from the start of the file. Frame k of a segment is centred at ``start_s + origin_s + k *
        hop_s``; a run lasts from half a hop before its first frame to half a hop after its last.

        Parameters
        ----------
        name
            Name of the file.
        encoded
            Its units.
        cut, channel
            As they were given to :meth:`encode`.
        """
        quantiser = self.quantiser
        return {
            "file": name,
            "duration_s": encoded.duration_s,
            "quantiser": quantiser.digest,
            "n_units": quantiser.k,
            "hop_s": quantiser.hop_s,
            "origin_s": quantiser.origin_s,
            "channel": channel,
            "cut": None if cut is None else digestible(cut),
            **({"partial": encoded.partial} if encoded.partial else {}),
            "runs": [
                run for segment in encoded.segments for run in timed_runs(segment, quantiser.hop_s, quantiser.origin_s)
            ],
            "segments": [
                {"start_s": segment.start_s, "end_s": segment.end_s, "units": segment.units.tolist()}
                for segment in encoded.segments
            ],
        }

    def _frames(self, samples: Iterable[NDArray[np.float32]]) -> NDArray[np.float32]:
        parts = [encoded_frames.values for encoded_frames in encode_frames(samples, self._encoder)]
        return np.concatenate([np.zeros((0, self.quantiser.dim), np.float32), *parts])

    def _statistics(self, files: Iterable[list[NDArray[np.float32]]]) -> FrameStatistics:
        sums = FrameSums(self.quantiser.dim)
        for frames in files:
            for frame in frames:
                sums.add(frame)
        return sums.statistics()


@dataclass(frozen=True, slots=True)
class _HeardStretches:
    """The stretches of a file in seconds, and the frames of each."""

    duration_s: float
    partial: str
    stretches: list[tuple[float, float]]
    frames: list[NDArray[np.float32]]
    rate: int
    cancel_db: float | None
    left_out: str = ""


def timed_runs(segment: EncodedSegment, hop_s: float, origin_s: float) -> list[dict[str, Any]]:
    """Return each run of a segment with its times to a microsecond: ``start_s``, ``end_s``, ``unit``."""
    runs = runs_of(segment.units)
    times = boundaries_s(runs.frames, segment.start_s, hop_s, origin_s).round(6).tolist()
    return [
        {"start_s": start, "end_s": end, "unit": unit}
        for unit, start, end in zip(runs.units.tolist(), times, times[1:], strict=False)
    ]
