"""Hard negatives: false alarms of a trained model where no call is annotated, stored as files for the next dataset.

A round of mining is an input of the next training, like a review, so the graph of artefacts has no cycle.

    negatives/mined-001.json
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ossicle.artefacts.files import read_json, write_json
from ossicle.artefacts.filesystem.numbered import next_numbered, numbered_files
from ossicle.core.columns.annotation_columns import AnnotationColumns
from ossicle.core.errors import ArtefactError, FormatError
from ossicle.core.intervals import Intervals, as_intervals, overlap, widen
from ossicle.core.records import Annotation, Clip, Recording
from ossicle.corpus.splits.folds import FoldEntry

FOLDER = "negatives"
FORMAT_VERSION = 1
_STEM = "mined"


@dataclass(frozen=True, slots=True)
class FalseAlarm:
    """A stretch (seconds) of a recording, with the digest of its bytes, where ``label`` was detected with ``score``."""

    recording_id: str
    digest: str
    start_s: float
    end_s: float
    label: str
    score: float


def false_alarms(
    alarms: Iterable[FalseAlarm], annotations: Iterable[Annotation], margin_s: float, most: int
) -> list[FalseAlarm]:
    """Return the ``most`` detections with the highest scores that touch no annotation of any label, widened by
    ``margin_s``.

    Sorted by recording and start; of equal scores the earlier one counts.
    """
    busy = _Busy(annotations, margin_s)
    free = [false_alarm for false_alarm in alarms if not busy.touches(false_alarm)]
    surest = sorted(
        free,
        key=lambda false_alarm: (-false_alarm.score, false_alarm.recording_id, false_alarm.start_s, false_alarm.label),
    )[:most]
    return sorted(surest, key=lambda false_alarm: (false_alarm.recording_id, false_alarm.start_s, false_alarm.label))


def write_mined(folder: Path, alarms: Sequence[FalseAlarm], provenance: Mapping[str, str]) -> Path | None:
    """Write a round under the next number, atomically; None if an earlier round is equal."""
    for file in mined_files(folder):
        if read_mined(file) == tuple(alarms):
            return None
    path = next_numbered(folder, _STEM)
    write_json(
        path,
        {
            "format": FORMAT_VERSION,
            "provenance": dict(provenance),
            "false_alarms": [asdict(false_alarm) for false_alarm in alarms],
        },
    )
    return path


def mined_files(folder: Path) -> list[Path]:
    """Return the rounds of a folder by number."""
    return numbered_files(folder, _STEM)


def read_mined(file: Path) -> tuple[FalseAlarm, ...]:
    """Return the false alarms of a round; raises FormatError, naming the file, if it is damaged or not from Ossicle."""
    try:
        value = read_json(file)
        if value["format"] != FORMAT_VERSION:
            raise ValueError(f"its format is {value['format']!r}, not {FORMAT_VERSION}")
        alarms = tuple(
            FalseAlarm(
                str(false_alarm["recording_id"]),
                str(false_alarm["digest"]),
                float(false_alarm["start_s"]),
                float(false_alarm["end_s"]),
                str(false_alarm["label"]),
                float(false_alarm["score"]),
            )
            for false_alarm in value["false_alarms"]
        )
        as_intervals([(false_alarm.start_s, false_alarm.end_s) for false_alarm in alarms])
    except (ArtefactError, KeyError, TypeError, ValueError, AttributeError) as problem:
        raise FormatError(f"{file}: is not a round of mining ({problem}); restore it, or remove it") from None
    return alarms


@dataclass(frozen=True, slots=True)
class MinedClips:
    """Noise clips from false alarms, and the number of unusable ones, by reason."""

    clips: tuple[Clip, ...]
    unused: Mapping[str, int]


def mined_clips(
    alarms: Iterable[FalseAlarm],
    recordings: Iterable[Recording],
    annotations: Iterable[Annotation],
    folds: Mapping[str, FoldEntry],
    margin_s: float,
    weight: float,
) -> MinedClips:
    """Return each false alarm as a noise clip in its recording's fold, so that no model is trained on its held-out
    data.

    Duplicates count once. False alarms that now touch an annotation, widened by ``margin_s``, are skipped.
    """
    known = {
        recording.id: recording for recording in recordings if recording.reviewed and recording.status != "left_out"
    }
    busy = _Busy(annotations, margin_s)
    clips: dict[tuple[str, float, float], Clip] = {}
    unused: dict[str, int] = defaultdict(int)
    for false_alarm in alarms:
        recording, entry = known.get(false_alarm.recording_id), folds.get(false_alarm.recording_id)
        if recording is None or entry is None:
            unused["its recording is not completely annotated, or missing"] += 1
        elif recording.digest != false_alarm.digest:
            unused["the sound of its recording changed"] += 1
        elif false_alarm.end_s > recording.duration_s + 1e-6:
            unused["it is beyond the end of its recording"] += 1
        elif busy.touches(false_alarm):
            unused["it touches an annotation"] += 1
        else:
            where = (false_alarm.recording_id, false_alarm.start_s, false_alarm.end_s)
            clips[where] = Clip(*where, "noise", entry.fold, entry.group, weight=weight)
    return MinedClips(tuple(clips[key] for key in sorted(clips)), dict(sorted(unused.items())))


class _Busy:
    """The annotated stretches of each recording, widened by a margin."""

    def __init__(self, annotations: Iterable[Annotation], margin_s: float) -> None:
        self._notes, self._margin_s = AnnotationColumns.from_annotations(annotations), margin_s
        self._widened: dict[str, Intervals] = {}

    def touches(self, false_alarm: FalseAlarm) -> bool:
        """Return whether a false alarm shares time with them."""
        key = false_alarm.recording_id
        if key not in self._widened:
            self._widened[key] = widen(self._notes.of(key).intervals(), self._margin_s)
        return bool(overlap(as_intervals([(false_alarm.start_s, false_alarm.end_s)]), self._widened[key]).any())
