"""The environment of a run: what it holds, and where it is kept."""

import platform
from importlib.metadata import version
from pathlib import Path

from ossicle.artefacts.files import tree_digest
from ossicle.artefacts.logs.environment import environment, log_environment, logged_environment
from ossicle.artefacts.logs.runlog import RunLog
from ossicle.artefacts.shelf import NOT_CONTENT, RUN_LOG


def test_python_packages_and_processor_are_recorded() -> None:
    result = environment()
    assert result["python"] == platform.python_version()
    assert result["packages"]["numpy"] == version("numpy")
    assert result["packages"]["ossicle"] == version("ossicle")
    assert result["machine"] == platform.machine()
    assert isinstance(result["processor"], str)
    assert result["n_cpus"] >= 1
    assert "gpu_driver" in result


def test_it_is_in_the_run_log_and_in_no_digest(tmp_path: Path) -> None:
    (tmp_path / "weights.safetensors").write_bytes(b"x")
    before = tree_digest(tmp_path, NOT_CONTENT)
    log = RunLog(tmp_path / RUN_LOG)
    log.work_unit("training", "fold 0", "computed", 2.0)
    log_environment(log, "training", {"cuda": "12.8", "cudnn": 91002, "gpus": ["NVIDIA X"]})
    result = logged_environment(tmp_path / RUN_LOG)
    assert (result["cuda"], result["cudnn"], result["gpus"]) == ("12.8", 91002, ["NVIDIA X"])
    assert result["python"] == platform.python_version()
    assert tree_digest(tmp_path, NOT_CONTENT) == before


def test_the_last_environment_counts_and_a_log_without_one_has_none(tmp_path: Path) -> None:
    log = RunLog(tmp_path / RUN_LOG)
    assert logged_environment(tmp_path / RUN_LOG) == {}
    for gpu in ("first", "second"):
        log_environment(log, "training", {"gpus": [gpu]})
    assert logged_environment(tmp_path / RUN_LOG)["gpus"] == ["second"]
