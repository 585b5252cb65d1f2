"""Contents and problems of a corpus, before anything is trained on it.

A pure function of the index: the audio was measured while indexing. Gaps and overlaps are between neighbouring
annotations of one label in one recording; exact repeats are counted separately and left out of both.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from ossicle.audio.decoding.levels import Levels
from ossicle.core.records import Annotation
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
    groups = {one.id: one.fields.get(group) or one.path for one in index.recordings}
    counts = Counter(one.recording_id for one in index.annotations)
    by_group = dict.fromkeys(sorted(set(groups.values())), 0)
    for one in index.annotations:
        by_group[groups[one.recording_id]] += 1
    per_recording = tuple(
        RecordingHealth(
            path=one.path,
            group=groups[one.id],
            duration_s=round(one.duration_s, 6),
            rate=one.rate,
            status=one.status,
            reason=one.reason,
            reviewed=one.reviewed,
            annotations=counts[one.id],
            levels=index.levels.get(one.id),
        )
        for one in index.recordings
    )
    by_label: dict[str, list[Annotation]] = defaultdict(list)
    for one in index.annotations:
        by_label[one.label].append(one)
    quality = Counter("unknown" if one.quality is None else str(one.quality) for one in index.annotations)
    rates = Counter(one.rate for one in index.recordings)
    labels = tuple(
        label_health(label, by_label[label], len({groups[one.recording_id] for one in by_label[label]}))
        for label in sorted(by_label)
    )
    return HealthReport(
        recordings=len(index.recordings),
        hours=round(sum(one.duration_s for one in index.recordings) / 3600, 6),
        annotations=len(index.annotations),
        groups=len(by_group),
        by_label=labels,
        by_group=by_group,
        by_quality=dict(sorted(quality.items())),
        by_rate={str(key): rates[key] for key in sorted(rates)},
        unreviewed=tuple(one.path for one in index.recordings if not one.reviewed),
        reviewed_empty=tuple(one.path for one in index.recordings if one.reviewed and not counts[one.id]),
        per_recording=per_recording,
        left_out=index.left_out,
        problems=find_problems(index, rate=rate, group=group, short_gap_shares=_short_gap_shares(labels), hop_s=hop_s),
    )


def label_health(label: str, annotations: Sequence[Annotation], groups: int) -> LabelHealth:
    """Return durations, gaps, overlaps and repeats of the annotations of one label."""
    durations = np.array([one.end_s - one.start_s for one in annotations])
    places: dict[str, set[tuple[float, float]]] = defaultdict(set)
    for one in annotations:
        places[one.recording_id].add((one.start_s, one.end_s))
    gaps: list[float] = []
    overlaps = 0
    for spans in places.values():
        reach = -np.inf
        for start_s, end_s in sorted(spans):
            if start_s < reach - _TOUCH_S:
                overlaps += 1
            elif np.isfinite(reach):
                gaps.append(max(start_s - reach, 0.0))
            reach = max(reach, end_s)
    return LabelHealth(
        label=label,
        annotations=len(annotations),
        groups=groups,
        total_s=round(float(durations.sum()), 6),
        min_s=round(float(durations.min()), 6) if len(durations) else None,
        median_s=round(float(np.median(durations)), 6) if len(durations) else None,
        max_s=round(float(durations.max()), 6) if len(durations) else None,
        gaps=len(gaps),
        median_gap_s=round(float(np.median(gaps)), 6) if gaps else None,
        short_gap_share=round(sum(gap < SHORT_GAP_S - _TOUCH_S for gap in gaps) / len(gaps), 6) if gaps else None,
        overlaps=overlaps,
        repeats=len(annotations) - sum(len(spans) for spans in places.values()),
        zero_length=int(np.count_nonzero(durations <= 0)),
    )


def _short_gap_shares(labels: Sequence[LabelHealth]) -> dict[str, float]:
    return {one.label: one.short_gap_share for one in labels if one.short_gap_share is not None}
