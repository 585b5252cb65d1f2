"""The step ``store`` and its commands: from headers that promised too much to a shard that somebody edited."""

import json
import os
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import soundfile

from ossicle.app.project.load import load_project
from ossicle.app.steps.data import store as step
from ossicle.app.steps.engine.step import Context, Silent, fingerprint
from ossicle.app.steps.pipeline.preflight.detector import preflight
from ossicle.app.steps.pipeline.run_project import run_project
from ossicle.app.steps.train import training
from ossicle.artefacts.logs.journal import Journal
from ossicle.artefacts.logs.runlog import RunLog
from ossicle.artefacts.shelf import Shelf
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.training import TrainingFolder
from ossicle.audio.store import MixedStore, composition
from ossicle.audio.store import choice as choosing
from ossicle.audio.store.entries import read_index
from ossicle.core.errors import AudioError
from ossicle.training.batches.material import load_material

from ....made_up.untrained import PROJECT, RATE, write_tapes

QUIET = ("--until", "store", "--progress", "none")
NONE = ("--progress", "none")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Two tapes of ten seconds, and one of thirty."""
    write_tapes(tmp_path, ("siteA_1", "siteB_1", "siteC_1"))
    samples = np.random.default_rng(9).normal(0, 0.1, 30 * RATE).astype(np.float32)
    soundfile.write(tmp_path / "audio" / "siteC_1.wav", samples, RATE)
    (tmp_path / "ossicle.toml").write_text(PROJECT)
    return tmp_path


def stores(project: Path) -> list[Path]:
    return sorted((project / "data" / "store").glob("[!.]*"))


def test_a_recording_whose_header_was_believed_is_named_with_the_remedy(tmp_path: Path, ossicle: Any) -> None:
    write_tapes(tmp_path, ("siteA_1", "siteB_1"))
    (tmp_path / "ossicle.toml").write_text(PROJECT)
    soundfile.write(tmp_path / "audio" / "siteB_1.wav", np.full(10 * RATE, np.nan, np.float32), RATE, "FLOAT")
    result = ossicle("run", "-p", tmp_path, "--set", "corpus.decode=false", *QUIET)
    assert result.code == 1
    assert result.err.startswith("ossicle: siteB_1.wav: ")
    assert "Set [corpus] decode = true" in result.err
    # The remedy works as far as it goes: the recording is left out, and then one site is too few.
    result = ossicle("run", "-p", tmp_path, *QUIET)
    assert "at least two groups" in result.err


def test_build_makes_the_store_of_a_run_and_says_what_is_in_it(project: Path, ossicle: Any) -> None:
    result = ossicle("store", "build", "-p", project, "--workers", 2, *NONE)
    assert result.code == 0
    assert "recordings: 3 from the store, 0 raw (100 % of 0.01 h from the store)" in result.out
    assert result.err == ""
    outcomes = json.loads(ossicle("run", "-p", project, *QUIET, "--json").out)["outcomes"]
    assert outcomes["store"] == "reused"
    (only,) = stores(project)
    manifest = json.loads((only / "artefact.json").read_text())
    assert manifest["settings"]["decoders"].keys() == {"libsndfile", "libsoxr", "libavcodec", "libavformat"}
    # Neither workers nor the room on the disk nor memory make another store of it.
    result = ossicle(
        "store", "build", "-p", project, "--leave-gb", 0.001, "--set", "store.cache_mb=1.0", *NONE, "--json"
    )
    told = json.loads(result.out)
    assert (told["outcome"], told["artefact"], told["redone"]) == ("reused", str(only), [])
    assert told["composition"]["stored"] == 3
    assert ossicle("store", "verify", "-p", project, *NONE).out.startswith(f"{only}: sound; recordings: 3")


def test_only_the_biggest_and_what_the_training_then_reads(project: Path, ossicle: Any) -> None:
    result = ossicle("store", "build", "-p", project, "--only-biggest", 1, *NONE)
    assert result.code == 0
    assert "recordings: 1 from the store, 2 raw (60 % of" in result.out
    assert "warning: under half of the recordings (33 %)" in result.err
    assert "add them to [store]" in result.err
    (project / "ossicle.toml").write_text(f"{PROJECT}\n[store]\nonly_biggest = 1\n")
    result = ossicle("store", "build", "-p", project, "--json", *NONE)
    assert json.loads(result.out)["outcome"] == "reused"
    assert "note:" not in result.err
    (only,) = stores(project)
    with MixedStore(only, project / "audio") as store:
        assert len(store.ids) == 3
        assert {store.n_samples(one) for one in store.ids} == {10 * RATE, 30 * RATE}
    result = ossicle("store", "verify", "-p", project, *NONE)
    assert result.code == 0
    # A raw recording that was edited in place, its size and time as they were.
    (data,) = [path for path in (project / "audio").iterdir() if path.stem == "siteA_1"]
    state, content = data.stat(), bytearray(data.read_bytes())
    content[1000] ^= 1
    data.write_bytes(content)
    os.utime(data, ns=(state.st_atime_ns, state.st_mtime_ns))
    result = ossicle("store", "verify", "-p", project, *NONE, "--json")
    assert result.code == 1
    (problem,) = json.loads(result.out)["problems"]
    assert "siteA_1.wav: differs from the indexed file" in problem


def test_an_edited_shard_is_named_and_only_it_is_redone(project: Path, ossicle: Any) -> None:
    assert ossicle("store", "verify", "-p", project, *NONE).code == 2
    ossicle("store", "build", "-p", project, *NONE)
    (only,) = stores(project)
    shard, *others = sorted((only / "shards").rglob("*.h5"))
    before, when = shard.read_bytes(), [path.stat().st_mtime_ns for path in others]
    with h5py.File(shard, "r+") as file:
        name = next(iter(file["samples"]))
        file["samples"][name][7] += 1
    result = ossicle("store", "verify", "-p", project, *NONE)
    assert result.code == 1
    assert f"{shard}: recording {name}: its samples are damaged" in result.out
    assert "ossicle store build" in result.out
    result = ossicle("store", "build", "-p", project, *NONE)
    assert result.code == 0
    assert "damaged, now rebuilt" in result.err
    assert shard.read_bytes() == before
    assert [path.stat().st_mtime_ns for path in others] == when
    assert ossicle("store", "verify", "-p", project, *NONE).code == 0
    shard.unlink()
    assert "cannot be opened" in ossicle("store", "verify", "-p", project, *NONE).out
    ossicle("store", "build", "-p", project, *NONE)
    assert shard.read_bytes() == before


def test_a_recording_that_comes_back_is_decoded_by_the_next_run(project: Path, tmp_path: Path) -> None:
    made = run_project(load_project(project), Silent(), "dataset").artefacts
    file, away, out = project / "audio" / "siteB_1.wav", project / "away.wav", tmp_path / "out"
    out.mkdir()
    file.rename(away)
    with pytest.raises(AudioError, match=r"siteB_1\.wav: No such file"):
        step._build(load_project(project), made["corpus"], out, lambda name: None)
    away.rename(file)
    step._build(load_project(project), made["corpus"], out, lambda name: None)
    assert [entry.status for entry in read_index(out)[1]] == ["ok"] * 3


def test_room_on_the_disk_follows_into_what_the_training_is_made_from(
    project: Path, ossicle: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``leave_gb`` is no part of the store's fingerprint; what it led to is part of the training's."""
    (project / "ossicle.toml").write_text(f"{PROJECT}\n[store]\nleave_gb = 0.001\n")
    monkeypatch.setattr(choosing, "free_bytes", lambda folder: 1_600_000)
    result = ossicle("store", "build", "-p", project, *NONE)
    assert "recordings: 1 from the store, 2 raw" in result.out
    assert "2 recordings are not in the store, because the disk is too full" in result.err
    loaded, shelf = load_project(project), Shelf(project / "data")
    (only,) = stores(project)
    before = shelf.content(only)
    monkeypatch.setattr(choosing, "free_bytes", lambda folder: 1_000_000_000)
    assert json.loads(ossicle("store", "build", "-p", project, "--json", *NONE).out)["composition"]["raw"] == 2
    result = ossicle("store", "build", "-p", project, "--force", *NONE)
    assert "recordings: 3 from the store, 0 raw" in result.out
    assert stores(project) == [only]
    after = shelf.content(only)
    assert before != after
    dataset = project / "data" / "made-up"
    shelf_contents = {"dataset": "0" * 64}
    digests = []
    for content in (before, after):
        monkeypatch.setattr(
            Shelf, "content", lambda self, path, content=content: shelf_contents.get(path.name, content)
        )
        made_from = fingerprint(training.STEP, loaded, shelf, {"dataset": dataset / "dataset", "store": only})
        digests.append(made_from.digest)
    assert digests[0] != digests[1]


def test_a_training_says_the_composition_and_keeps_it(project: Path, tmp_path: Path, ossicle: Any) -> None:
    ossicle("run", "-p", project, *QUIET, "--set", "store.raw=true")
    (only,) = stores(project)
    lines: list[str] = []

    class Heard(Silent):
        def say(self, line: str) -> None:
            lines.append(line)

    out = tmp_path / "out"
    out.mkdir()
    log, journal = RunLog(out / "run.jsonl"), Journal(out / "journal.jsonl")
    context = Context(load_project(project), {"store": only}, out, Heard(), log, journal, {})
    training.say_composition(context)
    assert lines[0] == "recordings: 0 from the store, 3 raw (0 % of 0.01 h from the store)"
    assert lines[1].startswith("warning: under half")
    kept = json.loads((out / TrainingFolder.COMPOSITION).read_text())
    assert (kept["stored"], kept["raw"], kept["decoder"], kept["line"]) == (0, 3, "auto", lines[0])
    assert TrainingFolder.COMPOSITION in training.STEP.logs
    assert composition(only).warning == kept["warning"]


def test_a_decoder_that_cannot_is_named_with_the_remedy(project: Path, ossicle: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("ossicle.audio.store.shard.MonoStream", _refusing)
    result = ossicle("store", "build", "-p", project, "--decoder", "soundfile", *NONE)
    assert result.code == 1
    assert '[store] decoder = "soundfile" cannot read every file that "auto" can read' in result.err
    result = ossicle("store", "build", "-p", project, "--decoder", "lame", *NONE)
    assert result.code == 2
    assert "'auto', 'soundfile' or 'av', not 'lame'" in result.err


def _refusing(path: Path, *_: object, **__: object) -> None:
    from ossicle.core.errors import AudioError

    raise AudioError(f"{path}: libsndfile cannot read it")


def test_the_settings_of_the_store_are_checked(project: Path, ossicle: Any) -> None:
    for word, told in (
        ("store.leave_gb=-1.0", "at least 0 GB"),
        ("store.raw_reading=slow", "seek, whole"),
        ("store.only_biggest=-2", "at least 0 recordings"),
    ):
        result = ossicle("store", "build", "-p", project, "--set", word, *NONE)
        assert result.code == 2
        assert told in result.err
    result = ossicle("store", "build", "-p", project, "--only-biggest", 3, "--set", "store.raw=true", *NONE)
    assert result.code == 2
    assert "raw = true builds no store" in result.err


def test_the_step_settings_leave_out_what_shapes_no_sample(project: Path) -> None:
    plain = step.STEP.settings(load_project(project))
    overrides = ("store.leave_gb=5.0", "store.cache_mb=9.0", "project.workers=7")
    assert step.STEP.settings(load_project(project, overrides)) == plain
    assert step.STEP.settings(load_project(project, ("store.raw_reading=whole",))) != plain


def test_check_knows_what_leave_gb_is_for(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = type("Usage", (), {"free": 200_000})
    monkeypatch.setattr("ossicle.app.steps.pipeline.preflight.disk.shutil.disk_usage", lambda place: full)
    for overrides, ok, words in (
        ((), False, "leave_gb"),
        (("store.leave_gb=2.0",), True, "less than 2 GB are not stored"),
        (("store.raw=true",), True, "store 0 bytes"),
    ):
        (result,) = [finding for finding in preflight(load_project(project, overrides)) if finding.what == "disk"]
        assert result.ok is ok
        assert words in result.message


def test_a_training_hears_the_same_from_store_and_files(project: Path) -> None:
    """And a recording that is not in the store is a clip like any other."""
    heard = []
    for overrides in ((), ("store.only_biggest=1",), ("store.raw=true", "store.raw_reading=whole")):
        loaded = load_project(project, overrides)
        made = run_project(loaded, Silent(), "store").artefacts
        labels = DatasetFolder.among(made).labels
        plan, audio = loaded.settings.plan, loaded.audio_folder
        material = load_material(DatasetFolder.among(made), made["store"], labels, plan, audio=audio, cache_mb=1.0)
        ids = sorted({clip.recording_id for clip in material.clips})
        assert len(ids) == 3
        starts = (-4000, 0, 12345, 9 * RATE)
        heard.append(np.stack([material.samples(one, start) for one in ids for start in starts]))
    for other in heard[1:]:
        np.testing.assert_allclose(other, heard[0], atol=1e-4)
    assert np.abs(heard[0]).max() > 0.01
