"""Dependencies, pins and the Makefile agree with each other."""

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

FORBIDDEN_AT_RUN_TIME = {"torch", "torchvision", "lightning", "timm", "onnx", "onnxscript", "matplotlib", "jinja2"}


@pytest.fixture(scope="module")
def project() -> dict[str, object]:
    root = Path(__file__).resolve().parents[2]
    table: dict[str, object] = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return table


@pytest.fixture(scope="module")
def pins() -> dict[str, Version]:
    root = Path(__file__).resolve().parents[2]
    lines = (root / "constraints.txt").read_text(encoding="utf-8").splitlines()
    exact = [line.split("==") for line in lines if line and not line.startswith("#")]
    assert all(len(parts) == 2 for parts in exact), "constraints.txt holds name==version lines and nothing else"
    return {canonicalize_name(name): Version(version) for name, version in exact}


def requirements(project: dict[str, object]) -> list[Requirement]:
    extras = project["optional-dependencies"]
    assert isinstance(extras, dict)
    base = project["dependencies"]
    assert isinstance(base, list)
    texts = [*base, *(text for group in extras.values() for text in group)]
    return [r for r in map(Requirement, texts) if r.name != project["name"]]


def test_every_dependency_is_pinned_within_its_range(project: dict[str, object], pins: dict[str, Version]) -> None:
    wrong = [
        f"{r}: pinned {pins.get(canonicalize_name(r.name))}"
        for r in requirements(project)
        if canonicalize_name(r.name) not in pins or not r.specifier.contains(pins[canonicalize_name(r.name)])
    ]
    assert wrong == []


def test_the_base_install_brings_no_training_library(project: dict[str, object]) -> None:
    base = project["dependencies"]
    assert isinstance(base, list)
    assert {Requirement(text).name for text in base} & FORBIDDEN_AT_RUN_TIME == set()


def test_uv_is_given_the_same_pins(repository: Path) -> None:
    text = (repository / "pyproject.toml").read_text(encoding="utf-8")
    pinned = [
        line
        for line in (repository / "constraints.txt").read_text(encoding="utf-8").splitlines()
        if not line.startswith("#")
    ]
    assert tomllib.loads(text)["tool"]["uv"]["constraint-dependencies"] == pinned, (
        "run `python scripts/repeat_constraints.py`"
    )
    assert "uv.lock" in (repository / ".gitignore").read_text(encoding="utf-8").splitlines()


def test_pins_name_no_address(repository: Path) -> None:
    assert not re.search(r"://|@|--hash", (repository / "constraints.txt").read_text(encoding="utf-8"))


def make(repository: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the Makefile in a folder without an environment; inherits nothing from a make that runs the tests."""
    (folder / "pyproject.toml").touch()
    (folder / "constraints.txt").touch()
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MAKE") and k not in {"MFLAGS", "PYTHON"}}
    command = ["make", "-f", str(repository / "Makefile"), *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_an_old_python_is_refused_with_a_remedy(repository: Path, tmp_path: Path) -> None:
    old = tmp_path / "python-old"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    done = make(repository, tmp_path, "env", f"PYTHON={old}")
    assert done.returncode != 0
    assert "Python 3.11 or later" in done.stderr
    assert "make PYTHON=" in done.stderr
    assert not (tmp_path / ".venv").exists()


def test_the_demo_installs_no_development_tools(repository: Path, tmp_path: Path) -> None:
    plan = make(repository, tmp_path, "-n", "demo").stdout
    assert "-e '.[train]'" in plan
    assert "dev" not in plan
    assert plan.rstrip().endswith(".venv/bin/ossicle demo")


def test_test_runs_every_check_before_the_tests(repository: Path, tmp_path: Path) -> None:
    plan = make(repository, tmp_path, "-n", "test").stdout
    steps = [
        "-m venv",
        "'.[dev,train]'",
        "ruff format --check",
        "ruff check",
        "mypy",
        "lint-imports",
        'pytest -m "not slow and not slurm and not live"',
    ]
    places = [plan.find(step) for step in steps]
    assert -1 not in places
    assert places == sorted(places)


def test_an_installed_environment_is_left_alone_until_its_inputs_change(repository: Path, tmp_path: Path) -> None:
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").touch()
    make(repository, tmp_path, "-n", "help")  # writes the inputs
    for stamp in (".installed-dev", ".installed-demo"):
        (tmp_path / ".venv" / stamp).touch()
    in_order = {"pyproject.toml": 1, "constraints.txt": 1, ".venv/.installed-dev": 2, ".venv/.installed-demo": 2}
    for name, seconds in in_order.items():
        os.utime(tmp_path / name, (seconds, seconds))
    command = ["make", "-n", "-f", str(repository / "Makefile"), "env", "demo"]
    kept = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert "pip install" not in kept
    os.utime(tmp_path / "pyproject.toml", (3, 3))
    changed = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert "pip install" in changed
