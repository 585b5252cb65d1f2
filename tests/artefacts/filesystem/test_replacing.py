from pathlib import Path

import pytest

from ossicle.artefacts.filesystem.replacing import foreign_files, refuse_foreign
from ossicle.artefacts.typed.results.published import PUBLISHED_FILES
from ossicle.core.errors import UsageError

OWN = ("bundle.json", "*.onnx", "members/**", "*/fit.json", "**/*.original.wav")


def test_what_is_not_part_of_a_result_is_foreign(tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    assert foreign_files(folder, OWN) == []
    (folder / "members" / "a").mkdir(parents=True)
    for name in ("members/a/x.json", "bundle.json", "model.onnx", ".DS_Store", "Thumbs.db", "._model.onnx", ".gitkeep"):
        (folder / name).write_bytes(b"")
    assert foreign_files(folder, OWN) == []
    (folder / "tape.wav").write_bytes(b"")
    (folder / "sub").mkdir()
    (folder / "sub" / "bundle.json").write_bytes(b"")
    assert foreign_files(folder, OWN) == ["sub/bundle.json", "tape.wav"]
    with pytest.raises(UsageError, match=r"would be lost: sub/bundle\.json and 1 more; move it"):
        refuse_foreign(folder, OWN, "move it")
    with pytest.raises(UsageError, match="is a file, and a folder would replace it; move it"):
        refuse_foreign(folder / "tape.wav", OWN, "move it")


def test_a_star_stands_for_no_folders_and_two_for_any(tmp_path: Path) -> None:
    own = ("final/fit.json", "members/a/b/c", "a.original.wav", "a/b/c.original.wav")
    others = (".git/HEAD", "a/b/fit.json", "docs/model.onnx", "fit.json", "notes.original.wav.txt")
    for name in (*own, *others):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    assert foreign_files(tmp_path, OWN) == sorted(others)


def test_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(UsageError, match="link is a symbolic link to "):
        refuse_foreign(tmp_path / "link", OWN, "move it")


@pytest.mark.parametrize("name", PUBLISHED_FILES)
def test_notes_of_the_user_are_part_of_no_result(tmp_path: Path, name: str) -> None:
    notes = ("NOTES.md", "final/notes.json", "mine.safetensors", "notes.json", "old/weights/x.npz")
    for note in notes:
        (tmp_path / note).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / note).write_bytes(b"")
    assert foreign_files(tmp_path, PUBLISHED_FILES[name]) == sorted(notes)


def test_files_beside_those_of_trackers_are_part_of_no_result(tmp_path: Path) -> None:
    own = ("tensorboard/events.out.tfevents.1.host.2.0", "wandb/offline-run-20261130-x/files/config.yaml")
    own += ("wandb/run-20261130-x/run-x.wandb", "wandb/debug.log")
    notes = ("tensorboard/NOTES.md", "wandb/mine/a.csv")
    for name in (*own, *notes):
        (tmp_path / "final" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "final" / name).write_bytes(b"")
    assert foreign_files(tmp_path, PUBLISHED_FILES["heads"]) == [f"final/{name}" for name in notes]


def test_heads_of_before_are_part_of_a_result(tmp_path: Path) -> None:
    (tmp_path / "final").mkdir()
    (tmp_path / "final" / "level.safetensors").write_bytes(b"")
    assert foreign_files(tmp_path, PUBLISHED_FILES["heads"]) == []
