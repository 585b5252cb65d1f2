"""A finished run of a small project and of its variant, made once."""

import shutil
from pathlib import Path

import pytest

from ....made_up.untrained import use_untrained
from ...promoted_run import clip_figures, finished_project, set_figures


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # What lasts as long as the session must leave no patch behind: other tests run in between.
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("OSSICLE_DATA_ROOT", raising=False)
        patch.delenv("OSSICLE_REGISTRY", raising=False)
        use_untrained(patch)
        return finished_project(tmp_path_factory.mktemp("run") / "drums", ("", "other"))


@pytest.fixture
def project(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    # With a data root elsewhere, `purge` would ask whether other projects use it.
    monkeypatch.delenv("OSSICLE_DATA_ROOT", raising=False)
    monkeypatch.delenv("OSSICLE_REGISTRY", raising=False)
    use_untrained(monkeypatch)
    place = tmp_path / "drums"
    shutil.copytree(finished, place)
    set_figures(place, clip_figures())
    return place
