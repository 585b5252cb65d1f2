"""The tables [jobs] and [jobs.STEP]: which one applies, and that no value is more than a word of a script."""

from pathlib import Path

import pytest

from ossicle.app.jobs.build import placement
from ossicle.app.project.load import load_project
from ossicle.app.project.tables.placement import JobsSettings, StepPlacement
from ossicle.core.errors import ProjectError


def test_tables_of_steps_lie_over_the_general_one() -> None:
    jobs = JobsSettings(
        on="slurm",
        partition="cpu",
        gpus=1,
        cpus=4,
        setup=("a",),
        steps={
            "training": StepPlacement(partition="gpu", gpus=2, setup=("b",)),
            "scores": StepPlacement(gpus=0, max_concurrent=3),
            "report": StepPlacement(on="local"),
        },
    )
    training = jobs.placed("training")
    assert (training.on, training.partition, training.gpus, training.cpus) == ("slurm", "gpu", 2, 4)
    assert training.setup == ("a", "b")
    assert (jobs.placed("scores").gpus, jobs.placed("scores").max_concurrent) == (0, 3)
    assert jobs.placed("report").on == "local"
    nothing = JobsSettings()
    assert (nothing.placed("training").on, nothing.placed("training").gpus) == ("local", 0)
    assert [nothing.placed("any").max_concurrent, nothing.placed("any", 15).max_concurrent] == [0, 15]
    assert jobs.placed("scores", 15).max_concurrent == 3


def test_limits_are_those_of_the_pipeline(tmp_path: Path) -> None:
    (tmp_path / "ossicle.toml").write_text('base = "recipe:tapes"\n[corpus]\naudio = "audio"\n')
    project = load_project(tmp_path)
    names = ("training", "scores", "benchmark_evaluation", "stranger")
    assert [placement(project, name, "slurm").max_concurrent for name in names] == [0, 15, 20, 0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('partition = "gpu\\n#SBATCH --wrap=x"', "contains a line end"),
        ('partition = "gpu --wrap=x"', "is not a valid Slurm name"),
        ('memory = "1G --x"', "is not a valid Slurm name"),
        ('time = "soon"', "is not a wall time"),
        ('on = "cloud"', "is not one of"),
        ("gpus = -2", "must be at least -1"),
        ('setup = ["rm -rf ."]', "a project file may come from another person"),
        ('sbatch = ["--prolog=x"]', "a project file may come from another person"),
    ],
)
@pytest.mark.parametrize("table", ["jobs", "jobs.training", "variants.v.jobs.scores"])
def test_nothing_in_a_project_file_is_more_than_a_word(tmp_path: Path, table: str, text: str, words: str) -> None:
    file = tmp_path / "ossicle.toml"
    file.write_text(f'base = "recipe:tapes"\n[corpus]\naudio = "audio"\n[{table}]\n{text}\n')
    with pytest.raises(ProjectError, match=words) as caught:
        load_project(file, (), None, "v" if "variants" in table else "")
    assert str(file) in str(caught.value)


@pytest.mark.filterwarnings("ignore::ossicle.app.project.local_file.LocalFileWarning")
def test_whoever_runs_a_project_may_say_what_a_shell_does(tmp_path: Path) -> None:
    file = tmp_path / "ossicle.toml"
    file.write_text('base = "recipe:tapes"\n[corpus]\naudio = "audio"\n')
    (tmp_path / "ossicle.local.toml").write_text('[jobs.training]\nsetup = ["module load cuda"]\n')
    step_placement = load_project(file, ('jobs.sbatch=["--exclusive"]',)).settings.jobs.placed("training")
    assert (step_placement.setup, step_placement.sbatch) == (("module load cuda",), ("--exclusive",))
