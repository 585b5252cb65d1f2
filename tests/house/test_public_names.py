"""The Python interface: its names, that they cost nothing until they are used, and that each is documented."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import ossicle
from ossicle.core import errors

HEAVY = ("numpy", "scipy", "polars", "torch", "onnxruntime", "pydantic", "typer", "soundfile")


def test_importing_it_loads_nothing_else() -> None:
    question = f"import sys, ossicle; dir(ossicle); print(*sorted(set({HEAVY!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", question], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_every_name_is_there() -> None:
    assert dir(ossicle) == sorted(dir(ossicle)) == sorted(ossicle.__all__)
    for name in ossicle.__all__:
        assert getattr(ossicle, name) == getattr(ossicle, name)
    assert ossicle.__version__.count(".") >= 2
    with pytest.raises(AttributeError, match="has no attribute 'cochlea'"):
        ossicle.cochlea  # noqa: B018


@pytest.mark.parametrize("name", ["OnnxPredictor", "predict_file", "stream_file"])
def test_names_that_left_out_parts_of_a_bundle_are_gone_with_a_remedy(name: str) -> None:
    """A bundle with pooling, post-processing, calibration or a second stage gave other events than the command."""
    assert name not in ossicle.__all__
    with pytest.raises(AttributeError, match=r"left out parts of a bundle; use ossicle\.load_bundle\(folder\)\."):
        getattr(ossicle, name)


def test_the_documents_open_bundles_as_a_whole(repository: Path) -> None:
    calls = re.compile(r"ossicle\.(?:OnnxPredictor|predict_file|stream_file)|(?<![.\w])(?:predict|stream)_file\(")
    result = {
        f"{page.relative_to(repository)}: {line.strip()}"
        for page in (
            *repository.glob("*.md"),
            *(repository / "docs").rglob("*.md"),
            *(repository / "src").rglob("*.md"),
        )
        for line in page.read_text(encoding="utf-8").splitlines()
        if calls.search(line) and "**parts" not in line and "UPGRADING" not in page.name
    }
    assert result == set()


def test_every_error_is_a_name() -> None:
    every = {name for name, var in vars(errors).items() if isinstance(var, type) and issubclass(var, Exception)}
    assert every <= set(ossicle.__all__)


def test_type_checkers_see_the_same_names(repository: Path) -> None:
    tree = ast.parse((repository / "src" / "ossicle" / "__init__.py").read_text(encoding="utf-8"))
    (typed,) = (node for node in tree.body if isinstance(node, ast.If))
    seen = {alias.name: node.module for node in typed.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert seen == ossicle._PLACES
    assert set(ossicle.__all__) == {*seen, "__version__"}
