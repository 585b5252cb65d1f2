"""``ossicle new drums --manifest``: what is written, said and refused."""

from pathlib import Path
from typing import Any

import pytest

from ossicle.app.project.load import load_project
from ossicle.app.project.scaffolding.manifest_scaffold import ManifestWishes, scaffold_manifest
from ossicle.core.errors import FormatError, UsageError

from ....made_up.drum_events import write_events

SESSIONS = [f"session_{i}" for i in range(6)]


@pytest.fixture
def events(tmp_path: Path) -> Path:
    return write_events(tmp_path / "hits", SESSIONS, sources=("groove", "enst"))


def roots(events: Path) -> dict[str, list[Path]]:
    return {name: [events.parent / "audio" / name] for name in ("groove", "enst")}


def test_the_project_names_manifest_roots_split_and_window(events: Path, tmp_path: Path) -> None:
    result: list[str] = []
    wishes = ManifestWishes(events, roots=roots(events), group="kit")
    file = scaffold_manifest("drums", tmp_path / "p", wishes, say=result.append)
    project = load_project(file)
    settings = project.settings
    assert project.manifest is not None
    assert project.manifest.resolve() == events.resolve()
    assert project.roots.find("enst", "session_1/mix.wav") is not None
    assert (settings.split.strategy, settings.split.group) == ("hashed", "kit")
    assert (settings.dataset.before_s, settings.dataset.after_s) == (0.08, 0.2)
    assert (settings.corpus.manifest_total, settings.corpus.label_field) == (36, "")
    assert settings.frontend.rate == 16000
    assert settings.evaluation.criterion == "clips"
    assert settings.training.weak
    assert settings.plan.hop_s == pytest.approx(0.02, abs=0.003)
    assert settings.dataset.merge_s == 0.02
    onsets = load_project(file, variant="onsets").settings
    assert (onsets.evaluation.criterion, onsets.training.onset_s, onsets.training.weak) == ("onsets", 0.03, False)
    # Moving both folders together leaves the project valid.
    assert str(tmp_path) not in file.read_text()
    assert result == [
        "manifest: 36 events of 2 sources",
        "label: that of each component (3: hihat_closed 12, kick 12, snare 12)",
        "group: kit; no split divides it",
        "enst: 18 events in 3 recordings, 0 of them missing",
        "groove: 18 events in 3 recordings, 0 of them missing",
    ]


def test_the_default_root_is_the_folder_of_the_manifest_and_short_names_are_written(tmp_path: Path) -> None:
    events = write_events(tmp_path / "hits", SESSIONS, labels=("bd", "SD", "crash"))
    result: list[str] = []
    file = scaffold_manifest("drums", tmp_path / "p", ManifestWishes(events, limit=30), say=result.append)
    settings = load_project(file).settings
    assert (settings.corpus.audio, settings.corpus.limit) == ("../hits", 30)
    assert settings.corpus.label_map == ("SD=snare", "bd=kick")
    assert "labels renamed: SD = snare, bd = kick" in result
    assert "groove: 30 events in 5 recordings, 5 of them missing" in result
    assert not settings.roots


def test_several_folders_of_a_source_keep_their_order(events: Path, tmp_path: Path) -> None:
    (tmp_path / "first").mkdir()
    wishes = ManifestWishes(events, roots={"groove": [tmp_path / "first", events.parent / "audio" / "groove"]})
    project = load_project(scaffold_manifest("drums", tmp_path / "p", wishes))
    assert [folder.name for folder in project.roots.folders("groove")][:2] == ["first", "groove"]


def test_bad_lines_are_an_error_or_counted(events: Path, tmp_path: Path) -> None:
    events.write_text("{broken\n" + events.read_text())
    with pytest.raises(FormatError, match="line 1"):
        scaffold_manifest("drums", tmp_path / "p", ManifestWishes(events))
    assert not (tmp_path / "p").exists()
    result: list[str] = []
    file = scaffold_manifest("drums", tmp_path / "p", ManifestWishes(events, skip_bad=True), say=result.append)
    assert "left out: 1 lines that are no events (first: line 1)" in result
    assert load_project(file).settings.corpus.skip_bad


@pytest.mark.parametrize(
    ("recipe", "change", "words"),
    [
        ("birds", {}, "the recipe 'birds' reads no manifest of events; use drums"),
        ("drmus", {}, "no recipe is called 'drmus'.*drums"),
        ("drums", {"group": "sesion"}, "--group sesion: a manifest has no such field.*session"),
        ("drums", {"audio_root": Path("absent")}, "--audio-root absent: does not exist; give a folder"),
        ("drums", {"roots": {"enst": [Path("gone")]}}, "--audio-root-map enst gone: does not exist"),
        ("drums", {"manifest": Path("none.jsonl")}, "--manifest none.jsonl: does not exist; give a file"),
        ("drums", {"audio_root": Path("a\nb")}, "contains .*rename the folder"),
    ],
)
def test_wrong_options_are_refused(
    events: Path, tmp_path: Path, recipe: str, change: dict[str, Any], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        scaffold_manifest(recipe, tmp_path / "p", ManifestWishes(**({"manifest": events} | change)))
    assert not (tmp_path / "p").exists()


def test_an_empty_manifest_is_refused(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_text("")
    with pytest.raises(UsageError, match="holds no events"):
        scaffold_manifest("drums", tmp_path / "p", ManifestWishes(tmp_path / "events.jsonl"))
