from pathlib import Path

import pytest

from ossicle.app.project.load import load_project
from ossicle.app.steps.train import training
from ossicle.app.steps.train.heads import state_heads
from ossicle.core.settings import digestible
from ossicle.training.tracking.settings import TrackingSettings

TABLE = """
base = "recipe:tapes"
[corpus]
audio = "audio"
"""


def test_nothing_here_changes_a_result(tmp_path: Path) -> None:
    (tmp_path / "ossicle.toml").write_text(TABLE)
    plain = load_project(tmp_path)
    named = load_project(
        tmp_path, ['tracking.to=["wandb"]', 'tracking.tags=["a"]', "tracking.name=x", "tracking.group=y"]
    )
    assert named.settings.tracking.to == ("wandb",)
    assert digestible(named.settings.tracking) == {}
    for step in (training, state_heads):
        assert step.STEP.settings(named) == step.STEP.settings(plain)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"to": ("wandb", "wandb")}, "to: 'wandb' is there twice"),
        ({"to": ("mlflow",)}, "to = 'mlflow' is not one of: tensorboard, wandb"),
        ({"tags": ("a", " ")}, "tags: an empty tag"),
        ({"mode": "later"}, "mode = 'later' is not one of: offline, online"),
    ],
)
def test_what_no_tracker_can_do_is_refused(table: dict[str, tuple[str, ...]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TrackingSettings(**table)  # type: ignore[arg-type]
