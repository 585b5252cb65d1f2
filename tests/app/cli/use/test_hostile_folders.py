"""Folders of recordings that cannot be opened, or whose names are orders: each costs only itself."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from ossicle.app.api.audio_files import find_audio, load_audio
from ossicle.app.cli.printable import printable
from ossicle.core.text.controls import first_control
from ossicle.corpus.naming.table_names import writable

from ...conftest import Commands

NAMES = (b"a", b"b\xff", b"c\x1b[2J", "d\u202e".encode(), b"e\nf", b"=cmd|x", b"g\xc2\x9b2J", "h\u2028".encode())


@pytest.fixture
def locked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders called ``locked`` cannot be opened, whoever runs the tests."""
    real = os.scandir

    def scandir(path: Any = ".") -> Iterator[Any]:
        if not isinstance(path, int) and os.fspath(path).rstrip("/").endswith("locked"):
            raise PermissionError(13, "Permission denied", os.fspath(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)


def record(place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(place, np.random.default_rng(1).normal(0, 0.1, 8000), 8000)


def test_a_locked_folder_is_named_and_the_others_are_predicted(
    tmp_path: Path, ossicle: Commands, old_bundle: Path, locked: None
) -> None:
    record(tmp_path / "in" / "a.wav")
    record(tmp_path / "in" / "locked" / "b.wav")
    os.symlink("loop.wav", tmp_path / "in" / "loop.wav")
    result = ossicle("predict", old_bundle, tmp_path / "in", "-o", tmp_path / "out")
    assert result.code == 3
    content = json.loads((tmp_path / "out" / "predictions.json").read_text())["recordings"]
    by_name = {one["recording"]: (one["status"], one["reason"]) for one in content}
    assert by_name["a.wav"][0] == "ok"
    assert by_name["locked"][0] == by_name["loop.wav"][0] == "left_out"
    assert by_name["locked"][1].endswith("Permission denied")
    assert "broken link to loop.wav" in by_name["loop.wav"][1]


def test_a_locked_folder_is_named_by_check_and_health(tmp_path: Path, ossicle: Commands, locked: None) -> None:
    for name in ("siteA_1.wav", "siteB_1.wav", "locked/siteC_1.wav"):
        record(tmp_path / "in" / name)
    os.symlink("loop.wav", tmp_path / "in" / "loop.wav")
    (tmp_path / "e.csv").write_text("file,start_time,end_time,label\nsiteA_1.wav,0.1,0.2,x\nsiteB_1.wav,0.1,0.2,x\n")
    (tmp_path / "ossicle.toml").write_text('base = "recipe:tapes"\n[corpus]\naudio = "in"\nannotations = "e.csv"\n')
    for command in ("check", "dataset health"):
        result = ossicle(*command.split(), "-p", tmp_path)
        assert result.code in (2, 3), result
        text = " ".join(result.out.split())
        assert "locked" in text, result
        assert "cannot be opened (Permission denied)" in text, result
        assert "loop.wav" in text, result
    result = ossicle("run", "-p", tmp_path, "--until", "corpus", "--progress", "none")
    assert result.code == 3, result
    assert "locked" in result.err, result


def test_recordings_of_one_name_in_folders_with_hostile_names(
    tmp_path: Path, ossicle: Commands, old_bundle: Path
) -> None:
    record(tmp_path / "one.wav")
    asked = []
    for name in NAMES:
        folder = os.fsencode(tmp_path) + b"/" + name
        os.mkdir(folder)
        asked.append(Path(os.fsdecode(folder)) / "x.wav")
        shutil.copyfile(tmp_path / "one.wav", asked[-1])
    audio = find_audio(asked)
    assert len(audio) == len(NAMES)
    assert all(first_control(name) is None for name, _ in audio)
    result = ossicle("predict", old_bundle, *asked, "-o", tmp_path / "out", "--format", "raven,csv,audacity")
    assert result.code == 3
    assert printable(result.out + result.err) == result.out + result.err
    listed = json.loads((tmp_path / "out" / "predictions.json").read_text())["recordings"]
    assert [one["status"] for one in listed].count("ok") == len(NAMES) - 1
    for path in (tmp_path / "out").rglob("*"):
        assert first_control(str(path)) is None
    # As a folder, the names are the same.
    shutil.rmtree(tmp_path / "out")
    (tmp_path / "one.wav").unlink()
    assert ossicle("predict", old_bundle, tmp_path, "-o", tmp_path / "out").code == 3


@given(st.text(st.characters(categories=["L", "C", "Z", "P"]), min_size=1))
def test_a_writable_name_holds_no_order_and_stays_as_it_is_without_one(name: str) -> None:
    if any("\ud800" <= one <= "\udfff" and not "\udc80" <= one <= "\udcff" for one in name):
        return
    assert first_control(writable(name)) is None
    assert (writable(name) == name) == (first_control(name) is None)


def test_recordings_of_a_folder_in_other_formats_are_named_and_not_dropped(
    tmp_path: Path, ossicle: Commands, old_bundle: Path
) -> None:
    record(tmp_path / "in" / "a.wav")
    soundfile.write(tmp_path / "in" / "b.voc", np.zeros(8000), 8000)
    result = ossicle("predict", old_bundle, tmp_path / "in", "-o", tmp_path / "out")
    assert result.code == 3
    assert f"{tmp_path / 'in'}: not read: 1 file (b.voc) with the suffix .voc; convert to WAV or FLAC" in result.err


@pytest.mark.parametrize(("suffix", "codec", "container"), [
    (".mov", "pcm_s16le", "mov"), (".mkv", "aac", "matroska"), (".wv", "wavpack", "wv"), (".tta", "tta", "tta"),
    (".ac3", "ac3", "ac3"), (".3gp", "aac", "3gp"),
])  # fmt: skip
def test_the_folder_lists_what_the_decoder_reads(tmp_path: Path, suffix: str, codec: str, container: str) -> None:
    file = tmp_path / f"x{suffix}"
    samples = np.random.default_rng(1).normal(0, 0.1, (1, 48000)).astype(np.float32)
    with av.open(str(file), "w", format=container) as out:
        stream = out.add_stream(codec, rate=48000)
        stream.layout = "mono"
        stream.codec_context.open()
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
        frame.sample_rate, frame.pts = 48000, 0
        size = stream.codec_context.frame_size or None
        cutter = av.AudioResampler(format=stream.format.name, layout="mono", rate=48000, frame_size=size)
        for piece in cutter.resample(frame) + cutter.resample(None):
            out.mux(stream.encode(piece))
        out.mux(stream.encode(None))
    assert find_audio([tmp_path]) == [(file.name, file)]
    heard, rate = load_audio(file)
    assert rate == 48000
    assert len(heard) == pytest.approx(48000, abs=3000)
