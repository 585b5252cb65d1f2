"""What one model may learn from rounds of pseudo-labels: nothing of what it holds out, and nothing out of date."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ossicle.artefacts.typed.index import CorpusFolder, UnlabelledFolder
from ossicle.core.errors import SplitError, UsageError
from ossicle.corpus.indexing.corpus_index import CorpusIndex
from ossicle.corpus.indexing.index_storage import write_index
from ossicle.corpus.pseudo_labels.rounds import View, round_path, write_round
from ossicle.corpus.pseudo_labels.windows import gather
from ossicle.training.batches.pseudo import PseudoSource, lesson, load_pseudo, split_recordings

from .pseudo_windows import LABELS, PLAN, TAUGHT, TELLTALE, kept, labelled, of_sites, unlabelled, write_one

FOLDS = {"fold0": (0,), "fold1": (1,), "fold2": (2,), "final": ()}


@pytest.mark.parametrize("name", list(FOLDS))
def test_each_model_hears_only_models_that_held_out_what_it_holds_out(source: PseudoSource, name: str) -> None:
    material = load_pseudo(source, LABELS, PLAN, FOLDS[name], name)
    seen = {float(value) for i in range(len(material.windows)) for value in np.unique(material.read(i)[1][10:70, 0])}
    assert seen == {TELLTALE[name]}
    result = lesson(source, PLAN, FOLDS[name], name)
    assert [(one, view) for one, _, view in result.views] == [("round-001", name)]
    assert result.taught == of_sites(*TAUGHT[name])
    learned, held = split_recordings(source.dataset, CorpusIndex(tuple(labelled(s) for s in "ABC"), ()), FOLDS[name])
    assert learned == of_sites(*TAUGHT[name])
    assert not result.taught.shares(held)


def test_swapped_names_deceive_nobody(source: PseudoSource, tmp_path: Path) -> None:
    """A round in which every view says it is another: what taught it decides, and its values follow."""
    views = {}
    for name, other in (("fold0", "fold1"), ("fold1", "fold2"), ("fold2", "fold0")):
        result = gather(LABELS, [(unlabelled("U0", "U0"), kept([0], 0, TELLTALE[other]), False)])
        views[name] = View({name: "w"}, result, of_sites(*TAUGHT[other]))
    path = round_path(tmp_path, 7)
    write_round(path, views, {"labels": LABELS, "core_frames": 60, "hop_s": PLAN.hop_s, "group": "site"})
    for name in ("fold0", "fold1", "fold2"):
        found_ = lesson(replace(source, rounds=(path,)), PLAN, FOLDS[name], name)
        assert found_.windows.scores.tolist() == [TELLTALE[name]]


def test_a_round_of_another_split_is_refused(source: PseudoSource, tmp_path: Path) -> None:
    only_final = write_one(tmp_path, 5, {"final": 0.9})
    with pytest.raises(SplitError, match="every model that made it learned from recordings that 'fold1' holds out"):
        lesson(replace(source, rounds=(only_final,)), PLAN, (1,), "fold1")
    # Two sites held out at once: each view's models learned from one of them.
    with pytest.raises(SplitError, match="made under another split"):
        lesson(source, PLAN, (0, 1), "holdout")


def test_unlabelled_recordings_of_a_held_out_group_are_not_heard(source: PseudoSource, tmp_path: Path) -> None:
    sites = {"U0": "A", "U1": "A", "U2": "B"}
    index = CorpusIndex(tuple(unlabelled(name, site) for name, site in sites.items()), ())
    write_index(index, UnlabelledFolder(tmp_path / "unlabelled"))
    assert lesson(source, PLAN, (0,), "fold0").heard() == {"id-U2"}
    assert lesson(source, PLAN, (0,), "fold0").unused == {"its site is held out": 4}
    assert lesson(source, PLAN, (1,), "fold1").heard() == {"id-U0", "id-U1"}
    assert (
        lesson(source, PLAN, (2,), "fold2").heard()
        == lesson(source, PLAN, (), "final").heard()
        == set({"id-U0", "id-U1", "id-U2"})
    )
    # By a field of their own, whatever the split groups by.
    by_other = replace(source, group="recording")
    assert lesson(by_other, PLAN, (0,), "fold0").heard() == {"id-U2"}
    # Where each stands alone, an equal name means nothing.
    assert len(lesson(replace(source, own_group="recording"), PLAN, (0,), "fold0").heard()) == 3


def test_what_is_labelled_changed_or_gone_by_now_teaches_nothing(source: PseudoSource, tmp_path: Path) -> None:
    write_index(
        CorpusIndex((*(labelled(site) for site in "ABC"), replace(labelled("D"), digest="bytes of U0")), ()),
        CorpusFolder(tmp_path / "corpus"),
    )
    changed = replace(unlabelled("U1", "U1"), digest="other bytes")
    write_index(CorpusIndex((unlabelled("U0", "U0"), changed), ()), UnlabelledFolder(tmp_path / "unlabelled"))
    result = lesson(source, PLAN, (), "final")
    assert len(result.windows) == 0
    assert result.unused == {
        "the sound of its recording changed": 2,
        "its recording is labelled by now": 2,
        "its recording is not there any more": 2,
    }
    assert load_pseudo(source, LABELS, PLAN, (), "final").draw("high", np.random.default_rng(0)) is None


def test_of_all_rounds_the_latest_word_on_a_recording_counts(source: PseudoSource, tmp_path: Path) -> None:
    later = write_one(tmp_path, 2, dict.fromkeys(TELLTALE, 0.96875), sites=("U1",))
    result = lesson(replace(source, rounds=(later, source.rounds[0])), PLAN, (1,), "fold1")
    values = dict(zip(result.windows.recordings.tolist(), result.windows.scores.tolist(), strict=True))
    assert values == {"id-U0": 0.625, "id-U1": 0.96875, "id-U2": 0.625}
    assert result.unused == {"a later round labels its recording again": 2}
    assert [(one, view) for one, _, view in result.views] == [("round-002", "fold1"), ("round-001", "fold1")]


def test_a_round_on_another_grid_is_refused(source: PseudoSource) -> None:
    with pytest.raises(UsageError, match=r"its windows are 60 frames of 10 ms, and this model reads 30 of 10 ms"):
        lesson(source, replace(PLAN, core_frames=30), (), "final")
