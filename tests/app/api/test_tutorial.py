"""The code of docs/python.md runs, from top to bottom, as a reader would run it."""

import re
import shutil
from pathlib import Path

import pytest
import soundfile

from ...made_up.untrained import PROJECT, write_tapes

_BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def test_the_code_of_the_tutorial_runs(
    repository: Path, old_bundle: Path, audio: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (repository / "docs" / "python.md").read_text(encoding="utf-8")
    blocks = list(_BLOCK.finditer(page))
    assert len(blocks) > 10
    place = tmp_path / "tutorial"
    shutil.copytree(old_bundle, place / "bundle")
    for name, source in (("night.wav", "one.wav"), ("dawn/two.wav", "night/three.wav")):
        (place / "recordings" / name).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(place / "recordings" / name, *soundfile.read(audio / source))
    write_tapes(place / "project", ["siteA_1", "siteA_2", "siteB_1"])
    (place / "project" / "ossicle.toml").write_text(PROJECT)
    monkeypatch.chdir(place)
    monkeypatch.delenv("OSSICLE_DATA_ROOT", raising=False)
    names: dict[str, object] = {}
    for block in blocks:
        # Blank lines before it, so that an error names the line of the page.
        lead = "\n" * page.count("\n", 0, block.start(1))
        exec(compile(lead + block.group(1), str(repository / "docs" / "python.md"), "exec"), names)
    assert (place / "results" / "events.csv").is_file()
