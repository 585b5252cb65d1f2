"""How much noise heads on clips are fitted to, and the curves that a fitted head leaves."""

from pathlib import Path

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from ossicle.app.project.load import load_project
from ossicle.app.steps.train.heads.head_run import head_noise_share, write_head_run
from ossicle.artefacts.typed.run_folder import RunFolder
from ossicle.models.heads.settings import HeadSettings
from ossicle.training.heads.fit import fit_head
from ossicle.training.heads.windows import HeadWindows
from ossicle.training.tracking.tracked_run import TrackedRun

from .....made_up.untrained import PROJECT


@pytest.mark.parametrize(("of_networks", "of_heads"), [("0.125", 0.5), ("0.0", 0.0), ("0.05", 0.2), ("0.5", 1.0)])
def test_heads_get_four_times_the_noise_of_a_batch_and_no_more_than_clips(
    tmp_path: Path, of_networks: str, of_heads: float
) -> None:
    (tmp_path / "ossicle.toml").write_text(PROJECT)
    project = load_project(tmp_path, (f"augment.noise_share={of_networks}",))
    assert head_noise_share(project) == pytest.approx(of_heads)


def test_a_head_is_tracked_with_its_answers_on_inner_groups(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 60)
    features = (2.0 * labels[:, None, None] - 1.0 + rng.normal(size=(60, 1, 4))).astype(np.float32)
    targets = np.stack([labels, 1 - labels], axis=1).astype(np.float32)
    groups = np.arange(60).astype(str)
    windows = HeadWindows(features, targets, np.ones((60, 2), dtype=bool), np.ones(60, dtype=np.float32), groups)
    head_fit = fit_head(windows, HeadSettings(hidden=4, epochs=3, batch_size=16), 0)
    run = RunFolder(tmp_path / "final")
    write_head_run(run, head_fit, ("on", "off"), TrackedRun(name="p-final"))
    lines = run.epochs()
    assert len(lines) == len(head_fit.curve)
    assert run.done
    for line in lines:
        assert {"train_loss", "val_loss", "learning_rate", "seconds", "samples_per_s", "val_accuracy"} <= line.keys()
        assert set(line["labels"]) == {"on", "off"}
        # Twelve inner groups of one window are held out.
        assert sum(n for _, _, n in line["confusion"]) == len(head_fit.held_out_groups) == 12
    events = EventAccumulator(str(run.tracker("tensorboard")))
    events.Reload()
    assert {"train_loss", "val_accuracy", "f1/on", "recall/off"} <= set(events.Tags()["scalars"])
    assert run.tracking["name"] == "p-final"
