"""Arguments that cannot be meant are refused by name, in every function of the Python interface."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ossicle.app.api.annotations import Annotations, read_annotations, write_annotations
from ossicle.app.api.audio_files import load_audio
from ossicle.app.api.bundles.bundle_facts import read_bundle
from ossicle.app.api.bundles.engine import Engine, open_predictor
from ossicle.app.api.bundles.loaded_bundle import load_bundle
from ossicle.app.api.evaluation.event_evaluation import evaluate
from ossicle.app.api.predictions.predictions import Predictions
from ossicle.app.api.project_run import Project
from ossicle.core.errors import FormatError, UsageError
from ossicle.core.records import Annotation

from ...made_up.untrained import PROJECT
from ..conftest import Commands

TRUTH = [Annotation("a.wav", 1.0, 2.0, "call")]
NONE = Predictions((), ("call",), 8000.0)
TAKES_A_PATH: dict[str, Callable[[Any], object]] = {
    "path of read_annotations": read_annotations,
    "path of write_annotations": lambda path: write_annotations(TRUTH, path),
    "path of load_audio": load_audio,
    "path of load_bundle": load_bundle,
    "folder of read_bundle": read_bundle,
    "path of write": NONE.write,
    "path of to_csv": NONE.to_csv,
    "path of Project.load": Project.load,
    "data_root of Project.load": lambda path: Project.load("ossicle.toml", data_root=path),
    "durations_s of evaluate": lambda path: evaluate(TRUTH, TRUTH, durations_s=path),
    "reference of evaluate": lambda path: evaluate(path, TRUTH),
    "predictions of evaluate": lambda path: evaluate(TRUTH, path),
}


@pytest.mark.parametrize("argument", TAKES_A_PATH)
def test_an_empty_path_is_not_the_current_folder(
    argument: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("calls.txt").write_text("1.0\t2.0\tcall\n")
    Path("ossicle.toml").write_text(PROJECT)
    with pytest.raises(ValueError, match=f"^{argument.split()[0]} is empty; write '.' for the current folder$"):
        TAKES_A_PATH[argument]("")


@pytest.mark.parametrize("argument", [name for name in TAKES_A_PATH if "evaluate" not in name])
@pytest.mark.parametrize("value", [3, b"bundle", ["bundle"]])
def test_a_path_is_a_text_or_a_path(argument: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"^{argument.split()[0]} = .* is not a path; give a text or a pathlib.Path$"):
        TAKES_A_PATH[argument](value)


@pytest.mark.parametrize("format", [None, 3])
def test_a_format_is_a_name(format: Any, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"the format {format} is not known; choose from raven, csv"):
        write_annotations(TRUTH, tmp_path / "out", format)
    with pytest.raises(UsageError, match=f"the format {format} is not known; choose from raven, csv"):
        NONE.write(tmp_path / "out", format)
    if format is not None:
        with pytest.raises(UsageError, match="the format 3 is not known"):
            read_annotations(tmp_path, format)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "calls.csv"
    path.write_text("file,start_time,end_time,kind,label\na.wav,1,2,rook,call\n")
    return path


def test_a_label_column_is_a_name_or_a_number(table: Path) -> None:
    assert read_annotations(table, label_column=4).labels == read_annotations(table, label_column="kind").labels
    annotations = Annotations([Annotation("a.wav", 1.0, 2.0, "rook")])
    assert evaluate(table, annotations, label_column=4, bootstrap=0).f1.value == 1.0
    words = r"label_column = .*; give a name, a number from 1, or 'auto'"
    for value in (0, -1, 1.5, None, True):
        with pytest.raises(ValueError, match=words):
            read_annotations(table, label_column=value)  # type: ignore[arg-type]
        with pytest.raises(ValueError, match=words):
            evaluate(table, annotations, label_column=value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"threshold": math.nan}, "threshold = nan is not a finite number"),
        ({"threshold": "0.5"}, "threshold = '0.5' is not a finite number"),
        ({"default_label": 3}, "default_label = 3 is not a text"),
        ({"default_label": ""}, "default_label is empty"),
        ({"template": None}, "template = None is not a text"),
        ({"label_fields": "digit"}, "label_fields = 'digit' is one text"),
        ({"label_fields": [3]}, "label_fields = 3 is not a text"),
    ],
)
def test_options_of_readers_are_checked(table: Path, options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read_annotations(table, **options)


@pytest.mark.parametrize("threads", [0, 1025, 10**6, 1.5])
def test_threads_have_bounds(old_bundle: Path, threads: Any) -> None:
    for runtime in ("onnx", "torch"):
        with pytest.raises(ValueError, match=r"threads = .* (must be at|is not a whole number)"):
            load_bundle(old_bundle, runtime, threads=threads)
    with pytest.raises(ValueError, match="threads = "):
        open_predictor(read_bundle(old_bundle), Engine("openvino", threads))


@pytest.mark.parametrize("name", ["training.threads", "benchmark.threads", "project.workers"])
def test_threads_of_a_project_have_the_same_bounds(name: str, tmp_path: Path) -> None:
    (tmp_path / "ossicle.toml").write_text(PROJECT)
    with pytest.raises(UsageError, match=f"{name.partition('.')[2]}.* must be at most 1024"):
        Project.load(tmp_path, settings={name: 10**6})


def test_threads_of_a_command_have_the_same_bounds(
    ossicle: Commands, old_bundle: Path, audio: Path, tmp_path: Path
) -> None:
    refused = ossicle("predict", old_bundle, audio, "--out", tmp_path / "out", "--threads", "1000000")
    assert refused.code == 2
    assert "less than or equal to 1024" in " ".join(refused.err.replace("│", " ").split())


def test_arguments_of_a_project_are_checked(tmp_path: Path) -> None:
    (tmp_path / "ossicle.toml").write_text(PROJECT)
    for options, words in (({"settings": ["a"]}, "settings = "), ({"variant": 3}, "variant = 3 is not a text")):
        with pytest.raises(ValueError, match=words):
            Project.load(tmp_path, **options)
    project = Project.load(tmp_path)
    with pytest.raises(ValueError, match="until = 3 is not a text"):
        project.run(until=3)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="cannot compute again from report, which is not one of the steps to run: "):
        project.run(until="dataset", recompute_from="report")


def test_messages_name_no_option_of_the_command_line(tmp_path: Path) -> None:
    """A reader of Python has no --from and no --label-field."""
    folder = tmp_path / "names"
    folder.mkdir()
    (folder / "a_b.wav").touch()
    (folder / "notes.txt").write_text("no table at all, only words\n")
    (tmp_path / "scores.csv").write_text("file,start_time,end_time,call\na.wav,0.0,3.0,0.7\n")
    for path, options in (
        (folder, {"format": "names", "template": "{x}_{y}"}),
        (folder, {"format": "names", "template": "{x}_{y}", "label_fields": ["z"]}),
        (folder, {}),
        (tmp_path / "scores.csv", {}),
    ):
        with pytest.raises((UsageError, FormatError)) as refused:
            read_annotations(path, **options)
        assert "--" not in str(refused.value)
