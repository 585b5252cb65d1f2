"""``ossicle new appliances`` and ``check``: what a run will use, names that fail, missing combinations, too few."""

import csv
import json
from pathlib import Path

import polars as pl
import pytest

from ....made_up.hums import NAMES, TEMPLATE, write_hums
from ...conftest import Commands


@pytest.fixture
def audio(tmp_path: Path) -> Path:
    return write_hums(tmp_path / "audio", seconds=2.5)


def new(ossicle: Commands, audio: Path, *more: object) -> tuple[int, str, str]:
    result = ossicle("new", "appliances", audio.parent / "p", "--audio", audio, "--template", TEMPLATE, *more)
    return result.code, " ".join(result.out.split()), result.err


def test_all_combinations_are_there_and_eight_recordings_are_insufficient(audio: Path, ossicle: Commands) -> None:
    code, out, err = new(ossicle, audio)
    assert (code, err) == (0, "")
    assert "8 audio files: 8 used, 0 left out" in out
    assert "by daypart: night, day; held out: one fold at a time, 2 folds" in out
    assert "ac before fridge; ac hides fridge" in out
    assert "insufficient warning ac: 4 recordings with it on and 4 with it off" in out
    assert "no recording with" not in out
    code, result = ossicle("check", "-p", audio.parent / "p", "--json")[:2]
    assert code == 0
    assert "insufficient" in {entry["what"] for entry in json.loads(result)}


def test_the_option_has_two_names(audio: Path, ossicle: Commands) -> None:
    place = audio.parent / "p"
    assert ossicle("new", "appliances", place, "--audio", audio, "--name-template", f"{TEMPLATE}.m4a").code == 0


def test_missing_combinations_are_shown_for_each_daypart(audio: Path, ossicle: Commands) -> None:
    (audio / "ac-on-fridge-on-night.wav").unlink()
    (audio / "ac-off-fridge-on-day.wav").unlink()
    _, out, _ = new(ossicle, audio)
    assert "daypart day: no recording with ac off, fridge on" in out
    assert "daypart night: no recording with ac on, fridge on" in out


def test_a_name_that_does_not_match_is_listed_with_the_place(audio: Path, ossicle: Commands) -> None:
    (audio / NAMES[0]).rename(audio / "ac-off-frigde-off-day.wav")
    code, out, err = new(ossicle, audio)
    assert code == 0
    assert "8 audio files: 7 used, 1 left out" in out
    assert "at character 11 there should be 'dge-'" in out
    assert "a run would leave something out" in err
    assert ossicle("check", "-p", audio.parent / "p").code == 3


def test_a_mask_that_is_no_label_names_the_neighbour(audio: Path, ossicle: Commands) -> None:
    code, _, err = new(ossicle, audio, "--masks", "ac:frigde")
    assert code == 2
    assert "did you mean 'fridge'" in err


def test_files_and_windows_are_part_of_the_dataset(audio: Path, ossicle: Commands) -> None:
    new(ossicle, audio)
    place = audio.parent / "p"
    result = ossicle(
        "run", "-p", place, "--until", "dataset", "--set", "features.hop_s=0.02", "--set", "dataset.drop_loudest=10.0"
    )
    assert result.code == 0, result.err
    assert "208 windows of 8 recordings; the loudest 24 are not trained on (3 each)" in result.err
    folder = next((place / "data" / "dataset").iterdir())
    with (folder / "files.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0])[:7] == ["path", "duration_s", "rate", "ac", "fridge", "labels", "state"]
    assert {row["path"]: row["state"] for row in rows}["ac-on-fridge-on-day.wav"] == "ac-on"
    assert {row["state"] for row in rows} == {"ac-on", "fridge-on", "both-off"}
    assert {row["daypart"] for row in rows} == {"day", "night"}
    windows = pl.read_parquet(folder / "windows.parquet")
    assert windows.columns == ["recording_id", "path", "start_s", "end_s", "rms", "labels", "unknown"]
    assert windows.height == 208 - 24
    both = windows.filter(pl.col("path") == "ac-on-fridge-on-day.wav")
    assert set(map(tuple, both["labels"].to_list())) == {("ac", "fridge")}
    assert set((both["end_s"] - both["start_s"]).round(6)) == {2.0}
    # The loudest windows are those that are not there.
    assert both.height == 23


def test_a_table_overrides_names(audio: Path, ossicle: Commands) -> None:
    (audio.parent / "table.csv").write_text("filename,fridge\nac-off-fridge-off-day.wav,on\n")
    new(ossicle, audio)
    place = audio.parent / "p"
    with (place / "ossicle.toml").open("a") as file:
        file.write('\n[corpus.metadata]\ntable = "../table.csv"\n')
    assert ossicle("run", "-p", place, "--until", "dataset").code == 0
    rows = (next((place / "data" / "dataset").iterdir()) / "files.csv").read_text()
    assert "ac-off-fridge-off-day.wav,2.5,16000,off,on,fridge,fridge-on,day" in rows
