from pathlib import Path

import pytest

from ossicle.app.project.load import load_project
from ossicle.app.steps.pipeline.preflight.device import tracking_finding
from ossicle.app.steps.pipeline.preflight.finding import Finding
from ossicle.app.steps.train import tracked_training
from ossicle.core.errors import UsageError


def finding(folder: Path, *overrides: str) -> Finding:
    (folder / "ossicle.toml").write_text('base = "recipe:tapes"\n[corpus]\naudio = "audio"\n')
    return tracking_finding(load_project(folder, ('tracking.to=["wandb"]', *overrides)))


def test_online_needs_a_login(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert finding(tmp_path).ok
    result = finding(tmp_path, "tracking.mode=online")
    assert not result.ok
    assert "wandb login" in result.message
    (tmp_path / "netrc").write_text("machine api.wandb.ai\n  login user\n  password secret\n")
    assert finding(tmp_path, "tracking.mode=online").ok
    (tmp_path / "netrc").write_text("")
    assert not finding(tmp_path, "tracking.mode=online").ok
    monkeypatch.setenv("WANDB_API_KEY", "secret")
    assert finding(tmp_path, "tracking.mode=online").ok


def test_a_missing_wandb_ends_a_training_before_it_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ossicle.toml").write_text('base = "recipe:tapes"\n[corpus]\naudio = "audio"\n')
    monkeypatch.setattr(tracked_training, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"is not installed; pip install 'ossicle\[wandb\]'"):
        tracked_training.require_trackers(load_project(tmp_path, ('tracking.to=["wandb"]',)))
