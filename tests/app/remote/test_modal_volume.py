"""Modal's own library without a token: nothing is connected, and the message says what is missing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ossicle.app.remote.addresses import place_at
from ossicle.app.remote.modal_place import ModalPlace
from ossicle.core.errors import FetchError, UsageError

from ...doubles.volume_double import DoubleErrors, DoubleVolume, Refused, Silence

pytest.importorskip("modal", reason="the extra `modal` is not installed")


@pytest.mark.parametrize("words", [("ls", "modal:bible-audio-data/audio"), ("push", ".", "modal:tapes")])
def test_without_a_token_it_says_so(tmp_path: Path, words: tuple[str, ...]) -> None:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("MODAL_")}
    (tmp_path / "a.wav").write_bytes(b"a")
    done = subprocess.run(
        [sys.executable, "-m", "ossicle", "remote", *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        timeout=120,
        env={**plain, "MODAL_CONFIG_PATH": str(tmp_path / "none.toml")},
    )
    assert (done.returncode, "no token" in done.stderr, "modal token new" in done.stderr) == (2, True, True), done


@pytest.mark.parametrize("address", ["modal:", "modal:/prefix", "modal:tapes/../other", "modal:no such name!"])
def test_addresses_that_name_no_volume(address: str) -> None:
    with pytest.raises(UsageError):
        place_at(address)


def test_errors_of_the_service_are_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = ModalPlace(DoubleVolume(tmp_path), "", DoubleErrors())
    raised: Exception = Silence("too many requests")

    def fail(self: DoubleVolume, path: str, *, recursive: bool = False) -> list[object]:
        raise raised

    monkeypatch.setattr(DoubleVolume, "listdir", fail)
    with pytest.raises(FetchError, match="Modal: too many requests"):
        place.listing()
    raised = Refused("token missing")
    with pytest.raises(UsageError, match="no token"):
        place.listing()


def test_a_folder_of_a_volume_knows_nothing_beside_it(tmp_path: Path) -> None:
    for name in ("audio/a.wav", "audio2/b.wav", "c.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    assert set(ModalPlace(DoubleVolume(tmp_path), "audio", DoubleErrors()).listing().files) == {"a.wav"}
    assert set(ModalPlace(DoubleVolume(tmp_path), "", DoubleErrors()).listing().files) == {
        "audio/a.wav",
        "audio2/b.wav",
        "c.wav",
    }
