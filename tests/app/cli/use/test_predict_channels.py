"""Recordings of several channels: those that cancel each other are named, and any channel can be chosen."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ossicle.app.api.audio_files import load_audio
from ossicle.app.api.bundles.loaded_bundle import load_bundle
from ossicle.bundle.format import read_bundle
from ossicle.bundle.manifest import manifest_of, parse
from ossicle.core.errors import BundleError
from ossicle.core.tracks import event_order

from ...conftest import Commands

RATE = 8000


@pytest.fixture
def tapes(tmp_path: Path) -> Path:
    """One recording as mono, and as stereo with the second channel inverted, dead, or much louder noise."""
    folder = tmp_path / "audio"
    folder.mkdir()
    rng = np.random.default_rng(0)
    x = rng.normal(0, 0.02, 4 * RATE).astype(np.float32)
    x[RATE : RATE + 1600] += (0.4 * np.sin(2 * np.pi * 1200 * np.arange(1600) / RATE)).astype(np.float32)
    loud = rng.normal(0, 0.2, len(x)).astype(np.float32)
    for name, samples in {"mono": x, "anti": np.stack([x, -x], 1), "second": np.stack([loud, x], 1)}.items():
        soundfile.write(folder / f"{name}.wav", samples, RATE, subtype="FLOAT")
    return folder


def events(out: Path) -> dict[str, list[tuple[str, ...]]]:
    lines = [line.split(",") for line in (out / "events.csv").read_text().splitlines()[1:]]
    return {
        name: [tuple(line[1:]) for line in lines if line[0] == f"{name}.wav"] for name in ("mono", "anti", "second")
    }


def test_predict_names_channels_that_cancel(old_bundle: Path, tapes: Path, tmp_path: Path, ossicle: Commands) -> None:
    for turn in ("computed", "reused"):
        result = ossicle("predict", old_bundle, tapes, "-o", tmp_path / "out", "--json")
        assert result.code == 0, turn
        content = json.loads(result.out)
        assert content["channel"] == "mean"
        found = {recording["recording"]: recording["channels_cancel"] for recording in content["recordings"]}
        assert found == {"mono.wav": None, "anti.wav": -200.0, "second.wav": None}
        below = "channels cancel: their mean is 200 dB below the loudest channel"
        warning = f"anti.wav: {below}, in all or a part of the recording"
        assert [line for line in result.err.splitlines() if "cancel" in line] == [
            f"{warning}, so events are missing; choose one with --channel first or loudest"
        ]


def test_the_chosen_channel_gives_the_events_of_that_channel_alone(
    old_bundle: Path, tapes: Path, tmp_path: Path, ossicle: Commands
) -> None:
    for channel, same in (("first", ["anti"]), ("2", ["second"]), ("loudest", ["anti"])):
        out = tmp_path / channel
        result = ossicle("predict", old_bundle, tapes, "-o", out, "--channel", channel)
        assert (result.code, "cancel" in result.err) == (0, False)
        found = events(out)
        assert found["mono"]
        for name in same:
            assert found[name] == found["mono"], channel
        assert json.loads((out / "predictions.json").read_text())["channel"] == channel
    # Another channel is another prediction, never one that was done before.
    again = ossicle("predict", old_bundle, tapes, "-o", tmp_path / "first", "--channel", "2")
    assert "done before" not in again.err


def test_stream_reads_the_chosen_channel(old_bundle: Path, tapes: Path, ossicle: Commands) -> None:
    mono = ossicle("stream", old_bundle, tapes / "mono.wav")
    for name, channel in (("anti", "first"), ("second", "2"), ("anti", "loudest")):
        result = ossicle("stream", old_bundle, tapes / f"{name}.wav", "--channel", channel)
        assert (result.code, result.out, result.err) == (0, mono.out, "")
    result = ossicle("stream", old_bundle, tapes / "anti.wav")
    assert "anti.wav: channels cancel" in result.err


def test_a_recording_without_the_channel_costs_only_itself(
    old_bundle: Path, tapes: Path, tmp_path: Path, ossicle: Commands
) -> None:
    result = ossicle("predict", old_bundle, tapes, "-o", tmp_path / "out", "--channel", "3", "--json")
    assert result.code == 3
    status = {recording["recording"]: recording["status"] for recording in json.loads(result.out)["recordings"]}
    assert status == {"mono.wav": "ok", "anti.wav": "left_out", "second.wav": "left_out"}
    assert "has 2 channels, and [audio] channel = 3 is to be read" in result.err


@pytest.mark.parametrize("command", ["predict", "stream"])
def test_what_is_no_channel_is_a_usage_error(
    command: str, old_bundle: Path, tapes: Path, tmp_path: Path, ossicle: Commands
) -> None:
    rest = ("-o", tmp_path / "out") if command == "predict" else ()
    result = ossicle(command, old_bundle, tapes / "mono.wav", *rest, "--channel", "left")
    assert result.code == 2
    assert "--channel = 'left' is not" in result.err


def test_the_python_interface_reads_the_same(old_bundle: Path, tapes: Path) -> None:
    plain = load_bundle(old_bundle)
    mono = plain.predict(tapes / "mono.wav")["mono.wav"]
    assert plain.predict(tapes / "anti.wav")["anti.wav"].channels_cancel_db == -200.0
    samples, rate = soundfile.read(tapes / "anti.wav", dtype="float32")
    assert plain.predict((samples, rate))["samples"].channels_cancel_db == -200.0
    for channel in (1, "first", "loudest"):
        chosen = load_bundle(old_bundle, channel=channel)
        assert chosen.predict(tapes / "anti.wav")["anti.wav"].events == mono.events
        assert chosen.predict((samples, rate))["samples"].events == mono.events
    with load_bundle(old_bundle, channel="first").stream() as live:
        fed = live.feed(samples) + live.finish()
    assert sorted(fed, key=event_order) == list(mono.events)
    with pytest.raises(ValueError, match="is not"):
        load_bundle(old_bundle, channel="both")
    with pytest.warns(UserWarning, match="channels cancel"):
        load_audio(tapes / "anti.wav")
    np.testing.assert_array_equal(load_audio(tapes / "anti.wav", channel=1)[0], samples[:, 0])


def test_a_bundle_keeps_its_channel_and_one_without_it_reads_the_mean(old_bundle: Path) -> None:
    bundle = read_bundle(old_bundle)
    result = manifest_of(bundle)
    assert (bundle.plan.channel, "channel" in result["plan"]) == ("mean", False)
    result["plan"]["channel"] = "2"
    again = parse(json.dumps(result).encode(), old_bundle)
    assert again.plan.channel == "2"
    assert manifest_of(again)["plan"]["channel"] == "2"
    for value in ("left", 2, ""):
        result["plan"]["channel"] = value
        with pytest.raises(BundleError, match="channel"):
            parse(json.dumps(result).encode(), old_bundle)


def test_a_time_expanded_recording_is_named(old_bundle: Path, tmp_path: Path, ossicle: Commands) -> None:
    path = tmp_path / "bat.wav"
    soundfile.write(path, np.random.default_rng(0).normal(0, 0.1, RATE), RATE)
    guano = b"GUANO|Version: 1.0\nTE: 10\n"
    path.write_bytes(path.read_bytes() + b"guan" + len(guano).to_bytes(4, "little") + guano)
    result = ossicle("predict", old_bundle, path, "-o", tmp_path / "out", "--json")
    assert result.code == 0
    assert json.loads(result.out)["recordings"][0]["time_expansion"] == 10.0
    assert "bat.wav: slowed down 10 times" in result.err
    assert "bat.wav: slowed down 10 times" in ossicle("stream", old_bundle, path).err


def test_a_recording_whose_rate_is_too_low_for_the_model_is_named(
    old_bundle: Path, tmp_path: Path, ossicle: Commands
) -> None:
    top_hz = load_bundle(old_bundle).top_hz
    folder = tmp_path / "audio"
    folder.mkdir()
    for name, rate in (("low", int(top_hz)), ("nearly", int(1.9 * top_hz)), ("high", int(4 * top_hz))):
        soundfile.write(folder / f"{name}.wav", np.random.default_rng(0).normal(0, 0.1, rate), rate)
    words = f"recorded at {top_hz:g} Hz, so it holds nothing from {top_hz / 2:g} Hz to the {top_hz:g} Hz"
    for turn in ("computed", "reused"):
        result = ossicle("predict", old_bundle, folder, "-o", tmp_path / "out", "--json")
        assert result.code == 0, turn
        found = {one["recording"]: one["band_missing_from_hz"] for one in json.loads(result.out)["recordings"]}
        assert found == {"low.wav": top_hz / 2, "nearly.wav": None, "high.wav": None}
        assert [line for line in result.err.splitlines() if "holds nothing" in line] == [
            f"low.wav: {words} that the model reads; events are missing that need it"
        ]
    assert words in ossicle("stream", old_bundle, folder / "low.wav").err
