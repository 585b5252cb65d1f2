"""Every benchmark offers a smoke run, and the README lists it."""

import ast
from pathlib import Path

import pytest

SCRIPTS = sorted(path.name for path in (Path(__file__).parents[2] / "benchmarks").glob("bench_*.py"))


def offers_smoke(source: str) -> bool:
    """Whether a script takes ``parsed`` from ``smoke`` and parses its command line with it, and with nothing else."""
    tree = ast.parse(source)
    imported = any(
        isinstance(node, ast.ImportFrom) and node.module == "smoke" and "parsed" in [name.name for name in node.names]
        for node in ast.walk(tree)
    )
    called = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    uses = any(isinstance(function, ast.Name) and function.id == "parsed" for function in called)
    others = any(isinstance(function, ast.Attribute) and function.attr == "parse_args" for function in called)
    return imported and uses and not others


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_benchmark_offers_a_smoke_run(repository: Path, name: str) -> None:
    assert offers_smoke((repository / "benchmarks" / name).read_text()), f"{name} must parse with smoke.parsed"


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_benchmark_is_listed(repository: Path, name: str) -> None:
    assert f"| `{name}` |" in (repository / "benchmarks" / "README.md").read_text()


def test_a_script_without_smoke_is_found() -> None:
    assert not offers_smoke("import argparse\nasked = argparse.ArgumentParser().parse_args()\n")
    assert not offers_smoke("from smoke import parsed\nasked = parser.parse_args()\nparsed(parser)\n")
    assert offers_smoke("from smoke import parsed\nasked = parsed(parser)\n")


def test_continuous_integration_runs_them(repository: Path) -> None:
    assert "make smoke" in (repository / ".ci" / "run").read_text()
    assert "benchmarks/run_smoke.py" in (repository / "Makefile").read_text()
