"""The annotations that become targets, and the times of their clips."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ossicle.core.columns.annotation_columns import AnnotationColumns
from ossicle.core.records import Recording
from ossicle.corpus.clips.settings import DatasetSettings, quality_allows


@dataclass(frozen=True, slots=True)
class Unused:
    """A recording or annotation that gave no clip; ``start_s`` is None if the whole recording is meant."""

    recording_id: str
    reason: str
    start_s: float | None = None


@dataclass(frozen=True, eq=False)
class TargetRows:
    """Targets in the order of their clips: recording, start, end and label; all arrays have one row for each.

    Attributes
    ----------
    recording
        int64 (n,): place of the recording among the given ones.
    start_s, end_s
        float64 (n,), seconds: the times of the clip.
    label
        int32 (n,): place among the labels of the annotations.
    unit
        int64 (n,): equal for exact repeats, counted from 0.
    quality
        float64 (n_units,): the quality of each unit, NaN if unknown: that of its annotation with the earliest end, or
        the lowest one.
    stated_quality
        float64 (n,): the quality of the last annotation with the start and label of the target's own one.
    is_kept
        bool (n_annotations,): the annotations that share recording, start and label with one that is a target.
    unused
        The annotations that are no targets, with the reason.
    """

    recording: NDArray[np.int64]
    start_s: NDArray[np.float64]
    end_s: NDArray[np.float64]
    label: NDArray[np.int32]
    unit: NDArray[np.int64]
    quality: NDArray[np.float64]
    stated_quality: NDArray[np.float64]
    is_kept: NDArray[np.bool_]
    unused: tuple[Unused, ...]


def target_rows(
    annotations: AnnotationColumns, recordings: Sequence[Recording], settings: DatasetSettings
) -> TargetRows:
    """Return the targets among annotations.

    Parameters
    ----------
    annotations
        Those of the corpus; those of other recordings are not used.
    recordings
        The recordings that are used, sorted by id.
    settings
        The quality of targets, and the window around their starts.
    """
    durations = np.array([recording_item.duration_s for recording_item in recordings], dtype=np.float64)
    quality = np.full(len(annotations), np.nan) if annotations.quality is None else annotations.quality
    recording = _places(annotations, {recording_item.id: row for row, recording_item in enumerate(recordings)})
    rows = np.flatnonzero(recording >= 0)
    # Unknown quality comes last, so of repeats that differ in quality the smallest number counts.
    worst = np.where(np.isnan(quality[rows]), np.inf, quality[rows])
    keys = (recording[rows], annotations.start_s[rows], annotations.end_s[rows], annotations.label[rows], worst)
    rows = rows[np.lexsort(keys[::-1])]
    beyond = annotations.start_s[rows] >= durations[recording[rows]]
    refused = beyond | ~quality_allows(quality[rows], settings)
    unused = tuple(
        Unused(
            recordings[int(recording[row])].id,
            _reason(
                annotations.labels[int(annotations.label[row])], quality[row], durations[recording[row]], late, settings
            ),
            float(annotations.start_s[row]),
        )
        for row, late in zip(rows[refused], beyond[refused], strict=True)
    )
    rows = rows[~refused]
    start_s, end_s = clip_times(
        annotations.start_s[rows], annotations.end_s[rows], durations[recording[rows]], settings
    )
    order = np.lexsort((annotations.label[rows], end_s, start_s, recording[rows]))
    rows, start_s, end_s = rows[order], start_s[order], end_s[order]
    recording_rows, label = recording[rows], annotations.label[rows]
    first = _first_of_equal((recording_rows, start_s, end_s, label))
    is_kept, last = _same_start(annotations, recording, rows)
    return TargetRows(
        recording=recording_rows,
        start_s=start_s,
        end_s=end_s,
        label=label,
        unit=np.cumsum(first) - 1,
        quality=quality[rows[first]],
        stated_quality=quality[last],
        is_kept=is_kept,
        unused=unused,
    )


def at_clip_starts(annotations: AnnotationColumns, settings: DatasetSettings) -> AnnotationColumns:
    """Return annotations that start where their clips do, so that a clip finds its annotation by its start."""
    return replace(annotations, start_s=_starts(annotations.start_s, settings))


def clip_times(
    start_s: NDArray[np.float64],
    end_s: NDArray[np.float64],
    durations_s: NDArray[np.float64],
    settings: DatasetSettings,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return start and end of the clips of annotations, within their recordings; all arrays are float64 (n,).

    Parameters
    ----------
    start_s, end_s
        Times of the annotations.
    durations_s
        Length of the recording of each annotation.
    settings
        The window around the starts, if there is one.
    """
    last_s = start_s + settings.after_s if settings.has_window else end_s
    return _starts(start_s, settings), np.minimum(last_s, durations_s)


def _places(annotations: AnnotationColumns, places: Mapping[str, int]) -> NDArray[np.int64]:
    """Return the place of each annotation's recording, -1 for recordings that are not used: int64 (n,)."""
    place_of_code = np.array([places.get(key, -1) for key in annotations.recording_ids], dtype=np.int64)
    row_places: NDArray[np.int64] = place_of_code[annotations.recording]
    return row_places


def _starts(start_s: NDArray[np.float64], settings: DatasetSettings) -> NDArray[np.float64]:
    """Return the starts of the clips of annotations that start at ``start_s``."""
    return np.maximum(start_s - settings.before_s, 0.0) if settings.has_window else start_s


def _first_of_equal(keys: Sequence[NDArray[np.generic]]) -> NDArray[np.bool_]:
    """Return which rows of sorted ``keys`` differ from the row before: bool (n,)."""
    first = np.ones(len(keys[0]), dtype=np.bool_)
    first[1:] = False
    for key in keys:
        first[1:] |= key[1:] != key[:-1]
    return first


def _same_start(
    annotations: AnnotationColumns, recording: NDArray[np.int64], rows: NDArray[np.int64]
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Return which annotations share recording, start and label with one of ``rows``, and for each of ``rows`` the
    last such annotation.
    """
    keys = (recording, annotations.start_s, annotations.label)
    order = np.lexsort(keys[::-1])
    first = _first_of_equal([key[order] for key in keys])
    run = np.empty(len(order), dtype=np.int64)
    run[order] = np.cumsum(first) - 1
    taken = np.zeros(int(first.sum()), dtype=np.bool_)
    taken[run[rows]] = True
    # The sort is stable, so the last row of a run is the last annotation of the table.
    last = order[np.append(np.flatnonzero(first)[1:], len(order)) - 1] if len(order) else order
    return taken[run], last[run[rows]]


def _reason(label: str, quality: float, duration_s: float, late: bool, settings: DatasetSettings) -> str:
    if late:
        return f"'{label}' begins after the end of the recording ({duration_s:.3f} s)"
    if settings.quality_max and quality > settings.quality_max:
        return f"'{label}' has quality {int(quality)}, worse than {settings.quality_max}"
    return f"'{label}' has quality {int(quality)}, less than {settings.quality_min}"
