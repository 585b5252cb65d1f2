"""The estimate of ``check`` beside what a run really writes, and its refusal where the disk is too small."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from ossicle.app.project.load import load_project
from ossicle.app.steps.engine.step import Silent
from ossicle.app.steps.pipeline.preflight.disk import detector_needs, disk_finding
from ossicle.app.steps.pipeline.preview.detector import present_index
from ossicle.app.steps.pipeline.run_project import run_project

from ....made_up.untrained import PROJECT, write_tapes


def written(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def tapes(tmp_path: Path, without_training: None) -> Path:
    write_tapes(tmp_path, ("siteA_1", "siteB_1", "siteC_1", "siteC_2"), ("siteD_1",))
    (tmp_path / "ossicle.toml").write_text(PROJECT)
    return tmp_path


def test_the_estimate_is_near_what_a_run_writes(tapes: Path) -> None:
    project = load_project(tapes)
    needs = detector_needs(project, present_index(project))
    assert list(needs) == ["tables", "store", "scores"]
    made = run_project(project, Silent(), "scores").artefacts
    # Four annotated tapes of ten seconds at 8 kHz, two bytes a sample.
    assert needs["store"] == pytest.approx(4 * 160_000, rel=0.02)
    assert needs["store"] == pytest.approx(written(made["store"]), rel=0.3)
    tracks = sum(path.stat().st_size for path in made["scores"].rglob("*.npy"))
    assert 0.5 * tracks < needs["scores"] <= tracks
    # A finished store needs no more room.
    assert detector_needs(load_project(tapes), present_index(project))["store"] == 0


def test_lengths_count_and_not_sizes_of_files(tapes: Path) -> None:
    project = load_project(tapes)
    index = present_index(project)
    for file in (tapes / "audio").iterdir():
        file.write_bytes(b"")
    assert detector_needs(project, index)["store"] > 600_000
    assert detector_needs(load_project(tapes, ("store.raw=true",)), index)["store"] == 0
    one = detector_needs(load_project(tapes, ("store.only_biggest=1",)), index)["store"]
    assert one == pytest.approx(160_000, rel=0.02)


def test_kept_spectrograms_are_counted(tapes: Path) -> None:
    index = present_index(load_project(tapes))
    off = tuple(f"augment.{key}=0.0" for key in ("gain_db", "tilt_db", "background_probability"))
    cached = load_project(tapes, ("features.cache=true", *off))
    seconds = sum(recording.duration_s for recording in index.recordings if recording.reviewed)
    front = cached.settings.frontend
    expected = seconds * front.rate / front.hop_samples * (2 * front.n_mels + 4)
    assert detector_needs(cached, index)["logmel"] == pytest.approx(expected, rel=0.01)
    assert "logmel" not in detector_needs(load_project(tapes), index)


def test_a_split_that_judges_nothing_or_a_part_needs_fewer_scores(tapes: Path) -> None:
    index = present_index(load_project(tapes))
    scores = {
        strategy: detector_needs(load_project(tapes, (f"split.strategy={strategy}",)), index)["scores"]
        for strategy in ("grouped", "hashed", "random")
    }
    assert scores["random"] == 0
    assert scores["hashed"] == pytest.approx(0.3 * scores["grouped"], rel=0.01)


def test_a_disk_that_is_too_small_ends_check_with_figures(
    tapes: Path, ossicle: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ossicle("check", "-p", tapes).code == 0
    small = type("Usage", (), {"free": 100_000})
    monkeypatch.setattr(shutil, "disk_usage", lambda place: small)
    result = ossicle("check", "-p", tapes, "--json")
    assert result.code == 2
    (found,) = [entry for entry in json.loads(result.out) if entry["what"] == "disk"]
    assert "about 663.7 kB needed (tables" in found["message"]
    assert "store 648.2 kB" in found["message"]
    assert f"100.0 kB free at {tapes}" in found["message"]
    assert "free some space, choose another --data-root" in found["message"]


def test_without_recordings_the_free_space_is_said_alone(tapes: Path, ossicle: Any) -> None:
    finding = disk_finding(load_project(tapes))
    assert finding.ok
    assert finding.message.endswith(f"GB free at {tapes}")
    shutil.rmtree(tapes / "audio")
    (tapes / "audio").mkdir()
    result = ossicle("check", "-p", tapes, "--json")
    assert result.code == 2
    rows = {entry["what"]: entry for entry in json.loads(result.out)}
    assert not rows["recordings"]["ok"]
    assert "no audio file" in rows["recordings"]["message"]
    assert rows["disk"]["ok"]
