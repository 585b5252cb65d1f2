"""The whole chain around the noise gate through the command line, with networks that were never trained."""

import json
from pathlib import Path
from typing import Any

import pytest

from ossicle.app.steps.judge import noise_gate
from ossicle.evaluation.notes.nothing_found import nothing_found

from ....made_up.untrained import PROJECT, write_tapes

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
    result = ossicle("run", "-p", folder, "--set", NEVER, "--progress", "none")
    assert result.code == 0, result.err
    good = (folder / "bundle" / "bundle.json").read_bytes()
    assert json.loads(good)["metrics"]["gate"] == "passed"
    assert json.loads((folder / "metrics.json").read_text())["gate"]["passed"] is True
    assert "refused by the noise gate" not in (folder / "report.html").read_text()

    result = ossicle("run", "-p", folder, "--set", ALWAYS, "--progress", "none")
    assert result.code == 4
    assert result.err.startswith(
        "ossicle: the noise gate refused this bundle: label 'call' fires 60 times an hour (limit "
    )
    assert len(result.err.splitlines()) == 1
    assert str(folder / "report.html") in result.out
    assert str(folder / "bundle/") + "\n" not in result.out
    content = json.loads((folder / "metrics.json").read_text())
    assert content["events"]["f1"]["value"] is not None
    by_part = {(firing["probe"], firing["part"]): firing for firing in content["gate"]["firings"]}
    assert len(by_part) == 12
    silence = by_part["silence", "all zeros"]
    assert (silence["n_events"], silence["active_share"], silence["refused"]) == (1, 1.0, True)
    between = by_part["recordings", "between annotations"]
    # Two tapes of ten seconds are shown, not judged; the endless event touches calls, but fills what lies between.
    assert (between["limit_per_hour"], between["n_events"], between["active_share"]) == (None, 0, 1.0)
    assert "refused by the noise gate" in (folder / "report.html").read_text()

    # What lies beside the project is still the bundle that passed; the refused one says what it is.
    assert (folder / "bundle" / "bundle.json").read_bytes() == good
    manifests = [
        path for path in (folder / "data" / "bundle").glob("*/bundle/bundle.json") if path.read_bytes() != good
    ]
    (refused,) = (manifest.parent for manifest in manifests)
    assert f"the bundle stays in {refused}." in result.err
    assert "**Refused:**" in (refused / "CARD.md").read_text()
    tape = folder / "audio" / "siteA_1.wav"
    result = ossicle("predict", refused, tape, "--out", folder / "out")
    assert result.code == 0
    assert f"{refused}: the noise gate refused this bundle; see its CARD.md" in result.err


def test_a_run_up_to_the_gate_is_refused_too_and_switches_let_it_pass(folder: Path, ossicle: Any) -> None:
    up_to = ("run", "-p", folder, "--set", ALWAYS, "--until", "noise_gate", "--progress", "none", "--json")
    result = ossicle(*up_to)
    assert result.code == 4
    assert json.loads(result.out)["outcomes"]["noise_gate"] in ("computed", "reused")
    assert "the bundle stays" not in result.err
    off = json.dumps(["silence", "white_noise", "hum", "speech_like"])
    assert ossicle(*up_to, "--set", f"noise_gate.off={off}").code == 0
    content = json.loads((folder / "metrics.json").read_text())["gate"]
    assert content["passed"] is True
    assert content["limits"]["off"] == ["silence", "white_noise", "hum", "speech_like"]
    assert {firing["limit_per_hour"] for firing in content["firings"]} == {None}


def test_a_detector_that_finds_nothing_is_not_published_and_the_run_says_so(
    tmp_path: Path, ossicle: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(noise_gate, "nothing_found", nothing_found)
    place = tmp_path / "silent"
    write_tapes(place, ("siteA_1", "siteB_1"))
    (place / "ossicle.toml").write_text(PROJECT)
    run = ("run", "-p", place, "--set", NEVER, "--progress", "none")
    result = ossicle(*run)
    assert result.code == 4
    assert "it finds none of the 6 annotations out of fold, and detects nothing at all" in result.err
    assert "may_find_nothing = true" in result.err
    assert not (place / "bundle").exists()
    gate = json.loads((place / "metrics.json").read_text())["gate"]
    assert (gate["passed"], any(firing["refused"] for firing in gate["firings"])) == (False, False)
    assert ">finds nothing</a>" in (place / "report.html").read_text()
    (card,) = (place / "data" / "bundle").glob("*/bundle/CARD.md")
    assert "**Refused:** it finds none of the 6 annotations out of fold" in card.read_text()
    # The remedy works, and card and page still say what it is.
    assert ossicle(*run, "--set", "noise_gate.may_find_nothing=true").code == 0
    assert "**Not refused, as a trial:** it finds none" in (place / "bundle" / "CARD.md").read_text()
    assert ">finds nothing</a>" in (place / "report.html").read_text()


def test_card_page_and_console_name_what_was_switched_off(folder: Path, ossicle: Any) -> None:
    off = json.dumps(["silence", "white_noise", "hum", "speech_like"])
    result = ossicle("run", "-p", folder, "--set", ALWAYS, "--set", f"noise_gate.off={off}", "--progress", "none")
    assert result.code == 0, result.err
    words = "white noise is switched off: 'call' fires 60 times an hour on it (-60 dBFS), 100 % of the time"
    assert f"noise gate, exception: {words}" in " ".join(result.out.split())
    card = (folder / "bundle" / "CARD.md").read_text()
    assert "**Passed with exceptions.**" in card
    assert "- white noise is switched off: 'call' fires 60 times" in card
    page = (folder / "report.html").read_text()
    assert "noise gate passed with exceptions" in page
    assert '<span class="tag">passed</span>' not in page
