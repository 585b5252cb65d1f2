"""``--audio-root-map SOURCE=DIR`` in the commands of a project: folders of this machine, never of an artefact."""

import shutil
import wave
from pathlib import Path

import pytest

from ossicle.app.cli.options import overrides_of
from ossicle.app.project.load import load_project
from ossicle.core.errors import UsageError

from ...made_up.manifest_lines import line, write
from ..conftest import Commands

SOURCE = "e-gmd.v1"
PROJECT = """base = "recipe:tapes"
[corpus]
audio = "nothing"
manifest = "events.jsonl"
name_template = ""
[split]
group = "session"
"""


def sound(path: Path, seconds: float, level: int = 1) -> None:
    path.parent.mkdir(parents=True)
    with wave.open(str(path), "wb") as out:
        out.setparams((1, 2, 1000, 0, "NONE", ""))
        out.writeframes(bytes([level, 0]) * round(1000 * seconds))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose recordings are in a folder `disk` beside it, which it does not name."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "ossicle.toml").write_text(PROJECT)
    lines = [line(source_set=SOURCE, session_id=f"s{k}", audio_path=f"s{k}/mix.wav", onset_time=1) for k in range(4)]
    write(folder, *lines)
    for k in range(4):
        sound(tmp_path / "disk" / f"s{k}" / "mix.wav", 3, 1 + k)
    return folder


def test_check_run_status_and_stats_use_it_and_a_moved_folder_computes_nothing(
    ossicle: Commands, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = ossicle("check", "-p", project)
    assert result.code == 2
    assert f"source {SOURCE}" in result.out
    monkeypatch.chdir(tmp_path)
    disk = ("--audio-root-map", f"{SOURCE}=disk")
    assert ossicle("check", "-p", project, *disk).code == 0
    until = ("run", "-p", project, "--until", "dataset", "--progress", "none")
    assert ossicle(*until).code == 2
    assert ossicle(*until, *disk).code == 0
    assert "4" in ossicle("dataset", "stats", "-p", project, *disk, "--progress", "none").out
    shutil.move("disk", "other")
    other = ("--audio-root-map", f"{SOURCE}=other")
    result = ossicle("status", "-p", project, *other)
    assert result.out.count(" done ") == 2, result.out
    assert "computed" not in ossicle(*until, *other).out
    for file in (path for path in (project / "data").rglob("*") if path.is_file()):
        assert str(tmp_path).encode() not in file.read_bytes(), file


def test_the_first_folder_that_holds_a_recording_wins_and_replaces_those_of_the_project(
    project: Path, tmp_path: Path
) -> None:
    sound(tmp_path / "first" / "s1" / "mix.wav", 1)
    with (project / "ossicle.toml").open("a") as out:
        out.write(f'[roots]\n"{SOURCE}" = ["../nowhere"]\n')
    words = [f"{SOURCE}={tmp_path / 'first'}", f"{SOURCE}={tmp_path / 'disk'}"]
    roots = load_project(project, overrides_of(None, roots=words)).roots
    assert roots.find(SOURCE, "s1/mix.wav") == tmp_path / "first" / "s1" / "mix.wav"
    assert roots.find(SOURCE, "s2/mix.wav") == tmp_path / "disk" / "s2" / "mix.wav"
    assert roots.folders(SOURCE)[:2] == (tmp_path / "first", tmp_path / "disk")
    assert not any("nowhere" in str(path) for path in roots.folders(SOURCE))


def test_what_is_no_folder_of_a_source_is_named(ossicle: Commands, project: Path, tmp_path: Path) -> None:
    for word, message in ((SOURCE, "is not SOURCE=PATH"), (f"{SOURCE}=gone", "the folder gone does not exist")):
        with pytest.raises(UsageError, match=message):
            overrides_of(None, roots=[word])
        result = ossicle("run", "-p", project, "--audio-root-map", word)
        assert (result.code, message in result.err) == (2, True)
    result = ossicle("dataset", "health", project / "events.jsonl", "--audio-root-map", f"{SOURCE}={tmp_path}")
    assert (result.code, "no audio of a manifest is read" in result.err) == (2, True)


def test_overrides_keep_their_order_and_quote_names_and_folders(tmp_path: Path) -> None:
    odd = tmp_path / 'a "b" \\ c'
    odd.mkdir()
    result = overrides_of(["training.epochs=8"], "cpu", roots=[f"{SOURCE}={odd}"])
    assert result[:2] == ("training.epochs=8", "training.device=cpu")
    (tmp_path / "ossicle.toml").write_text(PROJECT)
    assert load_project(tmp_path, result[2:]).settings.roots == {SOURCE: (str(odd),)}
