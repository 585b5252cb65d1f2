"""Annotations as columns: arrays with an offset for each recording, for corpora of millions of events."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ossicle.core.columns.grouped_rows import GroupedRows
from ossicle.core.columns.row_groups import (
    RowGroups,
    group_rows,
    joined_codes,
    joined_figures,
    known_or_none,
    taken,
    text_codes,
)
from ossicle.core.records import Annotation

Figures = NDArray[np.float64] | None


@dataclass(frozen=True, eq=False)
class AnnotationColumns(GroupedRows[Annotation]):
    """Annotations as arrays; ``Annotation`` objects are made when a row is asked for.

    Equal to any sequence of equal annotations in the same order.

    Parameters
    ----------
    groups
        The recordings, and the rows of each; rows of a recording lie together.
    start_s, end_s
        float64 (n,), seconds from the start of the recording, ``0 <= start_s <= end_s``.
    label
        int32 (n,): place of each label in ``labels``.
    labels
        Labels, sorted; some may have no row.
    low_hz, high_hz, quality, confidence
        float64 (n,), NaN where unknown; None if all are unknown.
    provenance, provenances
        As ``label`` and ``labels``.

    Examples
    --------
    >>> ones = [Annotation("a", 1.0, 2.0, "wren"), Annotation("b", 0.0, 1.0, "robin")]
    >>> notes = AnnotationColumns.from_annotations(ones)
    >>> len(notes), notes[1].label, notes.of("a").start_s.tolist(), notes.label_counts()
    (2, 'robin', [1.0], {'robin': 1, 'wren': 1})
    """

    groups: RowGroups
    start_s: NDArray[np.float64]
    end_s: NDArray[np.float64]
    label: NDArray[np.int32]
    labels: tuple[str, ...]
    low_hz: Figures
    high_hz: Figures
    quality: Figures
    confidence: Figures
    provenance: NDArray[np.int32]
    provenances: tuple[str, ...]

    @classmethod
    def from_annotations(cls, annotations: Iterable[Annotation]) -> "AnnotationColumns":
        """Return the columns of annotations; those of one recording are moved behind its first one, in their order."""
        if isinstance(annotations, cls):
            return annotations
        rows_in_order = list(annotations)
        ids, codes = text_codes([annotation.recording_id for annotation in rows_in_order])
        groups, order = group_rows(ids, codes)
        if order is not None:
            rows_in_order = [rows_in_order[int(row)] for row in order]
        labels, label = text_codes([annotation.label for annotation in rows_in_order])
        provenances, provenance = text_codes([annotation.provenance for annotation in rows_in_order])
        return cls(
            groups,
            np.array([annotation.start_s for annotation in rows_in_order], dtype=np.float64),
            np.array([annotation.end_s for annotation in rows_in_order], dtype=np.float64),
            label,
            labels,
            _figures([annotation.low_hz for annotation in rows_in_order]),
            _figures([annotation.high_hz for annotation in rows_in_order]),
            _figures([annotation.quality for annotation in rows_in_order]),
            _figures([annotation.confidence for annotation in rows_in_order]),
            provenance,
            provenances,
        )

    @classmethod
    def joined(cls, parts: Sequence["AnnotationColumns"]) -> "AnnotationColumns":
        """Return the rows of all parts; those of one recording are moved behind its first one, in their order."""
        ids, codes = joined_codes([(part.recording_ids, part.recording) for part in parts], ordered=False)
        groups, order = group_rows(ids, codes)
        labels, label = joined_codes([(part.labels, part.label) for part in parts])
        provenances, provenance = joined_codes([(part.provenances, part.provenance) for part in parts])
        low_hz, high_hz, quality, confidence = (
            joined_figures([(getattr(part, name), len(part)) for part in parts])
            for name in ("low_hz", "high_hz", "quality", "confidence")
        )
        start_s = np.concatenate([np.zeros(0), *(part.start_s for part in parts)])
        end_s = np.concatenate([np.zeros(0), *(part.end_s for part in parts)])
        figures = (low_hz, high_hz, quality, confidence)
        whole = cls(groups, start_s, end_s, label, labels, *figures, provenance, provenances)
        return whole if order is None else whole.regrouped(order, groups)

    def by_recording(self, recording_ids: Iterable[str]) -> "AnnotationColumns":
        """Return the rows with their recordings in the order of ``recording_ids``, which may name others too.

        Raises
        ------
        KeyError
            For a recording that is not among them.
        """
        return self.take(np.argsort(self._ranks(recording_ids), kind="stable"))

    def in_order(self, recording_ids: Iterable[str]) -> "AnnotationColumns":
        """Return the rows by recording as :meth:`by_recording`, then by start, end and label.

        Rows that are equal in these are sorted by the text of the other fields.
        """
        keys = (self._ranks(recording_ids), self.start_s, self.end_s, self.label)
        order = np.lexsort(keys[::-1])
        if any(column is not None for column in (self.low_hz, self.high_hz, self.quality, self.confidence)) or (
            len(self.provenances) > 1
        ):
            tied = np.ones(max(len(order) - 1, 0), dtype=np.bool_)
            for key in keys:
                tied &= key[order][1:] == key[order][:-1]
            for first, stop in _runs(tied):
                order[first:stop] = sorted(order[first:stop].tolist(), key=lambda row: repr(self[row]))
        return self.take(order)

    def label_counts(self) -> dict[str, int]:
        """Return the number of annotations by label, sorted, of labels that have one."""
        counts = np.bincount(self.label, minlength=len(self.labels))
        return {label: int(n) for label, n in zip(self.labels, counts, strict=True) if n}

    def counts(self) -> Iterator[tuple[str, str, int]]:
        """Return recording id, label and number of annotations, for recordings and labels that have one.

        Recordings come in the order of the rows, and the labels of each are sorted.
        """
        n_labels = len(self.labels)
        places, n_rows = np.unique(self.recording * np.int64(n_labels) + self.label, return_counts=True)
        for code, n in zip(places.tolist(), n_rows.tolist(), strict=True):
            recording, label = divmod(code, n_labels)
            yield self.recording_ids[recording], self.labels[label], n

    def by_label(self) -> Iterator[tuple[str, "AnnotationColumns"]]:
        """Return each label that has an annotation, sorted, and its annotations."""
        order = np.argsort(self.label, kind="stable")
        edges = np.concatenate([[0], np.cumsum(np.bincount(self.label, minlength=len(self.labels)))]).tolist()
        for label, first, stop in zip(self.labels, edges, edges[1:], strict=False):
            if stop > first:
                yield label, self.take(order[first:stop])

    def intervals(self) -> NDArray[np.float64]:
        """Return start and end of every row: float64 (n, 2), seconds."""
        return np.stack([self.start_s, self.end_s], axis=1)

    def _ranks(self, recording_ids: Iterable[str]) -> NDArray[np.int64]:
        """Return the place of each row's recording among ``recording_ids``: int64 (n,)."""
        places = {key: index for index, key in enumerate(recording_ids)}
        ranks: NDArray[np.int64] = np.array([places[key] for key in self.recording_ids], dtype=np.int64)
        return ranks[self.recording]

    def regrouped(self, rows: NDArray[Any] | slice, groups: RowGroups) -> "AnnotationColumns":
        """Return some rows in the given order, of which the caller knows the groups."""
        figures = [self.low_hz, self.high_hz, self.quality, self.confidence]
        low_hz, high_hz, quality, confidence = (None if figure is None else taken(figure, rows) for figure in figures)
        return AnnotationColumns(
            groups,
            taken(self.start_s, rows),
            taken(self.end_s, rows),
            taken(self.label, rows),
            self.labels,
            low_hz,
            high_hz,
            quality,
            confidence,
            taken(self.provenance, rows),
            self.provenances,
        )

    def _objects(self, first: int, stop: int) -> Iterator[Annotation]:
        rows = slice(first, stop)
        ids, labels, provenances = self.recording_ids, self.labels, self.provenances
        qualities: list[int | None] = [None if value is None else int(value) for value in _values(self.quality, rows)]
        for recording, start, end, label, low, high, quality, confidence, provenance in zip(
            self._recording_places(first, stop),
            self.start_s[rows].tolist(),
            self.end_s[rows].tolist(),
            self.label[rows].tolist(),
            _values(self.low_hz, rows),
            _values(self.high_hz, rows),
            qualities,
            _values(self.confidence, rows),
            self.provenance[rows].tolist(),
            strict=True,
        ):
            yield Annotation(
                ids[recording], start, end, labels[label], low, high, quality, confidence, provenances[provenance]
            )


def _runs(tied: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return first row and end of each run of rows of which ``tied`` says that it equals the next: (n - 1,)."""
    edges = np.diff(np.concatenate([[False], tied, [False]]).astype(np.int8))
    return list(zip(np.flatnonzero(edges == 1).tolist(), (np.flatnonzero(edges == -1) + 1).tolist(), strict=True))


def _figures(values: Sequence[float | None]) -> Figures:
    return known_or_none(np.array([np.nan if value is None else value for value in values], dtype=np.float64))


def _values(column: Figures, rows: slice) -> list[float | None]:
    if column is None:
        return [None] * (rows.stop - rows.start)
    return [None if value != value else value for value in column[rows].tolist()]
