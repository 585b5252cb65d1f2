"""Contents and problems of a corpus, before anything is trained on it.

A pure function of the index: the audio was measured while indexing. Gaps and overlaps are between neighbouring
annotations of one label in one recording; exact repeats are counted separately and left out of both.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from ossicle.audio.decoding.levels import Levels
from ossicle.core.columns.annotation_columns import AnnotationColumns
from ossicle.core.intervals import running_ends
from ossicle.corpus.health.findings import find_problems
from ossicle.corpus.health.problem import Problem
from ossicle.corpus.indexing.corpus_index import CorpusIndex
from ossicle.corpus.notes import LeftOut

SHORT_GAP_S = 0.02
# Decimal times and their differences have rounding noise; touching is not overlapping.
_TOUCH_S = 1e-6


@dataclass(frozen=True, slots=True)
class LabelHealth:
    """One label: how many annotations, in how many groups, how long (s), and how close to each other.

    ``short_gap_share`` is the share of gaps under 20 ms, which a detector with frames of 10 ms can hardly resolve.
    Figures are None if there is nothing to measure.
    """

    label: str
    annotations: int
    groups: int
    total_s: float
    min_s: float | None
    median_s: float | None
    max_s: float | None
    gaps: int
    median_gap_s: float | None
    short_gap_share: float | None
    overlaps: int
    repeats: int
    zero_length: int


@dataclass(frozen=True, slots=True)
class RecordingHealth:
    """One recording: decoding status, levels (None: not decoded), and number of annotations."""

    path: str
    group: str
    duration_s: float
    rate: int
    status: str
    reason: str
    reviewed: bool
    annotations: int
    levels: Levels | None


@dataclass(frozen=True, slots=True)
class HealthReport:
    """The health of a corpus; counts by name are sorted by name, ``problems`` by severity."""

    recordings: int
    hours: float
    annotations: int
    groups: int
    by_label: tuple[LabelHealth, ...]
    by_group: dict[str, int]
    by_quality: dict[str, int]
    by_rate: dict[str, int]
    unreviewed: tuple[str, ...]
    reviewed_empty: tuple[str, ...]
    per_recording: tuple[RecordingHealth, ...]
    left_out: tuple[LeftOut, ...]
    problems: tuple[Problem, ...] = field(default_factory=tuple)

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain values."""
        return asdict(self)


def health(index: CorpusIndex, *, rate: int, group: str = "recording", hop_s: float | None = None) -> HealthReport:
    """Return the health report of a corpus.

    Parameters
    ----------
    index
        The corpus.
    rate
        Sample rate of the model in Hz.
    group
        Field that the split keeps together.
    hop_s
        Seconds between the frames of the model, to compare with the lengths of calls; None to leave this out.
    """
    groups = {recording.id: recording.fields.get(group) or recording.path for recording in index.recordings}
    notes = index.annotations
    counts = Counter(dict(zip(notes.recording_ids, np.diff(notes.offsets).tolist(), strict=True)))
    by_group = dict.fromkeys(sorted(set(groups.values())), 0)
    for key, n in counts.items():
        by_group[groups[key]] += n
    per_recording = tuple(
        RecordingHealth(
            path=recording.path,
            group=groups[recording.id],
            duration_s=round(recording.duration_s, 6),
            rate=recording.rate,
            status=recording.status,
            reason=recording.reason,
            reviewed=recording.reviewed,
            annotations=counts[recording.id],
            levels=index.levels.get(recording.id),
        )
        for recording in index.recordings
    )
    rates = Counter(recording.rate for recording in index.recordings)
    labels = tuple(
        label_health(label, label_notes, len({groups[key] for key in label_notes.recording_ids}))
        for label, label_notes in notes.by_label()
    )
    return HealthReport(
        recordings=len(index.recordings),
        hours=round(sum(recording.duration_s for recording in index.recordings) / 3600, 6),
        annotations=len(notes),
        groups=len(by_group),
        by_label=labels,
        by_group=by_group,
        by_quality=_qualities(notes),
        by_rate={str(key): rates[key] for key in sorted(rates)},
        unreviewed=tuple(recording.path for recording in index.recordings if not recording.reviewed),
        reviewed_empty=tuple(
            recording.path for recording in index.recordings if recording.reviewed and not counts[recording.id]
        ),
        per_recording=per_recording,
        left_out=index.left_out,
        problems=find_problems(index, rate=rate, group=group, short_gap_shares=_short_gap_shares(labels), hop_s=hop_s),
    )


def _qualities(annotations: AnnotationColumns) -> dict[str, int]:
    """Return the number of annotations by quality, as text."""
    if annotations.quality is None:
        return {"unknown": len(annotations)} if len(annotations) else {}
    values, counts = np.unique(annotations.quality, return_counts=True)
    by_quality = {
        "unknown" if np.isnan(value) else str(int(value)): n for value, n in zip(values, counts.tolist(), strict=True)
    }
    return dict(sorted(by_quality.items()))


def label_health(label: str, annotations: AnnotationColumns, groups: int) -> LabelHealth:
    """Return durations, gaps, overlaps and repeats of the annotations of one label."""
    durations = annotations.end_s - annotations.start_s
    keys = (annotations.recording, annotations.start_s, annotations.end_s)
    order = np.lexsort(keys[::-1])
    recording, start_s, end_s = annotations.recording[order], annotations.start_s[order], annotations.end_s[order]
    differs = np.ones(len(order), dtype=np.bool_)
    differs[1:] = (np.diff(recording) != 0) | (start_s[1:] != start_s[:-1]) | (end_s[1:] != end_s[:-1])
    recording, start_s, end_s = recording[differs], start_s[differs], end_s[differs]
    later = np.zeros(len(recording), dtype=np.bool_)
    later[1:] = recording[1:] == recording[:-1]
    before_s = np.concatenate([[0.0], running_ends(end_s, ~later)])[: len(later)]
    overlapping = later & (start_s < before_s - _TOUCH_S)
    gaps = np.maximum((start_s - before_s)[later & ~overlapping], 0.0)
    return LabelHealth(
        label=label,
        annotations=len(annotations),
        groups=groups,
        total_s=round(float(durations.sum()), 6),
        min_s=round(float(durations.min()), 6) if len(durations) else None,
        median_s=round(float(np.median(durations)), 6) if len(durations) else None,
        max_s=round(float(durations.max()), 6) if len(durations) else None,
        gaps=len(gaps),
        median_gap_s=round(float(np.median(gaps)), 6) if len(gaps) else None,
        short_gap_share=round(float((gaps < SHORT_GAP_S - _TOUCH_S).mean()), 6) if len(gaps) else None,
        overlaps=int(overlapping.sum()),
        repeats=len(annotations) - len(recording),
        zero_length=int(np.count_nonzero(durations <= 0)),
    )


def _short_gap_shares(labels: Sequence[LabelHealth]) -> dict[str, float]:
    return {
        label_health.label: label_health.short_gap_share
        for label_health in labels
        if label_health.short_gap_share is not None
    }
