"""A project with two bundles and a benchmark corpus, copied for each test."""

from pathlib import Path

import pytest

from ossicle.app.steps.benchmark import results
from ossicle.app.steps.benchmark.models import Opened
from ossicle.bundle.format import read_bundle
from ossicle.corpus.formats.cells.rows import RawSelection
from ossicle.corpus.formats.raven import write_raven
from ossicle.inference.predictor import FakePredictor

from .tapes import LENGTH_S, PROJECT, STARTS, TAPES, save, write_tape


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Path:
    place = tmp_path_factory.mktemp("benchmark")
    for seed, (path, calls) in enumerate(TAPES.items()):
        write_tape(place / "bench" / path, calls, seed)
        rows = [
            RawSelection(start, start + LENGTH_S, "call", quality=1 + number)
            for number, start in enumerate(STARTS[:calls])
        ]
        write_raven((place / "bench-tables" / path).with_suffix(".Table.1.selections.txt"), rows)
    write_tape(place / "train" / "other" / "tape.wav", 2, 99)
    write_raven(place / "train-tables" / "other" / "tape.Table.1.selections.txt", [RawSelection(1.0, 1.3, "call")])
    (place / "ossicle.toml").write_text(PROJECT)
    old = read_bundle(repository / "tests" / "data" / "bundles" / "0.1.0" / "bundle")
    save(old, place / "bundle", "hums")
    return place


@pytest.fixture
def folder(template: Path, tmp_path: Path) -> Path:
    """A project of its own over the module's recordings and bundle."""
    for item in template.iterdir():
        if item.is_dir():
            (tmp_path / item.name).symlink_to(item, target_is_directory=True)
    (tmp_path / "ossicle.toml").write_text(PROJECT)
    return tmp_path


@pytest.fixture
def no_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel takes seconds to start; one test starts one."""
    monkeypatch.setattr(results, "missing", lambda: ("nbclient",))
    monkeypatch.setattr("ossicle.report.notebook.missing", lambda: ("nbclient",))


@pytest.fixture
def hears(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Models that hear tones: scores rise with the power of the lower half of the band. Lists what was opened."""
    opened: list[str] = []

    def predictor(self: Opened, settings: object) -> FakePredictor:
        opened.append(self.reading.name)
        return FakePredictor(self.bundle.labels, self.plan)

    monkeypatch.setattr(Opened, "predictor", predictor)
    return opened
