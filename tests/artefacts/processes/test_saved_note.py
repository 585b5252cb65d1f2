"""Whoever commits a volume learns of each whole file, folder and finished work unit, and of nothing else."""

import os
from pathlib import Path

import pytest

from ossicle.artefacts.files import whole_folder, write_text
from ossicle.artefacts.logs.journal import Journal
from ossicle.artefacts.processes.saved_note import SAVED_VARIABLE, note_saved


def test_each_saved_thing_is_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    note = tmp_path / "note"
    monkeypatch.setenv(SAVED_VARIABLE, str(note))
    journal = Journal(tmp_path / "journal.jsonl")

    def noted() -> bool:
        at = note.stat().st_mtime_ns
        os.utime(note, ns=(1, 1))
        return at > 1

    note.touch()
    assert noted()
    assert not noted()
    write_text(tmp_path / "file", "x")
    assert noted()
    with whole_folder(tmp_path / "folder") as part:
        assert not noted()
        (part / "inside").touch()
    assert noted()
    journal.mark("unit")
    assert noted()
    # Whoever waited for it is gone.
    note.unlink()
    note_saved()
    assert not note.exists()


def test_without_the_variable_nothing_is_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SAVED_VARIABLE, raising=False)
    note_saved()
    write_text(tmp_path / "file", "x")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
