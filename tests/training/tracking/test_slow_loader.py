import time
from pathlib import Path
from typing import Any

import pytest

from ossicle.app.steps.train.training_notes import training_notes
from ossicle.artefacts.typed.run_folder import RunFolder
from ossicle.audio.store import MixedStore
from ossicle.training.detector.crossval import fit_job


def test_a_slow_loader_gives_one_line_of_advice(
    corpus: Any, straight: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = corpus.job(tmp_path / "fold0")
    read = MixedStore.read

    def slowly(self: MixedStore, *where: Any) -> Any:
        time.sleep(0.1)
        return read(self, *where)

    with monkeypatch.context() as patched:
        patched.setattr(MixedStore, "read", slowly)
        fit_job(job)
    slow = RunFolder(job.folder)
    assert all(line["data_wait"] > 0.5 for line in slow.epochs())
    (line,) = training_notes({"fold0": slow}, job.training, 8)
    assert "waited for data" in line
    assert "training.workers" in line
    # The slow reading changes no weights.
    assert slow.weights.read_bytes() == RunFolder(straight).weights.read_bytes()
