"""A project as an object: what `ossicle run` and `ossicle status` do."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ossicle.app.api.project_run import Project
from ossicle.core.errors import ProjectError, UsageError

from ...made_up.untrained import PROJECT, use_untrained, write_tapes


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("OSSICLE_DATA_ROOT", raising=False)
    write_tapes(tmp_path / "tapes", ["siteA_1", "siteA_2", "siteB_1", "siteC_1"])
    (tmp_path / "tapes" / "ossicle.toml").write_text(PROJECT)
    return tmp_path / "tapes"


def test_a_run_up_to_a_step(folder: Path, tmp_path: Path) -> None:
    (folder / "audio" / "siteB_2.wav").write_bytes(b"RIFF no sound")
    project = Project.load(folder, data_root=tmp_path / "root", settings={"split.seed": 3, "corpus.name_template": ""})
    assert (project.data_root, project.settings.split.seed) == (tmp_path / "root", 3)
    project = Project.load(str(folder), data_root=tmp_path / "root")
    assert set(project.status().values()) == {None}
    run = project.run(until="dataset")
    assert list(run.artefacts) == ["corpus", "dataset"]
    assert set(run.outcomes.values()) == {"computed"}
    assert (run.metrics, run.report, run.refused, dict(run.results)) == (None, None, None, {})
    assert len(run.lost) == 1
    assert run.lost[0].startswith("siteB_2.wav: ")
    assert set(project.run(until="dataset").outcomes.values()) == {"reused"}
    assert project.status()["dataset"] == run.artefacts["dataset"]
    with pytest.raises(UsageError, match="made no bundle: it ended with the step dataset"):
        run.load_bundle()


def test_a_whole_run_leaves_results(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_untrained(monkeypatch)
    run = Project.load(folder / "ossicle.toml").run()
    assert run.metrics is not None
    assert run.metrics["n_reference"] == 12
    assert run.report == folder / "report.html"
    assert (run.refused is None) == ("bundle" in run.results)


def test_refusals(folder: Path) -> None:
    with pytest.raises(ProjectError, match="epoch"):
        Project.load(folder, settings={"training.epoch": 8})
    with pytest.raises(ProjectError):
        Project.load(folder / "none.toml")
    with pytest.raises(UsageError, match="no step is called 'dinner'"):
        Project.load(folder).run(until="dinner")
    assert repr(Project.load(folder)).startswith("Project(")


@pytest.mark.parametrize(
    ("settings", "epochs"),
    [
        ({"training.epochs": 3}, 3),
        ({"training.epochs": np.int64(3)}, 3),
        ({"training": {"epochs": 3}, "corpus.audio": Path("audio"), "model.crnn": {"hidden": 4}}, 3),
    ],
)
def test_settings_are_values_of_python(folder: Path, settings: dict[str, Any], epochs: int) -> None:
    assert Project.load(folder, settings=settings).settings.training.epochs == epochs


@pytest.mark.parametrize(
    ("value", "words"), [(None, "training.epochs is None"), (object(), "training.epochs is of the type object")]
)
def test_settings_that_no_file_could_hold_are_refused(folder: Path, value: Any, words: str) -> None:
    with pytest.raises(ProjectError, match=words):
        Project.load(folder, settings={"training.epochs": value})


def test_steps_are_a_list(folder: Path) -> None:
    with pytest.raises(ValueError, match="steps = 'corpus' is one text"):
        Project.load(folder).run(steps="corpus")
