"""`ossicle dataset verify`: figures, exit codes, and what it says about roots; it writes nothing and starts fast."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ....made_up.manifest_lines import line, write
from ...conftest import Commands

VERIFY = ("dataset", "verify")


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """Three events of two sources; the recording of `groove` is in `first/`, that of `slakh` is missing."""
    (tmp_path / "first" / "s1").mkdir(parents=True)
    (tmp_path / "first" / "s1" / "mix.wav").touch()
    return write(tmp_path, line(), line("snare"), line(source_set="slakh", audio_path="s2/mix.wav"))


def test_missing_recordings_end_it_with_one(ossicle: Commands, manifest: Path, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    result = ossicle(*VERIFY, manifest, "--audio-root-map", f"groove={tmp_path / 'first'}", "--workers", 1)
    assert result.code == 1
    assert "slakh: the recordings of 1 of 1 events (100 %) are missing, such as 's2/mix.wav'" in result.err
    assert "--audio-root-map slakh=DIR" in result.err
    assert "groove: the recordings" not in result.err
    assert "3 events in 3 lines" in result.out
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("command", ["verify", "health"])
def test_a_manifest_that_is_not_there_is_wrong_usage(ossicle: Commands, tmp_path: Path, command: str) -> None:
    for place in (tmp_path / "absent.jsonl", tmp_path):
        result = ossicle("dataset", command, place)
        assert result.code == 2
        assert result.err == f"ossicle: {place} is not a file; give a manifest, with one event a line in JSON\n"


@pytest.mark.parametrize(("share", "code"), [("0.5", 1), ("0.99", 1), ("1", 0)])
def test_a_share_of_each_source_may_be_missing(
    ossicle: Commands, manifest: Path, tmp_path: Path, share: str, code: int
) -> None:
    words = ("--audio-root-map", f"groove={tmp_path / 'first'}", "--max-missing", share)
    assert ossicle(*VERIFY, manifest, *words).code == code


def test_json_holds_the_counts(ossicle: Commands, manifest: Path, tmp_path: Path) -> None:
    result = ossicle(*VERIFY, manifest, "--audio-root", tmp_path / "first", "--json")
    content = json.loads(result.out)
    assert (content["events"], content["resolved_events"], content["missing_events"]) == (3, 2, 1)
    assert content["labels"] == {"kick": 2, "snare": 1}
    assert content["sources"]["slakh"]["missing_share"] == 1.0
    assert content["expected_hours"] == pytest.approx(3 * 0.28 / 3600, abs=1e-5)


def test_the_first_folder_that_holds_the_file_wins(ossicle: Commands, manifest: Path, tmp_path: Path) -> None:
    second = tmp_path / "second"
    (second / "s2").mkdir(parents=True)
    (second / "s2" / "mix.wav").touch()
    words = [f"groove={tmp_path / 'first'}", f"slakh={tmp_path / 'first'}", f"slakh={second}"]
    result = ossicle(*VERIFY, manifest, *[part for word in words for part in ("--audio-root-map", word)])
    assert result.code == 0, result.err


def test_the_environment_names_roots(
    ossicle: Commands, manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OSSICLE_ROOT_GROOVE", str(tmp_path / "first"))
    content = json.loads(ossicle(*VERIFY, manifest, "--json").out)
    assert content["sources"]["groove"]["missing_events"] == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--audio-root-map", "groove"), "--audio-root-map 'groove' is not SOURCE=PATH"),
        (("--audio-root-map", "groove=nowhere"), "--audio-root-map groove: the folder nowhere does not exist"),
        (("--audio-root", "nowhere"), "--audio-root: the folder nowhere does not exist"),
    ],
)
def test_wrong_roots_are_wrong_usage(ossicle: Commands, manifest: Path, words: tuple[str, ...], message: str) -> None:
    result = ossicle(*VERIFY, manifest, *words)
    assert (result.code, message in result.err) == (2, True), result.err


def test_a_source_that_no_event_has_is_named(ossicle: Commands, manifest: Path, tmp_path: Path) -> None:
    result = ossicle(*VERIFY, manifest, "--audio-root-map", f"slak={tmp_path}")
    assert "--audio-root-map slak: no event has this source; did you mean 'slakh'?" in result.err


def test_a_bad_line_is_wrong_input_and_may_be_skipped(ossicle: Commands, tmp_path: Path) -> None:
    (tmp_path / "s1").mkdir()
    (tmp_path / "s1" / "mix.wav").touch()
    path = write(tmp_path, line(), '{"session_id": ', line())
    result = ossicle(*VERIFY, path)
    assert (result.code, "events.jsonl, line 2: column 16: the line ends" in result.err) == (2, True), result.err
    result = ossicle(*VERIFY, path, "--skip-bad")
    assert result.code == 3
    assert "1 bad lines" in result.out
    assert "line 2: column 16" in result.out
    assert ossicle(*VERIFY, path, "--limit", 1).code == 0


def test_totals_are_compared(ossicle: Commands, tmp_path: Path) -> None:
    (tmp_path / "s1").mkdir()
    (tmp_path / "s1" / "mix.wav").touch()
    path = write(tmp_path, line(), line())
    assert ossicle(*VERIFY, path, "--manifest-total", 2).code == 0
    result = ossicle(*VERIFY, path, "--manifest-total", 3)
    assert (result.code, "2 events were read, but --manifest-total is 3" in result.err) == (1, True)


def test_a_manifest_without_events_fails(ossicle: Commands, tmp_path: Path) -> None:
    assert ossicle(*VERIFY, write(tmp_path)).code == 1


def test_names_are_printed_without_their_control_characters(ossicle: Commands, tmp_path: Path) -> None:
    path = write(tmp_path, line("kick\x1b[2J"), line(source_set="\x9b31m"))
    result = ossicle(*VERIFY, path, "--skip-bad")
    assert "\x1b" not in result.out + result.err
    assert "\x9b" not in result.out + result.err


def test_it_starts_without_slow_libraries() -> None:
    code = (
        "import sys, ossicle.app.cli.main; from ossicle.app.cli.loading import UnloadedCommand; "
        "UnloadedCommand('dataset').load(); print(*sys.modules)"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert set(loaded) & {"polars", "pydantic", "scipy", "numpy", "soundfile", "h5py", "onnxruntime"} == set()
    assert "ossicle.corpus.manifest.verification" in loaded
