"""The recordings that an earlier ``predict`` into the same folder has finished: they are not scored again.

A journal in the output folder gets a line for each recording when its tables are written: a digest of bundle,
versions, runtime and threads, the size and time of its file, and its events. A line counts only while all of these are
unchanged, so a changed recording or bundle is predicted again. An unreadable recording is retried each time, because
permissions and links can change without changing the file.
"""

from dataclasses import astuple
from importlib.metadata import version
from pathlib import Path

from ossicle.app.api.engine import Engine
from ossicle.app.api.recording_prediction import RecordingPrediction
from ossicle.artefacts.files import file_digest
from ossicle.artefacts.filesystem.changes import remove_file
from ossicle.artefacts.logs.journal import Journal
from ossicle.audio.decoding.versions import decoder_versions
from ossicle.bundle.manifest import MANIFEST, Bundle
from ossicle.core.digest import digest
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


class Finished:
    """The finished recordings of the output folder ``out``; ``discard`` drops them."""

    def __init__(self, out: Path, made_with: str, *, discard: bool = False) -> None:
        if discard:
            remove_file(out / JOURNAL)
        self._journal, self._made_with = Journal(out / JOURNAL), made_with

    def find(self, name: str, path: Path, state: list[int]) -> RecordingPrediction | None:
        """Return the finished prediction of a recording whose file has this state; None if it must be predicted."""
        record = self._journal.done(name)
        if record is None or not state or (record.get("with"), record.get("file")) != (self._made_with, state):
            return None
        try:
            events = tuple(Event(float(a), float(b), str(label), float(on)) for a, b, label, on in record["events"])
            cancel_db = record.get("channels_cancel_db")
            return RecordingPrediction(
                name,
                events,
                record["status"],
                str(record["reason"]),
                float(record["end_s"]),
                path,
                channels_cancel_db=None if cancel_db is None else float(cancel_db),
            )
        except (KeyError, TypeError, ValueError):
            return None

    def mark(self, prediction: RecordingPrediction, state: list[int]) -> None:
        """Record that the tables of a recording are written; ``state`` is that of its file before it was read."""
        if prediction.status == "left_out":
            return
        self._journal.mark(
            prediction.name,
            **{"with": self._made_with, "file": state},
            status=prediction.status,
            reason=prediction.reason,
            end_s=prediction.end_s,
            channels_cancel_db=prediction.channels_cancel_db,
            events=[astuple(event) for event in prediction.events],
        )
