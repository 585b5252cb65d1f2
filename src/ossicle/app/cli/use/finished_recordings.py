"""The recordings that an earlier ``predict`` into the same folder has finished: they are not scored again.

A journal in the output folder gets a line for each recording when it is done (of events: when its tables are written):
a digest of bundle, versions, runtime and threads, the size and time of its file, and its events or changes of state. A
line counts only while all of these are unchanged, so a changed recording or bundle is predicted again. An unreadable
recording is retried each time, because permissions and links can change without changing the file.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from ossicle.app.api.bundles.engine import Engine
from ossicle.app.api.predictions.recording_prediction import RecordingPrediction
from ossicle.app.api.states.state_prediction import StatePrediction
from ossicle.artefacts.files import file_digest
from ossicle.artefacts.filesystem.changes import remove_file
from ossicle.artefacts.logs.journal import Journal
from ossicle.audio.decoding.versions import decoder_versions
from ossicle.bundle.manifest import MANIFEST, Bundle
from ossicle.core.decisions.states import StateChange
from ossicle.core.digest import digest
from ossicle.core.records import Status
from ossicle.core.tracks import Event

JOURNAL = "predictions.journal.jsonl"


def predicted_with(bundle: Bundle, engine: Engine, channel: str) -> str:
    """Return the digest of everything except the recording that determines the events; ``channel`` is the one read."""
    versions = {"ossicle": version("ossicle"), engine.library: version(engine.library), **decoder_versions()}
    # The manifest holds the digest of every other file, and each file is checked when it is read.
    return digest([file_digest(bundle.folder / MANIFEST), list(astuple(engine)), channel, versions])


def file_state(path: Path) -> list[int]:
    """Return size in bytes and modification time in ns of a file, which identify its content; empty without a file."""
    try:
        state = path.stat()
    except OSError:
        return []
    return [state.st_size, state.st_mtime_ns]


class Prediction(Protocol):
    """What was found in a recording, and how reading it went."""

    @property
    def name(self) -> str:
        """The recording."""
        ...

    @property
    def status(self) -> Status:
        """How it was read."""
        ...


Found = TypeVar("Found", bound=Prediction)


@dataclass(frozen=True, slots=True)
class Record(Generic[Found]):
    """How predictions of one kind are written into the journal and read back.

    Attributes
    ----------
    write
        Returns a prediction as plain values.
    read
        Returns the prediction of a file from them; may raise KeyError, TypeError or ValueError for damaged ones.
    """

    write: Callable[[Found], Mapping[str, Any]]
    read: Callable[[Mapping[str, Any], str, Path], Found]


class Finished(Generic[Found]):
    """The finished recordings of the output folder ``folder``; ``discard`` drops them."""

    def __init__(self, folder: Path, made_with: str, record: Record[Found], *, discard: bool = False) -> None:
        if discard:
            remove_file(folder / JOURNAL)
        self._journal, self._made_with, self._record = Journal(folder / JOURNAL), made_with, record

    def find(self, name: str, path: Path, state: list[int]) -> Found | None:
        """Return the finished prediction of a recording whose file has this state; None if it must be predicted."""
        line = self._journal.done(name)
        if line is None or not state or (line.get("with"), line.get("file")) != (self._made_with, state):
            return None
        try:
            return self._record.read(line, name, path)
        except (KeyError, TypeError, ValueError):
            return None

    def mark(self, prediction: Found, state: list[int]) -> None:
        """Record that a recording is finished; ``state`` is that of its file before it was read."""
        if prediction.status != "left_out":
            entry = {"with": self._made_with, "file": state, **self._record.write(prediction)}
            self._journal.mark(prediction.name, **entry)


def _reading(prediction: RecordingPrediction | StatePrediction) -> dict[str, Any]:
    return {
        "status": prediction.status,
        "reason": prediction.reason,
        "end_s": prediction.end_s,
        "channels_cancel_db": prediction.channels_cancel_db,
    }


def _cancel_db(line: Mapping[str, Any]) -> float | None:
    cancel_db = line.get("channels_cancel_db")
    return None if cancel_db is None else float(cancel_db)


def _events(line: Mapping[str, Any], name: str, path: Path) -> RecordingPrediction:
    events = tuple(Event(float(a), float(b), str(label), float(on)) for a, b, label, on in line["events"])
    status, reason, end_s = line["status"], str(line["reason"]), float(line["end_s"])
    return RecordingPrediction(name, events, status, reason, end_s, path, channels_cancel_db=_cancel_db(line))


EVENTS: Record[RecordingPrediction] = Record(
    lambda prediction: {**_reading(prediction), "events": [astuple(event) for event in prediction.events]}, _events
)
"""Predictions of a bundle that finds events."""


def state_record(labels: Sequence[str], priority: Sequence[str]) -> Record[StatePrediction]:
    """Return how predictions of a bundle of states are kept; its labels and priority are not in the journal."""

    def read(line: Mapping[str, Any], name: str, path: Path) -> StatePrediction:
        changes = tuple(
            StateChange(float(time_s), str(label), str(state), float(score), float(decided))
            for time_s, label, state, score, decided in line["changes"]
        )
        if strangers := {change.label for change in changes} - set(labels):
            raise ValueError(f"unknown labels: {sorted(strangers)}")
        status, reason, end_s = line["status"], str(line["reason"]), float(line["end_s"])
        kinds = (tuple(labels), tuple(priority))
        return StatePrediction(name, changes, *kinds, status, reason, end_s, path, channels_cancel_db=_cancel_db(line))

    return Record(
        lambda prediction: {**_reading(prediction), "changes": [astuple(change) for change in prediction.changes]}, read
    )
