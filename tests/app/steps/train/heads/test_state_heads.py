"""Heads of states: a recording that a fold holds out has no part in the head of that fold."""

from pathlib import Path

import pytest

from ossicle.app.project.load import load_project
from ossicle.app.steps.engine.step import Silent
from ossicle.app.steps.pipeline.run_project import run_project
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.models.heads.settings import HeadSettings
from ossicle.training.heads import fit
from ossicle.training.heads.fit import HeadFit
from ossicle.training.heads.windows import HeadWindows

from .....made_up.hums import TEMPLATE, write_hums
from ....conftest import Commands


def test_a_recording_that_is_held_out_is_not_trained_on(
    tmp_path: Path, ossicle: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_hums(tmp_path / "audio", seconds=6.0)
    place, template = tmp_path / "p", f"{TEMPLATE}.wav"
    assert ossicle("new", "appliances", place, "--audio", tmp_path / "audio", "--template", template).code == 0
    with (place / "ossicle.toml").open("a") as file:
        file.write("[head]\nepochs = 1\nhidden = 0\n")
    trained_on: list[set[str]] = []
    fit_head = fit.fit_head

    def noting(windows: HeadWindows, settings: HeadSettings, seed: int) -> HeadFit:
        # With few groups, the windows of each recording are a group of their own.
        trained_on.append(set(windows.groups.tolist()))
        return fit_head(windows, settings, seed)

    monkeypatch.setattr(fit, "fit_head", noting)
    done = run_project(load_project(place), Silent(), until="heads")
    dataset = DatasetFolder.among(done.artefacts)
    assert len(dataset.models) == len(trained_on) == 3
    for (name, held_out), recordings in zip(dataset.models.items(), trained_on, strict=True):
        own = {clip.recording_id for clip in dataset.clips if clip.fold in held_out}
        every = {clip.recording_id for clip in dataset.clips}
        assert recordings == every - own, name
        assert len(own) == (0 if name == "final" else 4)
