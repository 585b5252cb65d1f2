"""``[training] init_from``: a variant starts from the weights of another one, fold by fold, and never from a leak."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from ossicle.app.project.load import Project, load_project
from ossicle.app.steps.engine.step import Done, Silent, find_steps, run_steps
from ossicle.app.steps.pipeline.pipelines import pipeline_of
from ossicle.app.steps.train import training as training_step
from ossicle.artefacts.files import read_json, write_json
from ossicle.artefacts.typed.training import InitialWeightsFolder, TrainingFolder
from ossicle.bundle.registry.registry import Candidate, Judgement, Registry
from ossicle.core.errors import ProjectError, UsageError
from ossicle.training.detector import crossval
from ossicle.training.detector.crossval import fit_job

from ....made_up.untrained import PROJECT, write_tapes

SHORT = """
[training]
epochs = 2
steps_per_epoch = 1
batch_size = 4
validation_crops = 0
parallel = 1
"""
LONG = '[variants.warmup.training]\nepochs = 1\n[variants.long.training]\ninit_from = "warmup"\nlearning_rate = 1e-12\n'


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Trainings of one step, without processes that import torch, and without a trial of the export."""
    threads = torch.get_num_threads()
    monkeypatch.setattr(crossval, "fit_all", lambda jobs, parallel, progress: [fit_job(job) for job in jobs])
    monkeypatch.setattr(training_step, "_try_export", lambda context: None)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A project of three sites with the variants ``warmup`` and ``long``."""
    write_tapes(tmp_path, ["siteA_1", "siteB_1", "siteC_1"])
    project = tmp_path / "ossicle.toml"
    project.write_text(PROJECT + SHORT + LONG)
    return project


def train(file: Path, variant: str, *overrides: str) -> tuple[Project, Done]:
    project = load_project(file, overrides, variant=variant)
    return project, run_steps(pipeline_of(project).chosen(project, until="training"), project, Silent())


def weights(done: Done) -> dict[str, bytes]:
    training = TrainingFolder.among(done.artefacts)
    return {name: training.run(name).weights.read_bytes() for name in training.summary["held_out"]}


def test_each_model_starts_from_the_one_that_holds_out_the_same_folds(file: Path, tmp_path: Path) -> None:
    project, done = train(file, "long")
    assert done.outcomes["initial_weights"] == "computed"
    # The warm-up was trained first, as the variant that it is.
    _, warmup = train(file, "warmup")
    assert set(warmup.outcomes.values()) == {"reused"}
    initial = InitialWeightsFolder.among(done.artefacts)
    assert {name: initial.weights(name).read_bytes() for name in weights(warmup)} == weights(warmup)
    # At a learning rate of nothing the weights stay where they began.
    training = TrainingFolder.among(done.artefacts)
    for name in weights(warmup):
        ours, theirs = (
            load_file(training_folder.run(name).weights)
            for training_folder in (training, TrainingFolder.among(warmup.artefacts))
        )
        assert torch.equal(ours["output.weight"], theirs["output.weight"])
    assert len(set(weights(warmup).values())) > 1
    # Its own schedule over its own epochs: the rate rises again in the first step.
    assert [len(run.epochs()) for run in training.runs() if run.done] == [2] * 4
    assert training.run("final").epochs()[0]["learning_rate"] > 0
    # Moved, nothing is computed again.
    moved = tmp_path / "moved"
    shutil.move(project.data_root, moved)
    again = load_project(file, data_root=moved, variant="long")
    steps = pipeline_of(again).chosen(again, until="training")
    assert None not in find_steps(steps, again).values()


def test_what_the_other_variant_is_trained_with_counts_and_its_name_does_not(file: Path) -> None:
    _, done = train(file, "long")
    file.write_text(file.read_text().replace("variants.warmup.", "variants.first.").replace('"warmup"', '"first"'))
    _, renamed = train(file, "long")
    assert set(renamed.outcomes.values()) == {"reused"}
    file.write_text(
        file.read_text().replace("[variants.first.training]\nepochs = 1", "[variants.first.training]\nseed = 3")
    )
    project = load_project(file, variant="long")
    result = find_steps(pipeline_of(project).chosen(project, until="training"), project)
    assert [name for name, place in result.items() if place is None] == ["initial_weights", "training"]
    assert done.artefacts["training"].exists()


def test_options_of_the_run_are_not_those_of_the_other_training(file: Path) -> None:
    _, done = train(file, "long", "training.seed=5")
    _, other = train(file, "long", "training.seed=6")
    assert other.artefacts["initial_weights"] == done.artefacts["initial_weights"]
    assert weights(other) != weights(done)


def test_a_variant_that_is_missing_or_leads_back_is_refused_when_the_project_is_read(file: Path) -> None:
    text = file.read_text()
    file.write_text(text.replace('init_from = "warmup"', 'init_from = "warmpu"'))
    with pytest.raises(ProjectError, match=r"\[training\] init_from = \"warmpu\": no variant 'warmpu'.*'warmup'"):
        load_project(file)
    file.write_text(text.replace("epochs = 1\n", 'epochs = 1\ninit_from = "long"\n'))
    with pytest.raises(ProjectError, match=r"leads back to itself \(.*long.*\); set init_from = \"\" in"):
        load_project(file)


def test_another_network_is_refused_by_the_name_of_the_setting(file: Path) -> None:
    file.write_text(file.read_text() + "[variants.long.model.crnn]\nhidden = 8\n")
    with pytest.raises(UsageError, match=r"another network: model.*hidden is 4 there and 8 here; make them equal"):
        train(file, "long")


def test_other_labels_are_refused_by_name(file: Path) -> None:
    for table in (file.parent / "tables").iterdir():
        first, *rows = table.read_text().splitlines(keepends=True)
        table.write_text(first + rows[0] + "".join(row.replace("call", "song") for row in rows[1:]))
    file.write_text(file.read_text() + '[variants.warmup.corpus]\nlabels = ["call"]\n')
    with pytest.raises(UsageError, match=r'init_from = "warmup": has other labels, without \'song\'; start from'):
        train(file, "long")


def test_weights_that_learned_from_a_held_out_recording_are_refused(file: Path) -> None:
    """Leakage is planted: the folds of the warm-up are others, under the same names of models."""
    for kind in ("audio", "tables"):
        shutil.rmtree(file.parent / kind)
    write_tapes(file.parent, [f"site{site}_1" for site in "ABCDEF"])
    file.write_text(
        file.read_text() + "[variants.warmup.split]\nfolds = 2\n[variants.long.split]\nfolds = 2\nseed = 9\n"
    )
    with pytest.raises(
        UsageError, match=r"its model 'fold0' learned from \d recording\(s\) that 'fold0' holds out here"
    ):
        train(file, "long")


def test_a_folder_of_trainings_on_the_same_dataset_is_a_start_and_others_are_not(file: Path, tmp_path: Path) -> None:
    _, warmup = train(file, "warmup")
    _, long = train(file, "long")
    folder = tmp_path / "elsewhere"
    shutil.copytree(warmup.artefacts["training"], folder)
    _, done = train(file, "long", f"training.init_from={folder}")
    assert weights(done) == weights(long)
    with pytest.raises(UsageError, match="was trained on another dataset"):
        train(file, "long", f"training.init_from={folder}", "dataset.noise_per_target=0.4")
    with pytest.raises(UsageError, match=r"no folder of trainings.*does not say what it learned from"):
        train(file, "long", f"training.init_from={folder}/final")


def test_it_is_resumed_after_a_kill_that_left_some_weights(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        pass

    def killed(*arguments: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(InitialWeightsFolder, "write_source", killed)
        with pytest.raises(Killed):
            train(file, "long")
    project, done = train(file, "long")
    assert done.outcomes["initial_weights"] == "computed"
    assert not list((project.data_root / "initial_weights").glob(".work-*"))


def test_a_promoted_bundle_is_a_start_if_its_trainings_are_in_the_data_root(
    file: Path, tmp_path: Path, old_bundle: Path
) -> None:
    project, warmup = train(file, "warmup")
    _, long = train(file, "long")
    promoted = shutil.copytree(old_bundle, tmp_path / "promoted")
    manifest = read_json(promoted / "bundle.json")
    manifest["provenance"]["training"] = TrainingFolder.among(warmup.artefacts).content
    write_json(promoted / "bundle.json", manifest)
    registry = Registry(project.data_root / "registry")
    for bundle in (promoted, old_bundle):
        registry.propose("warm", Candidate(bundle, {}, {}), lambda against: Judgement({}, (), lambda number: "# x\n"))
    for start in ("registry:warm@1", str(promoted)):
        _, done = train(file, "long", f"training.init_from={start}")
        assert weights(done) == weights(long)
    # Version 2 was made elsewhere, from data that nobody knows here.
    with pytest.raises(UsageError, match=r"the trainings that .*0002.bundle was made from are not in .*held out here"):
        train(file, "long", "training.init_from=registry:warm@current")
    with pytest.raises(UsageError, match="was trained on another dataset"):
        train(file, "long", "training.init_from=registry:warm@1", "dataset.noise_per_target=0.4")


def test_a_fine_tuning_starts_from_the_training_that_had_a_start(file: Path) -> None:
    _, long = train(file, "long")
    _, mended = train(file, "long", "training.noise_epochs=1")
    assert mended.outcomes["initial_weights"] == "reused"
    assert weights(mended).keys() == weights(long).keys()


def test_the_data_root_may_move_between_any_two_stages(file: Path, tmp_path: Path) -> None:
    root = tmp_path / "root0"
    steps = [
        step.name
        for step in pipeline_of(load_project(file, variant="long")).steps_of(load_project(file, variant="long"))
    ]
    upto = steps[: steps.index("scores") + 1]
    for number, name in enumerate(upto):
        project = load_project(file, data_root=root, variant="long")
        done = run_steps(pipeline_of(project).chosen(project, until=name), project, Silent())
        assert list(done.outcomes.values()) == ["reused"] * number + ["computed"]
        root = Path(shutil.move(root, tmp_path / f"root{number + 1}"))
    # The variant that it started from, and its models, are where they were trained.
    project = load_project(file, data_root=root, variant="warmup")
    done = run_steps(pipeline_of(project).chosen(project, until="training"), project, Silent())
    assert set(done.outcomes.values()) == {"reused"}
