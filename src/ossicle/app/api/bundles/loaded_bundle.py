"""A bundle that is ready to run: ``ossicle predict`` and ``ossicle stream`` as an object."""

import os
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ossicle.app.api.audio_files import find_audio
from ossicle.app.api.bundles.bundle_facts import BundleFacts
from ossicle.app.api.bundles.engine import Engine, open_predictor
from ossicle.app.api.predictions.predictions import Predictions
from ossicle.app.api.predictions.recording_prediction import RecordingPrediction, named_prediction
from ossicle.app.api.states.loaded_states import LoadedStates
from ossicle.app.project.bundle_places import bundle_folder
from ossicle.audio.decoding.array_stream import ArrayStream
from ossicle.audio.decoding.decode import DecodeReport
from ossicle.audio.decoding.mono import MonoStream
from ossicle.bundle.format import read_bundle
from ossicle.bundle.manifest import Bundle
from ossicle.core.errors import UsageError
from ossicle.core.model_input.channel import channel_name
from ossicle.core.value_checks import count_fault, given_path
from ossicle.inference.batch import EmittedEvent, PathLike, predict_file, predict_stream, stream_through
from ossicle.inference.delivery import bundled_delivery
from ossicle.inference.event_stream import EventStream
from ossicle.inference.finder import EventFinder
from ossicle.inference.predictor import OnChannel, Predictor
from ossicle.inference.second_stage.file import bundled_second_stage

Samples = tuple[ArrayLike, int]


class LoadedBundle(BundleFacts):
    """A bundle that is ready to run, made by :func:`load_bundle`.

    Predictions are those of the command line: post-processing, decision, pooling, second stage, calibration and the
    members of an ensemble all follow from the bundle.

    Parameters
    ----------
    manifest
        What ``bundle.json`` says.
    engine
        What computes the scores.
    batch_chunks
        Chunks scored at a time; does not change the events.
    channel
        The channel to read (:mod:`ossicle.core.model_input.channel`); None for the one that the model was trained on.

    Raises
    ------
    BundleError
        The bundle lacks what the engine needs, or a file of it is damaged.
    UsageError
        There is no such engine.

    Examples
    --------
    >>> bundle = load_bundle("tests/data/bundles/0.1.0/bundle")
    >>> bundle.decisions["call"].on > 0, bundle.whole_recordings, bundle.members
    (True, False, ())
    """

    def __init__(
        self, manifest: Bundle, engine: Engine, batch_chunks: int = 8, channel: str | int | None = None
    ) -> None:
        super().__init__(manifest)
        self.engine, self._batch_chunks = engine, batch_chunks
        predictor = open_predictor(manifest, engine)
        self._predictor = predictor if channel is None else OnChannel(predictor, channel_name(channel))
        self._second_stage, self._delivery = bundled_second_stage(manifest), bundled_delivery(manifest)

    def __repr__(self) -> str:
        return (
            f"LoadedBundle(name={self.name!r}, labels={self.labels!r}, rate={self.rate}, "
            f"runtime={self.engine.runtime!r})"
        )

    @property
    def channel(self) -> str:
        """The channel of a recording that is read: ``mean``, ``first``, ``loudest``, or a number from 1."""
        return self._predictor.plan.channel

    @property
    def predictor(self) -> Predictor:
        """The predictor that turns chunks of samples into scores, for custom engines and benchmarks."""
        return self._predictor

    @property
    def states(self) -> LoadedStates:
        """Its states, with their own ``predict`` and ``stream`` (docs/states.md); UsageError if it finds events."""
        return LoadedStates(self.manifest, self._predictor, self._batch_chunks)

    def predict(
        self, recordings: PathLike | Iterable[PathLike] | Samples, *, keep_scores: bool = False, name: str = "samples"
    ) -> Predictions:
        """Find events in recordings, as ``ossicle predict`` does.

        Parameters
        ----------
        recordings
            A file, a folder (searched at any depth), several of these, or samples as a pair (samples, rate): shape
            (n,) or (n, channels), full scale -1 to 1, and their rate in Hz.
        keep_scores
            Whether to keep the model's scores too, as a ``ScoreTrack`` a recording: 4 bytes a frame and label.
        name
            What to call the recording, if samples are given.

        Returns
        -------
        One prediction for each recording, sorted by name. A file that cannot be read is not an error: it is listed in
        ``skipped`` with the reason, and one that ends early in ``partial``.

        Raises
        ------
        UsageError
            A path does not exist, or a folder contains no recordings.
        ValueError
            Samples are not finite real numbers of such a shape, their rate is not a positive whole number, or
            something else than paths or samples is given.

        Examples
        --------
        >>> bundle = load_bundle("tests/data/bundles/0.1.0/bundle")
        >>> noise = np.random.default_rng(0).normal(0, 0.1, 16000)
        >>> found = bundle.predict((noise, 8000))
        >>> found["samples"].end_s, sorted({event.label for event in found["samples"].events})
        (2.0, ['Zaunkönig', 'call'])
        """
        self._require_events()
        if (pair := _samples_of(recordings)) is not None:
            samples, rate = pair
            stream = ArrayStream(samples, rate, self.rate, self._predictor.plan.channel)
            finder = EventFinder(
                self._predictor,
                self.decisions,
                self._batch_chunks,
                self._second_stage,
                self._delivery,
                keep_scores=keep_scores,
            )
            done = [named_prediction(name, None, predict_stream(stream, finder))]
        else:
            audio = find_audio(_paths_of(recordings))
            done = [self.predict_file(path, name, keep_scores=keep_scores) for name, path in audio]
        return Predictions(tuple(done), self.labels, self.manifest.front.fmax_hz)

    def predict_file(self, path: PathLike, name: str = "", *, keep_scores: bool = False) -> RecordingPrediction:
        """Find the events of one file; :meth:`predict` for one at a time.

        Parameters
        ----------
        path
            The recording.
        name
            What to call it; empty: its file name.
        keep_scores
            Whether to keep the model's scores too.

        Returns
        -------
        Its prediction; its status is ``left_out``, with the reason, if the file cannot be read.

        Raises
        ------
        ValueError
            ``path`` is not a path, or empty.

        Examples
        --------
        >>> bundle = load_bundle("tests/data/bundles/0.1.0/bundle")
        >>> found = bundle.predict_file("tests/data/bundles/0.1.0/bundle/CARD.md", name="no sound")
        >>> found.name, found.status, found.events
        ('no sound', 'left_out', ())
        """
        self._require_events()
        file = given_path("path", path)
        prediction = predict_file(
            file,
            self._predictor,
            self.decisions,
            self._batch_chunks,
            self._second_stage,
            self._delivery,
            keep_scores=keep_scores,
        )
        return named_prediction(name or file.name, file, prediction)

    def stream(self, rate: int | None = None) -> EventStream:
        """Start a live stream, as ``ossicle stream`` does.

        Parameters
        ----------
        rate
            Sample rate of what will be fed, in Hz; None for the model's own.

        Returns
        -------
        A stream with ``feed(samples)`` and ``finish()``, each giving the events that became certain.

        Raises
        ------
        UsageError
            The bundle needs the whole recording (:attr:`streams` is false).

        Examples
        --------
        >>> bundle = load_bundle("tests/data/bundles/0.1.0/bundle")
        >>> noise = np.random.default_rng(0).normal(0, 0.1, 16000)
        >>> with bundle.stream(8000) as live:
        ...     events = [event for start in range(0, 16000, 700) for event in live.feed(noise[start : start + 700])]
        ...     events += live.finish()
        >>> tuple(events) == bundle.predict((noise, 8000))["samples"].events
        True
        """
        self._require_events()
        return EventStream(self._predictor, self.decisions, rate, self._second_stage, self._delivery)

    def stream_file(self, path: PathLike, feed_s: float = 1.0) -> Generator[EmittedEvent, None, DecodeReport]:
        """Play a file through :meth:`stream`.

        Parameters
        ----------
        path
            The recording.
        feed_s
            Length of the blocks in seconds; does not change the events.

        Yields
        ------
        Events, each with the second of the recording at which it was decided (``emitted_s``).

        Returns
        -------
        How decoding ended.

        Raises
        ------
        AudioError
            The file cannot be read; events yielded before remain valid.
        UsageError
            The bundle needs the whole recording (:attr:`streams` is false).
        ValueError
            ``path`` is not a path or empty, or ``feed_s`` is shorter than one sample.

        Examples
        --------
        >>> import tempfile, soundfile
        >>> path = Path(tempfile.mkdtemp()) / "noise.wav"
        >>> soundfile.write(path, np.random.default_rng(0).normal(0, 0.1, 16000), 8000)
        >>> bundle = load_bundle("tests/data/bundles/0.1.0/bundle")
        >>> events = list(bundle.stream_file(path))
        >>> sorted({one.event.label for one in events}), max(one.emitted_s for one in events)
        (['Zaunkönig', 'call'], 2.0)
        """
        live = self.stream()
        heard = MonoStream(given_path("path", path), self.rate, channel=self._predictor.plan.channel)
        return (yield from stream_through(live, heard, feed_s))

    def _require_events(self) -> None:
        if self.gives_states:
            raise UsageError(f"{self.folder}: knows states and not events; use the methods of LoadedBundle.states")


def load_bundle(
    path: PathLike,
    runtime: str = "onnx",
    *,
    threads: int = 1,
    precision: str = "fp32",
    folds: bool = False,
    device: str = "auto",
    batch_chunks: int = 8,
    channel: str | int | None = None,
) -> LoadedBundle:
    """Load a bundle to predict with.

    Parameters
    ----------
    path
        Folder of the bundle, as ``ossicle run`` leaves it, or ``registry:NAME@current`` of a promoted one.
    runtime
        What computes the scores: ``onnx``, ``openvino`` (the extra ``openvino``) or ``torch`` (the extra ``train``).
    threads
        Threads of the runtime, from 1 to 1024; sums, and so the last digits of scores, depend on it.
    precision
        ``fp32``; ``bf16`` with OpenVINO; ``fp16`` and ``int8`` of a bundle by ``ossicle export``.
    folds
        Whether to average the networks of all folds, of a bundle by ``ossicle export --folds``.
    device
        Where torch computes: ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.
    batch_chunks
        Chunks scored at a time, at least 1; does not change the events.
    channel
        Channel of the recordings to read: ``mean``, ``first``, ``loudest``, or a number from 1; None for the one that
        the model was trained on.

    Returns
    -------
    The bundle; its :meth:`~LoadedBundle.predict` and :meth:`~LoadedBundle.stream` agree with the command line.

    Raises
    ------
    BundleError
        The folder is no bundle, is damaged or unsafe, or lacks what the runtime needs.
    UsageError
        There is no such runtime or precision.
    ValueError
        ``path`` is not a path or empty, a number is out of range, or ``channel`` is no choice.

    Examples
    --------
    >>> bundle = load_bundle("tests/data/bundles/0.1.0/bundle")
    >>> bundle.labels, bundle.rate, bundle.hop_s
    (('call', 'Zaunkönig'), 8000, 0.005)
    """
    if fault := count_fault("batch_chunks", batch_chunks, 1):
        raise ValueError(fault)
    engine = Engine(runtime, threads, precision, folds, device)
    return LoadedBundle(read_bundle(bundle_folder(given_path("path", path))), engine, batch_chunks, channel)


def _samples_of(recordings: object) -> tuple[ArrayLike, Any] | None:
    """Return samples and their rate if these were given instead of paths."""
    if not isinstance(recordings, tuple) or len(recordings) != 2:
        return None
    samples, rate = recordings
    return (samples, rate) if isinstance(rate, int | float | np.number) else None


def _paths_of(recordings: object) -> list[Path]:
    if isinstance(recordings, str | os.PathLike):
        recordings = [recordings]
    if not isinstance(recordings, Iterable) or isinstance(recordings, np.ndarray | bytes):
        raise ValueError(_no_recordings(recordings))
    paths = list(recordings)
    for path in paths:
        if not isinstance(path, str | os.PathLike):
            raise ValueError(_no_recordings(path))
    return [given_path("a path", path) for path in paths]


def _no_recordings(recordings: object) -> str:
    return (
        f"recordings cannot be of the type {type(recordings).__name__}; give paths, or samples as (samples, rate), "
        "one recording at a time and the rate as a number"
    )
