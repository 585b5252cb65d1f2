"""The quantiser of a project with a vocoder leaves out who chooses and who is judged; others stay as they were."""

import json
from pathlib import Path

import pytest

from ossicle.app.project.load import Project, load_project
from ossicle.app.steps.acoustic_units import features, quantiser, segments
from ossicle.app.steps.data import corpus
from ossicle.app.steps.engine.step import Silent, fingerprint, run_steps
from ossicle.app.steps.pipeline.pipelines import pipeline_of, steps_of
from ossicle.app.steps.pipeline.work_units import work_unit_steps
from ossicle.app.steps.vocoder.held_out import QUANTISER
from ossicle.artefacts.shelf import Shelf
from ossicle.artefacts.typed.shards.features import FeaturesFolder
from ossicle.artefacts.typed.units.quantiser import QuantiserFolder
from ossicle.artefacts.typed.units.segments import SegmentsFolder
from ossicle.core.errors import UsageError
from ossicle.units.quantiser import Quantiser

from ....made_up.speech_like import UNITS_PROJECT, write_speech

PROJECT = f"""{UNITS_PROJECT}[quantiser]
k = 8
held_out = 0
"""
BEFORE = (corpus.STEP, segments.STEP, features.STEP)
SMALL = "vocoder.preset=small"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = write_speech(tmp_path_factory.mktemp("held-out"), speakers=4, files=1, words=6)
    (folder / "ossicle.toml").write_text(PROJECT)
    result = load_project(folder)
    run_steps(BEFORE, result, Silent())
    return result


def changed(project: Project, *changes: str) -> Project:
    return load_project(project.file, changes)


def trained_on(project: Project) -> tuple[Quantiser, int, dict[str, int]]:
    """The quantiser of a project, how many frames were clustered, and the frames of each group."""
    step = QUANTISER if project.settings.vocoder.preset else quantiser.STEP
    done = run_steps((*BEFORE, step), project, Silent()).artefacts
    result, groups = Quantiser.read(QuantiserFolder.among(done).path), quantiser.groups_of(SegmentsFolder.among(done))
    counts: dict[str, int] = {}
    for key, values, _ in FeaturesFolder.among(done).frames():
        counts[groups[key]] = counts.get(groups[key], 0) + len(values)
    assert result.fit is not None
    return result, result.fit.frames, counts


def test_no_frame_of_who_chooses_or_is_judged_is_clustered(project: Project) -> None:
    without, everyone, counts = trained_on(project)
    spoken, kept, _ = trained_on(changed(project, SMALL))
    assert everyone == sum(counts.values())
    assert kept == counts["speaker0"] + counts["speaker1"]
    assert spoken.digest != without.digest


def test_other_groups_may_be_judged_and_make_another_quantiser(project: Project) -> None:
    first, _, counts = trained_on(changed(project, SMALL))
    other, kept, _ = trained_on(changed(project, SMALL, "vocoder.judge=speaker0", "vocoder.choose=speaker1"))
    assert kept == counts["speaker2"] + counts["speaker3"]
    assert other.digest != first.digest


def test_an_unknown_group_is_named_before_anything_is_trained(project: Project) -> None:
    with pytest.raises(UsageError, match=r"\[vocoder\] judge = 'speaker9': no speaker.*did you mean 'speaker"):
        trained_on(changed(project, SMALL, "vocoder.judge=speaker9"))


def test_a_project_without_a_vocoder_keeps_steps_and_fingerprints(project: Project) -> None:
    """The digest of each step, whatever the settings of a vocoder that is not trained."""
    names = [step.name for step in steps_of(project)]
    assert names == ["corpus", "segments", "features", "quantiser", "sequences", "motifs", "quality", "report"]
    shelf, done = Shelf(project.data_root), run_steps((*BEFORE, quantiser.STEP), project, Silent()).artefacts
    ignored = changed(
        project, "vocoder.epochs=7", "vocoder.judge=speaker0", "pitch.low_hz=60", "resynthesis.num_samples=3"
    )
    for step in steps_of(project)[: len(done)]:
        before, after = (fingerprint(step, one, shelf, done) for one in (project, ignored))
        assert before == after
        assert "vocoder" not in json.dumps(before.settings)


def test_with_a_vocoder_only_what_hears_it_changes(project: Project) -> None:
    shelf, spoken = Shelf(project.data_root), changed(project, SMALL)
    assert [step.name for step in steps_of(spoken)][-3:] == ["pitch", "vocoder", "resynthesis"]
    done = run_steps((*BEFORE, quantiser.STEP), project, Silent()).artefacts
    by_name = {step.name: step for step in steps_of(spoken)}
    for step in steps_of(project)[: len(done)]:
        same = fingerprint(step, project, shelf, done) == fingerprint(by_name[step.name], spoken, shelf, done)
        assert same == (step.name != "quantiser")


@pytest.mark.parametrize(("step", "said"), [("vocoder", "this project has no vocoder"), ("store", "has no store")])
def test_a_step_that_the_settings_leave_out_says_what_to_set(project: Project, step: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        pipeline_of(project).step(step, project)


def test_presets_are_layers_below_what_is_written_beside_them(tmp_path: Path) -> None:
    (tmp_path / "audio").mkdir()
    (tmp_path / "ossicle.toml").write_text(
        f'{PROJECT}[vocoder]\npreset = "small"\nepochs = 3\n[vocoder.network]\nwidth = 64\n'
    )
    settings = load_project(tmp_path).settings.vocoder
    assert (settings.preset, settings.epochs, settings.network.width) == ("small", 3, 64)
    plain = load_project(tmp_path, ("vocoder.preset=full",)).settings.vocoder
    assert plain.preset == "full"
    again = load_project(tmp_path).settings.vocoder
    assert again == settings
    assert settings.network.scales == 2


def test_pitch_and_training_can_run_as_tasks(project: Project) -> None:
    spoken = changed(project, SMALL)
    assert {"pitch", "vocoder"} <= set(work_unit_steps(spoken))
    assert "vocoder" not in work_unit_steps(project)
    training = pipeline_of(spoken).step("vocoder", spoken).work_units
    # One task, which needs nothing to be known by its name.
    assert training is not None
    assert training.names_from({}) == ("training",)
