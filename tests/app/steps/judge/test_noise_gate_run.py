"""The whole chain around the noise gate through the command line, with networks that were never trained."""

import json
from pathlib import Path
from typing import Any

import pytest

from ossicle.app.steps.judge import noise_gate
from ossicle.evaluation.notes.nothing_found import nothing_found

from ....untrained import PROJECT, write_tapes

pytestmark = pytest.mark.usefixtures("without_training")
# A threshold of nought makes one endless event of everything, silence too; one of 1 makes nothing of anything.
ALWAYS, NEVER = "decision.on=[0.0]", "decision.on=[1.0]"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("gate")
    write_tapes(place, ("siteA_1", "siteB_1"))
    (place / "ossicle.toml").write_text(PROJECT)
    return place


def test_a_bundle_that_fires_on_noise_is_refused_with_exit_code_4(folder: Path, ossicle: Any) -> None:
    said = ossicle("run", "-p", folder, "--set", NEVER, "--progress", "none")
    assert said.code == 0, said.err
    good = (folder / "bundle" / "bundle.json").read_bytes()
    assert json.loads(good)["metrics"]["gate"] == "passed"
    assert json.loads((folder / "metrics.json").read_text())["gate"]["passed"] is True
    assert "refused by the noise gate" not in (folder / "report.html").read_text()

    said = ossicle("run", "-p", folder, "--set", ALWAYS, "--progress", "none")
    assert said.code == 4
    assert said.err.startswith(
        "ossicle: the noise gate refused this bundle: label 'call' fires 60 times an hour (limit "
    )
    assert len(said.err.splitlines()) == 1
    assert str(folder / "report.html") in said.out
    assert str(folder / "bundle/") + "\n" not in said.out
    found = json.loads((folder / "metrics.json").read_text())
    assert found["events"]["f1"]["value"] is not None
    by_part = {(one["probe"], one["part"]): one for one in found["gate"]["firings"]}
    assert len(by_part) == 12
    silence = by_part["silence", "all zeros"]
    assert (silence["n_events"], silence["active_share"], silence["refused"]) == (1, 1.0, True)
    between = by_part["recordings", "between annotations"]
    # Two tapes of ten seconds are shown, not judged; the endless event touches calls, but fills what lies between.
    assert (between["limit_per_hour"], between["n_events"], between["active_share"]) == (None, 0, 1.0)
    assert "refused by the noise gate" in (folder / "report.html").read_text()

    # What lies beside the project is still the bundle that passed; the refused one says what it is.
    assert (folder / "bundle" / "bundle.json").read_bytes() == good
    manifests = [one for one in (folder / "data" / "bundle").glob("*/bundle/bundle.json") if one.read_bytes() != good]
    (refused,) = (one.parent for one in manifests)
    assert f"the bundle stays in {refused}." in said.err
    assert "**Refused:**" in (refused / "CARD.md").read_text()
    tape = folder / "audio" / "siteA_1.wav"
    said = ossicle("predict", refused, tape, "--out", folder / "out")
    assert said.code == 0
    assert f"{refused}: the noise gate refused this bundle; see its CARD.md" in said.err


def test_a_run_up_to_the_gate_is_refused_too_and_switches_let_it_pass(folder: Path, ossicle: Any) -> None:
    up_to = ("run", "-p", folder, "--set", ALWAYS, "--until", "noise_gate", "--progress", "none", "--json")
    said = ossicle(*up_to)
    assert said.code == 4
    assert json.loads(said.out)["outcomes"]["noise_gate"] in ("computed", "reused")
    assert "the bundle stays" not in said.err
    off = json.dumps(["silence", "white_noise", "hum", "speech_like"])
    assert ossicle(*up_to, "--set", f"noise_gate.off={off}").code == 0
    found = json.loads((folder / "metrics.json").read_text())["gate"]
    assert found["passed"] is True
    assert found["limits"]["off"] == ["silence", "white_noise", "hum", "speech_like"]
    assert {one["limit_per_hour"] for one in found["firings"]} == {None}


def test_a_detector_that_finds_nothing_is_not_published_and_the_run_says_so(
    tmp_path: Path, ossicle: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(noise_gate, "nothing_found", nothing_found)
    place = tmp_path / "silent"
    write_tapes(place, ("siteA_1", "siteB_1"))
    (place / "ossicle.toml").write_text(PROJECT)
    run = ("run", "-p", place, "--set", NEVER, "--progress", "none")
    said = ossicle(*run)
    assert said.code == 4
    assert "it finds none of the 6 annotations out of fold, and detects nothing at all" in said.err
    assert "may_find_nothing = true" in said.err
    assert not (place / "bundle").exists()
    gate = json.loads((place / "metrics.json").read_text())["gate"]
    assert (gate["passed"], any(one["refused"] for one in gate["firings"])) == (False, False)
    assert ">finds nothing</a>" in (place / "report.html").read_text()
    (card,) = (place / "data" / "bundle").glob("*/bundle/CARD.md")
    assert "**Refused:** it finds none of the 6 annotations out of fold" in card.read_text()
    # The remedy works, and card and page still say what it is.
    assert ossicle(*run, "--set", "noise_gate.may_find_nothing=true").code == 0
    assert "**Not refused, as a trial:** it finds none" in (place / "bundle" / "CARD.md").read_text()
    assert ">finds nothing</a>" in (place / "report.html").read_text()


def test_card_page_and_console_name_what_was_switched_off(folder: Path, ossicle: Any) -> None:
    off = json.dumps(["silence", "white_noise", "hum", "speech_like"])
    said = ossicle("run", "-p", folder, "--set", ALWAYS, "--set", f"noise_gate.off={off}", "--progress", "none")
    assert said.code == 0, said.err
    words = "white noise is switched off: 'call' fires 60 times an hour on it (-60 dBFS), 100 % of the time"
    assert f"noise gate, exception: {words}" in " ".join(said.out.split())
    card = (folder / "bundle" / "CARD.md").read_text()
    assert "**Passed with exceptions.**" in card
    assert "- white noise is switched off: 'call' fires 60 times" in card
    page = (folder / "report.html").read_text()
    assert "noise gate passed with exceptions" in page
    assert '<span class="tag">passed</span>' not in page
