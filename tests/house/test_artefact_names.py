"""No module spells the name of a file that a class of ``artefacts.typed``, or the bundle, names."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

_FILE = re.compile(r"[\w.-]+\.(?:json|jsonl|parquet|csv|html|ipynb|safetensors|ckpt|onnx|md|h5)", re.IGNORECASE)


def texts(tree: ast.AST) -> Iterator[ast.Constant]:
    """Strings of a module, docstrings and other bare strings excepted."""
    bare = {id(one.value) for one in ast.walk(tree) if isinstance(one, ast.Expr)}
    for one in ast.walk(tree):
        if isinstance(one, ast.Constant) and isinstance(one.value, str) and id(one) not in bare:
            yield one


def owners(source: Path) -> list[Path]:
    """The modules that name files: each name stands in one of them."""
    return [*sorted((source / "artefacts" / "typed").rglob("*.py")), source / "bundle" / "manifest.py"]


def names_in(module: Path) -> set[str]:
    """Whole file names that a module spells; a name that begins with a dot is an ending."""
    result = {text.value for text in texts(ast.parse(module.read_text(encoding="utf-8")))}
    return {name for name in result if _FILE.fullmatch(name) and not name.startswith(".")}


def spelled(module: Path, names: set[str]) -> list[str]:
    """Lines of a module that spell one of ``names``, alone or at the end of a path."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    return [
        f"{module.name}:{text.lineno}: {text.value}" for text in texts(tree) if text.value.rsplit("/", 1)[-1] in names
    ]


@pytest.fixture(scope="module")
def source(repository: Path) -> Path:
    return repository / "src" / "ossicle"


def test_file_names_are_spelled_by_their_class_alone(source: Path, repository: Path) -> None:
    mine = owners(source)
    names = set[str]().union(*map(names_in, mine))
    assert {"clips.parquet", "labels.json", "decision.json", "metrics.json", "bundle.json"} <= names
    modules = [*source.rglob("*.py"), *(repository / "benchmarks").rglob("*.py")]
    assert [line for module in modules if module not in mine for line in spelled(module, names)] == []


def test_a_spelled_name_is_found(tmp_path: Path) -> None:
    module = tmp_path / "planted.py"
    module.write_text('"""Of clips.parquet."""\nPLACE = folder / "clips.parquet"\nWORDS = "see clips.parquet"\n')
    assert spelled(module, {"clips.parquet"}) == ["planted.py:2: clips.parquet"]
