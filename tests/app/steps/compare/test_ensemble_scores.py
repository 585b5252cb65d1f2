"""Ensembles of made-up scores, judged through the chain's own steps: closed forms, and no leak through any fit."""

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import rankdata

from ossicle.app.project.load import Project, load_project
from ossicle.app.steps.compare.ensemble_members import Member, member_scores
from ossicle.app.steps.compare.ensemble_scores import fit, read_fits
from ossicle.app.steps.data import corpus, dataset
from ossicle.app.steps.engine.step import Silent, run_steps
from ossicle.artefacts.array_files.blocks import read_track, write_track
from ossicle.artefacts.tables import read_table
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.artefacts.typed.scores import EnsembleScoresFolder, ScoresFolder
from ossicle.core.errors import OssicleError, UsageError
from ossicle.core.scores.combination import RULES, Combination
from ossicle.core.tracks import ScoreTrack
from ossicle.evaluation.ground_truth import Truth, read_truth
from ossicle.inference.ensembles.combining import combine

from ....made_up.ensemble_members import judged, member, write_project
from ....made_up.untrained import PROJECT

STEMS = ("siteA_1", "siteA_2", "siteB_1", "siteC_1")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return write_project(tmp_path_factory.mktemp("ensemble"), STEMS)


@pytest.fixture(scope="module")
def data(project: Project) -> dict[str, Path]:
    return dict(run_steps((corpus.STEP, dataset.STEP), project, Silent()).artefacts)


@pytest.fixture(scope="module")
def truth(data: dict[str, Path]) -> Truth:
    return read_truth(CorpusFolder.among(data), DatasetFolder.among(data))


Make = Callable[..., Member]


@pytest.fixture
def make(project: Project, truth: Truth, tmp_path: Path) -> Make:
    return partial(member, project, truth, tmp_path)


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule not in ("learned", "rank")])
def test_a_fixed_rule_is_the_rule_and_the_chains_own_decision(
    project: Project, truth: Truth, make: Make, rule: str
) -> None:
    members, how = [make("a", 0.05), make("b", 0.3)], Combination(rule=rule, weights=(2.0, 1.0))
    done = judged(project, members, how)
    for key in truth.ids:
        both = np.stack([one.scores.track(key).scores for one in members])
        score_track = ScoresFolder.among(done.artefacts).track(key)
        np.testing.assert_array_equal(score_track.scores, combine(both, how))
    content = json.loads((done.artefacts["scores"] / "ensemble.json").read_text())
    assert content["weights"] == {"a": 0.666667, "b": 0.333333}
    assert content["protocol"] == "nothing fitted"
    assert done.metrics["protocol"]["scores"] == "out of fold"
    assert done.metrics["events"]["f1"]["value"] > 0.9


def test_equal_members_are_their_only_member(project: Project, make: Make) -> None:
    """Whatever the rule fits: the ensemble of a model with itself decides as that model does."""
    ensembled = judged(project, [make("a", 0.2)], Combination())
    for rule in ("mean", "geometric", "vlom", "learned"):
        both = judged(project, [make("a", 0.2), make("b", 0.2)], Combination(rule=rule))
        assert both.metrics["events"] == ensembled.metrics["events"], rule


def test_learned_weights_favour_the_better_member(project: Project, truth: Truth, make: Make) -> None:
    members = [make("a", 0.05), make("b", 0.5)]
    done = judged(project, members, Combination(rule="learned"))
    content = json.loads((done.artefacts["scores"] / "ensemble.json").read_text())
    assert content["weights"]["a"] > 0.8
    assert set(content["weights_per_fold"]) == {str(fold) for fold in truth.folds.values()}
    fits = read_fits(EnsembleScoresFolder.among(done.artefacts))
    for key in truth.ids:
        both = np.stack([one.scores.track(key).scores for one in members])
        result = ScoresFolder.among(done.artefacts).track(key).scores
        np.testing.assert_array_equal(result, combine(both, fits[truth.folds[key]].combination))
    assert not (done.artefacts["decision"] / "nested").exists()


@pytest.mark.parametrize("rule", ["learned", "rank"])
def test_a_held_out_fold_has_no_part_in_what_judges_it(project: Project, truth: Truth, make: Make, rule: str) -> None:
    """Turned upside down, the scores of a fold change neither its weights, nor its ranks, nor its thresholds."""
    how = Combination(rule=rule)
    spoilt = next(key for key in truth.ids if list(truth.folds.values()).count(truth.folds[key]) == 1)
    fold = truth.folds[spoilt]
    before = judged(project, [make("a", 0.1), make("b", 0.3)], how)
    after = judged(project, [make("a", 0.1, spoilt=spoilt), make("b", 0.3, spoilt)], how)
    fits, others = (read_fits(EnsembleScoresFolder.among(ensembled.artefacts)) for ensembled in (before, after))
    decisions, changed = (
        json.loads((ensembled.artefacts["decision"] / "decision.json").read_text()) for ensembled in (before, after)
    )
    assert decisions["per_fold"][str(fold)] == changed["per_fold"][str(fold)]
    assert fits[fold].combination == others[fold].combination
    if rule == "rank":
        np.testing.assert_array_equal(fits[fold].tables, others[fold].tables)
        assert not np.array_equal(fits[None].tables, others[None].tables)
    else:
        assert fits[None].combination != others[None].combination
    # What it says of the other folds does change: they learn from it.
    assert decisions["per_fold"] != changed["per_fold"]


@pytest.mark.parametrize("rule", ["learned", "rank"])
def test_the_annotations_of_a_fold_have_no_part_in_its_weights(truth: Truth, make: Make, rule: str) -> None:
    members, fold = [make("a", 0.1), make("b", 0.3)], truth.folds[truth.ids[0]]
    notes = [annotation for annotation in truth.annotations if truth.folds[annotation.recording_id] != fold]
    assert len(notes) < len(truth.annotations)
    before, after = (
        fit(one, members, Combination(rule=rule), 0) for one in (truth, replace(truth, annotations=tuple(notes)))
    )
    assert before[fold].combination == after[fold].combination
    if rule == "learned":
        assert all(before[other].combination != after[other].combination for other in before if other != fold)


def test_the_events_of_a_fold_are_those_under_its_own_decision(project: Project, truth: Truth, make: Make) -> None:
    from ossicle.artefacts.records.event_tables import events_of
    from ossicle.core.decisions.decision import Decision
    from ossicle.inference.decisions.decide import decide

    done = judged(project, [make("a", 0.3), make("b", 0.4)], Combination(rule="learned"))
    content = json.loads((done.artefacts["decision"] / "decision.json").read_text())
    events = events_of(read_table(done.artefacts["decision"] / "events.parquet"), truth.ids)
    assert set(content["per_fold"]) == {str(fold) for fold in truth.folds.values()}
    for key in truth.ids:
        decisions = {label: Decision(**of) for label, of in content["per_fold"][str(truth.folds[key])].items()}
        track = ScoresFolder.among(done.artefacts).track(key)
        assert events[key] == decide(track, decisions)


def test_ranks_are_those_among_the_other_folds(project: Project, truth: Truth, make: Make) -> None:
    member = make("a", 0.2)
    fits = fit(truth, [member], Combination(rule="rank"), 0)
    values = np.concatenate([member.scores.track(key).scores for key in truth.ids])
    assert len(values) == 2000
    table = fits[None].tables
    assert table is not None
    np.testing.assert_array_equal(table[0], np.sort(values, axis=0))
    result = combine(values[None], Combination(rule="rank"), table)
    np.testing.assert_allclose(result[:, 0], (rankdata(values[:, 0]) - 0.5) / 2000, atol=1e-6)


def test_it_is_found_on_the_shelf(project: Project, make: Make) -> None:
    members = [make("a", 0.1), make("b", 0.3)]
    first, again = (judged(project, members, Combination(rule="vlom")) for _ in range(2))
    assert first.artefacts == again.artefacts
    other = judged(project, members, Combination(rule="power"))
    assert other.artefacts["scores"] != first.artefacts["scores"]
    assert other.artefacts["dataset"] == first.artefacts["dataset"]


def test_labels_are_aligned_by_name_and_strangers_refused(make: Make, truth: Truth) -> None:
    key = truth.ids[0]
    one, other = make("a", 0.1, labels=("call", "song")), make("b", 0.2, labels=("song", "call"))
    scores, track = member_scores([one, other], key)
    assert track.labels == ("call", "song")
    np.testing.assert_array_equal(scores[1], other.scores.track(key).scores[:, ::-1])
    with pytest.raises(UsageError, match="'c' are not those of 'a': it lacks 'song' and also has 'cry'"):
        member_scores([one, make("c", 0.1, labels=("call", "cry"))], key)


def test_a_frame_more_is_rounding_and_two_are_not(make: Make, truth: Truth) -> None:
    scores, track = member_scores([make("a", 0.1, extra=1), make("b", 0.1)], truth.ids[0])
    assert scores.shape[1] == len(track.scores) == 500
    with pytest.raises(OssicleError, match="score it again"):
        member_scores([make("a", 0.1), make("c", 0.1, extra=2)], truth.ids[0])


def test_other_hops_are_refused_with_the_remedy(make: Make, truth: Truth, tmp_path: Path) -> None:
    other = make("b", 0.1)
    path = other.scores.track_path(truth.ids[0])
    track = read_track(path)
    write_track(path, ScoreTrack(track.labels, np.array(track.scores), 0.01, track.duration_s))
    with pytest.raises(UsageError, match=r"'b' has a frame every 10 ms and 'a' one every 20 ms.*hop_samples"):
        member_scores([make("a", 0.1), other], truth.ids[0])


def test_a_project_says_what_is_wrong_with_its_members(project: Project, tmp_path: Path) -> None:
    def asked(text: str) -> Any:
        (tmp_path / "ossicle.toml").write_text(f"{PROJECT}\n[ensemble]\n{text}")
        return load_project(tmp_path)

    for text, words in (
        ('members = [".", "."]', "contains a name twice"),
        ('members = ["."]\nrule = "median"', "mean, geometric, power, vlom, rank, learned"),
        ('members = [".", "a"]\nrule = "learned"\nweights = [1.0, 1.0]', "fits the weights"),
        ('members = [".", "a"]\nweights = [1.0]', "the length 1, but there are 2 members"),
    ):
        with pytest.raises(UsageError, match=words):
            asked(text)


@pytest.mark.parametrize("rule", ["mean", "learned"])
def test_recordings_are_judged_as_a_whole_where_the_project_says_so(project: Project, make: Make, rule: str) -> None:
    settings = replace(project.settings, evaluation=replace(project.settings.evaluation, criterion="recording"))
    done = judged(replace(project, settings=settings), [make("a", 0.05), make("b", 0.3)], Combination(rule=rule))
    assert done.metrics["protocol"]["judged"] == "recording"
    # A count for each recording and label, not for each event.
    assert done.metrics["n_reference"] == len(STEMS)
