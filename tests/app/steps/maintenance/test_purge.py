"""``ossicle purge``: what nothing uses goes, and nothing else."""

import json
from pathlib import Path
from typing import Any

import pytest

from ossicle.app.project.load import load_project
from ossicle.app.steps.engine.step import find_steps, fingerprint
from ossicle.app.steps.pipeline import detector
from ossicle.artefacts.shelf import Shelf

from ....untrained import PROJECT, write_tapes

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


def artefacts(place: Path) -> set[str]:
    return {f"{path.parent.parent.name}/{path.parent.name}" for path in (place / "data").glob("*/*/artefact.json")}


def test_only_what_neither_project_nor_variant_uses_is_removed(tapes: Path, ossicle: Any) -> None:
    before = artefacts(tapes)
    said = ossicle("purge", "-p", tapes, "--dry-run", "--json")
    assert said.code == 0, said.err
    told = json.loads(said.out)
    assert sorted(one["step"] for one in told) == ["dataset", "decision", "scores", "training"]
    assert all(one["bytes"] > 0 and one["finished"] for one in told)
    assert artefacts(tapes) == before

    said = ossicle("purge", "-p", tapes, "--yes")
    assert said.code == 0, said.err
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
    one = load_project(tapes)
    found = find_steps(detector.PIPELINE.steps, one)
    done = {name: path for name, path in found.items() if path is not None}
    following = next(step for step in detector.PIPELINE.steps if step.name not in done)
    shelf = Shelf(one.data_root)
    following_work = shelf.begin(fingerprint(following, one, shelf, done))
    abandoned = tapes / "data" / "decision" / ".work-0123456789abcdef"
    abandoned.mkdir()
    told = json.loads(ossicle("purge", "-p", tapes, "--dry-run", "--json").out)
    assert [one["path"] for one in told if not one["finished"]] == [str(abandoned)]
    assert ossicle("purge", "-p", tapes, "--yes").code == 0
    assert following_work.is_dir()
    assert not abandoned.exists()


def test_nobody_to_ask_is_wrong_usage(tapes: Path, ossicle: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    before = artefacts(tapes)
    said = ossicle("purge", "-p", tapes)
    assert said.code == 2
    assert "add --yes" in said.err
    assert artefacts(tapes) == before


def test_a_data_root_that_others_may_share_is_refused(tapes: Path, ossicle: Any, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    (tapes / "data").rename(shared)
    options = ("-p", tapes, "--data-root", shared, "--dry-run", "--json")
    said = ossicle("purge", *options)
    assert said.code == 2
    assert "other projects may use it" in said.err
    assert len(json.loads(ossicle("purge", *options, "--alone").out)) == 4
    # Another project with the settings that this one no longer has keeps its artefacts.
    other = tmp_path / "other"
    other.mkdir()
    (other / "ossicle.toml").write_text(
        PROJECT.replace('audio = "audio"', 'audio = "../project/audio"').replace('"tables"', '"../project/tables"')
        + "[dataset]\nnoise_per_target = 3.0\n"
    )
    assert json.loads(ossicle("purge", *options, "--also", other).out) == []
