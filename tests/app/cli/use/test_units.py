"""``ossicle units encode``: the units of any file, when each run is heard, and what is refused."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from ossicle.artefacts.files import read_json, write_json
from ossicle.audio.decoding.mono import load_mono
from ossicle.audio.encoders.frames.mfcc import MfccEncoder
from ossicle.audio.segmentation.hearing import Hearing
from ossicle.audio.segmentation.recordings import segment_recording
from ossicle.audio.segmentation.settings import SegmentSettings
from ossicle.audio.wav import write_wav
from ossicle.units.normalisation import GROUP, SEGMENT, statistics_of
from ossicle.units.quantiser import Quantiser

from ....made_up.quantiser import drawn_quantiser
from ....made_up.speech_like import spoken, write_speech
from ...conftest import Commands


@pytest.fixture(scope="module")
def speech(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_speech(tmp_path_factory.mktemp("speech"), speakers=1, words=5) / "audio"


def encoded(ossicle: Commands, *words: object) -> dict[str, Any]:
    result = ossicle("units", "encode", *words, "--json")
    assert result.code == 0, result
    content: dict[str, Any] = json.loads(result.out)
    return content


def units_of(found: dict[str, Any]) -> list[int]:
    return [unit for segment in found["segments"] for unit in segment["units"]]


def test_a_file_becomes_units_with_exact_times(speech: Path, tmp_path: Path, ossicle: Commands) -> None:
    quantiser = drawn_quantiser(tmp_path / "quantiser")
    file = speech / "speaker0_0.wav"
    result = encoded(ossicle, tmp_path / "quantiser", file)
    frames = MfccEncoder().encode(load_mono(file, 16000)[None])[0]
    assert units_of(result) == quantiser.assign(frames).tolist()
    assert (result["file"], result["quantiser"], result["n_units"]) == ("speaker0_0.wav", quantiser.digest, 20)
    assert result["segments"][0]["start_s"] == 0.0
    assert result["segments"][0]["end_s"] == result["duration_s"]

    # Each frame is centred in the run of its unit: 12.5 ms, then every 20 ms.
    runs = result["runs"]
    assert len(runs) > 5
    centres = np.arange(len(frames)) * 0.02 + 0.0125
    for run in runs:
        inside = (centres >= run["start_s"]) & (centres < run["end_s"])
        assert inside.any()
        assert set(np.array(units_of(result))[inside]) == {run["unit"]}
    assert all(a["end_s"] == b["start_s"] and a["unit"] != b["unit"] for a, b in pairwise(runs))
    assert runs[-1]["end_s"] <= result["duration_s"]


def test_a_sound_that_begins_at_1_s_begins_a_run_there(tmp_path: Path, ossicle: Commands) -> None:
    samples = np.random.default_rng(0).normal(0, 0.1, 40_000).astype(np.float32)
    samples[:16_000] *= 1e-3
    frames = MfccEncoder().encode(samples[None])[0]
    quantiser = drawn_quantiser(tmp_path / "quantiser")
    # Quiet and loud.
    replace(quantiser, centres=frames[[10, 80]]).save(tmp_path / "quantiser")
    write_wav(tmp_path / "step.wav", samples, 16000)
    runs = encoded(ossicle, tmp_path / "quantiser", tmp_path / "step.wav")["runs"]
    assert [run["unit"] for run in runs] == [0, 1]
    assert runs[1]["start_s"] == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize("kind", [SEGMENT, GROUP])
def test_frames_are_normalised_as_in_training(kind: str, speech: Path, tmp_path: Path, ossicle: Commands) -> None:
    quantiser = drawn_quantiser(tmp_path / "quantiser", kind=kind)
    file = speech / "speaker0_0.wav"
    frames = MfccEncoder().encode(load_mono(file, 16000)[None])[0]
    result = encoded(ossicle, tmp_path / "quantiser", file)
    assert units_of(result) == quantiser.assign(frames, statistics_of(frames)).tolist()


def test_files_of_one_group_are_normalised_together(speech: Path, tmp_path: Path, ossicle: Commands) -> None:
    quantiser = drawn_quantiser(tmp_path / "quantiser", kind=GROUP)
    bad = tmp_path / "bad.wav"
    bad.write_bytes(b"no sound")
    files = [speech / f"speaker0_{k}.wav" for k in (0, 1)]
    result = ossicle("units", "encode", tmp_path / "quantiser", *files, bad, "--one-group", "--json")
    assert result.code == 3
    frames = [MfccEncoder().encode(load_mono(file, 16000)[None])[0] for file in files]
    own = statistics_of(np.concatenate(frames))
    for line, frame in zip(result.out.splitlines(), frames, strict=True):
        assert units_of(json.loads(line)) == quantiser.assign(frame, own).tolist()


def test_cut_files_have_units_in_their_segments_alone(speech: Path, tmp_path: Path, ossicle: Commands) -> None:
    drawn_quantiser(tmp_path / "quantiser")
    parts = [load_mono(speech / f"speaker0_{k}.wav", 16000) for k in (0, 1)]
    silence = np.zeros(48_000, np.float32)
    write_wav(tmp_path / "two.wav", np.concatenate([silence, parts[0], silence, parts[1]]), 16000)
    result = encoded(ossicle, tmp_path / "quantiser", tmp_path / "two.wav", "--cut")
    assert len(result["segments"]) >= 2
    assert all(b["start_s"] >= a["end_s"] for a, b in pairwise(result["segments"]))
    for run in result["runs"]:
        assert any(
            segment["start_s"] <= run["start_s"] < run["end_s"] <= segment["end_s"] for segment in result["segments"]
        )
    for segment in result["segments"]:
        assert len(segment["units"]) == 1 + (round((segment["end_s"] - segment["start_s"]) * 16000) - 400) // 320


def test_recordings_of_a_format_that_is_not_read_are_named(speech: Path, tmp_path: Path, ossicle: Commands) -> None:
    drawn_quantiser(tmp_path / "quantiser")
    folder = tmp_path / "in"
    shutil.copytree(speech, folder)
    (folder / "speaker9_0.sph").write_bytes(b"not read")
    result = ossicle("units", "encode", tmp_path / "quantiser", folder)
    assert result.code == 3
    assert f"{folder}: not read: 1 file (speaker9_0.sph)" in result.err


def test_files_are_written_and_bad_ones_are_listed(speech: Path, tmp_path: Path, ossicle: Commands) -> None:
    drawn_quantiser(tmp_path / "quantiser")
    bad = tmp_path / "bad.wav"
    bad.write_bytes(b"no sound")
    out = tmp_path / "out"
    result = ossicle("units", "encode", tmp_path / "quantiser", speech, bad, "-o", out)
    assert result.code == 3
    assert "bad.wav" in result.err
    assert sorted(path.name for path in out.glob("[!.]*")) == ["speaker0_0.units.json", "speaker0_1.units.json"]
    written = read_json(out / "speaker0_0.units.json")
    assert written == encoded(ossicle, tmp_path / "quantiser", speech / "speaker0_0.wav")
    row = next(line for line in result.out.splitlines() if "speaker0_0.wav" in line).split()
    assert row[2:5] == ["1", str(len(units_of(written))), str(len(written["runs"]))]


@pytest.mark.parametrize(
    ("cut", "why"), [((), "it has 24.94 ms of sound, less than a frame of 25 ms"), (("--cut",), "no frame reaches")]
)
def test_files_without_a_unit_are_named(cut: tuple[str, ...], why: str, tmp_path: Path, ossicle: Commands) -> None:
    drawn_quantiser(tmp_path / "quantiser")
    samples = np.full(399, 0.1, np.float32) if not cut else np.zeros(32_000, np.float32)
    write_wav(tmp_path / "short.wav", samples, 16000)
    result = ossicle("units", "encode", tmp_path / "quantiser", tmp_path / "short.wav", "--json", "-o", tmp_path, *cut)
    assert (result.code, result.out) == (3, "")
    assert f"short.wav: no units: {why}" in result.err
    assert not list(tmp_path.glob("*.units.json"))


def heard_by(folder: Path, quantiser: Quantiser, hearing: Hearing) -> Path:
    replace(quantiser, heard=hearing).save(folder)
    return folder


def test_recordings_are_cut_as_the_project_cuts_them(speech: Path, tmp_path: Path, ossicle: Commands) -> None:
    made = drawn_quantiser(tmp_path / "plain")
    settings = SegmentSettings(threshold_db=-25.0, min_silence_s=0.3, shortest_s=0.5)
    quantiser = heard_by(tmp_path / "q", made, Hearing(segments=settings))
    file = speech / "speaker0_0.wav"
    found = encoded(ossicle, quantiser, file, "--cut")
    own = [(segment.start_s, segment.end_s) for segment in segment_recording(file, settings).segments]
    assert own != [(segment.start_s, segment.end_s) for segment in segment_recording(file, SegmentSettings()).segments]
    assert [(segment["start_s"], segment["end_s"]) for segment in found["segments"]] == own
    assert found["cut"]["threshold_db"] == -25.0
    result = " ".join(ossicle("units", "encode", quantiser, file, "--cut").out.split())
    assert f"{settings.in_words}; by [segments] of the quantiser's project" in result
    result = " ".join(ossicle("units", "encode", quantiser, file).out.split())
    assert "the quantiser's project cuts recordings at silences, as --cut does" in result
    result = " ".join(ossicle("units", "encode", tmp_path / "plain", file, "--cut").out.split())
    assert f"{SegmentSettings().in_words}; default settings: an earlier version wrote the quantiser" in result


def test_a_project_with_ready_segments_cuts_other_recordings_by_its_levels() -> None:
    given = Hearing(segments=SegmentSettings(by="table", table="x.tsv", threshold_db=-30.0))
    assert Hearing.from_json(given.to_json()).at_silences == SegmentSettings(threshold_db=-30.0)


def test_the_channel_is_that_of_the_project_unless_another_is_asked_for(tmp_path: Path, ossicle: Commands) -> None:
    made = drawn_quantiser(tmp_path / "plain")
    quantiser = heard_by(tmp_path / "q", made, Hearing("2"))
    left, right = (spoken(["ai", "uea", "iu"], 0, seed)[0][:20_000] for seed in (1, 2))
    soundfile.write(tmp_path / "two.wav", np.stack([left, right], axis=1), 16000, subtype="FLOAT")
    soundfile.write(tmp_path / "right.wav", right, 16000, subtype="FLOAT")
    result = encoded(ossicle, quantiser, tmp_path / "two.wav")
    assert (units_of(result), result["channel"]) == (units_of(encoded(ossicle, quantiser, tmp_path / "right.wav")), "2")
    assert "channel: 2, as in" in ossicle("units", "encode", quantiser, tmp_path / "two.wav").out
    mean = ossicle("units", "encode", quantiser, tmp_path / "two.wav", "--channel", "mean")
    assert "channel: mean; the quantiser's project reads 2" in mean.out
    assert units_of(encoded(ossicle, tmp_path / "plain", tmp_path / "two.wav")) != units_of(result)


def test_recordings_with_less_sound_than_the_encoder_hears_are_named(tmp_path: Path, ossicle: Commands) -> None:
    """Telephone speech got units of full-band speech, and nothing said that they may mean other sounds."""
    samples = np.random.default_rng(0).uniform(-0.1, 0.1, 16000)
    for name, rate in (("phone.wav", 8000), ("studio.wav", 48000)):
        soundfile.write(tmp_path / name, samples, rate)
    drawn_quantiser(tmp_path / "quantiser")
    result = ossicle("units", "encode", tmp_path / "quantiser", tmp_path / "phone.wav", tmp_path / "studio.wav")
    assert result.code == 0, result.err
    assert "1 recording at less than the 16000 Hz of the encoder (first: phone.wav, 8000 Hz)" in result.err
    result = ossicle("units", "encode", tmp_path / "quantiser", tmp_path / "studio.wav")
    assert "of the encoder" not in result.out


@pytest.mark.parametrize("more", [(), ("--cut",), ("--json",)])
def test_channels_that_cancel_and_low_rates_are_named_however_units_are_printed(
    more: tuple[str, ...], tmp_path: Path, ossicle: Commands
) -> None:
    left = np.random.default_rng(0).normal(0, 0.1, 24_000).astype(np.float32)
    soundfile.write(tmp_path / "wires.wav", np.stack([left, -0.9 * left], axis=1), 8000)
    drawn_quantiser(tmp_path / "quantiser")
    call = ("units", "encode", tmp_path / "quantiser", tmp_path / "wires.wav", *more)
    result = ossicle(*call)
    assert result.code == 0, result.err
    assert "wires.wav: channels cancel: their mean is 26 dB below the loudest channel" in result.err
    assert "; choose one with --channel first or loudest" in result.err
    assert "1 recording at less than the 16000 Hz" in result.err
    assert "channels cancel" not in ossicle(*call, "--channel", "first").err


def test_units_after_a_hole_are_not_said_to_end_there(tmp_path: Path, ossicle: Commands) -> None:
    samples = np.random.default_rng(0).normal(0, 0.1, 160_000)
    soundfile.write(tmp_path / "hole.flac", samples, 16000)
    data = (tmp_path / "hole.flac").read_bytes()
    (tmp_path / "hole.flac").write_bytes(data[:60_000] + bytes(3000) + data[63_000:])
    drawn_quantiser(tmp_path / "quantiser")
    result = ossicle("units", "encode", tmp_path / "quantiser", tmp_path / "hole.flac", "--json")
    assert result.code == 3
    assert json.loads(result.out)["duration_s"] == 10.0
    assert len(units_of(json.loads(result.out))) == 499
    (line,) = result.err.splitlines()
    assert line.startswith("hole.flac: read in part (")
    assert "s of sound are lost at " in line
    assert line.endswith("; its units are those of what decodes")


@pytest.mark.parametrize(
    ("key", "value"), [("rate", 8000), ("hop_s", 0.01), ("layer", 14), ("version", 7), ("origin_s", 0.02)]
)
def test_another_encoder_layer_hop_or_rate_is_refused_by_name(
    key: str, value: float, speech: Path, tmp_path: Path, ossicle: Commands
) -> None:
    drawn_quantiser(tmp_path / "quantiser")
    described = read_json(tmp_path / "quantiser" / "quantiser.json")
    described["encoder"][key] = value
    if key in ("hop_s", "origin_s"):
        described[key] = value
    write_json(tmp_path / "quantiser" / "quantiser.json", described)
    result = ossicle("units", "encode", tmp_path / "quantiser", speech)
    assert result.code == 2, result
    assert key in result.err
    assert str(value) in result.err


def test_another_hop_of_the_quantiser_itself_is_refused(speech: Path, tmp_path: Path, ossicle: Commands) -> None:
    drawn_quantiser(tmp_path / "quantiser")
    described = read_json(tmp_path / "quantiser" / "quantiser.json")
    write_json(tmp_path / "quantiser" / "quantiser.json", {**described, "hop_s": 0.01})
    result = ossicle("units", "encode", tmp_path / "quantiser", speech)
    assert (result.code, "hop_s = 0.01, these frames 0.02" in result.err) == (2, True)


def test_what_is_no_quantiser_is_refused(speech: Path, tmp_path: Path, ossicle: Commands) -> None:
    result = ossicle("units", "encode", tmp_path, speech)
    assert (result.code, "not a quantiser" in result.err) == (2, True)


def test_units_need_no_torch(speech: Path, tmp_path: Path) -> None:
    drawn_quantiser(tmp_path / "quantiser")
    code = (
        "import sys; from ossicle.app.cli.main import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code\n"
        "assert not {'torch', 'sklearn', 'transformers', 'matplotlib'} & sys.modules.keys()"
    )
    words = ["units", "encode", str(tmp_path / "quantiser"), str(speech), "--json"]
    done = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 2
