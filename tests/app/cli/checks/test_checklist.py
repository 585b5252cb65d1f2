"""``ossicle checklist`` on a small project whose networks nobody trains."""

import json
from pathlib import Path

import pytest

from ossicle.app.api.checks import stages
from ossicle.app.api.checks.selftest import FAILED, PASSED, CheckResult

from ....made_up.untrained import PROJECT, write_tapes
from ...conftest import Commands
from ...promoted_run import GATES, clip_project

QUIET = ("--progress", "none", "--json")
SKIP = ("--skip", "selftest")


@pytest.fixture
def tapes(tmp_path: Path, without_training: None) -> Path:
    write_tapes(tmp_path, ("siteA_1", "siteB_1", "siteC_1", "siteC_2"), ("siteD_1",))
    (tmp_path / "ossicle.toml").write_text(PROJECT)
    return tmp_path


PRESETS = """
[probe_gate]
accuracy = 0.99
floor = 1
share = 0.5
[variants.warmup]
base = "preset:drums/warmup"
[variants.baseline]
base = "preset:drums/baseline"
[variants.long]
base = "preset:drums/long"
"""


def outcomes(text: str) -> dict[str, str]:
    return {entry["name"]: entry["outcome"] for entry in json.loads(text)}


def test_a_project_goes_through_all_stages_and_continues(ossicle: Commands, tapes: Path) -> None:
    plan = ossicle("checklist", "-p", tapes, "--dry-run", *QUIET)
    assert plan.code == 0
    assert outcomes(plan.out) == {
        "sync": "on request", "health": "to do", "totals": "to do", "selftest": "to do", "features": "not needed",
        "warmup": "not needed", "probe": "not needed", "train": "to do", "long": "on request", "evaluate": "to do",
        "analyse": "to do", "promote": "on request", "archive": "on request",
    }  # fmt: skip
    assert not (tapes / "data").exists()
    result = ossicle("checklist", "-p", tapes, *SKIP, *QUIET)
    # A recording without annotations was not reviewed.
    assert result.code in (0, 3), result.err
    assert (tapes / "metrics.json").exists()
    found = outcomes(result.out)
    assert {found[name] for name in ("health", "totals", "train", "evaluate", "analyse")} == {"done"}
    again = ossicle("checklist", "-p", tapes, *SKIP, *QUIET)
    assert {outcome for name, outcome in outcomes(again.out).items() if found[name] == "done"} == {"done before"}
    only = ossicle("checklist", "-p", tapes, "--only", "evaluate", "--progress", "none")
    assert "events.f1" in only.out
    assert "health" not in only.out


def test_a_failed_gate_stops_it_before_anything_is_trained(ossicle: Commands, tapes: Path) -> None:
    result = ossicle("checklist", "-p", tapes, *SKIP, *QUIET, "--set", "health.class_min=1000")
    assert result.code == 4
    assert "class_minimum" in result.err
    assert "the checklist stopped at the stage health" in result.err
    assert outcomes(result.out) == {"health": "refused"}
    assert not (tapes / "data" / "training").exists()
    result = ossicle("checklist", "-p", tapes, *SKIP, *QUIET, "--set", "corpus.manifest_total=3")
    assert result.code in (0, 3), result.err


def test_a_failed_selftest_ends_it_with_one(ossicle: Commands, tapes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results = [CheckResult("decoding", PASSED, 0.1, "fine"), CheckResult("training", FAILED, 0.1, "no torch")]
    monkeypatch.setattr(stages, "selftest", lambda folder: results)
    result = ossicle("checklist", "-p", tapes, "--only", "selftest", *QUIET)
    assert (result.code, outcomes(result.out)) == (1, {"selftest": "failed"})
    assert "the self-test failed: training: no torch" in result.err


def test_wrong_names_are_refused(ossicle: Commands, tapes: Path) -> None:
    result = ossicle("checklist", "-p", tapes, "--only", "helth")
    assert (result.code, "did you mean 'health'" in result.err) == (2, True)
    result = ossicle("checklist", "-p", tapes, "--name", "drums")
    assert (result.code, "--with promote" in result.err) == (2, True)
    result = ossicle("checklist", "-p", tapes, "--out", "kept", "--with", "promote")
    assert (result.code, "--with archive" in result.err) == (2, True)
    result = ossicle("checklist", "-p", tapes, "--only", "sync")
    assert (result.code, "names no Weights & Biases" in result.out) == (0, True)
    result = ossicle("checklist", "-p", tapes, "--only", "long")
    assert (result.code, "no variant long" in result.out) == (0, True)


def test_presets_are_trained_behind_the_probe_gate_and_promoted_on_request(
    ossicle: Commands, tmp_path: Path, without_training: None
) -> None:
    place = clip_project(tmp_path / "hits", GATES + PRESETS)
    command = ("checklist", "-p", place, *SKIP, *QUIET)
    result = ossicle(*command)
    assert result.code == 4
    found = outcomes(result.out)
    assert (found["warmup"], found["probe"], "train" in found) == ("done", "refused", False)
    assert "accuracy >= 0.99" in result.err
    assert "the checklist stopped at the stage probe" in result.err
    result = ossicle(*command, "--set", "probe_gate.accuracy=0.01")
    assert result.code == 0, result.err
    found = outcomes(result.out)
    assert {found[name] for name in ("probe", "train", "evaluate", "analyse")} == {"done"}
    assert "long" not in found
    assert (place / "variants" / "baseline" / "metrics.json").exists()
    result = ossicle(*command, "--set", "probe_gate.accuracy=0.01", "--with", "long", "--with", "promote")
    found = outcomes(result.out)
    assert (result.code, found["long"], found["evaluate"], found["promote"]) == (4, "done", "done", "refused")
    assert (place / "variants" / "long" / "metrics.json").exists()
    assert "clips.accuracy >= 0.93" in result.err
    assert "the checklist stopped at the stage promote" in result.err
