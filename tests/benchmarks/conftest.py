"""Benchmarks are scripts: their folder is on the path while their pure parts are tested."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def scripts(repository: Path) -> Iterator[None]:
    """The folder of benchmarks on the import path."""
    folder = str(repository / "benchmarks")
    sys.path.insert(0, folder)
    yield
    sys.path.remove(folder)
