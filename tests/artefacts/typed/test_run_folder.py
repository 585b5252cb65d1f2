import json
from pathlib import Path

import pytest

from ossicle.artefacts.typed.run_folder import RunFolder


def folder_with(tmp_path: Path, lines: list[dict[str, float]]) -> RunFolder:
    folder = RunFolder(tmp_path)
    for line in lines:
        folder.log_epoch(line)
    return folder


def test_lines_come_back_in_order(tmp_path: Path) -> None:
    lines = [{"epoch": e, "train_loss": 1.0 / (e + 1)} for e in range(3)]
    assert folder_with(tmp_path, lines).epochs() == lines
    assert RunFolder(tmp_path / "none").epochs() == []


def test_dropping_lines_keeps_the_others_as_they_are(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, [{"epoch": e, "train_loss": 0.1} for e in range(4)])
    before = folder.metrics.read_text().splitlines()
    folder.keep_epochs(before=2)
    assert folder.metrics.read_text().splitlines() == before[:2]
    assert [p.name for p in tmp_path.iterdir()] == ["metrics.jsonl"]
    RunFolder(tmp_path / "none").keep_epochs(before=2)


@pytest.mark.parametrize(
    ("lines", "best"),
    [
        ([{"epoch": 0, "train_loss": 1.0}, {"epoch": 1, "train_loss": 0.5}], 1),
        (
            [
                {"epoch": 0, "train_loss": 1.0, "val_loss": 0.2},
                {"epoch": 1, "train_loss": 0.5},
                {"epoch": 2, "train_loss": 0.4, "val_loss": 0.3},
            ],
            0,
        ),
    ],
)
def test_the_best_epoch_is_that_of_the_lowest_held_out_loss(
    tmp_path: Path, lines: list[dict[str, float]], best: int
) -> None:
    folder = folder_with(tmp_path, lines)
    folder.write_best()
    written = json.loads(folder.best.read_text())
    assert written["best"] == lines[best]
    assert written["last"] == lines[-1]


def test_done_is_having_weights(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.checkpoint.write_bytes(b"state")
    assert not folder.done
    folder.weights.write_bytes(b"weights")
    assert folder.done
    folder.forget_state()
    folder.forget_state()
    assert not folder.checkpoint.exists()
