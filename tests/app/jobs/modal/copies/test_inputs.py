"""Which files a project needs elsewhere, and by which settings their copies are found."""

import json
import os
from pathlib import Path

import pytest

from ossicle.app.jobs.job import Job, Task
from ossicle.app.jobs.modal.commands import container_argv, projects_of
from ossicle.app.jobs.modal.copies.handover import send_inputs
from ossicle.app.jobs.modal.copies.inputs import inputs_of
from ossicle.app.jobs.modal.orders import PROJECT, VOLUME
from ossicle.app.project.file_times import TIMES_VARIABLE, file_state, times_table
from ossicle.app.project.load import load_project
from ossicle.app.steps.data.corpus import folder_listing
from ossicle.app.steps.engine.step import Silent
from ossicle.audio.probe import SUFFIXES
from ossicle.core.errors import ArtefactError, UsageError

from .....doubles.modal_double import ModalDouble

OLD_NS = 1_500_000_000_123_456_789


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose recordings and table are elsewhere, and whose annotations are in its folder."""
    for name in [one for one in os.environ if one.startswith("OSSICLE_")]:
        monkeypatch.delenv(name)
    folder, audio = tmp_path / "p", tmp_path / "disk" / "my tapes"
    for path in (audio / "b" / "x.wav", tmp_path / "disk" / "meta.csv", folder / "tables" / "x.txt"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(path.name)
    for name in (".git/config", "tables/.DS_Store", "__pycache__/x.pyc", "data/old.bin", "notes.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("")
    os.utime(audio / "b" / "x.wav", ns=(OLD_NS, OLD_NS))
    (folder / "ossicle.toml").write_text(
        f'base = "recipe:tapes"\n[corpus]\naudio = {json.dumps(str(audio))}\nannotations = "tables"\n'
        '[corpus.metadata]\ntable = "../disk/meta.csv"\nfile_column = "file"\n'
    )
    return folder


def test_what_is_in_the_folder_and_what_is_elsewhere(project: Path, tmp_path: Path) -> None:
    loaded = load_project(project)
    inputs = inputs_of(loaded, "p")
    paths = [one.relative_to(project).as_posix() for one in project.rglob("*") if one.is_file()]
    assert sorted(one for one in paths if inputs.wanted(PROJECT, one)) == [
        "notes.txt",
        "ossicle.toml",
        "tables/.DS_Store",
        "tables/x.txt",
    ]
    places = {path.name: place for place, path in inputs.copied.items() if place != PROJECT}
    assert places.keys() == {"my tapes", "meta.csv"}
    assert inputs.settings == (
        f'corpus.audio="{VOLUME}/p/{places["my tapes"]}"',
        f'corpus.metadata.table="{VOLUME}/p/{places["meta.csv"]}/meta.csv"',
    )
    assert inputs.environment == {}


def test_folders_of_roots_are_copied_too(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "drums").mkdir()
    monkeypatch.setenv("OSSICLE_ROOT_DRUMS", f"{tmp_path / 'none'}{os.pathsep}{tmp_path / 'drums'}")
    root = json.dumps(str(tmp_path / "drums"))
    inputs = inputs_of(load_project(project, (f'roots."a.b"=["inner", {root}]',)), "p")
    (variable,) = inputs.environment.values()
    assert variable.startswith(f"{VOLUME}/p/inputs/drums-")
    assert any(one.startswith(f'roots."a.b"=["inner", "{VOLUME}/p/inputs/roots-a-b-') for one in inputs.settings)


def test_recordings_that_are_in_the_volume_are_not_copied(project: Path, tmp_path: Path) -> None:
    modal = ModalDouble(tmp_path / "volume")
    inputs = inputs_of(load_project(project), "p", "field/tapes")
    assert f'corpus.audio="{VOLUME}/field/tapes"' in inputs.settings
    assert "my tapes" not in {path.name for path in inputs.copied.values()}
    with pytest.raises(UsageError, match=r"field/tapes/b/x.wav is missing in the volume"):
        send_inputs(modal, "p", inputs, Silent())
    place = tmp_path / "volume" / "field" / "tapes" / "b" / "x.wav"
    place.parent.mkdir(parents=True)
    place.write_text("x.wav")
    times = send_inputs(modal, "p", inputs, Silent())
    assert times["field/tapes/b/x.wav"] == (5, OLD_NS)


def test_a_link_among_the_inputs_is_named(project: Path, tmp_path: Path) -> None:
    (project / "tables" / "link.txt").symlink_to(tmp_path / "disk" / "meta.csv")
    with pytest.raises(UsageError, match=r"tables/link.txt: is a symbolic link"):
        send_inputs(ModalDouble(tmp_path / "volume"), "p", inputs_of(load_project(project), "p"), Silent())


def test_a_base_outside_the_folder_is_named(project: Path, tmp_path: Path) -> None:
    text = (project / "ossicle.toml").read_text()
    (tmp_path / "base.toml").write_text(text)
    (project / "ossicle.toml").write_text('base = "../base.toml"\n[project]\nname = "x"\n')
    with pytest.raises(UsageError, match=r"starts from .*base\.toml, which is not in its folder"):
        inputs_of(load_project(project), "p")


def test_commands_name_the_copies(project: Path) -> None:
    task = Task("t", ("ossicle", "run", "corpus", "--project=ossicle.toml", "--set=a.b=1", "--data-root=/x"))
    (words,) = projects_of([Job("a", (Task("t", (*task.argv[:4], "--data-root=/x")),))], project)
    assert words == ("--project=ossicle.toml", "--data-root=/x")
    inputs = inputs_of(load_project(project), "p")
    argv = container_argv(task, inputs)
    assert argv == (*task.argv[:5], *(f"--set={one}" for one in inputs.settings))
    assert container_argv(task, None) == task.argv[:5]
    assert projects_of([Job("a", (Task("t", ("ossicle", "x")),))], project) == {}


def test_a_copy_without_times_has_the_digest_of_the_original(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    audio, modal = tmp_path / "disk" / "my tapes", ModalDouble(tmp_path / "volume")
    inputs = inputs_of(load_project(project), "p")
    times = send_inputs(modal, "p", inputs, Silent())
    copy = next(tmp_path / "volume" / "p" / place for place, path in inputs.copied.items() if path.name == "my tapes")
    assert folder_listing(copy, SUFFIXES) != folder_listing(audio, SUFFIXES)
    table = tmp_path / "volume" / "p" / "data" / "times" / "a.json"
    table.parent.mkdir(parents=True)
    above = f"/{table.parent.relative_to(tmp_path / 'volume').as_posix()}"
    table.write_bytes(times_table({os.path.relpath(f"/{path}", above): time for path, time in times.items()}))
    # All files of a folder of annotations count, but not the records of the transfer.
    assert (copy / ".ossicle-sent").is_dir()
    expected = [folder_listing(audio, suffixes) for suffixes in (SUFFIXES, None)]
    monkeypatch.setenv(TIMES_VARIABLE, str(table))
    assert [folder_listing(copy, suffixes) for suffixes in (SUFFIXES, None)] == expected
    # A file that has another size than the table says has its own time.
    (copy / "b" / "x.wav").write_text("longer than before")
    assert file_state(copy / "b" / "x.wav")[1] != OLD_NS
    (tmp_path / "bad.json").write_text('{"format": 1, "files": {"a": [1]}}')
    monkeypatch.setenv(TIMES_VARIABLE, str(tmp_path / "bad.json"))
    with pytest.raises(ArtefactError, match="is not a table of times"):
        file_state(copy / "b" / "x.wav")
