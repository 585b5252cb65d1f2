"""``[audio] channel`` in a project: what is stored for training, and what is computed again when it changes."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from ossicle.app.project.load import load_project
from ossicle.audio.store import MixedStore
from ossicle.core.errors import UsageError

from ....made_up.untrained import PROJECT, RATE, write_tapes

TAPES = ("siteA_1", "siteB_1", "siteC_1")
QUIET = ("--until", "store", "--progress", "none")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Three tapes whose second channel is the inverted first one at half its level."""
    write_tapes(tmp_path, TAPES)
    for name in TAPES:
        path = tmp_path / "audio" / f"{name}.wav"
        samples, rate = soundfile.read(path, dtype="float32")
        soundfile.write(path, np.stack([0.5 * samples, -samples], 1), rate, subtype="FLOAT")
    (tmp_path / "ossicle.toml").write_text(PROJECT)
    return tmp_path


def stored(project: Path, channel: str) -> np.ndarray:
    """The samples of the first tape in the newest store."""
    newest = max((project / "data" / "store").glob("[!.]*"), key=lambda one: one.stat().st_mtime_ns)
    with MixedStore(newest, audio=project / "audio") as store:
        return store.read(store.ids[0], 0, 10 * RATE)


@pytest.mark.parametrize("raw", ["false", "true"])
def test_a_run_stores_the_chosen_channel(project: Path, ossicle: Any, raw: str) -> None:
    found = {}
    for channel in ("mean", "first", "2", '"loudest"'):
        result = ossicle("run", "-p", project, "--set", f"audio.channel={channel}", "--set", f"store.raw={raw}", *QUIET)
        assert result.code == 0, result.err
        found[channel] = stored(project, channel)
        assert ("channels_cancel" in result.err + result.out) is False
    peak = np.abs(found["2"]).max()
    np.testing.assert_allclose(found['"loudest"'], found["2"], atol=1e-6)
    np.testing.assert_allclose(found["first"], -0.5 * found["2"], atol=1e-4 * peak)
    np.testing.assert_allclose(found["mean"], 0.25 * found["2"], atol=1e-4 * peak)


def test_the_default_and_its_name_are_one_result(project: Path, ossicle: Any) -> None:
    assert ossicle("run", "-p", project, *QUIET).code == 0
    with open(project / "ossicle.toml", "a") as file:
        file.write('\n[audio]\nchannel = "mean"\n')
    result = ossicle("run", "-p", project, *QUIET, "--json")
    assert '"store": "reused"' in result.out
    assert '"corpus": "reused"' in result.out


@pytest.mark.parametrize("value", ["2", '"2"', '"first"'])
def test_numbers_and_names_load(project: Path, value: str) -> None:
    with open(project / "ossicle.toml", "a") as file:
        file.write(f"\n[audio]\nchannel = {value}\n")
    settings = load_project(project).settings
    assert settings.audio.name == settings.plan.channel == value.strip('"')


@pytest.mark.parametrize("value", ["0", '"both"', "true", "1.5", "[1]"])
def test_other_values_name_the_key(project: Path, value: str) -> None:
    with open(project / "ossicle.toml", "a") as file:
        file.write(f"\n[audio]\nchannel = {value}\n")
    with pytest.raises(UsageError, match=r"audio.*channel"):
        load_project(project)


def test_a_check_listens_into_recordings_and_names_channels_that_cancel(project: Path, ossicle: Any) -> None:
    rng = np.random.default_rng(0)
    for name in TAPES[:2]:
        x = rng.normal(0, 0.1, 10 * RATE).astype(np.float32)
        soundfile.write(project / "audio" / f"{name}.wav", np.stack([x, -x], 1), RATE, subtype="FLOAT")
    x = rng.normal(0, 0.1, 10 * RATE).astype(np.float32)
    soundfile.write(project / "audio" / f"{TAPES[2]}.wav", np.stack([x, x], 1), RATE, subtype="FLOAT")
    result = ossicle("check", "-p", project)
    assert "2 of 3 recordings with several channels that were listened into (siteA_1.wav first)" in result.out
    below = "channels cancel: their mean is 200 dB below the loudest channel"
    assert f"{below}, in all or a part of the recording; set [audio] channel" in result.out
    result = ossicle("check", "-p", project, "--set", "audio.channel=first")
    assert "channels cancel" not in result.out
