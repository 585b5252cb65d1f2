"""What a round of pseudo-labels may use: recordings left out, splits and variants, jobs, benchmarks, refusals."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ossicle.app.jobs.build import step_jobs
from ossicle.app.project.load import load_project
from ossicle.app.steps.benchmark import index as benchmark_index
from ossicle.app.steps.data import unlabelled
from ossicle.app.steps.engine.step import Silent, run_steps
from ossicle.app.steps.maintenance.purge import unused
from ossicle.app.steps.pipeline.pipelines import steps_of
from ossicle.app.steps.pipeline.run_project import run_project
from ossicle.app.steps.pipeline.work_units import run_work_unit
from ossicle.artefacts.files import read_json
from ossicle.artefacts.typed.index import BenchmarkIndexFolder
from ossicle.core.errors import UsageError
from ossicle.corpus.pseudo_labels.rounds import read_head, read_windows, round_folders, round_path

from ....made_up.pseudo_corpus import tone, write
from .pseudo_projects import QUIET, training_of

NO_ROUNDS = ("--set", 'pseudo.rounds="none"')


def test_another_split_finds_no_view(project: Path, ossicle: Any) -> None:
    result = ossicle("run", "-p", project, "--until", "training", "--set", "split.folds=2", *QUIET)
    assert result.code == 2
    assert "every model that made it learned from recordings that" in result.err
    assert "was made under another split" in result.err
    result = ossicle("run", "-p", project, "--until", "dataset", "--set", "split.folds=2", *NO_ROUNDS, *QUIET)
    assert result.code == 0


def test_labelled_and_broken_recordings_are_left_out_and_named(copied: Path, ossicle: Any) -> None:
    shutil.copy(copied / "audio" / "low" / "siteA_1.wav", copied / "unlabelled" / "siteA_copy.wav")
    (copied / "unlabelled" / "siteX_1.wav").write_bytes(b"RIFF")
    write(copied / "unlabelled" / "siteB_new.wav", np.concatenate([tone("high", 7, 1.0), tone("low", 8, 1.0)]))
    result = ossicle("pseudo", "-p", copied, "--round", "1", "--force", *QUIET)
    assert result.code == 3
    assert "siteX_1.wav: skipped:" in result.err
    assert "1 not used: is a labelled recording of the project" in result.out
    head = read_head(round_path(copied / "pseudo", 1))
    assert head.about["recordings"]["labelled"] == 5
    # The new recording is of site B: the model that holds B out does not hear it.
    assert ossicle("run", "-p", copied, "--until", "training", *QUIET).code == 0
    after = training_of(copied)
    assert after is not None
    content = read_json(after / "training.json")["pseudo"]
    unused = {name: of["unused"] for name, of in content.items()}
    assert {name for name, of in unused.items() if of} == {"fold1"}
    assert set(unused["fold1"]) == {"its site is held out"}
    assert [content[name]["recordings"] for name in ("fold0", "fold1", "fold2", "final")] == [5, 4, 5, 5]


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (('pseudo.audio=""',), "set a folder of recordings in [pseudo] audio"),
        (('pseudo.audio="nowhere"',), "[pseudo] audio: the folder"),
        (("pseudo.threshold=1.0",), "the highest score is 0."),
        (('split.strategy="random"',), "is leaky"),
        (("training.seed=5",), "round 1 is made by models that labels alone taught, and the step training is not done"),
        (('pseudo.group="animal"',), '[pseudo] group = "recording"'),
    ],
)
def test_what_cannot_be_is_refused_with_its_remedy(
    project: Path, ossicle: Any, overrides: tuple[str, ...], said: str
) -> None:
    shutil.rmtree(project / "pseudo")
    sets = [part for override in overrides for part in ("--set", override)]
    ended = ossicle("pseudo", "-p", project, *sets, *QUIET)
    assert ended.code in (1, 2)
    assert said in ended.err
    assert not round_folders(project / "pseudo")


def test_jobs_have_the_unlabelled_recordings_before_the_trainings(copied: Path) -> None:
    loaded = load_project(copied)
    steps = steps_of(loaded)
    jobs = step_jobs(loaded, steps, (), None)
    # Their index was made with the round.
    assert [job.step for job in jobs[:2]] == ["unlabelled_store", "training"]
    assert [task.name for task in jobs[1].tasks] == ["fold0", "fold1", "fold2", "final"]
    with pytest.raises(UsageError, match="training needs unlabelled_store"):
        run_work_unit(loaded, "training", "fold0", Silent())
    run_project(loaded, Silent(), names=("unlabelled_store",))
    for name in ("final", "fold2", "fold1", "fold0"):
        assert run_work_unit(loaded, "training", name, Silent()) == "computed"
    after = training_of(copied)
    assert after is not None
    assert set(read_json(after / "training.json")["pseudo"]) == {"fold0", "fold1", "fold2", "final"}
    # The models of before and what they said may go; what teaches stays.
    assert {one.step for one in unused([loaded])} == {"training", "pseudo_scores"}


def test_a_benchmark_may_not_hold_what_taught_without_labels(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmark_index, "benchmark_models", lambda *of: ())
    alone, taught = load_project(project, ('pseudo.rounds="none"',)), load_project(project)
    index = BenchmarkIndexFolder(run_steps((unlabelled.INDEX,), taught, Silent()).artefacts[unlabelled.INDEX_NAME])
    assert not benchmark_index.training_overlap(alone, index, Silent())[0]
    with pytest.raises(UsageError, match="the benchmark corpus overlaps with the training corpus"):
        benchmark_index.training_overlap(taught, index, Silent())


def test_check_says_what_would_teach(project: Path, ossicle: Any) -> None:
    assert "trained with round-001" in ossicle("check", "-p", project).out
    result = ossicle("check", "-p", project, *NO_ROUNDS).out
    # A long path breaks the lines of the table anywhere.
    assert "no round of pseudo-labels is used" in " ".join(result.split())
    shutil.rmtree(project / "unlabelled")
    result = ossicle("check", "-p", project)
    assert result.code == 2
    assert "[pseudo] audio: the folder" in result.out
    assert ossicle("check", "-p", project, *NO_ROUNDS).code == 3


def test_a_leaky_variant_is_taught_by_no_round(project: Path) -> None:
    loaded = load_project(project, ('split.strategy="random"',))
    assert [step.name for step in steps_of(loaded)][-2:] == ["training", "bundle"]
    assert "unlabelled" not in [step.name for step in steps_of(loaded)]


def test_halves_take_turns(copied: Path, ossicle: Any) -> None:
    sets = ("--set", "pseudo.parts=2", *QUIET)
    assert ossicle("pseudo", "-p", copied, "--round", "1", "--force", *sets).code == 0
    assert ossicle("run", "-p", copied, "--until", "training", *sets).code == 0
    assert ossicle("pseudo", "-p", copied, *sets).code == 0
    round_head, other = (read_head(round_path(copied / "pseudo", number)) for number in (1, 2))
    heard = [set(read_windows(head, "final").recordings.tolist()) for head in (round_head, other)]
    assert heard[0] & heard[1] == set()
    assert len(heard[0] | heard[1]) == 4
    assert other.about["windows"]["final"]["heard_before"] == 0
