"""No change of the file system goes through a symbolic link, a pipe or a device, wherever it is in the path."""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ossicle.artefacts.fetching import Wanted, fetch_file, part_of
from ossicle.artefacts.files import part_path, publish, publish_folder, sweep, whole_file, whole_folder, write_text
from ossicle.artefacts.filesystem import changes
from ossicle.artefacts.locks.lock import forget_work_unit_locks, project_lock, work_unit_lock
from ossicle.artefacts.logs.journal import Journal
from ossicle.artefacts.logs.runlog import RunLog
from ossicle.artefacts.typed.run_folder import RunFolder
from ossicle.core.errors import FetchError, UsageError


def _whole_file(path: Path) -> None:
    with whole_file(path) as part:
        part.write_text("new")


def _whole_folder(path: Path) -> None:
    with whole_folder(path, replace=True) as part:
        (part / "a").write_text("new")


def _published(path: Path) -> None:
    part = part_path(path.parent.parent.parent.parent / "spare")
    part.write_text("new")
    publish(part, path)


def _published_folder(path: Path) -> None:
    part = part_path(path.parent.parent.parent.parent / "spare")
    part.mkdir()
    publish_folder(part, path)


def _appended(path: Path) -> None:
    with changes.open_to_append(path) as file:
        changes.write_all(file, b"new")


def _changed(path: Path) -> None:
    with changes.open_to_change(path) as file:
        file.truncate(0)


def _locked(path: Path) -> None:
    with work_unit_lock(path.parent, path.name.removeprefix(".ossicle-lock-")):
        pass


def _copied(path: Path) -> None:
    source = path.parent.parent.parent.parent / "source"
    source.write_text("new")
    changes.copy_file(source, path)


WRITERS: dict[str, Callable[[Path], object]] = {
    "open_new": lambda path: changes.open_new(path).close(),
    "open_to_append": _appended,
    "open_to_change": _changed,
    "make_folder": changes.make_folder,
    "make_new_folder": changes.make_new_folder,
    "remove_file": changes.remove_file,
    "remove_folder": changes.remove_folder,
    "remove_empty_folder": changes.remove_empty_folder,
    "move_away": lambda path: changes.move(path, path.parent.parent.parent.parent / "stolen"),
    "move_to": _published,
    "move_folder_to": _published_folder,
    "copy_to": _copied,
    "make_executable": changes.make_executable,
    "whole_file": _whole_file,
    "whole_folder": _whole_folder,
    "write_text": lambda path: write_text(path, "new"),
    "lock": _locked,
    "journal": lambda path: Journal(path).mark("a"),
    "run_log": lambda path: RunLog(path).work_unit("a", "b", "computed"),
    "epochs": lambda path: RunFolder(path).log_epoch({"loss": 1.0}),
}


def tree_of(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Mode and bytes of everything in a folder."""
    return {
        str(path.relative_to(folder)): (path.lstat().st_mode, path.read_bytes() if path.is_file() else b"")
        for path in sorted(folder.rglob("*"))
    }


@pytest.mark.parametrize("writer", WRITERS, ids=str)
@given(depth=st.integers(0, 3), torn=st.booleans(), broken=st.booleans())
def test_a_link_in_any_part_of_a_path_is_refused_and_its_target_kept(
    writer: str, depth: int, torn: bool, broken: bool
) -> None:
    scratch = Path(tempfile.mkdtemp())
    try:
        victim = scratch / "victim"
        below = Path(*["abc"[k] for k in range(3)])
        (victim / below).mkdir(parents=True)
        name = ".ossicle-lock-x" if writer == "lock" else "file"
        for k in range(4):
            folder = victim / Path(*below.parts[:k]) if k else victim
            (folder / name).write_bytes(b'{"unit": "a", "record": {}}\n{"torn' if torn else b"precious\n" * (k + 1))
        project = scratch / "project"
        parts = ("a", "b", "c", name)
        above = project.joinpath(*parts[:depth])
        above.mkdir(parents=True)
        # The link leads to what has the same name in the victim's folder, or to nothing.
        os.symlink(scratch / "nothing" if broken else victim.joinpath(*parts[: depth + 1]), above / parts[depth])
        before = tree_of(victim)
        with pytest.raises(UsageError, match=r"is a symbolic link to .*(victim|nothing)"):
            WRITERS[writer](project.joinpath(*parts))
        assert tree_of(victim) == before
        assert not (scratch / "nothing").exists()
        assert not (scratch / "stolen").exists()
        assert os.path.islink(above / parts[depth])
    finally:
        shutil.rmtree(scratch)


@pytest.mark.parametrize("name", [".ossicle.lock", ".ossicle-lock-fetch"])
def test_a_linked_lock_keeps_the_bytes_of_its_target(tmp_path: Path, name: str) -> None:
    (tmp_path / "victim").write_text("precious")
    folder = tmp_path / "project"
    folder.mkdir()
    os.symlink(tmp_path / "victim", folder / name)
    lock = project_lock(folder) if name == ".ossicle.lock" else work_unit_lock(folder, "fetch")
    with pytest.raises(UsageError, match="is a symbolic link"), lock:
        pass
    assert (tmp_path / "victim").read_text() == "precious"
    if name != ".ossicle.lock":
        with pytest.raises(UsageError, match="is a symbolic link"):
            forget_work_unit_locks(folder)


@pytest.mark.parametrize("left_by", ["part", "folder"])
def test_what_killed_writers_left_is_not_removed_through_links(tmp_path: Path, left_by: str) -> None:
    (tmp_path / "victim").mkdir()
    (tmp_path / "victim" / ".ossicle-part-mine").write_text("keep")
    (tmp_path / "work").mkdir()
    target = tmp_path / "victim" / ".ossicle-part-mine" if left_by == "part" else tmp_path / "victim"
    os.symlink(target, tmp_path / "work" / ".ossicle-part-0")
    with pytest.raises(UsageError, match="is a symbolic link"):
        sweep(tmp_path / "work")
    assert (tmp_path / "victim" / ".ossicle-part-mine").read_text() == "keep"


IRREGULAR: dict[str, Callable[[Path], object]] = {
    "open_to_append": _appended,
    "open_to_change": _changed,
    "lock": _locked,
    "journal": lambda path: Journal(path).mark("a"),
    "run_log": lambda path: RunLog(path).work_unit("a", "b", "computed"),
}


@pytest.mark.parametrize("writer", IRREGULAR, ids=str)
def test_a_pipe_is_refused_and_nothing_waits_for_it(tmp_path: Path, writer: str) -> None:
    place = tmp_path / (".ossicle-lock-x" if writer == "lock" else "file")
    os.mkfifo(place)
    with pytest.raises(OSError, match="not a regular file"):
        IRREGULAR[writer](place)


@pytest.mark.parametrize("writer", [*IRREGULAR, "whole_file", "write_text", "copy_to"])
def test_a_file_of_another_name_is_not_changed_through_a_hard_link(tmp_path: Path, writer: str) -> None:
    precious = b'{"unit": "a", "record": {}}\n{"torn'
    (tmp_path / "victim").write_bytes(precious)
    place = tmp_path / "a" / "b" / "c" / (".ossicle-lock-x" if writer == "lock" else "file")
    place.parent.mkdir(parents=True)
    os.link(tmp_path / "victim", place)
    if writer in IRREGULAR:
        with pytest.raises(UsageError, match="is a hard link, so a change would change the file of its other name too"):
            WRITERS[writer](place)
    else:
        # A whole file is written beside it and takes its name.
        with suppress(FileExistsError):
            WRITERS[writer](place)
    assert (tmp_path / "victim").read_bytes() == precious


@pytest.mark.parametrize("kind", ["part", "file", "folder"])
def test_a_download_follows_no_link(tmp_path: Path, kind: str) -> None:
    body = b"#!evil\n" * 100
    (tmp_path / "body").write_bytes(body)
    wanted = Wanted(f"file://{tmp_path}/body", "a/x.wav", len(body), "0" * 64)
    audio, victim = tmp_path / "audio", tmp_path / "victim"
    victim.mkdir()
    (victim / "x.wav").write_text("precious")
    if kind == "folder":
        audio.mkdir()
        os.symlink(victim, audio / "a")
    else:
        (audio / "a").mkdir(parents=True)
        os.symlink(victim / "x.wav", part_of(wanted, audio) if kind == "part" else audio / "a" / "x.wav")
    before = tree_of(victim)
    with pytest.raises(FetchError, match="is a symbolic link, so a download would be written to its target"):
        fetch_file(wanted, audio)
    assert tree_of(victim) == before


def test_a_tree_is_copied_without_links_and_pipes(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "below").mkdir(parents=True)
    (source / "below" / "a").write_text("a")
    changes.copy_tree(source, tmp_path / "copy")
    assert (tmp_path / "copy" / "below" / "a").read_text() == "a"
    os.mkfifo(source / "pipe")
    with pytest.raises(OSError, match="not a regular file"):
        changes.copy_tree(source, tmp_path / "second")
    (source / "pipe").unlink()
    (tmp_path / "secret").write_text("secret")
    os.symlink(tmp_path / "secret", source / "below" / "b")
    with pytest.raises(UsageError, match="is a symbolic link"):
        changes.copy_tree(source, tmp_path / "third")


def test_a_failed_append_leaves_no_half_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "log").write_bytes(b"one\n")

    def full(_: int) -> None:
        raise OSError(28, "no space")

    monkeypatch.setattr(os, "fsync", full)
    with changes.open_to_append(tmp_path / "log") as file, pytest.raises(OSError, match="no space"):
        changes.write_all(file, b"two\n")
    assert (tmp_path / "log").read_bytes() == b"one\n"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of files")
def test_a_line_that_was_refused_in_the_middle_leaves_nothing_behind(tmp_path: Path) -> None:
    import resource

    (tmp_path / "log").write_bytes(b"one\n")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8, limits[1]))
    try:
        with changes.open_to_append(tmp_path / "log") as file, pytest.raises(OSError, match="too large"):
            changes.write_all(file, b"twelve\n")
        with changes.open_to_append(tmp_path / "log") as file:
            changes.write_all(file, b"six\n")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (tmp_path / "log").read_bytes() == b"one\nsix\n"


def test_a_folder_below_a_file_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError) as problem:
        changes.make_folder(tmp_path / "file" / "below" / "deep")
    assert problem.value.filename == str(tmp_path / "file")
    with pytest.raises(FileExistsError):
        changes.make_folder(tmp_path / "file")
