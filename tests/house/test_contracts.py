"""The import contracts hold, and each of them bites: a planted violation breaks the contract it should."""

import subprocess
import sys
from pathlib import Path

import pytest

LINT = "from importlinter.cli import lint_imports_command; lint_imports_command()"

PACKAGES = (
    "core",
    "artefacts",
    "audio",
    "bundle",
    "corpus",
    "metrics",
    "models",
    "inference",
    "units",
    "evaluation",
    "training",
    "report",
    "export",
    "live",
    "app",
)


def lint(sources: Path, contracts: Path) -> tuple[int, str]:
    """Exit code and text of ``lint-imports`` on the package below ``sources``."""
    done = subprocess.run(
        [sys.executable, "-c", LINT, "--config", str(contracts), "--no-cache"],
        cwd=sources,
        env={"PYTHONPATH": str(sources), "PYTHONUTF8": "1", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def skeleton(tmp_path: Path) -> Path:
    """A tree of the same packages, empty but for their ``__init__``: what is planted is all there is to find."""
    package = tmp_path / "ossicle"
    for name in PACKAGES:
        (package / name).mkdir(parents=True)
        (package / name / "__init__.py").write_text('"""Empty."""\n')
    (package / "__init__.py").write_text('"""Empty."""\n')
    # A contract about its folders needs the package to be there.
    (package / "app" / "steps").mkdir()
    (package / "app" / "steps" / "__init__.py").write_text('"""Empty."""\n')
    return tmp_path


def plant(sources: Path, module: str, text: str) -> None:
    path = sources / "ossicle" / f"{module.replace('.', '/')}.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    for folder in (path.parent, path.parent.parent):
        if folder != sources:
            (folder / "__init__.py").touch()
    path.write_text(text)


def test_the_contracts_hold(repository: Path) -> None:
    code, text = lint(repository / "src", repository / "pyproject.toml")
    assert code == 0, text


def test_the_skeleton_is_the_package_list(repository: Path) -> None:
    result = {path.parent.name for path in (repository / "src" / "ossicle").glob("*/__init__.py")}
    assert result == set(PACKAGES), "a package was added or removed: adapt PACKAGES and the layers in pyproject.toml"


def test_an_empty_skeleton_keeps_every_contract(repository: Path, skeleton: Path) -> None:
    code, text = lint(skeleton, repository / "pyproject.toml")
    assert code == 0, text


@pytest.mark.parametrize(
    ("planted", "contract"),
    [
        ({"core.planted": "import ossicle.metrics\n"}, "Each layer imports only what is below it"),
        ({"metrics.planted": "import ossicle.corpus\n"}, "Each layer imports only what is below it"),
        ({"inference.planted": "def f():\n    import ossicle.models\n"}, "Each layer imports only what is below it"),
        ({"evaluation.planted": "import ossicle.training\n"}, "Each layer imports only what is below it"),
        ({"units.planted": "def f():\n    import ossicle.inference\n"}, "Each layer imports only what is below it"),
        ({"units.planted": "import ossicle.models\n"}, "What runs a bundle never reaches torch"),
        ({"evaluation.planted": "import ossicle.models\n"}, "What runs a bundle never reaches torch"),
        ({"corpus.naming": "import ossicle.corpus.formats\n", "corpus.formats": ""}, "Inside corpus:"),
        ({"corpus.splits": "import ossicle.corpus.clips\n", "corpus.clips": ""}, "Inside corpus:"),
        ({"corpus.clips": "import ossicle.corpus.review\n", "corpus.review": ""}, "Inside corpus:"),
        ({"corpus.unheard_of": ""}, "Inside corpus:"),
        ({"app.steps.engine": "import ossicle.app.steps.data\n", "app.steps.data": ""}, "Inside app.steps:"),
        ({"app.steps.judge": "import ossicle.app.steps.pipeline\n", "app.steps.pipeline": ""}, "Inside app.steps:"),
        ({"app.steps.unheard_of": ""}, "Inside app.steps:"),
        ({"unheard_of.planted": "import numpy\n"}, "Each layer imports only what is below it"),
        ({"app.project": "import ossicle.app.cli\n", "app.cli": ""}, "Inside app:"),
        ({"app.api": "import ossicle.app.cli\n", "app.cli": ""}, "Inside app:"),
        ({"app.steps.engine": "import ossicle.app.api\n", "app.api": ""}, "Inside app:"),
        ({"app.steps.engine": "import torch\n"}, "Only models, training and export import torch"),
        ({"report.planted": "def f():\n    import torch.nn\n"}, "Only models, training and export import torch"),
        ({"models.planted": "import lightning\n"}, "Only training imports lightning"),
        ({"bundle.planted": "import onnx\n"}, "What runs a bundle never reaches torch"),
        ({"export.planted": "import openvino\n"}, "Only its runtime imports openvino"),
        ({"app.planted": "import sounddevice\n"}, "Only live imports sounddevice and paho"),
        ({"live.planted": "def f():\n    import paho.mqtt.client\n"}, "Only live imports sounddevice and paho"),
        ({"live.planted": "import ossicle.models\n"}, "What runs a bundle never reaches torch"),
        ({"live.planted": "import ossicle.report\n"}, "Each layer imports only what is below it"),
        ({"inference.planted": "import ossicle.live\n"}, "Each layer imports only what is below it"),
        ({"models.planted": "import transformers\n"}, "Only models.encoders imports transformers"),
        ({"training.planted": "import huggingface_hub\n"}, "Only models.encoders imports transformers"),
        ({"bundle.planted": "import ai_edge_litert\n"}, "Only its encoder runs BirdNET"),
        ({"corpus.planted": "import h5py\n"}, "Only audio.store imports h5py"),
        ({"corpus.planted": "import soundfile\n"}, "Only audio imports codecs"),
        ({"training.planted": "import matplotlib.pyplot\n"}, "Only report imports matplotlib and jinja2"),
        ({"bundle.planted": "from pydantic import TypeAdapter\n"}, "Only app.project imports pydantic"),
        ({"metrics.planted": "import polars\n"}, "core and metrics know arrays, not tables or files"),
        ({"core.planted": "import scipy.signal\n"}, "core imports numpy only"),
        ({"training.planted": "from pickle import load\n"}, "Nothing is pickled"),
        # Indirectly: what reaches numpy's neighbours through a package below.
        ({"core.fine": "import scipy\n", "core.planted": "from . import fine\n"}, "core imports numpy only"),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, dict) else None,
)
def test_a_planted_violation_breaks_its_contract(
    repository: Path, skeleton: Path, planted: dict[str, str], contract: str
) -> None:
    for module, text in planted.items():
        plant(skeleton, module, text)
    code, text = lint(skeleton, repository / "pyproject.toml")
    broken = [line for line in text.splitlines() if line.startswith(contract) and "BROKEN" in line]
    assert code != 0, text
    assert broken, text


def test_what_is_allowed_is_allowed(repository: Path, skeleton: Path) -> None:
    plant(skeleton, "models.fine", "import torch\n")
    plant(skeleton, "training.fine", "import lightning\nimport torch\nimport ossicle.models.fine\n")
    plant(skeleton, "audio.store", "import h5py\n")
    plant(skeleton, "audio.decode", "import av\nimport soundfile\nimport soxr\n")
    plant(skeleton, "report.fine", "import jinja2\nimport matplotlib\nimport polars\n")
    plant(skeleton, "live.portaudio", "import sounddevice\n")
    plant(skeleton, "live.sinks.mqtt", "import paho.mqtt.client\n")
    plant(skeleton, "app.project", "import pydantic\n")
    plant(skeleton, "app.steps.engine", "import ossicle.app.project\ndef train():\n    import ossicle.training.fine\n")
    plant(
        skeleton, "app.cli", "import ossicle.app.steps.engine\nimport ossicle.audio.store\nimport ossicle.report.fine\n"
    )
    code, text = lint(skeleton, repository / "pyproject.toml")
    assert code == 0, text
