"""The probe gate of a project: the clips it judges, what it records, and what it compares with."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from ossicle.app.project.load import Project, load_project
from ossicle.app.steps.engine.step import Silent, find_steps, run_steps
from ossicle.app.steps.judge.held_out_answers import held_out_answers
from ossicle.app.steps.judge.probe_gate import HISTORY, judged_probe
from ossicle.app.steps.pipeline import detector
from ossicle.app.steps.pipeline.pipelines import chosen_steps
from ossicle.artefacts.files import file_digest
from ossicle.evaluation.gates.clip_answers import ClipAnswers, clip_metrics, read_answers
from ossicle.evaluation.gates.settings import ProbeGateSettings

from ....made_up.untrained import chain_without_training, use_untrained
from ...conftest import Commands
from ...promoted_run import clip_project

GATE = """
[probe_gate]
accuracy = 0.01
floor = 1
share = 0.5
[variants.warmup.training]
epochs = 8
[variants.long.training]
init_from = "warmup"
"""


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project with hits of two labels, run up to their scores."""
    place = clip_project(tmp_path_factory.mktemp("probe") / "hits", GATE)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("OSSICLE_DATA_ROOT", raising=False)
        use_untrained(patch)
        project = load_project(place)
        run_steps(chosen_steps(project, ("clip_scores",)), project, Silent())
        yield place


@pytest.fixture
def folder(scored: Path, tmp_path: Path) -> Path:
    shutil.copytree(scored, tmp_path / "hits")
    return tmp_path / "hits"


@pytest.fixture
def untrained_variants(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody trains the networks of a variant, nor of the one that it starts from."""
    use_untrained(monkeypatch)
    steps = chain_without_training()
    monkeypatch.setattr(detector, "PIPELINE", replace(detector.PIPELINE, steps=steps))


def history(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "data" / HISTORY).read_text().splitlines()]


def answers_of(project: Project) -> ClipAnswers:
    result = find_steps(chosen_steps(project, ("clip_scores",)), project)
    answers = held_out_answers({step: path for step, path in result.items() if path is not None})
    assert answers is not None
    return answers


def test_a_good_run_passes_and_is_recorded_once(folder: Path, ossicle: Commands) -> None:
    # Networks that nobody trained give one answer to all: half of the clips are right.
    for _ in range(2):
        result = ossicle("probe", "-p", folder, "--progress", "none")
        assert result.code == 0, result.err
        assert "8 held-out clips" in result.out
    (line,) = history(folder)
    assert (line["clips"], line["accuracy"], line["failed"], line["variant"]) == (8, 0.5, [], "")


def test_a_bad_run_is_refused_with_each_reason_and_zeros_named(folder: Path, ossicle: Commands) -> None:
    more = ("--set", "probe_gate.accuracy=0.72", "--set", 'probe_gate.buckets={drums=["kick", "snare", "tom*"]}')
    result = ossicle("probe", "-p", folder, "--progress", "none", *more)
    assert result.code == 4
    assert "accuracy >= 0.72: 0.5 is below 0.72" in result.err
    assert "zero recall" in result.err
    assert "recall of drums: tom*: no class is called 'tom*'" in result.err
    assert "no clip was recognised of: " in result.err
    content = json.loads(ossicle("probe", "-p", folder, "--progress", "none", *more, "--json").out)
    assert not content["passed"]
    assert len(content["zero_recall"]) == 1


def test_confusions_are_compared_with_the_previous_run_of_the_variant(folder: Path) -> None:
    pairs = ('probe_gate.pairs=["kick > snare", "snare > kick"]',)
    project = load_project(folder, pairs)
    result = {name: path for name, path in find_steps(chosen_steps(project, ("clip_scores",)), project).items() if path}
    first = judged_probe(project, result)
    assert {gate_line.note for gate_line in first.lines[1:]} == {"no previous run to compare with"}
    (line,) = history(folder)
    line["content"] = "0" * 64
    for variant, shares in (("", {"kick > snare": 0.0, "snare > kick": 0.0}), ("long", {"kick > snare": 1.0})):
        text = json.dumps({**line, "variant": variant, "confusions": shares}) + "\n"
        with (folder / "data" / HISTORY).open("a") as file:
            file.write(text)
    again = judged_probe(project, result)
    # One of the two labels got all the answers, so one confusion has grown from the zeros before.
    (reason,) = [gate_line.reason for gate_line in again.lines if not gate_line.passed]
    assert reason == "1 has grown from 0 in the previous run"


@pytest.mark.usefixtures("untrained_variants")
def test_a_refused_warm_up_stops_the_long_training_from_starting(folder: Path, ossicle: Commands) -> None:
    more = ("-p", folder, "--progress", "none", "--set", "probe_gate.accuracy=0.72")
    for command in (("run", "--variant", "long", "--until", "training"), ("train", "long")):
        result = ossicle(*command, *more)
        assert result.code == 4
        assert "no training starts from the variant warmup, because the probe gate refused" in result.err
        assert "accuracy >= 0.72: " in result.err
    project = load_project(folder, variant="long")
    found = find_steps(chosen_steps(project, ("training",)), project)
    assert (found["initial_weights"], found["training"]) == (None, None)
    (line,) = history(folder)
    assert (line["variant"], line["project"]) == ("warmup", "detector")


@pytest.mark.usefixtures("untrained_variants")
def test_a_warm_up_that_passes_lets_the_long_training_start(folder: Path, ossicle: Commands) -> None:
    result = ossicle("train", "long", "-p", folder, "--progress", "none")
    assert result.code == 0, result.err


def test_without_an_earlier_run_of_its_own_a_variant_is_compared_with_the_one_it_starts_from(folder: Path) -> None:
    project = load_project(folder, ('probe_gate.pairs=["kick > snare", "snare > kick"]',), variant="long")
    line = {"project": "detector", "variant": "warmup", "content": "0" * 64}
    line |= {"confusions": {"kick > snare": 0.0, "snare > kick": 0.0}}
    (folder / "data" / HISTORY).write_text(json.dumps(line) + "\n")
    base = load_project(folder)
    result = {name: path for name, path in find_steps(chosen_steps(base, ("clip_scores",)), base).items() if path}
    (reason,) = [gate_line.reason for gate_line in judged_probe(project, result).lines if not gate_line.passed]
    assert reason == "1 has grown from 0 in the previous run"


def test_the_part_is_stratified_and_does_not_depend_on_the_order(folder: Path) -> None:
    answers = answers_of(load_project(folder))
    gate = ProbeGateSettings(share=0.5, floor=1)
    part = answers.part(gate)
    assert part.table["label"].value_counts().sort("label").rows() == [("kick", 4), ("snare", 4)]
    shuffled = ClipAnswers(answers.table.reverse(), answers.labels).part(gate)
    assert shuffled.table.sort("recording_id", "onset_s").equals(part.table.sort("recording_id", "onset_s"))
    assert len(answers.part(ProbeGateSettings(share=0.5, floor=100)).table) == 16
    # Of clips that are already half of all, the same share of all is more of them.
    assert len(answers.part(gate, fraction=0.5).table) == 16
    assert not answers.part(ProbeGateSettings(share=0.5, floor=1, seed=1)).table.equals(part.table)


def test_answers_are_compared_on_common_clips(folder: Path) -> None:
    answers = answers_of(load_project(folder))
    half = ClipAnswers(answers.table.head(8), answers.labels)
    assert len(answers.among(half).table) == 8
    assert len(half.among(answers).table) == 8
    right = ClipAnswers(half.table.with_columns(pl.col("label").alias("answer")), answers.labels)
    assert clip_metrics(right) == {
        "accuracy": {"value": 1.0},
        "f1": {"kick": {"value": 1.0}, "snare": {"value": 1.0}},
        "recall": {"kick": {"value": 1.0}, "snare": {"value": 1.0}},
    }
    assert read_answers(right.table).labels == ("kick", "snare")


def test_a_project_without_a_gate_or_clips_is_told_what_to_set(folder: Path, ossicle: Commands) -> None:
    result = ossicle("probe", "-p", folder, "--set", "probe_gate.accuracy=0", "--progress", "none")
    assert result.code == 2
    assert "[probe_gate] sets no limit; set accuracy, buckets or pairs" in result.err
    result = ossicle("probe", "-p", folder, "--set", "evaluation.criterion=recording", "--progress", "none")
    assert result.code == 2
    assert 'set criterion = "clips", or remove [probe_gate]' in result.err


def test_the_gate_changes_no_fingerprint(folder: Path) -> None:
    project = load_project(folder)
    before = find_steps(chosen_steps(project, ("clip_scores",)), project)
    changed = load_project(folder, ("probe_gate.accuracy=0.9", "promotion.margin=0.5"))
    assert find_steps(chosen_steps(changed, ("clip_scores",)), changed) == before
    assert all(before.values())


def test_the_history_survives_an_incomplete_line(folder: Path, ossicle: Commands) -> None:
    ossicle("probe", "-p", folder, "--progress", "none")
    file = folder / "data" / HISTORY
    digest = file_digest(file)
    with file.open("a") as handle:
        handle.write('{"project": "det')
    assert ossicle("probe", "-p", folder, "--progress", "none").code == 0
    ossicle("probe", "-p", folder, "--progress", "none", "--set", "probe_gate.accuracy=0.99")
    assert len(history(folder)) == 2
    assert file_digest(file) != digest
