"""``ossicle new drums`` and ``check`` for a manifest of hits, through the command line."""

import json
from pathlib import Path
from typing import Any

import pytest

from ossicle.app.project.load import load_project

from ....made_up.drum_events import write_events
from ...conftest import Commands

SESSIONS = [f"session_{i}" for i in range(6)]


@pytest.fixture
def events(tmp_path: Path) -> Path:
    return write_events(tmp_path / "hits", SESSIONS, sources=("groove", "enst"))


def new(ossicle: Commands, events: Path, *more: object) -> Any:
    maps = [f"{name}={events.parent / 'audio' / name}" for name in ("groove", "enst")]
    return ossicle(
        "new",
        "drums",
        events.parents[1] / "p",
        "--manifest",
        events,
        *(w for m in maps for w in ("--audio-root-map", m)),
        *more,
    )


def rows(ossicle: Commands, place: Path, *more: object) -> tuple[int, dict[str, Any]]:
    result = ossicle("check", "-p", place / "p", "--json", *more)
    return result.code, {entry["what"]: entry for entry in json.loads(result.out)}


def test_new_says_what_the_manifest_holds(events: Path, tmp_path: Path, ossicle: Commands) -> None:
    result = new(ossicle, events)
    assert result.code == 0, result.err
    out = " ".join(result.out.split())
    for words in (
        "manifest: 36 events of 2 sources",
        "group: session; no split divides it",
        "manifest ok 36 events in 36 lines",
        "source enst ok 18 events in 3 recordings",
        "labels ok 3: hihat_closed (12), kick (12), snare (12)",
        "disk ok about",
        "next: ossicle run -p",
    ):
        assert words in out, words


def test_the_preview_names_labels_as_the_run_does(tmp_path: Path, ossicle: Commands) -> None:
    events = write_events(tmp_path / "hits", SESSIONS, sources=("groove", "enst"), labels=("Kick", "SD", "gong"))
    out = " ".join(new(ossicle, events).out.split())
    assert "labels renamed: Kick = kick, SD = snare" in out
    assert "labels ok 3: gong (12), kick (12), snare (12)" in out
    _, result = rows(ossicle, tmp_path, "--set", 'corpus.labels=["kick"]')
    assert result["labels"]["message"] == "1: kick (12); 2 more with 24 hits are not in corpus.labels"


def test_new_writes_a_variant_for_each_preset(events: Path, tmp_path: Path, ossicle: Commands) -> None:
    assert new(ossicle, events).code == 0
    for variant, epochs, start in (("warmup", 8, ""), ("baseline", 60, ""), ("long", 220, "warmup")):
        training = load_project(tmp_path / "p", variant=variant).settings.training
        assert (training.epochs, training.init_from) == (epochs, start)
    assert load_project(tmp_path / "p").settings.training.init_from == ""


def test_check_wants_every_root_present_and_not_empty(events: Path, tmp_path: Path, ossicle: Commands) -> None:
    assert new(ossicle, events).code == 0
    code, result = rows(ossicle, tmp_path)
    assert code == 0
    assert result["root groove"]["message"].endswith("hits/audio/groove")
    audio = events.parent / "audio"
    (audio / "enst").rename(tmp_path / "unmounted")
    code, result = rows(ossicle, tmp_path)
    assert code == 2
    assert "enst does not exist; name it with `[roots] enst" in result["root enst"]["message"]
    assert "3 of them, with 18 events, are missing (session_1/mix.wav first)" in result["source enst"]["message"]
    (audio / "enst").mkdir()
    code, result = rows(ossicle, tmp_path)
    assert code == 2
    assert "enst is empty" in result["root enst"]["message"]


def test_a_moved_root_is_found_through_the_environment(
    events: Path, tmp_path: Path, ossicle: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert new(ossicle, events).code == 0
    (events.parent / "audio" / "enst").rename(tmp_path / "moved")
    monkeypatch.setenv("OSSICLE_ROOT_ENST", str(tmp_path / "moved"))
    code, result = rows(ossicle, tmp_path)
    assert code == 0
    assert result["root enst"]["warns"]


def test_missing_recordings_within_the_limit_are_listed(events: Path, tmp_path: Path, ossicle: Commands) -> None:
    assert new(ossicle, events).code == 0
    (events.parent / "audio" / "enst" / "session_3" / "mix.wav").unlink()
    assert rows(ossicle, tmp_path)[0] == 2
    code, result = rows(ossicle, tmp_path, "--set", "corpus.max_missing=0.5")
    assert code == 3
    assert "1 of them, with 6 events, are missing" in result["source enst"]["message"]


def test_a_manifest_of_another_length_is_a_warning(events: Path, tmp_path: Path, ossicle: Commands) -> None:
    assert new(ossicle, events).code == 0
    events.write_text("".join(events.read_text().splitlines(keepends=True)[:-1]))
    _, result = rows(ossicle, tmp_path)
    assert result["manifest"]["warns"]
    assert "35 events in 35 lines, but [corpus] manifest_total is 36" in result["manifest"]["message"]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--audio", "."), "--audio and --manifest exclude each other"),
        (("--folds", 3), "--folds and --manifest exclude each other"),
        (("--audio-root-map", "enst"), "is not SOURCE=PATH"),
    ],
)
def test_options_that_exclude_each_other(events: Path, ossicle: Commands, more: tuple[object, ...], words: str) -> None:
    result = new(ossicle, events, *more)
    assert result.code == 2
    assert words in result.err


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ((), "--audio is missing"),
        (("--audio", ".", "--audio-root", "."), "--audio-root needs --manifest"),
        (("--audio", ".", "--limit", 3), "--limit needs --manifest"),
        (("--audio", ".", "--skip-bad"), "--skip-bad needs --manifest"),
    ],
)
def test_options_that_need_a_manifest(tmp_path: Path, ossicle: Commands, more: tuple[object, ...], words: str) -> None:
    result = ossicle("new", "drums", tmp_path / "p", *more)
    assert result.code == 2
    assert words in result.err
