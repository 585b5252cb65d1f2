from pathlib import Path

import numpy as np
import pytest
import soundfile

from ossicle.core.errors import UsageError
from ossicle.corpus.formats.cells.rows import RawSelection
from ossicle.corpus.formats.reading.labelled_audio import read_folders, read_names


def sounds(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, np.zeros(4000), 8000)
    return folder


def test_class_folders(tmp_path: Path) -> None:
    sounds(tmp_path, "dog/a.wav", "dog/deep/b.WAV", "Noise/c.wav", "-dog/d.wav", "loose.wav")
    (tmp_path / "dog" / "bad.wav").write_text("no sound")
    folders = read_folders(tmp_path)
    assert folders.table.rows == (
        RawSelection(0.0, 0.5, "dog", begin_path="dog/a.wav"),
        RawSelection(0.0, 0.5, "dog", begin_path="dog/deep/b.WAV"),
    )
    assert set(folders.table.files) == {"dog/a.wav", "dog/deep/b.WAV", "Noise/c.wav", "-dog/d.wav"}
    assert [name for name, _ in folders.left_out] == ["dog/bad.wav", "loose.wav"]
    assert folders.left_out[1][1] == "is in no class folder"


def test_states_in_names(tmp_path: Path) -> None:
    sounds(tmp_path, "ac-on-fridge-off-day.wav", "ac-on-fridge-on-night.wav", "ac-off-fridge-off-day.wav", "ac-no.wav")
    names = read_names(tmp_path, "ac-{ac:on|off}-fridge-{fridge:on|off}-{part}", ["ac=on", "fridge=on"])
    assert [(row.begin_path, row.label) for row in names.table.rows] == [
        ("ac-on-fridge-off-day.wav", "ac"),
        ("ac-on-fridge-on-night.wav", "ac"),
        ("ac-on-fridge-on-night.wav", "fridge"),
    ]
    assert "ac-off-fridge-off-day.wav" in names.table.files
    assert [name for name, _ in names.left_out] == ["ac-no.wav"]


def test_values_in_names(tmp_path: Path) -> None:
    sounds(tmp_path, "7_jackson_32.wav", "0_theo_1.wav")
    names = read_names(tmp_path, "{digit}_{speaker}_{take}", ["digit"])
    assert [row.label for row in names.table.rows] == ["0", "7"]


def test_what_makes_no_sense_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="contains no recordings"):
        read_folders(tmp_path)
    sounds(tmp_path, "a_b.wav")
    with pytest.raises(UsageError, match=r"a_b\.wav: is in no class folder"):
        read_folders(tmp_path)
    for template, fields, words in (
        ("{x}_{y}", [], "no label field is given: choose from x, y"),
        ("{x}_{y}", ["z"], "the label field 'z' is not in the template .*, which has x, y"),
        ("{x}_{y}", ["x=on"], "no recording .* has that value"),
        ("{x}-{y}", ["x"], "none of its 1 recordings"),
    ):
        with pytest.raises(UsageError, match=words):
            read_names(tmp_path, template, fields)
