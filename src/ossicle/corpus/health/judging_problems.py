"""Labels that cannot be judged: they are in everything that was checked, or no model tested on them knows them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from ossicle.core.columns.annotation_columns import AnnotationColumns
from ossicle.core.intervals import union_by_group
from ossicle.core.records import Annotation
from ossicle.corpus.health.problem import Problem
from ossicle.corpus.indexing.corpus_index import CorpusIndex
from ossicle.corpus.splits.folds import FoldEntry, split_notes

_MOST_NAMED = 5
# Annotations that cover this share of all checked sound leave nothing to tell a label from.
_WHOLE = 0.99


def labels_without_negatives(index: CorpusIndex) -> Iterator[Problem]:
    """Yield a warning if some labels are in everything that was checked.

    Parameters
    ----------
    index
        The corpus.
    """
    reviewed = {recording.id: recording.duration_s for recording in index.recordings if recording.reviewed}
    notes = index.annotations
    checked = [row for row, key in enumerate(notes.recording_ids) if key in reviewed]
    spans = notes.where(np.isin(notes.recording, checked)).by_label()
    whole_s = sum(reviewed.values())
    everywhere = [
        label for label, spans_of_label in spans if whole_s > 0 and _seconds(spans_of_label) >= _WHOLE * whole_s
    ]
    if everywhere:
        yield Problem(
            "warning",
            "no_negatives",
            everywhere[0],
            f"everything that was checked holds {_first_names([repr(label) for label in everywhere], ', ')}: there are "
            "no negatives, so precision, ranking and false alarms cannot be judged",
            "add checked recordings without it (an empty table with a header, or a class folder such as noise)",
        )


def unjudged_labels(folds: Mapping[str, FoldEntry], annotations: Iterable[Annotation]) -> Iterator[Problem]:
    """Yield a warning if no fold can judge some labels.

    Parameters
    ----------
    folds
        Group and fold of each recording by id, under a split that holds out whole groups.
    annotations
        The annotations that may become targets.
    """
    notes = split_notes(folds, annotations)
    if notes:
        yield Problem(
            "warning",
            "not_judged",
            "",
            _first_names(notes, "; "),
            "annotate them in more groups, or leave them out with corpus.labels: their figures say nothing",
        )


def _first_names(names: Sequence[str], mark: str) -> str:
    more = len(names) - _MOST_NAMED
    return mark.join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _seconds(annotations: AnnotationColumns) -> float:
    """Return how much of all recordings annotations cover."""
    _, joined = union_by_group(annotations.recording, annotations.intervals())
    return float((joined[:, 1] - joined[:, 0]).sum())
