"""A small BEATs checkpoint with drawn weights, and what speechbrain gives for it."""

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

GOLDEN = Path(__file__).parents[3] / "golden"


@pytest.fixture(scope="session")
def drawn() -> dict[str, Any]:
    """The names of ``tests/golden/make_beats.py``."""
    return runpy.run_path(str(GOLDEN / "make_beats.py"))


@pytest.fixture(scope="session")
def golden(drawn: dict[str, Any]) -> dict[str, np.ndarray]:
    """Arrays of the golden file."""
    with np.load(GOLDEN / "beats.npz") as kept:
        result = {name: kept[name] for name in kept.files}
    assert str(result["inputs"]) == drawn["input_digest"](), "NumPy draws other weights: make the golden file again"
    return result


@pytest.fixture
def checkpoint(drawn: dict[str, Any], tmp_path: Path) -> Callable[..., Path]:
    """Write a checkpoint, with changed settings or tensors; None removes a tensor."""

    def write(config: dict[str, Any] | None = None, tensors: dict[str, Any] | None = None) -> Path:
        cfg = drawn["CONFIG"] | (config or {})
        model = {name: torch.from_numpy(value) for name, value in drawn["draw_checkpoint"](drawn["CONFIG"]).items()}
        model |= tensors or {}
        path = tmp_path / "beats.pt"
        torch.save({"cfg": cfg, "model": {name: one for name, one in model.items() if one is not None}}, path)
        return path

    return write
