"""``ossicle checklist`` on a small project whose networks nobody trains."""

import json
from pathlib import Path

import pytest

from ossicle.app.api.checks import stages
from ossicle.app.api.checks.selftest import FAILED, PASSED, CheckResult

from ....untrained import PROJECT, write_tapes
from ...conftest import Commands

QUIET = ("--progress", "none", "--json")
SKIP = ("--skip", "selftest")


@pytest.fixture
def tapes(tmp_path: Path, without_training: None) -> Path:
    write_tapes(tmp_path, ("siteA_1", "siteB_1", "siteC_1", "siteC_2"), ("siteD_1",))
    (tmp_path / "ossicle.toml").write_text(PROJECT)
    return tmp_path


def outcomes(text: str) -> dict[str, str]:
    return {one["name"]: one["outcome"] for one in json.loads(text)}


def test_a_project_goes_through_all_stages_and_continues(ossicle: Commands, tapes: Path) -> None:
    plan = ossicle("checklist", "-p", tapes, "--dry-run", *QUIET)
    assert plan.code == 0
    assert outcomes(plan.out) == {
        "health": "to do", "totals": "to do", "selftest": "to do", "features": "not needed", "warmup": "not needed",
        "probe": "not needed", "train": "to do", "long": "on request", "evaluate": "to do", "analyse": "to do",
        "promote": "on request",
    }  # fmt: skip
    assert not (tapes / "data").exists()
    said = ossicle("checklist", "-p", tapes, *SKIP, *QUIET)
    # A recording without annotations was not reviewed.
    assert said.code in (0, 3), said.err
    assert (tapes / "metrics.json").exists()
    found = outcomes(said.out)
    assert {found[name] for name in ("health", "totals", "train", "evaluate", "analyse")} == {"done"}
    again = ossicle("checklist", "-p", tapes, *SKIP, *QUIET)
    assert {one for name, one in outcomes(again.out).items() if found[name] == "done"} == {"done before"}
    only = ossicle("checklist", "-p", tapes, "--only", "evaluate", "--progress", "none")
    assert "events.f1" in only.out
    assert "health" not in only.out


def test_a_failed_gate_stops_it_before_anything_is_trained(ossicle: Commands, tapes: Path) -> None:
    said = ossicle("checklist", "-p", tapes, *SKIP, *QUIET, "--set", "health.class_min=1000")
    assert said.code == 4
    assert "class_minimum" in said.err
    assert "the checklist stopped at the stage health" in said.err
    assert outcomes(said.out) == {"health": "refused"}
    assert not (tapes / "data" / "training").exists()
    said = ossicle("checklist", "-p", tapes, *SKIP, *QUIET, "--set", "corpus.manifest_total=3")
    assert said.code in (0, 3), said.err


def test_a_failed_selftest_ends_it_with_one(ossicle: Commands, tapes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results = [CheckResult("decoding", PASSED, 0.1, "fine"), CheckResult("training", FAILED, 0.1, "no torch")]
    monkeypatch.setattr(stages, "selftest", lambda folder: results)
    said = ossicle("checklist", "-p", tapes, "--only", "selftest", *QUIET)
    assert (said.code, outcomes(said.out)) == (1, {"selftest": "failed"})
    assert "the self-test failed: training: no torch" in said.err


def test_wrong_names_are_refused(ossicle: Commands, tapes: Path) -> None:
    said = ossicle("checklist", "-p", tapes, "--only", "helth")
    assert (said.code, "did you mean 'health'" in said.err) == (2, True)
    said = ossicle("checklist", "-p", tapes, "--name", "drums")
    assert (said.code, "--with promote" in said.err) == (2, True)
    said = ossicle("checklist", "-p", tapes, "--only", "long")
    assert (said.code, "no variant long" in said.out) == (0, True)
