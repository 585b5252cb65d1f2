"""What import-linter cannot say: allow-lists of libraries, lazy imports only at the edge, a light start."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# The only libraries beside the standard one that these packages may name.
ALLOWED = {"core": {"numpy"}, "metrics": {"numpy", "scipy"}}
# Elsewhere than in app, only these load a library where it is used: timm and torchvision, which cost seconds and which
# only the networks of sliding windows need; Jupyter, an extra of its own; sounddevice, which fails without PortAudio.
# Extras too: transformers with its hub, BirdNET, swift_f0 and wandb.
LAZY = {
    "src/ossicle/audio/pitch/swift.py",
    "src/ossicle/bundle/encoders/birdnet.py",
    "src/ossicle/models/encoders/hf.py",
    "src/ossicle/models/encoders/hub.py",
    "src/ossicle/models/networks/registry.py",
    "src/ossicle/models/networks/pretrained.py",
    "src/ossicle/report/notebook.py",
    "src/ossicle/training/tracking/wandb_tracker.py",
    "src/ossicle/live/portaudio.py",
}
HEAVY = ("torch", "lightning", "onnx", "matplotlib", "jinja2", "sklearn", "pandas")


def sources(repository: Path, package: str = "") -> Iterator[Path]:
    yield from sorted((repository / "src" / "ossicle" / package).rglob("*.py"))


def imported_roots(tree: ast.AST) -> set[str]:
    roots = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            roots |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            roots.add((node.module or "").split(".")[0])
    return roots


@pytest.mark.parametrize("package", sorted(ALLOWED))
def test_only_allowed_libraries(repository: Path, package: str) -> None:
    allowed = ALLOWED[package] | {"ossicle"} | sys.stdlib_module_names
    strangers = {
        f"{path.relative_to(repository)}: {root}"
        for path in sources(repository, package)
        for root in imported_roots(ast.parse(path.read_text(encoding="utf-8"))) - allowed
    }
    assert strangers == set()


def test_only_app_imports_inside_functions(repository: Path) -> None:
    # app picks the step that needs torch only when it runs; anywhere else a lazy import would hide a cycle.
    hidden = []
    for path in sources(repository):
        if path.is_relative_to(repository / "src" / "ossicle" / "app"):
            continue
        if path.relative_to(repository).as_posix() in LAZY:
            continue
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                hidden += [
                    f"{path.relative_to(repository)}:{node.lineno}"
                    for node in ast.walk(function)
                    if isinstance(node, ast.Import | ast.ImportFrom)
                ]
    assert sorted(set(hidden)) == []


@pytest.mark.parametrize(
    "module",
    [
        "ossicle.app.cli.main",
        "ossicle.inference.batch",
        "ossicle.bundle.format",
        "ossicle.metrics.events",
        "ossicle.corpus.indexing.corpus_index",
    ],
)
def test_the_runtime_starts_without_the_heavy_libraries(module: str) -> None:
    question = f"import sys, {module}; print(*sorted(set({HEAVY!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", question], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []


def test_defaults_of_settings_are_named(repository: Path) -> None:
    # PEP 681: a type checker finds a field's default by the word only, and asks for the argument otherwise.
    positional = [
        f"{path.relative_to(repository)}:{node.lineno}"
        for path in sources(repository)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "setting" and node.args
    ]
    assert positional == [], "write setting(default=..., help=...)"


def test_no_loader_is_told_to_unpickle(repository: Path) -> None:
    forbidden = {("allow_pickle", True), ("weights_only", False)}
    unsafe = [
        f"{path.relative_to(repository)}:{node.value.lineno}: {node.arg}"
        for path in sources(repository)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.keyword)
        and isinstance(node.value, ast.Constant)
        and (node.arg, node.value.value) in forbidden
    ]
    assert unsafe == []
