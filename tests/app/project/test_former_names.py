"""Project files and options that use a former name still load, with a note that says what to write."""

import json
import warnings
from pathlib import Path
from typing import Any

import pytest

from ossicle.app.project.former_names import FormerNameWarning, present_step
from ossicle.app.project.load import load_project
from ossicle.core.errors import ProjectError

from ...made_up.untrained import PROJECT, write_tapes


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "ossicle.toml"
    path.write_text(PROJECT)
    return path


def test_the_former_table_of_the_noise_gate_loads_with_a_note(file: Path) -> None:
    file.write_text(PROJECT + "[gate]\nhum_per_hour = 7.0\n[jobs.gate]\ncpus = 3\n")
    with pytest.warns(FormerNameWarning) as notes:
        settings = load_project(file).settings
    assert settings.noise_gate.hum_per_hour == 7.0
    assert settings.jobs.placed("noise_gate").cpus == 3
    assert {str(note.message) for note in notes} == {
        f"{file}: [gate] is now called [noise_gate]; rename it there",
        f"{file}: [jobs.gate] is now called [jobs.noise_gate]; rename it there",
    }


@pytest.mark.filterwarnings("ignore::ossicle.app.project.local_file.LocalFileWarning")
def test_former_names_in_bases_variants_the_local_file_and_set(file: Path) -> None:
    (file.parent / "base.toml").write_text(PROJECT + "[gate]\nhum_per_hour = 7.0\n")
    file.write_text('base = "base.toml"\n[variants.other.gate]\nsilence_per_hour = 2.0\n')
    (file.parent / "ossicle.local.toml").write_text("[noise_gate]\nprobe_s = 70.0\n")
    with pytest.warns(FormerNameWarning) as notes:
        gate = load_project(file, ("gate.seed=5",), variant="other").settings.noise_gate
    assert (gate.hum_per_hour, gate.silence_per_hour, gate.probe_s, gate.seed) == (7.0, 2.0, 70.0, 5)
    result = {str(note.message).split(": [gate]")[0] for note in notes if note.category is FormerNameWarning}
    assert result == {str(file.parent / "base.toml"), f"{file}: [variants.other]", "--set gate.seed=5"}


@pytest.mark.parametrize(
    ("text", "old", "new"),
    [
        ("[gate]\nseed = 1\n[noise_gate]\nseed = 2\n", "gate", "noise_gate"),
        ("[jobs.gate]\ncpus = 1\n[jobs.noise_gate]\ncpus = 2\n", "jobs.gate", "jobs.noise_gate"),
    ],
)
def test_both_names_in_one_file_are_refused(file: Path, text: str, old: str, new: str) -> None:
    file.write_text(PROJECT + text)
    with pytest.raises(ProjectError) as caught:
        load_project(file)
    assert str(caught.value) == (
        f"{file}: contains both [{old}] and [{new}], and [{old}] is the former name of [{new}]: move its keys into "
        f"[{new}] and delete [{old}]"
    )


def test_what_is_wrong_in_a_former_table_is_refused_under_its_present_name(file: Path) -> None:
    file.write_text(PROJECT + "[gate]\nhum = 7.0\n")
    with pytest.warns(FormerNameWarning), pytest.raises(ProjectError, match=r"\[noise_gate\] hum: unknown key"):
        load_project(file)
    file.write_text(PROJECT + "gate = 3\n")
    with pytest.raises(ProjectError, match="gate"):
        load_project(file)


@pytest.mark.parametrize("where", ["file", "variant", "set"])
def test_a_removed_key_is_refused_with_what_replaced_it(file: Path, where: str) -> None:
    table, sets = {"file": "[augment]", "variant": "[variants.other.augment]", "set": ""}[where], ()
    if where == "set":
        sets = ("augment.noise_probability=0.3",)
    else:
        file.write_text(PROJECT + f"{table}\nnoise_probability = 0.3\n")
    with pytest.raises(ProjectError, match=r"noise_probability: was removed, .* set their number with noise_share"):
        load_project(file, sets, variant="other" if where == "variant" else "")


def test_a_step_may_be_asked_for_by_its_former_name() -> None:
    with pytest.warns(FormerNameWarning, match="the step gate is now called noise_gate"):
        assert present_step("gate", {"gate": "noise_gate"}) == "noise_gate"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert present_step("training", {"gate": "noise_gate"}) == "training"


@pytest.mark.usefixtures("without_training")
def test_the_command_line_prints_each_note_once(file: Path, ossicle: Any) -> None:
    write_tapes(file.parent, ("siteA_1", "siteB_1"))
    file.write_text(PROJECT + "[gate]\nhum_per_hour = 7.0\n[variants.other.training]\nseed = 3\n")
    result = ossicle("run", "-p", file, "--until", "gate", "--progress", "none", "--json")
    assert result.code == 0, result.err
    assert "noise_gate" in json.loads(result.out)["outcomes"]
    assert result.err.splitlines() == [
        f"ossicle: note: {file}: [gate] is now called [noise_gate]; rename it there",
        "ossicle: note: the step gate is now called noise_gate",
    ]
    anew = ossicle("run", "-p", file, "--from", "gate", "--until", "gate", "--progress", "none", "--json")
    assert json.loads(anew.out)["outcomes"]["noise_gate"] == "computed"
