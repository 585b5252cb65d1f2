"""Ground truth shared by several steps: references, groups, folds and tracks of the annotated recordings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.artefacts.typed.scores import TracksFolder
from ossicle.core.columns.annotation_columns import AnnotationColumns
from ossicle.core.columns.event_columns import EventColumns
from ossicle.core.intervals import Intervals
from ossicle.core.records import Annotation, Recording
from ossicle.core.scores.postprocess import Postprocess
from ossicle.core.tracks import Event, ScoreTrack
from ossicle.corpus.indexing.index_storage import read_index
from ossicle.corpus.review.rounds import PROVENANCE
from ossicle.evaluation.event_lists import LabelledTimes, event_lists
from ossicle.inference.postprocess import postprocessed
from ossicle.metrics.columns.event_lists import EventLists

Times = dict[str, dict[str, Intervals]]


@dataclass(frozen=True)
class Truth:
    """The recordings of a project that were annotated as a whole, by id, in the order of ``ids``.

    ``reviewed`` counts the annotations from review rounds, ``training_only`` those in recordings that are not
    evaluated; both over the whole dataset. ``unknown``: recordings and labels whose presence is unknown; neither
    detecting nor missing such a label counts. ``choosing``: labels annotated in the held-out recordings that chose
    the thresholds and are not evaluated; None if thresholds are cross-fitted.
    """

    ids: tuple[str, ...]
    labels: tuple[str, ...]
    recordings: dict[str, Recording]
    annotations: Sequence[Annotation]
    groups: dict[str, str]
    folds: dict[str, int]
    reviewed: int = 0
    training_only: int = 0
    unknown: frozenset[tuple[str, str]] = frozenset()
    choosing: frozenset[str] | None = None

    @cached_property
    def known(self) -> NDArray[np.bool_]:
        """Whether the presence of each label in each recording is known: (n_recordings, n_labels), in their order."""
        return np.array(
            [[(key, label) not in self.unknown for label in self.labels] for key in self.ids], dtype=np.bool_
        ).reshape(len(self.ids), len(self.labels))

    @cached_property
    def notes(self) -> AnnotationColumns:
        """The annotations in columns; those of one recording are in the order of ``annotations``."""
        return AnnotationColumns.from_annotations(self.annotations)

    @cached_property
    def notes_in(self) -> Mapping[str, AnnotationColumns]:
        """The annotations of each recording, in the order of ``annotations``."""
        return {key: self.notes.of(key) for key in self.ids}

    @cached_property
    def references(self) -> Times:
        """The annotated times (n, 2) in seconds of every recording and label, in the order of ``annotations``."""
        labels = (*self.labels, *(label for label in self.notes.label_counts() if label not in set(self.labels)))
        return times_of(self._lists(labels)[0], self.ids, labels)

    @cached_property
    def reference_lists(self) -> EventLists:
        """The annotated times in columns: a list for each recording and label, recording after recording."""
        return self._lists(self.labels)[0]

    @cached_property
    def reference_qualities(self) -> NDArray[np.float64]:
        """The quality of each annotation of ``reference_lists``, NaN where it is unknown."""
        places = self._lists(self.labels)[1]
        return np.full(len(places), np.nan) if self.notes.quality is None else self.notes.quality[places]

    @cached_property
    def holds(self) -> NDArray[np.bool_]:
        """Whether each recording has an annotation of each label: (n_recordings, n_labels), in their order."""
        return (self.reference_lists.sizes > 0).reshape(len(self.ids), len(self.labels))

    def _lists(self, labels: Sequence[str]) -> tuple[EventLists, NDArray[np.int64]]:
        notes = self.notes
        columns = LabelledTimes(notes.recording_ids, notes.labels, notes.recording, notes.label, notes.intervals())
        return columns.lists(self.ids, labels)

    def notes_between(self, recording_id: str, start_s: float, end_s: float) -> list[Annotation]:
        """Return the annotations of a recording that share time with a stretch, in the order of ``annotations``."""
        annotation_columns = self.notes.of(recording_id)
        return list(
            annotation_columns.where((annotation_columns.end_s > start_s) & (annotation_columns.start_s < end_s))
        )

    @cached_property
    def durations_s(self) -> dict[str, float]:
        """The length of every recording in seconds."""
        return {key: self.recordings[key].duration_s for key in self.ids}


def read_truth(corpus: CorpusFolder, dataset: DatasetFolder) -> Truth:
    """Read the truth of all held-out recordings from the artefacts ``corpus`` and ``dataset``."""
    return _truth_of(corpus, dataset, dataset.folds)


def read_evaluated_truth(corpus: CorpusFolder, dataset: DatasetFolder) -> Truth:
    """Read the truth of the recordings that give the figures.

    These are all held-out recordings, except under a split whose other held-out folds only choose thresholds.
    """
    if dataset.evaluated_folds is None:
        return read_truth(corpus, dataset)
    evaluated = dataset.folds["fold"].is_in(dataset.evaluated_folds)
    others = set(dataset.folds.filter(~evaluated)["recording_id"].to_list())
    choosing = frozenset(label for key, label, _ in dataset.annotations.counts() if key in others)
    return replace(_truth_of(corpus, dataset, dataset.folds.filter(evaluated)), choosing=choosing)


def _truth_of(corpus: CorpusFolder, dataset: DatasetFolder, folds: pl.DataFrame) -> Truth:
    recordings = {recording.id: recording for recording in read_index(corpus).recordings}
    ids = tuple(sorted(folds["recording_id"].to_list()))
    judged = set(ids)
    notes = dataset.annotations
    evaluated = np.array([key in judged for key in notes.recording_ids], dtype=np.bool_)[notes.recording]
    reviewed = np.array([name == PROVENANCE for name in notes.provenances], dtype=np.bool_)[notes.provenance]
    return Truth(
        ids=ids,
        labels=dataset.labels,
        recordings={key: recordings[key] for key in ids},
        annotations=notes.where(evaluated),
        reviewed=int(reviewed.sum()),
        training_only=int((~evaluated).sum()),
        groups=dict(zip(folds["recording_id"], folds["group"], strict=True)),
        folds=dict(zip(folds["recording_id"], folds["fold"], strict=True)),
        unknown=frozenset((key, label) for key, labels in dataset.unknown.items() if key in judged for label in labels),
    )


def read_tracks(scores: TracksFolder, ids: tuple[str, ...], postprocess: Postprocess) -> dict[str, ScoreTrack]:
    """Read the score tracks of recordings, post-processed; memory-mapped if there is no post-processing."""
    return {key: postprocessed(scores.track(key), postprocess) for key in ids}


def event_times(events: Mapping[str, Sequence[Event]]) -> Times:
    """Return times (n, 2) of events by recording and label."""
    columns = EventColumns.of(events)
    lists, _ = event_lists(columns, columns.recording_ids, columns.labels)
    return times_of(lists, columns.recording_ids, columns.labels)


def times_of(lists: EventLists, ids: Sequence[str], labels: Sequence[str]) -> Times:
    """Return lists of each recording and label by their names; empty lists are left out."""
    times: Times = {key: {} for key in ids}
    for index in np.flatnonzero(lists.sizes).tolist():
        row, column = divmod(index, len(labels))
        times[ids[row]][labels[column]] = lists.times[lists.offsets[index] : lists.offsets[index + 1]]
    return times
