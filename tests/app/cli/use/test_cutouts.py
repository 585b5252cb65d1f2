"""Events as audio files: what is in them, and names that nobody could make collide or leave the folder."""

import json
import shutil
import tracemalloc
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import soundfile

from ossicle.artefacts.logs.noted_files import NOTES
from ossicle.core.errors import AudioError
from ossicle.corpus.clips.event_cutouts import INDEX, CutOuts
from ossicle.corpus.formats.cells.rows import RawSelection
from ossicle.corpus.formats.raven import write_raven

from ...conftest import Commands

RATE = 8000


def record(path: Path, seed: int, channels: int = 1) -> np.ndarray:
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = np.random.default_rng(seed).integers(-20000, 20000, (2 * RATE, channels)).astype(np.int16)
    soundfile.write(path, samples, RATE)
    return samples


def test_a_cut_out_is_the_stretch_of_its_recording_to_the_sample(tmp_path: Path) -> None:
    samples = record(tmp_path / "a" / "tape_05.23.wav", 0, channels=2)
    cut = CutOuts(tmp_path / "out", ["a/tape_05.23.wav"], pad_s=0.1)
    events = [
        RawSelection(0.5, 0.75, "hum", confidence=0.9),
        RawSelection(0.02, 0.1, "hum"),
        RawSelection(1.9, 2.0, "x"),
    ]
    cut.write("a/tape_05.23.wav", tmp_path / "a" / "tape_05.23.wav", events)
    cut.write_index()
    place = tmp_path / "out" / "a"
    result = {path.name: soundfile.read(path, dtype="int16", always_2d=True) for path in place.iterdir()}
    assert set(result) == {"tape_05.23_500_750.wav", "tape_05.23_20_100.wav", "tape_05.23_1900_2000.wav"}
    # Padded, but never beyond the recording.
    for name, (low, high) in {"500_750": (3200, 6800), "20_100": (0, 1600), "1900_2000": (14400, 16000)}.items():
        got, rate = result[f"tape_05.23_{name}.wav"]
        assert rate == RATE
        np.testing.assert_array_equal(got, samples[low:high])
    index = pl.read_csv(tmp_path / "out" / INDEX)
    assert index.row(1) == ("a/tape_05.23_500_750.wav", "a/tape_05.23.wav", 0.5, 0.75, "hum", 0.9, 0.4, 0.85)


def test_an_event_as_long_as_its_recording_is_never_in_memory_as_a_whole(tmp_path: Path) -> None:
    tape, minutes = tmp_path / "long.wav", 10
    minute = np.random.default_rng(0).uniform(-0.5, 0.5, 60 * RATE).astype(np.float32)
    with soundfile.SoundFile(tape, "w", RATE, 1, "PCM_16") as file:
        for _ in range(minutes):
            file.write(minute)
    cut = CutOuts(tmp_path / "out", ["long.wav"])
    tracemalloc.start()
    try:
        cut.write("long.wav", tape, [RawSelection(0.0, 60.0 * minutes, "hum")])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert soundfile.info(tmp_path / "out" / cut.written[0].file).frames == 600 * RATE
    # The whole is 19 MB as float32.
    assert peak < 8_000_000


def test_equal_stems_and_hostile_names_stay_apart_and_inside(tmp_path: Path) -> None:
    record(tmp_path / "x.wav", 1)
    names = [
        "a/x.wav",
        "b/x.wav",
        "a/x.flac",
        "../../up.wav",
        "/etc/x.wav",
        "C:\\x\\y.wav",
        "a/-z ä.5.wav",
        "a/x" * 90 + ".wav",
    ]
    out = tmp_path / "out"
    cut = CutOuts(out, names)
    for name in names:
        # Two labels in the same milliseconds share a file.
        cut.write(name, tmp_path / "x.wav", [RawSelection(0.1, 0.2, "a"), RawSelection(0.1, 0.2, "b")])
    cut.write_index()
    files = list(out.rglob("*.wav"))
    assert len(files) == len(names)
    assert {path.resolve().is_relative_to(out) for path in files} == {True}
    assert len(pl.read_csv(out / INDEX)) == 2 * len(names)
    assert list(tmp_path.rglob("*up*")) == list(out.rglob("*up*"))


def test_what_is_wrong_is_said(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="pad_s = -1"):
        CutOuts(tmp_path, [], -1.0)
    (tmp_path / "x.wav").write_bytes(b"no")
    with pytest.raises(AudioError, match=r"x\.wav"):
        CutOuts(tmp_path, ["x.wav"]).write("x.wav", tmp_path / "x.wav", [RawSelection(0.0, 1.0, "a")])


def test_the_command_takes_tables_of_any_kind(tmp_path: Path, ossicle: Commands) -> None:
    record(tmp_path / "audio" / "a" / "t.1.wav", 0)
    record(tmp_path / "audio" / "b" / "t.1.wav", 1)
    for folder, start in (("a", 0.5), ("b", 1.0)):
        write_raven(
            tmp_path / "tables" / folder / "t.1.Table.1.selections.txt",
            [RawSelection(start, start + 0.25, "hum"), RawSelection(0.1, 0.2, "noise")],
        )
    command = ("cutouts", tmp_path / "tables", tmp_path / "audio", "-o", tmp_path / "out", "--label", "hum", "--json")
    # Some of the same events once more, in the table of all: which of the two tables is complete cannot be known.
    everything = tmp_path / "tables" / "events.csv"
    everything.write_text("file,start_s,end_s,label\na/t.1.wav,0.5,0.75,hum\n")
    refused = ossicle(*command)
    assert refused.code == 2
    assert "contradict each other for a/t.1.wav" in refused.err
    # All of the same events are a copy.
    everything.write_text("file,start_s,end_s,label\na/t.1.wav,0.5,0.75,hum\na/t.1.wav,0.1,0.2,noise\n")
    result = ossicle(*command)
    assert result.code == 0, result.err
    assert "says the same about a/t.1.wav" in result.err
    assert json.loads(result.out)["written"] == ["a/t.1_500_750.wav", "b/t.1_1000_1250.wav"]
    with (tmp_path / "tables" / "events.csv").open("a") as table:
        table.write("gone.wav,0.5,0.75,hum\n")
    lost = ossicle("cutouts", tmp_path / "tables", tmp_path / "audio", "-o", tmp_path / "out2")
    assert lost.code == 3
    assert "1 rows speak of 'gone.wav', which is not in the audio folder" in lost.err
    assert len(list((tmp_path / "out2").rglob("*.wav"))) == 4
    missing = ossicle("cutouts", tmp_path / "nothing", tmp_path / "audio", "-o", tmp_path / "out")
    assert missing.code == 2


def test_predict_leaves_cut_outs_too(tmp_path: Path, old_bundle: Path, ossicle: Commands) -> None:
    record(tmp_path / "audio" / "a" / "t.1.wav", 0)
    record(tmp_path / "audio" / "b" / "t.1.wav", 1)
    result = ossicle(
        "predict",
        old_bundle,
        tmp_path / "audio",
        "-o",
        tmp_path / "out",
        "--cutouts",
        tmp_path / "cut",
        "--pad",
        "0.05",
    )
    assert result.code == 0, result.err
    events = pl.read_csv(tmp_path / "out" / "events.csv")
    index = pl.read_csv(tmp_path / "cut" / INDEX)
    assert len(index) == len(events) > 0
    for row in index.iter_rows(named=True):
        info = soundfile.info(tmp_path / "cut" / row["file"])
        assert info.frames == round((row["sound_end_s"] - row["sound_start_s"]) * RATE)
        assert row["sound_start_s"] == pytest.approx(max(0.0, row["start_s"] - 0.05), abs=1e-4)


def test_events_without_sound_get_no_file_and_are_listed(tmp_path: Path, ossicle: Commands) -> None:
    record(tmp_path / "audio" / "a.wav", 0)
    table = tmp_path / "events.csv"
    text = "file,start_time,end_time,label\na.wav,1.5,3,over\na.wav,2.5,3,beyond\na.wav,1,1,point\n"
    table.write_text(text, encoding="utf-8")
    result = ossicle("cutouts", table, tmp_path / "audio", "-o", tmp_path / "out", "--json")
    assert result.code == 3
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [NOTES, "a_1500_3000.wav", INDEX]
    lost = json.loads(result.out)["lost"]
    assert lost == [
        "a.wav: 'point' at 1 to 1 s has no length; keep some sound around it with --pad; no file was written",
        "a.wav: 'beyond' at 2.5 to 3 s lies beyond the end of the recording; no file was written",
    ]
    # The remedy works.
    padded = ossicle("cutouts", table, tmp_path / "audio", "-o", tmp_path / "padded", "--pad", 0.1, "--json")
    assert len(json.loads(padded.out)["lost"]) == 1


def test_columns_that_are_not_read_are_no_lost_events(tmp_path: Path, ossicle: Commands) -> None:
    record(tmp_path / "audio" / "a.wav", 0)
    table = tmp_path / "results.csv"
    text = "Start (s),End (s),Scientific name,Common name,Confidence,File\n0,1,Turdus merula,Blackbird,0.5,a.wav\n"
    table.write_text(text, encoding="utf-8")
    result = ossicle("cutouts", table, tmp_path / "audio", "-o", tmp_path / "out")
    assert result.code == 0
    assert result.err.startswith("results.csv: columns without a place in an annotation were not read")


def test_files_of_the_user_stay_and_cut_outs_are_replaced(tmp_path: Path, old_bundle: Path, ossicle: Commands) -> None:
    record(tmp_path / "audio" / "a.wav", 0)
    (tmp_path / "events.csv").write_text("file,start_time,end_time,label\na.wav,0.5,1,call\n", encoding="utf-8")
    out, tables = tmp_path / "out", tmp_path / "tables"
    by_table = ("cutouts", tmp_path / "events.csv", tmp_path / "audio", "-o", out)
    by_model = ("predict", old_bundle, tmp_path / "audio", "-o", tables, "--cutouts", out)
    assert ossicle(*by_model).code == 0
    found = pl.read_csv(out / INDEX)["file"][0]
    for command, option, names in (
        (by_table, "-o", (INDEX, "a_500_1000.wav")),
        (by_model, "--cutouts", (INDEX, found)),
    ):
        for name in names:
            shutil.rmtree(out)
            shutil.rmtree(tables, ignore_errors=True)
            out.mkdir()
            (out / name).write_bytes(b"mine")
            said = ossicle(*command)
            assert (said.code, said.out) == (2, "")
            assert f"{out / name} would be overwritten, and no earlier command noted that it wrote it" in said.err
            assert f"give another folder with {option}, or move" in said.err
            assert [path.name for path in out.iterdir()] == [name]
            assert not tables.exists()
    (out / found).unlink()
    assert [ossicle(*command).code for command in (by_table, by_model, by_table, by_model)] == [0, 0, 0, 0]
    for name, command in (("a_500_1000.wav", by_table), (found, by_model)):
        (out / name).write_bytes(b"with less noise")
        assert f"{name} would be overwritten, and it was changed" in ossicle(*command).err
        (out / name).unlink()


def test_only_a_file_of_an_event_is_in_the_way(tmp_path: Path, old_bundle: Path, ossicle: Commands) -> None:
    record(tmp_path / "audio" / "REC.wav", 0)
    table = "file,start_time,end_time,label\nREC.wav,0.5,1,call\nREC.wav,1,1.5,noise\n"
    (tmp_path / "events.csv").write_text(table, encoding="utf-8")
    out = tmp_path / "out"
    out.mkdir()
    # A recording named by date and time, and a file that has the name of an event which is not asked for.
    mine = ("REC_20240101_053000.wav", "REC_1000_1500.wav")
    for name in mine:
        (out / name).write_bytes(b"mine")
    audio = tmp_path / "audio"
    assert ossicle("cutouts", tmp_path / "events.csv", audio, "-o", out, "--label", "call").code == 0
    said = ossicle("predict", old_bundle, audio, "-o", tmp_path / "tables", "--cutouts", out)
    assert said.code == 0, said
    assert {(out / name).read_bytes() for name in mine} == {b"mine"}
    assert not list(out.glob("*.bak"))


def test_a_file_of_the_user_found_late_costs_no_recording(tmp_path: Path, old_bundle: Path, ossicle: Commands) -> None:
    for name in ("a", "b"):
        record(tmp_path / "audio" / f"{name}.wav", 0)
    out, tables = tmp_path / "out", tmp_path / "tables"
    command = ("predict", old_bundle, tmp_path / "audio", "-o", tables, "--cutouts", out, "--format", "raven")
    assert ossicle(*command).code == 0
    found = next(file for file in pl.read_csv(out / INDEX)["file"] if file.startswith("b"))
    shutil.rmtree(out)
    shutil.rmtree(tables)
    out.mkdir()
    (out / found).write_bytes(b"mine")
    said = ossicle(*command)
    assert said.code == 2, said
    assert f"{out / found} would be overwritten" in said.err
    assert (out / found).read_bytes() == b"mine"
    assert not list(out.glob("*.bak"))
    # What is done is kept; of the other recording nothing is written.
    assert [path.name for path in tables.glob("*.txt")] == ["a.Table.1.selections.txt"]
    assert [path.name for path in out.glob("b*")] == [found]
    (out / found).unlink()
    again = ossicle(*command)
    assert again.code == 0
    assert "[1/2] a.wav" in again.err
    assert "(done before)" in again.err
