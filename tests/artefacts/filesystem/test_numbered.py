"""Numbered files: order, gaps and foreign names."""

from pathlib import Path

from ossicle.artefacts.filesystem.numbered import next_numbered, numbered_files


def test_the_next_number_is_after_the_last_whatever_is_missing(tmp_path: Path) -> None:
    folder = tmp_path / "rounds"
    assert numbered_files(folder, "round") == []
    assert next_numbered(folder, "round") == folder / "round-001.json"
    folder.mkdir()
    names = ("round-002.json", "round-1000.json", "round-011.json")
    for name in (*names, "round-1.json", "round-002.json.part", "rounds-003.json", "xround-004.json"):
        (folder / name).touch()
    assert [file.name for file in numbered_files(folder, "round")] == [names[0], names[2], names[1]]
    assert next_numbered(folder, "round").name == "round-1001.json"
