"""A bundle of states that is ready to run: what ``ossicle predict`` and ``ossicle stream`` do with it, as an object."""

from collections.abc import Generator, Sequence
from pathlib import Path

from numpy.typing import ArrayLike

from ossicle.app.api.audio_files import find_audio
from ossicle.app.api.states.state_prediction import StatePrediction
from ossicle.audio.decoding.array_stream import ArrayStream
from ossicle.audio.decoding.decode import DecodeReport
from ossicle.audio.decoding.mono import MonoStream
from ossicle.bundle.manifest import Bundle
from ossicle.core.decisions.states import StateChange, StateDecision
from ossicle.core.errors import AudioError, UsageError
from ossicle.core.value_checks import given_path
from ossicle.inference.batch import PathLike, score_recording
from ossicle.inference.predictor import Predictor
from ossicle.inference.states.files import FileStates, states_of, stream_states
from ossicle.inference.states.finder import StateFinder
from ossicle.inference.states.stream import StateStream


class LoadedStates:
    """The states of a bundle, as ``LoadedBundle.states`` gives them.

    Parameters
    ----------
    manifest
        What ``bundle.json`` says; it must have states.
    predictor
        What computes the scores.
    batch_chunks
        Chunks scored at a time; does not change the states.

    Raises
    ------
    UsageError
        The bundle gives events and not states.
    """

    def __init__(self, manifest: Bundle, predictor: Predictor, batch_chunks: int = 8) -> None:
        if manifest.states is None:
            raise UsageError(f"{manifest.folder}: this bundle finds events and knows no states; use predict and stream")
        self._folder, self._predictor, self._batch_chunks = manifest.folder, predictor, batch_chunks
        self.decision, self.labels = manifest.states, manifest.labels

    @property
    def fitted(self) -> bool:
        """Whether there is a decision; without one there are scores only."""
        return self.decision.fitted

    def predict(
        self, recordings: PathLike | Sequence[PathLike], *, keep_scores: bool = False
    ) -> tuple[StatePrediction, ...]:
        """Return the states in files, and in the files of folders, sorted by name.

        A file that cannot be read has the status ``left_out`` and a reason.

        Raises
        ------
        UsageError
            The decision is not fitted, or a path does not exist.
        """
        paths = [recordings] if isinstance(recordings, str) or not isinstance(recordings, Sequence) else recordings
        audio = find_audio([given_path("a path", path) for path in paths])
        return tuple(self.predict_file(path, name, keep_scores=keep_scores) for name, path in audio)

    def predict_file(self, path: PathLike, name: str = "", *, keep_scores: bool = False) -> StatePrediction:
        """Return the states in one file; ``name`` is what to call it, by default its file name."""
        file = given_path("path", path)
        finder = self._finder(keep_scores=keep_scores)
        try:
            plan = self._predictor.plan
            file_states = states_of(MonoStream(file, plan.rate, channel=plan.channel), finder)
        except (AudioError, OSError) as error:
            file_states = FileStates((), "left_out", str(error), 0.0)
        return self._named_prediction(file_states, name or file.name, file)

    def predict_samples(
        self, samples: ArrayLike, rate: int, *, keep_scores: bool = False, name: str = "samples"
    ) -> StatePrediction:
        """Return the states in samples, shape (n,) or (n, channels), full scale -1 to 1, at ``rate`` Hz."""
        plan = self._predictor.plan
        stream = ArrayStream(samples, rate, plan.rate, plan.channel)
        return self._named_prediction(states_of(stream, self._finder(keep_scores=keep_scores)), name, None)

    def score_file(self, path: PathLike, name: str = "") -> StatePrediction:
        """Return the scores of one file without any decision, fitted or not: its labels are unknown throughout."""
        file = given_path("path", path)
        try:
            track, report = score_recording(file, self._predictor, self._batch_chunks)
            file_states = FileStates((), report.status, report.reason, report.end_s, track, report.cancel_db)
        except (AudioError, OSError) as error:
            file_states = FileStates((), "left_out", str(error), 0.0)
        return self._named_prediction(file_states, name or file.name, file)

    def stream(self, rate: int | None = None) -> StateStream:
        """Start a live stream of samples at ``rate`` Hz, by default the model's own.

        Raises
        ------
        UsageError
            The decision is not fitted.
        """
        return StateStream(self._predictor, self.require_fitted(), rate)

    def stream_file(
        self, path: PathLike, feed_s: float = 1.0
    ) -> Generator[tuple[StateChange, ...], None, DecodeReport]:
        """Play a file through :meth:`stream`: yield the changes of each moment, and return how decoding ended.

        Raises
        ------
        AudioError
            The file cannot be read; changes yielded before remain valid.
        UsageError
            The decision is not fitted.
        ValueError
            ``feed_s`` is shorter than one sample.
        """
        live, plan = self.stream(), self._predictor.plan
        heard = MonoStream(given_path("path", path), plan.rate, channel=plan.channel)
        return (yield from stream_states(live, heard, feed_s))

    def _finder(self, *, keep_scores: bool) -> StateFinder:
        return StateFinder(self._predictor, self.require_fitted(), self._batch_chunks, keep_scores=keep_scores)

    def require_fitted(self) -> StateDecision:
        """Return the decision; raises UsageError, with what to do, if it is not fitted."""
        if not self.fitted:
            raise UsageError(
                f"{self._folder}: this bundle has scores but no fitted decision about states, because the step "
                "state_decision of its project was not done. Do it with `ossicle run -p PROJECT`, which writes the "
                "bundle again; `ossicle predict --scores-only` writes the scores as they are"
            )
        return self.decision

    def _named_prediction(self, file_states: FileStates, name: str, path: Path | None) -> StatePrediction:
        return StatePrediction(
            name,
            file_states.changes,
            self.labels,
            self.decision.priority,
            file_states.status,
            file_states.reason,
            file_states.end_s,
            path,
            file_states.scores,
            file_states.cancel_db,
        )
