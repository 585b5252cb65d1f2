"""Assign rows of annotation files to recordings: select labels, cut ends to the recording, note every change."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from ossicle.core.records import Annotation, Recording
from ossicle.corpus.formats.cells.rows import RawSelection, label_text
from ossicle.corpus.indexing.annotation_files import AnnotationFiles
from ossicle.corpus.notes import Note

# Overruns up to this length are rounding errors, or a last call drawn to the edge, and are not reported.
_END_TOLERANCE_S = 0.005


def place_annotations(
    recordings: Sequence[Recording],
    tables: AnnotationFiles,
    left_out: Mapping[str, str],
    labels: Collection[str],
) -> tuple[list[Recording], list[Annotation], list[Note]]:
    """Return recordings marked as reviewed or not, their annotations in order, and notes on dropped rows.

    ``left_out`` maps paths to reasons, ``labels`` are those to keep (empty: all).
    """
    known = {recording.path: recording for recording in recordings}
    labels = [label_text(label) for label in labels]
    placed: dict[str, list[Annotation]] = defaultdict(list)
    notes: list[Note] = []
    dropped: Counter[str] = Counter()
    lost: Counter[str] = Counter()
    for path, row in tables.rows:
        if path not in known:
            lost[path] += 1
        elif labels and row.label not in labels:
            dropped[row.label] += 1
        else:
            cut, note = cut_at(row, known[path].duration_s, path)
            notes += [note] if note is not None else []
            placed[path] += [_annotation(known[path], cut)] if cut is not None else []
    reviewed = [replace(recording, reviewed=recording.path in tables.reviewed) for recording in recordings]
    annotations = [annotation for path in sorted(placed) for annotation in sorted(placed[path], key=annotation_order)]
    used_labels = {annotation.label for annotation in annotations}
    for path, count in sorted(lost.items()):
        message = f"{count} annotations, but the recording was left out: {left_out.get(path, 'it cannot be read')}"
        notes.append(Note("annotations_left_out", path, message, count))
    notes += [
        Note("label_not_kept", label, f"{n} annotations, not in labels", n) for label, n in sorted(dropped.items())
    ]
    notes += [
        Note("label_not_found", label, "is in labels, but no annotation has it")
        for label in labels
        if label not in used_labels
    ]
    return reviewed, annotations, notes


def annotation_order(annotation: Annotation) -> tuple[float, float, str, str]:
    """Return the sorting key of the annotations of one recording: start, end, label, then the other fields."""
    return annotation.start_s, annotation.end_s, annotation.label, repr(annotation)


def _annotation(recording: Recording, row: RawSelection) -> Annotation:
    return Annotation(
        recording_id=recording.id,
        start_s=row.start_s,
        end_s=row.end_s,
        label=row.label,
        low_hz=row.low_hz,
        high_hz=row.high_hz,
        quality=row.quality,
        confidence=row.confidence,
    )


def cut_at(row: RawSelection, end_s: float, where: str) -> tuple[RawSelection | None, Note | None]:
    """Return the row cut at the end of its recording (s), None if it lies beyond; and a note if that must be
    reported.
    """
    if row.end_s <= end_s:
        return row, None
    description = f"{row.label!r} at {row.start_s:g} to {row.end_s:g} s"
    if row.start_s >= end_s:
        return None, Note("beyond_end", where, f"{description} is beyond the end at {end_s:g} s and was skipped", 1)
    note = Note("clipped", where, f"{description} was shortened to the end of the recording, {end_s:g} s")
    return replace(row, end_s=end_s), note if row.end_s - end_s > _END_TOLERANCE_S else None


def shifted(row: RawSelection, by_s: float) -> RawSelection:
    """Return the row ``by_s`` seconds later; times to a microsecond, so that equal calls of two clips are equal."""
    return replace(row, start_s=round(row.start_s + by_s, 6), end_s=round(row.end_s + by_s, 6))
