"""``ossicle purge``: what nothing uses goes, and nothing else."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from ossicle.app.project.load import load_project
from ossicle.app.steps.engine.step import find_steps, fingerprint
from ossicle.app.steps.pipeline import detector
from ossicle.artefacts.fingerprint import Fingerprint
from ossicle.artefacts.shelf import Shelf

from ....made_up.untrained import PROJECT, write_tapes

QUIET = ("--progress", "none")
VARIANTS = "[variants.wide.chunks]\ncore_s = 3.0\n"


@pytest.fixture
def tapes(tmp_path: Path, without_training: None, ossicle: Any) -> Path:
    """A project and its variant, run up to the decision; and once more under settings that nobody has now."""
    place = tmp_path / "project"
    write_tapes(place, ("siteA_1", "siteB_1"))
    (place / "ossicle.toml").write_text(PROJECT + VARIANTS)
    for more in ((), ("--variant", "wide"), ("--set", "dataset.noise_per_target=3.0")):
        assert ossicle("run", "-p", place, "--until", "decision", *more, *QUIET).code == 0
    return place


def unused_artefact(data_root: Path, name: str) -> Path:
    """Make an artefact of settings that no project has."""
    shelf, made_from = Shelf(data_root), Fingerprint("scores", 1, {"name": name}, {}, {})
    (shelf.begin(made_from) / "track").write_text("precious")
    return shelf.commit(made_from)


def artefacts(place: Path) -> set[str]:
    return {f"{path.parent.parent.name}/{path.parent.name}" for path in (place / "data").glob("*/*/artefact.json")}


def test_only_what_neither_project_nor_variant_uses_is_removed(tapes: Path, ossicle: Any) -> None:
    before = artefacts(tapes)
    result = ossicle("purge", "-p", tapes, "--dry-run", "--json")
    assert result.code == 0, result.err
    told = json.loads(result.out)
    assert sorted(one["step"] for one in told) == ["dataset", "decision", "scores", "training"]
    assert all(one["bytes"] > 0 and one["finished"] for one in told)
    assert artefacts(tapes) == before

    result = ossicle("purge", "-p", tapes, "--yes")
    assert result.code == 0, result.err
    gone = {f"{Path(one['path']).parent.name}/{Path(one['path']).name}" for one in told}
    assert artefacts(tapes) == before - gone
    for more in ((), ("--variant", "wide")):
        done = json.loads(ossicle("run", "-p", tapes, "--until", "decision", *more, *QUIET, "--json").out)
        assert set(done["outcomes"].values()) == {"reused"}
    assert json.loads(ossicle("purge", "-p", tapes, "--dry-run", "--json").out) == []


def test_what_a_bundle_was_made_from_stays(tapes: Path, ossicle: Any) -> None:
    dataset = next(
        path
        for path in json.loads(ossicle("purge", "-p", tapes, "--dry-run", "--json").out)
        if path["step"] == "dataset"
    )
    content = json.loads((Path(dataset["path"]) / "artefact.json").read_text())["content"]
    (tapes / "bundle").mkdir()
    (tapes / "bundle" / "bundle.json").write_text(json.dumps({"provenance": {"dataset": content}}))
    left = json.loads(ossicle("purge", "-p", tapes, "--dry-run", "--json").out)
    assert "dataset" not in {one["step"] for one in left}


def test_an_unfinished_step_is_kept_while_it_is_the_next(tapes: Path, ossicle: Any) -> None:
    project = load_project(tapes)
    steps = find_steps(detector.PIPELINE.steps, project)
    done = {name: path for name, path in steps.items() if path is not None}
    following = next(step for step in detector.PIPELINE.steps if step.name not in done)
    shelf = Shelf(project.data_root)
    following_work = shelf.begin(fingerprint(following, project, shelf, done))
    abandoned = tapes / "data" / "decision" / ".work-0123456789abcdef"
    abandoned.mkdir()
    result = json.loads(ossicle("purge", "-p", tapes, "--dry-run", "--json").out)
    assert [one["path"] for one in result if not one["finished"]] == [str(abandoned)]
    assert ossicle("purge", "-p", tapes, "--yes").code == 0
    assert following_work.is_dir()
    assert not abandoned.exists()


def test_nobody_to_ask_is_wrong_usage(tapes: Path, ossicle: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    before = artefacts(tapes)
    result = ossicle("purge", "-p", tapes)
    assert result.code == 2
    assert "add --yes" in result.err
    assert artefacts(tapes) == before


def test_a_data_root_that_others_may_share_is_refused(tapes: Path, ossicle: Any, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    (tapes / "data").rename(shared)
    options = ("-p", tapes, "--data-root", shared, "--dry-run", "--json")
    result = ossicle("purge", *options)
    assert result.code == 2
    assert "other projects may use it" in result.err
    assert len(json.loads(ossicle("purge", *options, "--alone").out)) == 4
    # Another project with the settings that this one no longer has keeps its artefacts.
    other = tmp_path / "other"
    other.mkdir()
    (other / "ossicle.toml").write_text(
        PROJECT.replace('audio = "audio"', 'audio = "../project/audio"').replace('"tables"', '"../project/tables"')
        + "[dataset]\nnoise_per_target = 3.0\n"
    )
    assert json.loads(ossicle("purge", *options, "--also", other).out) == []


def listed(said: Any) -> set[str]:
    assert said.code == 0, said.err
    return {f"{Path(entry['path']).parent.name}/{Path(entry['path']).name}" for entry in json.loads(said.out)}


@pytest.fixture
def finished(tmp_path: Path, without_training: None, ossicle: Any) -> Path:
    """A project that was run to its end."""
    place = tmp_path / "project"
    write_tapes(place, ("siteA_1", "siteB_1"))
    off = '[noise_gate]\noff = ["silence", "white_noise", "hum", "speech_like", "recordings"]\n'
    (place / "ossicle.toml").write_text(PROJECT + off)
    result = ossicle("run", "-p", place, *QUIET)
    assert result.code == 0, result.err
    return place


@pytest.mark.parametrize("left", [(), ("siteA_1.wav",)])
def test_recordings_that_are_not_mounted_make_nothing_unused(
    finished: Path, ossicle: Any, left: tuple[str, ...]
) -> None:
    before = artefacts(finished)
    (finished / "audio").rename(finished / "away")
    for yes in ("--dry-run", "--yes"):
        assert ossicle("purge", "-p", finished, yes).code == 2
    (finished / "audio").mkdir()
    for name in left:
        shutil.copy2(finished / "away" / name, finished / "audio" / name)
    for yes in ("--dry-run", "--yes"):
        result = ossicle("purge", "-p", finished, yes)
        assert result.code == 2
        assert f"{2 - len(left)} of 2 recordings of the last run are not in" in result.err
    assert artefacts(finished) == before
    # What is gone for good may be said to be.
    assert listed(ossicle("purge", "-p", finished, "--dry-run", "--json", "--gone")) <= before


def test_annotations_that_are_not_mounted_make_nothing_unused(finished: Path, ossicle: Any) -> None:
    (finished / "tables").rename(finished / "away")
    (finished / "tables").mkdir()
    result = ossicle("purge", "-p", finished, "--yes")
    assert result.code == 2
    assert "6 annotations of the last run are not in" in result.err
    (finished / "tables").rmdir()
    (finished / "away").rename(finished / "tables")
    assert listed(ossicle("purge", "-p", finished, "--dry-run", "--json")) == set()


def test_all_that_the_published_bundle_came_from_stays_whatever_the_next_run_will_use(
    finished: Path, ossicle: Any
) -> None:
    """As after `dataset mine`: the next run has another dataset, and the bundle in the project is from the last one."""
    everything = artefacts(finished)
    (finished / "hard_negatives").mkdir()
    with (finished / "ossicle.toml").open("a") as file:
        file.write("[dataset]\nnoise_per_target = 2.0\n")
    assert listed(ossicle("purge", "-p", finished, "--dry-run", "--json")) == set()
    assert ossicle("purge", "-p", finished, "--yes").code == 0
    assert artefacts(finished) == everything
    # The training behind it is kept by what the bundle says, even where figures and page are gone.
    for name in ("metrics.json", "report.html"):
        (finished / name).unlink()
    assert not any(
        one.startswith(("training/", "dataset/", "corpus/", "store/"))
        for one in listed(ossicle("purge", "-p", finished, "--dry-run", "--json"))
    )


def test_a_pin_keeps_what_nothing_else_does_until_it_is_removed(tapes: Path, ossicle: Any) -> None:
    unused = listed(ossicle("purge", "-p", tapes, "--dry-run", "--json"))
    assert unused
    old = ("--set", "dataset.noise_per_target=3.0")
    result = ossicle("pin", "paper", "-p", tapes, *old)
    assert result.code == 0, result.err
    assert "training" in result.out
    assert listed(ossicle("purge", "-p", tapes, "--dry-run", "--json")) == set()
    assert [entry["name"] for entry in json.loads(ossicle("pin", "-p", tapes, "--json").out)] == ["paper"]
    result = ossicle("pin", "paper", "-p", tapes)
    assert result.code == 2
    assert "--force to replace it" in result.err
    assert ossicle("pin", "paper", "-p", tapes, "--remove").code == 0
    assert listed(ossicle("purge", "-p", tapes, "--dry-run", "--json")) == unused
    result = ossicle("pin", "paper", "-p", tapes, "--remove")
    assert result.code == 2
    assert "there is no pin 'paper'" in result.err


def test_a_pin_of_an_archived_bundle_keeps_its_training(tapes: Path, ossicle: Any, tmp_path: Path) -> None:
    unused = json.loads(ossicle("purge", "-p", tapes, "--dry-run", "--json").out)
    training = next(Path(one["path"]) for one in unused if one["step"] == "training")
    content = json.loads((training / "artefact.json").read_text())["content"]
    archive = tmp_path / "archive" / "2026"
    archive.mkdir(parents=True)
    (archive / "bundle.json").write_text(json.dumps({"provenance": {"training": content}}))
    assert ossicle("pin", "archived", "-p", tapes, "--bundle", archive).code == 0
    left = listed(ossicle("purge", "-p", tapes, "--dry-run", "--json"))
    assert not any(one.startswith(("training/", "dataset/")) for one in left)
    (archive / "bundle.json").write_text("{}")
    result = ossicle("pin", "other", "-p", tapes, "--bundle", archive)
    assert result.code == 2
    assert "names no artefact of" in result.err


def test_a_pin_of_unfinished_steps_says_which_results_it_lacks(finished: Path, ossicle: Any) -> None:
    assert ossicle("pin", "all", "-p", finished).err == ""
    result = ossicle("pin", "early", "-p", finished, "--set", "dataset.noise_per_target=3.0")
    assert result.code == 0
    assert result.err.startswith("early: ")
    assert "so it keeps no metrics.json, bundle, report.html; run them and pin again with --force" in result.err


@pytest.mark.parametrize("name", ["../up", "a b", "x/y", "a\nb"])
def test_names_of_pins_are_plain(tapes: Path, ossicle: Any, name: str) -> None:
    result = ossicle("pin", name, "-p", tapes)
    assert result.code == 2
    assert "is not a plain name" in result.err


@pytest.mark.parametrize("link", ["data/scores", "data/scores/{artefact}", "data/.ossicle.lock"])
def test_nothing_of_another_project_is_removed_through_links(link: str, tmp_path: Path, ossicle: Any) -> None:
    """A stranger's project links artefacts of the user's own, for which its settings have no use."""
    mine, project = tmp_path / "mine" / "data", tmp_path / "project"
    artefact = unused_artefact(mine, "mine")
    (mine / ".ossicle.lock").write_text("precious")
    write_tapes(project, ("siteA_1", "siteB_1"))
    (project / "ossicle.toml").write_text(PROJECT)
    unused_artefact(project / "data", "its own")
    place = project / link.format(artefact=artefact.name)
    if link == "data/scores":
        shutil.rmtree(place)
    os.symlink(mine / place.relative_to(project / "data"), place)
    before = {path: path.read_bytes() for path in mine.rglob("*") if path.is_file()}
    assert len(before) == 3
    result = ossicle("purge", "-p", project, "--yes")
    assert {path: path.read_bytes() for path in mine.rglob("*") if path.is_file()} == before
    assert result.code == 2, result
    assert "is a symbolic link" in result.err


def test_a_damaged_pin_stops_the_purge(tapes: Path, ossicle: Any) -> None:
    assert ossicle("pin", "paper", "-p", tapes).code == 0
    (tapes / "data" / "pins" / "paper.json").write_text("[]")
    before = artefacts(tapes)
    result = ossicle("purge", "-p", tapes, "--yes")
    assert result.code == 1
    assert "paper.json: is no pin" in result.err
    assert artefacts(tapes) == before
