"""What the leaderboard says of two projects for acoustic units."""

from pathlib import Path
from typing import Any

import pytest

from ossicle.app.steps.pipeline.comparison.units import FIGURES, against
from ossicle.app.steps.pipeline.units import PIPELINE
from ossicle.artefacts.typed.units.quality import QualityFolder

PROJECT: Any = None


def judged(folder: Path, frames: int = 900, **ami: float | None) -> dict[str, Path]:
    folds = {
        name: {"ami": {"value": value}, "recordings": 9, "frames": frames, "labels": 30, "boundaries": 80}
        for name, value in ami.items()
    }
    QualityFolder(folder).write_metrics({"units": {"folds": folds}, "in_sample": {"units": {}}})
    return {QualityFolder.step: folder}


def test_projects_are_compared_by_the_mean_of_their_folds(tmp_path: Path) -> None:
    best, other = (judged(tmp_path / "a", ada=0.2, bob=0.1), judged(tmp_path / "b", ada=0.1, bob=0.14))
    gain = against(PROJECT, best)(PROJECT, other)
    assert gain == {"value": pytest.approx(-0.03), "low": None, "high": None}
    assert PIPELINE.leaderboard is FIGURES
    assert FIGURES.metrics(best) == QualityFolder(tmp_path / "a").metrics
    assert FIGURES.metrics({}) is None


def test_projects_that_were_judged_on_other_speech_are_not_compared(tmp_path: Path) -> None:
    best = judged(tmp_path / "a", ada=0.2, bob=0.1)
    others = (
        judged(tmp_path / "b", frames=901, ada=0.1, bob=0.1),
        judged(tmp_path / "c", ada=0.1),
        judged(tmp_path / "d", ada=0.1, bob=None),
        judged(tmp_path / "e"),
    )
    assert [against(PROJECT, best)(PROJECT, other) for other in others] == [None] * 4
    assert against(PROJECT, others[3])(PROJECT, others[3]) is None
