from pathlib import Path

import pytest

from ossicle.artefacts.filesystem.replacing import foreign_files, refuse_foreign
from ossicle.core.errors import UsageError

OWN = ("bundle.json", "*.onnx", "members/*")


def test_what_is_not_part_of_a_result_is_foreign(tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    assert foreign_files(folder, OWN) == []
    (folder / "members" / "a").mkdir(parents=True)
    for name in ("members/a/x.json", "bundle.json", "model.onnx", ".DS_Store", "Thumbs.db", "._model.onnx"):
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
