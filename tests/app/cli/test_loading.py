"""Commands are loaded when they are called: what the help page loads, what it says, and what completes."""

import gc
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ossicle.app.cli.command_table import command_names, command_row, panel_of
from ossicle.app.cli.loading import UnloadedCommand
from ossicle.app.cli.main import app
from ossicle.app.cli.start import while_modules_load

# Libraries that cost as much as the help page itself.
HEAVY = {
    "numpy",
    "scipy",
    "polars",
    "pydantic",
    "onnxruntime",
    "soundfile",
    "soxr",
    "av",
    "h5py",
    "torch",
    "matplotlib",
}
LOADED = """
import json, sys
from ossicle.app.cli.start import main
sys.argv = ["ossicle", *sys.argv[1:]]
try:
    main()
except SystemExit as end:
    print(json.dumps([end.code, sorted(sys.modules)]), file=sys.stderr)
"""


def loaded_by(*words: object, cwd: Path | None = None) -> set[str]:
    """The modules in a fresh process after an `ossicle` command that ended well."""
    command = [sys.executable, "-c", LOADED, *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=cwd)
    *result, last = done.stderr.splitlines()
    code, modules = json.loads(last)
    assert code == 0, result
    return set(modules)


def test_the_help_page_loads_no_command_and_no_heavy_library() -> None:
    modules = loaded_by("--help")
    assert modules & HEAVY == set()
    commands = {f"ossicle.app.cli.{row.module}" for row in map(command_row, command_names())}
    assert modules & (commands | {"ossicle.app.project.load", "ossicle.app.steps.engine.step"}) == set()


def test_status_loads_what_reads_settings_but_nothing_that_computes(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "ossicle.toml").write_text('base = "recipe:tapes"\n[corpus]\naudio = "a"\nannotations = "a"\n')
    # Half a second for the first four alone.
    computing = {f"scipy.{name}" for name in ("signal", "stats", "optimize", "ndimage", "sparse", "fft")}
    others = {"onnxruntime", "torch", "sklearn", "matplotlib", "jinja2", "urllib.request", "http.client", "h5py"}
    modules = loaded_by("status", "-p", tmp_path)
    assert modules & (computing | others) == set()
    # What only the work of a step needs, and the steps of other kinds of projects, cost a quarter of a second.
    work = (
        "ossicle.audio.store.",
        "ossicle.corpus.splits.leak_audit",
        "ossicle.evaluation.criteria.table",
        "ossicle.evaluation.figures.",
        "ossicle.evaluation.ground_truth",
        "ossicle.inference.batch",
        "ossicle.inference.second_stage.",
        "ossicle.metrics.psds.",
        "ossicle.metrics.states.",
        "ossicle.report.data",
        "ossicle.app.steps.pipeline.states",
    )
    assert [name for name in sorted(modules) if name.startswith(work)] == []


def test_no_garbage_is_collected_while_modules_load_and_their_objects_are_left_alone() -> None:
    before = gc.get_freeze_count()
    made = [[] for _ in range(1000)]
    with while_modules_load():
        assert not gc.isenabled()
    assert gc.isenabled()
    assert gc.get_freeze_count() >= before + len(made)
    gc.disable()
    try:
        with while_modules_load():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
        gc.unfreeze()


def test_no_command_stands_under_two_headings() -> None:
    assert len(command_names()) == len(set(command_names()))


@pytest.mark.parametrize("name", command_names())
def test_the_table_says_what_the_command_says(name: str) -> None:
    unloaded = UnloadedCommand(name)
    command = unloaded.load()
    assert command.name == name
    assert command_row(name).about == command.help.split("\n\n")[0].replace("\n", " ")
    assert unloaded.rich_help_panel == panel_of(name)


def test_a_misspelt_command_is_answered_with_the_nearest() -> None:
    done = CliRunner().invoke(app, ["pedict"], env={"COLUMNS": "120"})
    assert done.exit_code == 2
    assert "Did you mean 'predict'" in done.output


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("ossicle pre", {"predict", "presets"}),
        ("ossicle dataset st", {"stats"}),
        ("ossicle status --pro", {"--project"}),
    ],
)
def test_the_shell_completes_commands_groups_and_options(words: str, offered: set[str]) -> None:
    environment = {
        **os.environ,
        "_OSSICLE_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split()) - 1),
    }
    done = subprocess.run(
        [sys.executable, "-c", "from ossicle.app.cli.main import app; app(prog_name='ossicle')"],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    assert set(done.stdout.split()) == offered, done.stderr
