"""The number of folds of a new project: as many as its groups, unless that would mean many trainings."""

from ossicle.core.errors import SplitError
from ossicle.corpus.indexing.corpus_index import CorpusIndex
from ossicle.corpus.splits.folds import SplitSettings, make_folds

MANY_GROUPS = 12
"""From this many annotated groups on, a new project has five folds instead of one for each group."""
USUAL_FOLDS = 5


def usual_folds(index: CorpusIndex, group: str, fold_field: str) -> int:
    """Return the number of folds for a recipe that holds each group out once; 0 keeps that.

    Each group held out is one training. Five folds estimate the same with six trainings, unless a label would have
    nothing to train on while its groups are held out together.

    Parameters
    ----------
    index
        The index of the recordings.
    group
        The field that no fold divides.
    fold_field
        The field with published folds; empty for none.
    """
    groups = {recording.fields.get(group) for recording in index.recordings if recording.reviewed}
    if fold_field or len(groups) < MANY_GROUPS:
        return 0
    try:
        make_folds(index.recordings, index.annotations, SplitSettings(group=group, folds=USUAL_FOLDS))
    except SplitError:
        return 0
    return USUAL_FOLDS
