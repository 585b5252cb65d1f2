"""What a bundle found in one recording."""

from dataclasses import dataclass, field
from pathlib import Path

from ossicle.core.records import Status
from ossicle.core.tracks import Event, ScoreTrack
from ossicle.corpus.formats.cells.rows import RawSelection
from ossicle.inference.batch import FilePrediction


@dataclass(frozen=True, slots=True)
class RecordingPrediction:
    """What a bundle found in one recording, and how reading it went.

    Parameters
    ----------
    name
        The recording: its path in the requested folder, else its file name.
    events
        Events sorted by start, end and label.
    status
        ``ok``; ``silent``; ``partial``: used as far as it decodes; ``left_out``: not used, without events.
    reason
        Why it was left out, or where and why it ends early.
    end_s
        Seconds up to which it was read.
    path
        The file; None for samples in memory.
    scores
        The model's scores before post-processing and decision, if requested.
    channels_cancel_db
        If the channels of the recording cancel each other in their mean: how many dB it lies below the loudest one,
        negative, in all or a part of the recording. None otherwise, and where one channel is read.

    Examples
    --------
    >>> from ossicle.core.tracks import Event
    >>> found = RecordingPrediction("tape.wav", (Event(1.0, 1.2, "call", 0.9),), "ok", "", 60.0)
    >>> found.events[0].label
    'call'
    """

    name: str
    events: tuple[Event, ...]
    status: Status
    reason: str
    end_s: float
    path: Path | None = None
    scores: ScoreTrack | None = field(default=None, compare=False)
    channels_cancel_db: float | None = None

    @property
    def rows(self) -> list[RawSelection]:
        """Return the events as rows of annotation tables."""
        return [
            RawSelection(event.start_s, event.end_s, event.label, confidence=event.score, begin_path=self.name)
            for event in self.events
        ]


def named_prediction(name: str, path: Path | None, prediction: FilePrediction) -> RecordingPrediction:
    """Return what was found in a file, under the name of the recording."""
    return RecordingPrediction(
        name,
        prediction.events,
        prediction.status,
        prediction.reason,
        prediction.end_s,
        path,
        prediction.scores,
        prediction.cancel_db,
    )
