import sys
from pathlib import Path

import numpy as np
import pytest

from ossicle.app.jobs.modal.image import image_parts, installed_versions


def add_library(folder: Path, name: str, version: str) -> None:
    about = folder / f"{name}-{version}.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")


def test_what_a_library_carries_within_itself_is_not_in_the_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = image_parts().name
    carried = tmp_path / "setuptools" / "_vendor"
    add_library(carried, "carried", "1.0")
    add_library(carried, "numpy", "1.0")
    monkeypatch.setattr(sys, "path", [*sys.path, str(carried)])
    assert "carried" not in installed_versions()
    assert image_parts().name == before


def test_of_two_versions_the_imported_one_is_in_the_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add_library(tmp_path, "numpy", "1.0")
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    assert installed_versions()["numpy"] == np.__version__
