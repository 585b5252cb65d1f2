import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from ossicle.artefacts.typed.run_folder import RunFolder
from ossicle.training.tracking import trackers as trackers_module
from ossicle.training.tracking.settings import TENSORBOARD, WANDB
from ossicle.training.tracking.tracked_run import TrackedRun
from ossicle.training.tracking.tracker import ConfusionTable, Tracker, confusion_table, scalars
from ossicle.training.tracking.trackers import Trackers, track_again

from ...doubles.wandb_files import offline_run

RUN = TrackedRun(
    to=(TENSORBOARD, WANDB),
    project="machines",
    group="machines-long",
    name="machines-long-fold0",
    tags=("drums", "probe"),
    settings={"training": {"epochs": 3}, "labels": ["kick", "snare"]},
)
CONFUSION = [["kick", "kick", 3], ["kick", "snare", 1], ["snare", "snare", 2]]


def line(epoch: int) -> dict[str, Any]:
    return {
        "epoch": epoch,
        "train_loss": 1.0 / (epoch + 1),
        "learning_rate": 0.01,
        "val_loss": 0.5,
        "val_accuracy": 5 / 6,
        "labels": {"kick": {"f1": 6 / 7, "recall": 0.75}, "snare": {"f1": 0.8, "recall": None}},
        "confusion": CONFUSION,
    }


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    run_folder = RunFolder(tmp_path / "fold0")
    run_folder.path.mkdir()
    return run_folder


def follow(folder: RunFolder, epochs: range, run: TrackedRun = RUN) -> None:
    trackers = Trackers(run, folder)
    with trackers.following():
        for epoch in epochs:
            folder.log_epoch(line(epoch))
            trackers.epoch(line(epoch))


def points(folder: RunFolder, name: str) -> list[tuple[int, float]]:
    events = EventAccumulator(str(folder.tracker(TENSORBOARD)))
    events.Reload()
    return [(scalar.step, round(scalar.value, 4)) for scalar in events.Scalars(name)]


def test_both_programs_get_every_epoch_with_names_group_tags_and_confusion(folder: RunFolder) -> None:
    follow(folder, range(3))
    assert points(folder, "train_loss") == [(0, 1.0), (1, 0.5), (2, 0.3333)]
    assert points(folder, "f1/kick") == [(epoch, 0.8571) for epoch in range(3)]
    run = offline_run(folder.tracker(WANDB))
    assert (run.project, run.name, run.group) == ("machines", "machines-long-fold0", "machines-long")
    assert run.tags == ("drums", "probe")
    assert run.config["training"] == {"epochs": 3}
    assert [row["train_loss"] for row in run.history] == [1.0, 0.5, pytest.approx(1 / 3)]
    assert [row["epoch"] for row in run.history] == [0, 1, 2]
    assert all(row["f1/kick"] == pytest.approx(6 / 7) and row["recall/kick"] == 0.75 for row in run.history)
    assert all("recall/snare" not in row for row in run.history)
    assert all(row["confusion"] == CONFUSION for row in run.history)
    assert run.exit_code == 0
    (table, *_) = folder.tracker(WANDB).rglob("*.html")
    assert "<tr><td>kick</td><td>3</td><td>1</td></tr>" in table.read_text()
    # Moved to another machine, the folder holds all that belongs to the run.
    assert str(folder.path).encode() not in next(folder.tracker(WANDB).rglob("run-*.wandb")).read_bytes()
    assert folder.tracking["name"] == "machines-long-fold0"
    assert "problems" not in folder.tracking


def test_a_resumed_training_is_shown_once_with_its_earlier_epochs(folder: RunFolder) -> None:
    follow(folder, range(2))
    before = folder.tracking["id"]
    # The state of epoch 1 was not saved: it is repeated.
    folder.keep_epochs(before=1)
    follow(folder, range(1, 3))
    assert folder.tracking["id"] == before
    assert [epoch for epoch, _ in points(folder, "train_loss")] == [0, 1, 2]
    assert [row["epoch"] for row in offline_run(folder.tracker(WANDB)).history] == [0, 1, 2]


def test_trackers_are_written_again_from_the_log_alone(folder: RunFolder) -> None:
    for epoch in range(2):
        folder.log_epoch(line(epoch))
    track_again(RUN, folder)
    assert [row["epoch"] for row in offline_run(folder.tracker(WANDB)).history] == [0, 1]


def test_a_tracker_that_fails_stops_no_training_and_is_told(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    class Failing:
        def start(self, run: TrackedRun, folder: Path, run_id: str) -> None:
            """Start well."""

        def log(self, epoch: int, figures: Mapping[str, float]) -> None:
            raise OSError("the disk is full\nand more")

        def log_confusion(self, epoch: int, table: ConfusionTable) -> None:
            raise AssertionError("a tracker that failed is told nothing more")

        def finish(self) -> None:
            raise AssertionError("a tracker that failed is told nothing more")

    failing: Tracker = Failing()
    monkeypatch.setattr(trackers_module, "TABLE", {**trackers_module.TABLE, WANDB: lambda: failing})
    follow(folder, range(2))
    assert folder.tracking["problems"] == {WANDB: "OSError: the disk is full"}
    assert len(points(folder, "train_loss")) == 2


def test_no_tracker_leaves_no_file(folder: RunFolder) -> None:
    follow(folder, range(1), TrackedRun(to=()))
    assert [path.name for path in folder.path.iterdir()] == ["metrics.jsonl"]


def test_a_line_gives_numbers_and_a_table() -> None:
    assert scalars(line(0)) == {
        "train_loss": 1.0,
        "learning_rate": 0.01,
        "val_loss": 0.5,
        "val_accuracy": 5 / 6,
        "f1/kick": 6 / 7,
        "recall/kick": 0.75,
        "f1/snare": 0.8,
    }
    assert confusion_table(line(0)) == ConfusionTable(("actual", "predicted", "n"), tuple(map(tuple, CONFUSION)))
    several = {"counts": {"kick": {"tp": 1, "fp": 2, "fn": 3, "tn": 4}}}
    table = confusion_table(several)
    assert table == ConfusionTable(("label", "tp", "fp", "fn", "tn"), (("kick", 1, 2, 3, 4),))
    assert not table.single_label
    assert confusion_table({"epoch": 1, "train_loss": 0.5}) is None
    json.dumps(several)
