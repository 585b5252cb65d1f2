"""``ossicle features build|verify`` and ``ossicle similar``, on a project of any pipeline."""

import json
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import soundfile

from ....made_up.untrained import PROJECT, RATE, write_tapes

MORE = """
[project]
workers = 1
[features]
window_s = 1.0
hop_s = 0.5
"""
NONE = ("--progress", "none")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Three tapes of ten seconds of noise; a tone of 900 Hz sounds from 4 s to 6 s of the second."""
    write_tapes(tmp_path, ("siteA_1", "siteB_1", "siteC_1"))
    path = tmp_path / "audio" / "siteB_1.wav"
    samples, _ = soundfile.read(path, dtype="float32")
    samples[4 * RATE : 6 * RATE] += tone(2.0)
    soundfile.write(path, samples, RATE, subtype="FLOAT")
    (tmp_path / "ossicle.toml").write_text(PROJECT + MORE)
    return tmp_path


def tone(seconds: float) -> np.ndarray:
    return (0.1 * np.sin(2 * np.pi * 900 * np.arange(round(seconds * RATE)) / RATE)).astype(np.float32)


def test_build_and_verify_and_rebuild_what_is_damaged(project: Path, ossicle: Any) -> None:
    result = ossicle("features", "verify", "-p", project)
    assert result.code == 2
    assert "run: ossicle features build" in result.err
    content = json.loads(ossicle("features", "build", "-p", project, *NONE, "--json").out)
    assert (content["outcome"], content["windows"], content["encoder"]["name"]) == ("computed", 57, "acoustic")
    result = ossicle("features", "build", "-p", project, *NONE)
    assert (result.code, result.err) == (0, "")
    assert "57 windows of 1 s every 0.5 s" in result.out
    assert ossicle("features", "verify", "-p", project).out.strip().endswith(": sound")
    path = Path(content["artefact"]) / "shards" / "shard-0000.0.npy"
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    result = ossicle("features", "verify", "-p", project)
    assert result.code == 1
    assert f"{path}: recording" in result.out
    command = result.out.strip().splitlines()[-1].removeprefix("to rebuild damaged shards, run: ossicle ")
    assert shlex.split(command) == ["features", "build", "-p", str(project / "ossicle.toml")]
    assert json.loads(ossicle("features", "verify", "-p", project, "--json").out)["problems"]
    result = ossicle("features", "build", "-p", project, *NONE)
    assert result.code == 0
    assert result.err.startswith(f"damaged, now rebuilt: {path}")
    assert path.read_bytes() == whole
    assert ossicle("features", "verify", "-p", project).code == 0


def test_similar_counts_recordings_without_the_upper_part_of_the_band(
    project: Path, tmp_path: Path, ossicle: Any
) -> None:
    wide = tmp_path / "wide.wav"
    soundfile.write(wide, np.random.default_rng(1).normal(0, 0.1, 96_000).astype(np.float32), 48_000)
    assert ossicle("features", "build", "-p", project, *NONE).code == 0
    result = ossicle("similar", wide, "-p", project)
    assert result.code == 0
    assert "3 of 3 recordings lack a part of the band, first siteA_1.wav (recorded at 8000 Hz" in result.err
    assert "wide.wav" not in result.err
    narrow = ossicle("similar", project / "audio" / "siteB_1.wav", "-p", project, "--json").err
    assert "siteB_1.wav: recorded at 8000 Hz, so it holds nothing from 4000 Hz" in narrow


def test_similar_finds_the_sound_and_lists_each_stretch_once(project: Path, tmp_path: Path, ossicle: Any) -> None:
    ossicle("features", "build", "-p", project, *NONE)
    example = (0.03 * np.random.default_rng(99).standard_normal(5 * RATE // 2)).astype(np.float32)
    example[RATE:] += tone(1.5)
    soundfile.write(tmp_path / "example.wav", example, RATE)
    sounds = ("similar", tmp_path / "example.wav", "-p", project, "--start-s", "1.0")
    content = json.loads(ossicle(*sounds, "--most", 4, "--json").out)
    assert len(content) == 4
    assert {(one["path"], one["start_s"]) for one in content[:2]} == {("siteB_1.wav", 4.0), ("siteB_1.wav", 5.0)}
    assert content[1]["similarity"] > content[2]["similarity"] + 0.1
    starts = {}
    for one in content:
        assert one["end_s"] == one["start_s"] + 1
        assert all(abs(one["start_s"] - other) >= 1 for other in starts.setdefault(one["path"], []))
        starts[one["path"]].append(one["start_s"])
    result = ossicle(*sounds, "--most", 1)
    assert "siteB_1.wav" in result.out
    short = json.loads(ossicle(*sounds, "--duration-s", "0.5", "--most", 1, "--json").out)
    assert short[0]["path"] == "siteB_1.wav"


def test_a_search_says_what_it_lacks(project: Path, tmp_path: Path, ossicle: Any) -> None:
    result = ossicle("similar", tmp_path / "none.wav", "-p", project)
    assert (result.code, "none.wav: does not exist" in result.err) == (2, True)
    result = ossicle("similar", project / "audio" / "siteA_1.wav", "-p", project)
    assert (result.code, "ossicle features build" in result.err) == (2, True)
    ossicle("features", "build", "-p", project, *NONE)
    result = ossicle("similar", project / "audio" / "siteA_1.wav", "-p", project, "--start-s", "11")
    assert (result.code, "no sound in this stretch" in result.err) == (2, True)
    sound = tone(2.0)
    soundfile.write(tmp_path / "opposed.wav", np.stack([sound, -sound], axis=1), RATE)
    result = ossicle("similar", tmp_path / "opposed.wav", "-p", project)
    assert (result.code, "opposed.wav: the channels cancel each other" in result.err) == (2, True)
    assert "set [audio] channel to first or loudest" in result.err


def test_embed_writes_a_table_for_each_recording(project: Path, tmp_path: Path, ossicle: Any) -> None:
    (project / "audio" / "bad.wav").write_bytes(b"no sound")
    out = tmp_path / "out"
    result = ossicle("embed", project / "audio", "-o", out, "--window-s", 2, "--hop-s", 1, "--json")
    assert result.code == 3
    assert "bad.wav" in result.err
    content = json.loads(result.out)
    assert sorted(path.name for path in out.iterdir()) == [
        ".ossicle.files.jsonl",
        "encoder.json",
        "siteA_1.parquet",
        "siteB_1.parquet",
        "siteC_1.parquet",
    ]
    table = pl.read_parquet(out / "siteA_1.parquet")
    assert table.columns == ["file", "start_s", "end_s", "token", "embedding"]
    assert table["start_s"].to_list() == [float(k) for k in range(9)]
    assert (table["end_s"] - table["start_s"]).to_list() == [2.0] * 9
    assert table.schema["embedding"] == pl.Array(pl.Float32, content["encoder"]["dim"])
    assert set(table["file"]) == {"siteA_1.wav"}


def test_embed_names_what_it_heard_only_in_part(tmp_path: Path, ossicle: Any) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 5 * 8000).astype(np.float32)
    (tmp_path / "in").mkdir()
    soundfile.write(tmp_path / "whole.wav", noise, 8000)
    (tmp_path / "in/cut.wav").write_bytes((tmp_path / "whole.wav").read_bytes()[:40_000])
    soundfile.write(tmp_path / "in/short.wav", noise[:8000], 8000)
    soundfile.write(tmp_path / "in/wires.wav", np.stack([noise, -noise], axis=1), 8000)
    result = ossicle("embed", tmp_path / "in", "-o", tmp_path / "out", "--window-s", 2)
    assert result.code == 3
    assert "cut.wav: read in part (cut off: 40044 of 80000 bytes of samples are missing); its embeddings" in result.err
    assert "short.wav: is shorter than a window of 2 s, so it has no embeddings" in result.err
    assert "wires.wav: channels cancel: their mean is " in result.err
    assert "wires.wav: recorded at 8000 Hz, so it holds nothing from 4000 Hz to the " in result.err


def test_embed_names_recordings_of_a_format_that_is_not_read(tmp_path: Path, ossicle: Any) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 5 * 8000).astype(np.float32)
    (tmp_path / "in").mkdir()
    soundfile.write(tmp_path / "in/whole.wav", noise, 8000)
    (tmp_path / "in/dive.sud").write_bytes(b"not read")
    result = ossicle("embed", tmp_path / "in", "-o", tmp_path / "out", "--window-s", 2, "--json")
    assert result.code == 3
    assert json.loads(result.out)["lost"] == [
        f"{tmp_path / 'in'}: not read: 1 file (dive.sud) with the suffix .sud; convert to WAV or FLAC"
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--encoder", "mfccs"), "--encoder mfccs"),
        (("--encoder", "mfcc", "--window-s", "0.02"), "at least 400"),
        (("--encoder", "onnx"), "needs the path"),
        (("--encoder", "onnx", "--path", "none.onnx"), "OSSICLE_ENCODERS"),
        (("--window-s", "0.1"), "at least 4096"),
        (("--channel", "left"), "channel"),
    ],
)
def test_embed_refuses_what_cannot_work(
    project: Path, tmp_path: Path, ossicle: Any, options: tuple[str, ...], message: str
) -> None:
    result = ossicle("embed", project / "audio", "-o", tmp_path / "out", *options)
    assert result.code == 2
    assert message in result.err
