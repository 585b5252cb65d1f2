"""Five folds from about twelve groups on, so that a first project is not hundreds of trainings."""

import pytest

from ossicle.app.project.scaffolding.folds import usual_folds
from ossicle.core.records import Annotation, Recording
from ossicle.corpus.indexing.corpus_index import CorpusIndex


def index(n: int, *, rare: int = 0, unreviewed: int = 0) -> CorpusIndex:
    recordings = [
        Recording(f"{k:04d}", "r", f"{k:04d}.wav", 8000, 1, 8000, str(k), reviewed=k < n, fields={"site": str(k)})
        for k in range(n + unreviewed)
    ]
    notes = [Annotation(recording.id, 0.1, 0.2, "call") for recording in recordings[:n]]
    notes += [Annotation(recording.id, 0.3, 0.4, "rare") for recording in recordings[:rare]]
    return CorpusIndex(tuple(recordings), tuple(notes))


@pytest.mark.parametrize(("n", "folds"), [(2, 0), (11, 0), (12, 5), (66, 5), (1200, 5)])
def test_many_groups_share_five_folds(n: int, folds: int) -> None:
    assert usual_folds(index(n), "site", "") == folds


def test_published_folds_stay_and_recordings_nobody_checked_are_no_groups() -> None:
    assert usual_folds(index(40), "site", "fold") == 0
    assert usual_folds(index(8, unreviewed=40), "site", "") == 0


def test_a_rare_label_that_two_groups_have_is_no_obstacle() -> None:
    assert usual_folds(index(30, rare=2), "site", "") == 5
