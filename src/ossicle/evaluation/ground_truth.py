"""Ground truth shared by several steps: references, groups, folds and tracks of the annotated recordings."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.artefacts.typed.scores import TracksFolder
from ossicle.core.intervals import Intervals, as_intervals
from ossicle.core.postprocess import Postprocess
from ossicle.core.records import Annotation, Recording
from ossicle.core.tracks import Event, ScoreTrack
from ossicle.corpus.indexing.index_storage import read_index
from ossicle.corpus.review.rounds import PROVENANCE
from ossicle.inference.postprocess import postprocessed

Times = dict[str, dict[str, Intervals]]


@dataclass(frozen=True)
class Truth:
    """The recordings of a project that were annotated as a whole, by id, in the order of ``ids``.

    ``reviewed`` counts the annotations from review rounds, ``only_teach`` those in recordings that are not evaluated;
    both over the whole dataset. ``unknown``: recordings and labels whose presence is unknown; neither detecting nor
    missing such a label counts.
    """

    ids: tuple[str, ...]
    labels: tuple[str, ...]
    recordings: dict[str, Recording]
    annotations: tuple[Annotation, ...]
    groups: dict[str, str]
    folds: dict[str, int]
    reviewed: int = 0
    only_teach: int = 0
    unknown: frozenset[tuple[str, str]] = frozenset()

    @property
    def known(self) -> NDArray[np.bool_]:
        """Return whether the presence of each label in each recording is known: (n_recordings, n_labels), in their
        order.
        """
        return np.array(
            [[(key, label) not in self.unknown for label in self.labels] for key in self.ids], dtype=np.bool_
        )

    @property
    def references(self) -> Times:
        """Return annotated times (n, 2) in seconds of every recording and label."""
        found: dict[str, dict[str, list[tuple[float, float]]]] = {key: {} for key in self.ids}
        for note in self.annotations:
            found[note.recording_id].setdefault(note.label, []).append((note.start_s, note.end_s))
        return {key: {label: as_intervals(times) for label, times in of.items()} for key, of in found.items()}

    @property
    def durations_s(self) -> dict[str, float]:
        """Return the length of every recording in seconds."""
        return {key: self.recordings[key].duration_s for key in self.ids}


def read_truth(corpus: CorpusFolder, dataset: DatasetFolder) -> Truth:
    """Read the truth from the artefacts ``corpus`` and ``dataset``."""
    folds = dataset.folds
    recordings = {one.id: one for one in read_index(corpus).recordings}
    ids = tuple(sorted(folds["recording_id"].to_list()))
    judged = set(ids)
    notes = dataset.annotations
    return Truth(
        ids=ids,
        labels=dataset.labels,
        recordings={key: recordings[key] for key in ids},
        annotations=tuple(one for one in notes if one.recording_id in judged),
        reviewed=sum(one.provenance == PROVENANCE for one in notes),
        only_teach=sum(one.recording_id not in judged for one in notes),
        groups=dict(zip(folds["recording_id"], folds["group"], strict=True)),
        folds=dict(zip(folds["recording_id"], folds["fold"], strict=True)),
        unknown=frozenset((key, label) for key, of in dataset.unknown.items() if key in judged for label in of),
    )


def read_tracks(scores: TracksFolder, ids: tuple[str, ...], how: Postprocess) -> dict[str, ScoreTrack]:
    """Read the score tracks of recordings, post-processed; memory-mapped if there is no post-processing."""
    return {key: postprocessed(scores.track(key), how) for key in ids}


def event_times(events: dict[str, list[Event]]) -> Times:
    """Return times (n, 2) of events by recording and label."""
    out: Times = {}
    for key, found in events.items():
        by_label: dict[str, list[tuple[float, float]]] = {}
        for event in found:
            by_label.setdefault(event.label, []).append((event.start_s, event.end_s))
        out[key] = {label: np.asarray(times, dtype=np.float64) for label, times in by_label.items()}
    return out
