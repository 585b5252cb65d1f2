"""Invariant 7: one folder with everything that recordings can be, through health, check, run and predict."""

import json
import os
import struct
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import soundfile

from ossicle.core.digest import recording_id

from ..conftest import Commands

RATE = 16000
LONG = f"{'n' * 251}.wav"
GOOD = {
    "plain.wav": ("PCM_16", RATE, 1, 2.0),
    "eight.wav": ("PCM_U8", RATE, 1, 2.0),
    "fine.wav": ("PCM_24", RATE, 1, 2.0),
    "float.wav": ("FLOAT", RATE, 1, 2.0),
    "double.wav": ("DOUBLE", RATE, 1, 2.0),
    "stereo.wav": ("PCM_16", 44100, 2, 2.0),
    "six.wav": ("PCM_16", 48000, 6, 2.0),
    "bat.wav": ("PCM_16", 384000, 1, 0.5),
    "short.wav": ("PCM_16", RATE, 1, 0.1),
    "sound.flac": ("PCM_16", RATE, 1, 2.0),
    "Käuzchen 鳥 (2).wav": ("PCM_16", RATE, 1, 2.0),
    "dots.in..name 1.23_tape.wav": ("PCM_16", RATE, 1, 2.0),
    LONG: ("PCM_16", RATE, 1, 2.0),
    "folder.wav/inside.wav": ("PCM_16", RATE, 1, 2.0),
}
CUTS = (0.3, 0.6, 0.97)
# The second up to which each is read (libsndfile gives a frame of FLAC or none of it), and words of the reason.
PARTIAL = {
    **{f"cut{share}.wav": (2 * share, 0.01, "bytes of samples are missing") for share in CUTS},
    **{f"cut{share}.flac": (2 * share, 0.3, "decod") for share in CUTS},
    "claims more.wav": (2.0, 0.0, "cut off: 1000000 of 1064000 bytes"),
    "claims less.wav": (1.0, 0.0, "states 32000 bytes of samples, but 32000 more follow"),
}
LEFT_OUT = {
    "empty.wav": "empty file (0 bytes)",
    "text.wav": "not audio that",
    "header only.wav": "no samples",
    "rate.wav": "the header is damaged",
    "cut at its header.wav": "not audio that",
    "nan.wav": "NaN or Inf in the samples at 0.500000 s",
    "inf.wav": "NaN or Inf in the samples at 0.500000 s",
    "wild.wav": "a value of 3e+38 times full scale in the samples at 0.500000 s",
    "flipped.wav": "a value of 6.55e+03 times full scale in the samples at 0.500000 s",
    "gone.wav": "broken link to nowhere.wav",
}
# Only decoding tells of these.
DECODED = {"nan.wav", "inf.wav", "wild.wav", "flipped.wav", *(f"cut{share}.flac" for share in CUTS)}


def noise(seed: int, rate: int, channels: int, seconds: float) -> np.ndarray:
    shape = (round(seconds * rate), channels)
    return np.random.default_rng(seed).normal(0, 0.05, shape).astype(np.float32)


def make_recordings(folder: Path) -> None:
    """Everything in GOOD, PARTIAL and LEFT_OUT, and ``zero.wav``; no two files have the same bytes."""

    def write(name: str, samples: np.ndarray, rate: int = RATE, subtype: str = "PCM_16") -> Path:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, samples, rate, subtype=subtype, format="FLAC" if path.suffix == ".flac" else "WAV")
        return path

    for seed, (name, (subtype, rate, channels, seconds)) in enumerate(GOOD.items()):
        write(name, noise(seed, rate, channels, seconds), rate, subtype)
    write("zero.wav", np.zeros(RATE))
    for seed, name in enumerate([*PARTIAL, "header only.wav", "rate.wav", "cut at its header.wav"], start=100):
        path = write(name, noise(seed, RATE, 1, 2.0))
        data = bytearray(path.read_bytes())
        if name.startswith("cut0"):
            data = data[: int(len(data) * float(name.removeprefix("cut").rpartition(".")[0]))]
        elif name.startswith("claims"):
            assert data[36:40] == b"data"
            data[40:44] = struct.pack("<I", 1_064_000 if "more" in name else 32_000)
        elif name == "rate.wav":
            data[24:28] = struct.pack("<I", 2**31 - 1)
        else:
            data = data[: 44 if name == "header only.wav" else 20]
            if name == "header only.wav":
                data[40:44] = struct.pack("<I", 0)
        path.write_bytes(data)
    for name, value in {"nan.wav": np.nan, "inf.wav": np.inf, "wild.wav": 3e38, "flipped.wav": 6553.0}.items():
        samples = noise(7, RATE, 1, 2.0)
        samples[RATE // 2] = value
        write(name, samples, subtype="FLOAT")
    (folder / "empty.wav").touch()
    (folder / "text.wav").write_text("These are words.\n" * 100)
    (folder / "gone.wav").symlink_to("nowhere.wav")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project on these recordings; each that decodes has an annotation, and so has one that does not."""
    place = tmp_path_factory.mktemp("bad input")
    make_recordings(place / "audio")
    rows = [(name, 0.02, 0.08) for name in (*GOOD, *PARTIAL, "zero.wav", "text.wav")] + [("cut0.3.wav", 1.5, 1.8)]
    pl.DataFrame(rows, schema=["file", "start_time", "end_time"], orient="row").with_columns(
        label=pl.lit("call")
    ).write_csv(place / "events.csv")
    (place / "ossicle.toml").write_text(
        'base = "recipe:tapes"\n[corpus]\naudio = "audio"\nannotations = "events.csv"\n[split]\nfolds = 2\n'
    )
    return place


def test_health_names_every_bad_file_and_nothing_else(project: Path, ossicle: Commands) -> None:
    result = ossicle("dataset", "health", "-p", project, "--progress", "none", "--json")
    assert (result.code, result.err) == (3, "")
    content = json.loads(result.out)
    assert {one["path"]: one["status"] for one in content["per_recording"]} == (
        dict.fromkeys(GOOD, "ok") | dict.fromkeys(PARTIAL, "partial") | {"zero.wav": "silent"}
    )
    lengths = {one["path"]: one["duration_s"] for one in content["per_recording"]}
    assert {name: lengths[name] for name in GOOD} == {name: seconds for name, (*_, seconds) in GOOD.items()}
    for name, (end_s, near_s, _) in PARTIAL.items():
        assert lengths[name] == pytest.approx(end_s, abs=near_s + 1e-6)
    assert sorted((problem["code"], problem["where"]) for problem in content["problems"]) == sorted(
        [("left_out", name) for name in LEFT_OUT]
        + [("partial", name) for name in PARTIAL]
        + [("silent", "zero.wav"), ("beyond_end", "cut0.3.wav"), ("annotations_left_out", "text.wav")]
    )
    message = {
        problem["where"]: problem["message"]
        for problem in content["problems"]
        if problem["code"] in ("left_out", "partial")
    }
    for name, words in [*LEFT_OUT.items(), *((name, words) for name, (*_, words) in PARTIAL.items())]:
        assert words in message[name]
    assert all(problem["remedy"] for problem in content["problems"])


def test_check_names_what_headers_tell(project: Path, ossicle: Commands) -> None:
    result = ossicle("check", "-p", project, "--json")
    assert (result.code, result.err) == (3, "")
    content = json.loads(result.out)
    assert [one["what"] for one in content if not one["ok"] and one["blocks"]] == []
    lines = [one["message"] for one in content if one["what"] == "recording"]
    bad = {**LEFT_OUT, **{name: words for name, (*_, words) in PARTIAL.items()}}
    assert len(lines) == len(bad.keys() - DECODED)
    for name in bad.keys() - DECODED:
        (line,) = (line for line in lines if line.startswith(f"{name}: "))
        assert bad[name] in line
        assert line.endswith("; copy the file again from its source, or remove it")


def test_a_run_uses_every_good_file(project: Path, ossicle: Commands) -> None:
    result = ossicle("run", "-p", project, "--until", "store", "--progress", "none", "--json")
    assert result.code == 3
    lines = result.err.splitlines()
    assert sorted(line.partition(": ")[0] for line in lines) == sorted([*LEFT_OUT, *PARTIAL])
    assert all("; repair " in line or "; copy " in line for line in lines)
    assert {one["path"] for one in json.loads(result.out)["lost"]} == {*LEFT_OUT, *PARTIAL}
    (table,) = (project / "data" / "store").glob("[!.]*/store.parquet")
    stored = {row["recording_id"]: row for row in pl.read_parquet(table).iter_rows(named=True)}
    expected = {recording_id("tapes", name): name for name in (*GOOD, *PARTIAL, "zero.wav")}
    assert stored.keys() == expected.keys()
    for key, name in expected.items():
        row = stored[key]
        assert row["status"] == ("ok" if name in GOOD else "silent" if name == "zero.wav" else "partial")
        if name in GOOD:
            assert row["n_samples"] == round(GOOD[name][3] * RATE)
    again = ossicle("run", "-p", project, "--until", "store", "--progress", "none", "--json")
    assert (again.code, again.err) == (3, result.err)
    assert set(json.loads(again.out)["outcomes"].values()) == {"reused"}


def test_predict_uses_every_good_file(project: Path, tmp_path: Path, repository: Path, ossicle: Commands) -> None:
    bundle = repository / "tests" / "data" / "bundles" / "0.1.0" / "bundle"
    result = ossicle("predict", bundle, project / "audio", "-o", tmp_path / "out")
    assert result.code == 3
    found = {
        recording["recording"]: recording
        for recording in json.loads((tmp_path / "out/predictions.json").read_text())["recordings"]
    }
    assert {name: one["status"] for name, one in found.items()} == (
        dict.fromkeys(GOOD, "ok")
        | dict.fromkeys(PARTIAL, "partial")
        | dict.fromkeys(LEFT_OUT, "left_out")
        | {"zero.wav": "silent"}
    )
    for name, words in LEFT_OUT.items():
        assert words in found[name]["reason"]
    *lines, last = result.err.splitlines()
    assert len(lines) == len(found)
    for name in (*LEFT_OUT, *PARTIAL):
        assert [line for line in lines if f"] {name}: " in line and found[name]["reason"] in line]
    assert f"{len(LEFT_OUT) + len(PARTIAL)} of {len(found)} recordings were skipped or end early" in last
    assert "Repair them or copy them again" in last
    tables = list((tmp_path / "out").rglob("*.selections.txt"))
    assert len(tables) == len(GOOD) + len(PARTIAL) + 1


def test_a_folder_of_bad_files_is_said(tmp_path: Path, ossicle: Commands) -> None:
    (tmp_path / "audio").mkdir()
    (tmp_path / "audio" / "empty.wav").touch()
    (tmp_path / "ossicle.toml").write_text('base = "recipe:tapes"\n[corpus]\naudio = "audio"\nannotations = "."\n')
    checked = ossicle("check", "-p", tmp_path)
    assert checked.code == 2
    # A long path breaks the lines of the table anywhere.
    assert "1 of them cannot be read" in " ".join(checked.out.split())
    for command in (("dataset", "health"), ("run", "--until", "store")):
        result = ossicle(*command, "-p", tmp_path, "--progress", "none")
        assert result.code == 2
        assert result.err.splitlines() == [
            f"ossicle: {tmp_path / 'audio'}: none of its 1 audio files can be read; empty.wav: empty file (0 bytes)"
        ]


def test_a_corpus_without_a_folder_is_refused(tmp_path: Path, ossicle: Commands) -> None:
    (tmp_path / "ossicle.toml").write_text('base = "recipe:tapes"\n[corpus]\naudio = ""\n')
    result = ossicle("check", "-p", tmp_path)
    assert result.code == 2
    assert result.err == (
        f"ossicle: {os.fspath(tmp_path / 'ossicle.toml')}: [corpus] audio = '' is not a folder; "
        "give the folder of recordings ('.' is that of the project file)\n"
    )
