"""Hard negatives through the command line: false alarms of one round are noise clips of the next."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ossicle.app.project.load import load_project
from ossicle.app.steps.engine.step import find_steps
from ossicle.app.steps.pipeline import detector
from ossicle.artefacts.tables import read_table

from ....made_up.untrained import PROJECT, write_tapes

QUIET = ("--progress", "none")
KEEN = "[decision]\non = [{on}]\noff_ratio = [1.0]\nmin_length_s = [0.0]\nmin_gap_s = [0.0]\n"


@pytest.fixture
def tapes(tmp_path: Path, without_training: None) -> Path:
    write_tapes(tmp_path, ("siteA_1", "siteB_1"))
    (tmp_path / "ossicle.toml").write_text(PROJECT + KEEN.format(on=0.5))
    return tmp_path


def clips(place: Path) -> Any:
    path = find_steps(detector.PIPELINE.steps, load_project(place))["dataset"]
    assert path is not None
    return read_table(path / "clips.parquet"), json.loads((path / "split.json").read_text())


def test_false_alarms_are_noise_of_the_next_dataset(tapes: Path, ossicle: Any) -> None:
    result = ossicle("dataset", "mine", "-p", tapes)
    assert result.code == 2
    assert "run `ossicle run --until decision`" in result.err
    # A net that nobody trained hovers around some value: a threshold amid makes short events all over the tapes.
    assert ossicle("run", "-p", tapes, "--until", "scores", *QUIET).code == 0
    path = find_steps(detector.PIPELINE.steps, load_project(tapes))["scores"]
    assert path is not None
    tracks = [np.load(track) for track in sorted((path / "tracks").glob("*.npy"))]
    on = float(np.quantile(np.concatenate(tracks), 0.9))
    variants = "[variants.same.training]\nseed = 1\n[variants.apart.dataset]\nmined = false\n"
    (tapes / "ossicle.toml").write_text(PROJECT + KEEN.format(on=f"{on:.6f}") + variants)
    assert ossicle("run", "-p", tapes, "--until", "decision", *QUIET).code == 0
    before, split = clips(tapes)
    assert "mined" not in split
    assert ossicle("run", "-p", tapes, "--variant", "apart", "--until", "dataset", *QUIET).code == 0
    untouched = find_steps(detector.PIPELINE.steps, load_project(tapes, variant="apart"))["dataset"]

    result = ossicle("dataset", "mine", "-p", tapes, "--lower", "1.0", "--most", "5", "--json")
    assert result.code == 0, result.err
    content = json.loads(result.out)
    assert Path(content["file"]) == tapes / "negatives" / "mined-001.json"
    assert len(content["false_alarms"]) == 5
    assert (content["used_by"], content["not_used_by"]) == ([".", "same"], ["apart"])
    for false_alarm in content["false_alarms"]:
        for call_s in (1, 4, 7):
            assert false_alarm["end_s"] <= call_s - 0.1 or false_alarm["start_s"] >= call_s + 0.6

    assert ossicle("run", "-p", tapes, "--until", "dataset", *QUIET).code == 0
    after, split = clips(tapes)
    assert split["mined"] == {"clips": 5, "unused": {}}
    # A variant that leaves them out is what it was, and the same dataset as the project's before.
    assert find_steps(detector.PIPELINE.steps, load_project(tapes, variant="apart"))["dataset"] == untouched
    assert find_steps(detector.PIPELINE.steps, load_project(tapes, variant="same"))["dataset"] is not None
    new = after.join(before, on=["recording_id", "start_s", "end_s", "role"], how="anti")
    assert sorted(new["start_s"].to_list()) == sorted(false_alarm["start_s"] for false_alarm in content["false_alarms"])
    assert set(new["role"]) == {"noise"}
    assert set(new["weight"]) == {2.0}
    # Each is held out with its recording.
    fold_of = dict(before.select("recording_id", "fold").iter_rows())
    assert all(fold_of[row["recording_id"]] == row["fold"] for row in new.iter_rows(named=True))
    # The same again finds the same and keeps nothing, though the dataset it is found in is a new one.
    assert ossicle("run", "-p", tapes, "--until", "decision", *QUIET).code == 0
    assert (
        "an earlier round found the same"
        in ossicle("dataset", "mine", "-p", tapes, "--lower", "1.0", "--most", "5").out
    )


def test_a_damaged_round_stops_the_run_with_its_name(tapes: Path, ossicle: Any) -> None:
    (tapes / "negatives").mkdir()
    (tapes / "negatives" / "mined-001.json").write_text("{")
    result = ossicle("run", "-p", tapes, "--until", "dataset", *QUIET)
    assert result.code == 2
    assert "mined-001.json" in result.err
    assert "is not a round of mining" in result.err
