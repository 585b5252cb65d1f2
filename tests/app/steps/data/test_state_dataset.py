"""``files.csv`` and ``windows.parquet``: short recordings, unknown labels, and what makes the step run again."""

from pathlib import Path

import polars as pl
import pytest

from ossicle.app.project.load import Project, load_project
from ossicle.app.steps.data import corpus, state_dataset
from ossicle.app.steps.data.state_dataset import counts_in_words
from ossicle.app.steps.engine.step import Silent, run_steps
from ossicle.artefacts.typed.states import StateDatasetFolder

from ....made_up.hums import NAMES, TEMPLATE, write_hums

PROJECT = f"""
base = "recipe:appliances"
[corpus]
audio = "audio"
name_template = "{TEMPLATE}"
label_fields = {{ac = "on", fridge = "on"}}
[corpus.metadata]
table = "table.csv"
[states]
masks = {{ac = ["fridge"]}}
"""


class Saying(Silent):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    write_hums(tmp_path / "audio", NAMES[1:], 2.5)
    write_hums(tmp_path / "audio", NAMES[:1], 1.0)
    (tmp_path / "table.csv").write_text("filename,ac\nac-on-fridge-on-day.wav,unknown\n")
    (tmp_path / "ossicle.toml").write_text(PROJECT)
    return load_project(tmp_path)


def test_short_recordings_are_listed_and_unknown_labels_are_unknown(project: Project) -> None:
    saying = Saying()
    done = run_steps((corpus.STEP, state_dataset.STEP), project, saying)
    folder = StateDatasetFolder.among(done.artefacts)
    assert folder.window_counts["without"] == [NAMES[0]]
    assert folder.window_counts["windows"][NAMES[1]] == 2
    assert any("1 recording shorter than a window of 2 s (ac-off-fridge-off-day.wav)" in line for line in saying.lines)
    files = {row["path"]: row for row in pl.read_csv(folder.files_file).to_dicts()}
    assert files["ac-on-fridge-on-day.wav"]["ac"] == "unknown"
    assert files["ac-on-fridge-on-day.wav"]["state"] == "unknown"
    row = folder.windows.filter(pl.col("path") == "ac-on-fridge-on-day.wav").to_dicts()[0]
    assert (row["labels"], row["unknown"]) == (["fridge"], ["ac"])


def test_another_window_makes_another_dataset(project: Project) -> None:
    steps = (corpus.STEP, state_dataset.STEP)
    first = run_steps(steps, project, Silent())
    assert run_steps(steps, project, Silent()).outcomes["dataset"] == "reused"
    longer = load_project(project.file, ("features.window_s=1.0",))
    again = run_steps(steps, longer, Silent())
    assert again.outcomes == {"corpus": "reused", "dataset": "computed"}
    assert again.artefacts["dataset"] != first.artefacts["dataset"]


def test_counts_in_words() -> None:
    assert counts_in_words({"a": 10}, {"a": 0}) == "10 windows of 1 recording"
    assert counts_in_words({"a": 100, "b": 300}, {"a": 1, "b": 3}).endswith(
        "the loudest 4 are not trained on (1 to 3 each)"
    )
