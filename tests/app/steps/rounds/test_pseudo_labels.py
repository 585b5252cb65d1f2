"""Rounds of pseudo-labels through the command line: made by the fold models, heard by the next training, no leak."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ossicle.app.project.load import load_project
from ossicle.app.steps.engine.step import find_steps
from ossicle.app.steps.pipeline.pipelines import steps_of
from ossicle.artefacts.files import read_json
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.artefacts.typed.run_folder import RunFolder
from ossicle.bundle.format import read_bundle
from ossicle.corpus.indexing.index_storage import read_index
from ossicle.corpus.pseudo_labels.rounds import read_head, read_windows, round_digest, round_folders, round_path
from ossicle.training.batches.pseudo import PseudoCrops
from ossicle.training.detector.job import FitJob

from ....doubles.kills import NEVER, run_dying
from .pseudo_projects import QUIET, training_of


def test_a_round_is_made_by_the_fold_models_and_says_from_what(first: Path) -> None:
    head = read_head(round_path(first / "pseudo", 1))
    training = training_of(first, 'pseudo.rounds="none"')
    assert training is not None
    assert head.about["made_from"]["training"] == read_json(training / "artefact.json")["content"]
    assert {name: set(of) for name, of in head.members.items()} == {
        **{f"fold{k}": {f"fold{k}"} for k in range(3)},
        "final": {"fold0", "fold1", "fold2"},
    }
    loaded = load_project(first)
    corpus = find_steps(steps_of(loaded), loaded)["corpus"]
    assert corpus is not None
    site_of = {recording.id: recording.fields["site"] for recording in read_index(CorpusFolder(corpus)).recordings}
    for name, taught in head.taught.items():
        sites = sorted({site_of[key] for key in taught.ids})
        assert sites == sorted(taught.groups)
        assert len(sites) == (3 if name == "final" else 2)
    for name in head.members:
        windows = read_windows(head, name)
        assert head.about["windows"][name]["kept"] == len(windows) > 0
        assert (windows.scores >= 0.5).all()
        assert (windows.values >= 0.1).all()
        # A second of a high tone, one of noise, one of a low tone: windows of half a second tell them apart.
        high, low = (windows.start_frames[windows.top == column] for column in (0, 1))
        assert len(high) > 0
        assert len(low) > 0
        assert (high < 50).all()
        assert (low >= 75).all()


def test_fine_tuning_against_noise_starts_from_the_training_that_heard_the_round(
    copied: Path, ossicle: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    until = ("run", "-p", copied, "--until", "training", *QUIET)
    assert ossicle(*until).code == 0
    heard = training_of(copied)
    assert heard is not None
    begun: list[FitJob] = []

    def fit_all(jobs: Sequence[FitJob], *rest: object) -> None:
        begun.extend(jobs)
        for job in jobs:
            job.folder.mkdir(parents=True)
            shutil.copy(RunFolder(heard / job.name).weights, RunFolder(job.folder).weights)

    monkeypatch.setattr("ossicle.training.detector.crossval.fit_all", fit_all)
    assert ossicle(*until, "--set", "training.noise_epochs=2").code == 0
    assert {job.name for job in begun} == {"fold0", "fold1", "fold2", "final"}
    # Nothing is trained before it: the training that heard the round is there.
    assert [job.before for job in begun] == [None] * 4
    assert [job.start for job in begun] == [RunFolder(heard / job.name).weights for job in begun]
    assert all(job.pseudo is not None for job in begun)


def test_the_next_training_learns_from_it_and_the_one_before_stays(project: Path, ossicle: Any) -> None:
    before = training_of(project, 'pseudo.rounds="none"')
    assert before is not None
    assert training_of(project) is None
    result = ossicle("pseudo", "-p", project, *QUIET)
    assert result.code == 2
    assert "round 2 is made by models that labels and round-001 taught" in result.err
    assert ossicle("run", "-p", project, "--until", "training", *QUIET).code == 0
    after = training_of(project)
    assert after is not None
    assert training_of(project, 'pseudo.rounds="none"') == before
    content = read_json(after / "training.json")["pseudo"]
    head = read_head(round_path(project / "pseudo", 1))
    for name, of in content.items():
        assert [(one["round"], one["view"]) for one in of["rounds"]] == [("round-001", name)]
        assert of["windows"] == head.about["windows"][name]["kept"]
        lines = [json.loads(line) for line in (after / name / "metrics.jsonl").read_text().splitlines()]
        assert all(0 < line["pseudo_share"] < 0.6 for line in lines)
    result = ossicle("status", "-p", project)
    assert f"pseudo-labelled windows of round-001: fold0 {content['fold0']['windows']}, fold1" in result.out
    assert "unlabelled_store" in result.out
    # Drawing differently trains anew; keeping differently is the next round's affair.
    assert training_of(project, "pseudo.probability=0.3") is None
    assert training_of(project, "pseudo.threshold=0.6") == after

    result = ossicle("pseudo", "-p", project, "--json", *QUIET)
    assert result.code == 0, result.err
    made = json.loads(result.out)
    assert Path(made["round"]) == round_path(project / "pseudo", 2)
    assert made["rounds"] == [{"round": "round-001", "digest": round_digest(round_path(project / "pseudo", 1))}]
    # Its models heard all of these recordings, and whoever taught them is still known.
    assert made["windows"]["final"]["heard_before"] == made["windows"]["final"]["kept"] > 0
    assert read_head(round_path(project / "pseudo", 2)).taught == head.taught
    assert training_of(project) is None
    assert training_of(project, "pseudo.up_to=1") == after


def test_a_round_made_again_is_the_same_and_another_threshold_another(project: Path, ossicle: Any) -> None:
    path = round_path(project / "pseudo", 1)
    before = round_digest(path)
    result = ossicle("pseudo", "-p", project, "--round", "1", *QUIET)
    assert result.code == 2
    assert "--force overwrites it" in result.err
    assert ossicle("pseudo", "-p", project, "--round", "1", "--force", *QUIET).code == 0
    assert round_digest(path) == before
    changed = ("--set", "pseudo.most_per_file=1")
    result = ossicle("pseudo", "-p", project, "--round", "1", "--force", *changed, *QUIET)
    assert result.code == 0
    assert "4 recordings" in result.out
    assert read_head(path).about["windows"]["final"]["kept"] == 4
    assert ossicle("pseudo", "-p", project, "--round", "3", *QUIET).code == 2


class Telltale:
    """A model that says one thing everywhere."""

    def __init__(self, labels: tuple[str, ...], plan: Any, value: float) -> None:
        self.labels, self.plan, self.value = labels, plan, value

    def predict(self, chunks: Any) -> Any:
        return np.full((len(chunks), self.plan.core_frames, len(self.labels)), self.value, np.float32)


SAYS = {"fold0": 0.5, "fold1": 0.625, "fold2": 0.75}


def test_what_a_model_was_taught_was_said_by_itself_alone(
    project: Path, ossicle: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each model says a value of its own, so whatever a training reads tells who said it."""
    shutil.rmtree(project / "pseudo")

    def load(weights: Path, model: Any, labels: Any, plan: Any, *rest: Any, **more: Any) -> Telltale:
        return Telltale(labels, plan, SAYS[weights.parent.name])

    monkeypatch.setattr("ossicle.models.predictor.load_predictor", load)
    # What honest models said is on the shelf already: these are other ones.
    shutil.rmtree(project / "data" / "pseudo_scores")
    assert ossicle("pseudo", "-p", project, *QUIET).code == 0
    read: dict[str, set[float]] = {}
    at = ""

    def fit_job(job: Any) -> None:
        nonlocal at
        at = job.name
        whole(job)

    def spied(self: PseudoCrops, window: int) -> Any:
        result = original(self, window)
        read.setdefault(at, set()).update(result[1][result[2] > 0].tolist())
        return result

    from ossicle.training.detector import crossval

    whole, original = crossval.fit_job, PseudoCrops.read
    monkeypatch.setattr(crossval, "fit_job", fit_job)
    monkeypatch.setattr(PseudoCrops, "read", spied)
    loud = ("--set", "pseudo.same_class=false", "--set", "training.epochs=1")
    # The rounds were made under other trainings: what they teach is told by what is in them.
    assert ossicle("run", "-p", project, "--until", "training", *loud, *QUIET).code == 0
    assert read == {**{name: {value} for name, value in SAYS.items()}, "final": {0.625}}


COMMAND = """
from ossicle.app.cli.main import main
main()
"""


@pytest.mark.slow
def test_killed_while_it_labels_it_goes_on_and_ends_the_same(first: Path, tmp_path: Path) -> None:
    expected = round_digest(round_path(first / "pseudo", 1))
    place = Path(shutil.copytree(first, tmp_path / "project"))
    shutil.rmtree(place / "pseudo")
    shutil.rmtree(place / "data" / "pseudo_scores")
    command = ("pseudo", "-p", place, *QUIET)
    ended = run_dying(COMMAND, ("mark",), 2, *command)
    assert ended.killed
    assert not round_folders(place / "pseudo")
    work = next((place / "data" / "pseudo_scores").glob(".work-*"))
    assert len(list((work / "tracks").glob("*/*.json"))) == 9
    ended = run_dying(COMMAND, ("mark",), NEVER, *command)
    assert ended.points == 2
    assert round_digest(round_path(place / "pseudo", 1)) == expected


@pytest.mark.slow
def test_the_page_and_the_bundle_say_what_taught_them(copied: Path, ossicle: Any) -> None:
    # The gate may refuse so small a model: its figures and its bundle are there all the same.
    assert ossicle("run", "-p", copied, *QUIET).code in (0, 4)
    words = "pseudo-labelled windows of round-001: fold0"
    assert words in (copied / "report.html").read_text()
    loaded = load_project(copied)
    bundle = find_steps(steps_of(loaded), loaded)["bundle"]
    assert bundle is not None
    assert words in read_bundle(bundle / "bundle").provenance["pseudo_labels"]
