"""A review round through the command line, with networks that were never trained."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ossicle.app.project.load import load_project
from ossicle.app.steps.engine.step import find_steps
from ossicle.app.steps.pipeline import detector
from ossicle.artefacts.tables import read_table
from ossicle.core.digest import recording_id
from ossicle.corpus.formats.cells.rows import RawSelection
from ossicle.corpus.formats.raven import read_raven, write_raven
from ossicle.corpus.review.tables import LOOK

from ....made_up.untrained import PROJECT, write_tapes

pytestmark = pytest.mark.usefixtures("without_training")
# A threshold of nought makes one endless event of everything; the gate has its own test.
EVERYTHING = """
[decision]
on = [0.0]
[noise_gate]
off = ["silence", "white_noise", "hum", "speech_like", "recordings"]
"""
ANNOTATED = ("siteA_1", "siteB_1")
NEW = ("siteA_2", "siteC_1")
QUIET = ("--progress", "none", "--json")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("review")
    write_tapes(place, ANNOTATED, NEW)
    (place / "ossicle.toml").write_text(PROJECT + EVERYTHING)
    return place


def test_a_round_from_export_to_the_next_run(folder: Path, ossicle: Any) -> None:
    out = folder / "round1"
    early = ossicle("review", "export", "-p", folder, "-o", out, *QUIET)
    assert (early[0], early[2]) == (
        2,
        "ossicle: the step corpus is not done with these settings; run `ossicle run` first\n",
    )
    code, _, err = ossicle("run", "-p", folder, *QUIET)
    assert code == 0, err
    before = find_steps(detector.PIPELINE.steps, load_project(folder))
    # Only what was annotated as a whole is judged, although the group of A's other tape is held out.
    assert before["dataset"] is not None
    judged = {recording_id("tapes", f"{stem}.wav") for stem in ANNOTATED}
    assert set(read_table(before["dataset"] / "folds.parquet")["recording_id"]) == judged

    code, result, err = ossicle("review", "export", "-p", folder, "-o", out, "--select", "best", *QUIET)
    assert code == 0, err
    assert json.loads(result) | {"export": ""} == {
        "export": "",
        "recordings": 2,
        "stretches": 2,
        "rows": 2,
        "seconds": 20.0,
        "left_out": {},
    }
    again = ossicle("review", "export", "-p", folder, "-o", out, *QUIET)
    assert again[0] == 2
    assert "already exists" in again[2]

    untouched = ossicle("review", "import", out, "-p", folder, *QUIET)
    assert untouched[0] == 2
    assert "--accept-unchanged" in untouched[2]
    for stem in NEW:
        table = out / f"{stem}.Table.1.selections.txt"
        look, event = read_raven(table)
        assert (look.label, look.end_s, event.label, event.end_s) == (f"{LOOK} best", 10.0, "call", 10.0)
        write_raven(table, [replace(look, end_s=6.0), RawSelection(2.0, 2.5, "call"), RawSelection(5.0, 5.25, "call")])
    # The same tapes may belong to a project that looks for other sounds.
    other = ossicle("review", "import", out, "-p", folder, "--set", "project.name='frogs'", *QUIET)
    assert other[0] == 2
    assert "was exported by the project 'detector', and" in other[2]
    assert "is the project 'frogs'" in other[2]
    # The first round of a project makes its folder.
    assert not (folder / "reviews").exists()
    code, result, err = ossicle("review", "import", out, "-p", folder, "--by", "a person", *QUIET)
    assert code == 0, err
    # A round that was being written when an import was killed.
    (folder / "reviews" / "round-001.json").unlink()
    half = folder / "reviews" / ".ossicle-part-0a1b.json"
    half.write_text("{")
    code, result, err = ossicle("review", "import", out, "-p", folder, "--by", "a person", *QUIET)
    assert code == 0, err
    assert not half.exists()
    content = json.loads(result)
    assert content["labels"] == {"call": {"confirmed": 0, "corrected": 2, "removed": 0, "added": 2}}
    kept = json.loads((folder / "reviews" / "round-001.json").read_text())
    assert kept["provenance"]["by"] == "a person"
    assert kept["provenance"]["export"] == json.loads((out / "export.json").read_text())["id"]
    assert len(kept["provenance"]["model"]) == 64
    assert ossicle("review", "import", out, "-p", folder).out.endswith("nothing was written\n")

    code, result, err = ossicle("run", "-p", folder, *QUIET)
    assert code == 0, err
    outcomes = json.loads(result)["outcomes"]
    assert {outcomes[step] for step in ("dataset", "store", "training")} == {"computed"}
    after = find_steps(detector.PIPELINE.steps, load_project(folder))
    assert after["dataset"] is not None
    assert before["training"] != after["training"]
    folds = read_table(after["dataset"] / "folds.parquet")
    assert folds.equals(read_table(before["dataset"] / "folds.parquet"))
    clips = read_table(after["dataset"] / "clips.parquet")
    fold_of = {
        stem: set(clips.filter(clips["recording_id"] == recording_id("tapes", f"{stem}.wav"))["fold"])
        for stem in (*ANNOTATED, *NEW)
    }
    assert fold_of == {"siteA_1": {0}, "siteA_2": {0}, "siteB_1": {1}, "siteC_1": {-1}}
    known = read_table(after["dataset"] / "known.parquet")
    assert known.select("start_s", "end_s").rows() == [(0.0, 6.0)] * 2
    new = clips.filter(~clips["recording_id"].is_in(judged))
    assert new["end_s"].max() <= 6.0
    assert set(new["role"]) == {"target", "noise"}
    notes = read_table(after["dataset"] / "annotations.parquet")
    assert set(notes.filter(~notes["recording_id"].is_in(judged))["provenance"]) == {"reviewed"}
    # Whoever gets the page or the bundle is told.
    provenance = json.loads((folder / "bundle" / "bundle.json").read_text())["provenance"]
    told_of = {key: provenance[f"annotations{key}"] for key in ("", "_from_reviews", "_that_only_teach")}
    assert told_of == {"": 6, "_from_reviews": 4, "_that_only_teach": 4}
    assert (
        "6; 4 more in recordings that only teach; 4 of all from review rounds" in (folder / "report.html").read_text()
    )


def test_what_was_looked_at_is_not_asked_again(folder: Path, ossicle: Any) -> None:
    code, result, err = ossicle("review", "export", "-p", folder, "-o", folder / "round2", "--select", "worst", *QUIET)
    assert code == 0, err
    # The endless events of the annotated tapes contradict their annotations; the new tapes were looked at.
    assert json.loads(result)["recordings"] == 2
    for table in ("siteA_1.Table.1.selections.txt", "siteB_1.Table.1.selections.txt"):
        assert (folder / "round2" / table).exists()
    assert (folder / "round2" / "siteA_1.txt").exists()


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--select", "all", "choose from uncertain, best, worst"),
        ("--format", "wav", "choose from raven, audacity, csv"),
    ],
)
def test_wrong_options_are_refused(folder: Path, ossicle: Any, option: str, value: str, words: str) -> None:
    code, _, err = ossicle("review", "export", "-p", folder, "-o", folder / "none", option, value)
    assert code == 2
    assert words in err
