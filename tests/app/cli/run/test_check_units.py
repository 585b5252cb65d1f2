"""``ossicle check`` and ``status`` of a project for acoustic units: what a run would lack, and what is out of date."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from ....made_up.speech_like import write_speech
from ...conftest import Commands

SMALL = ("--set", "quantiser.k=8", "--set", "motifs.vocabulary=20")
HEADER = "utterance\tstart_s\tend_s\tword\n"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return write_speech(tmp_path, words=6)


def project(ossicle: Commands, home: Path, *more: object) -> Path:
    result = ossicle("new", "units", home / "p", "--audio", home / "audio", *more)
    assert result.code == 0, result.err
    return home / "p"


def findings(ossicle: Commands, *words: object) -> dict[str, dict[str, Any]]:
    return {entry["what"]: entry for entry in json.loads(ossicle("check", *words, "--json").out)}


def test_results_of_other_settings_are_out_of_date_whichever_they_are(home: Path, ossicle: Commands) -> None:
    folder = project(ossicle, home)
    assert ossicle("run", "-p", folder, "--until", "motifs", *SMALL).code == 0
    found = findings(ossicle, "-p", folder, *SMALL)["results"]["message"]
    assert found == "up to date with these settings and recordings; not made yet: metrics.json, report.html"
    result = findings(ossicle, "-p", folder, "--set", "quantiser.k=9", *SMALL[2:])["results"]["message"]
    assert result.startswith("out of date: ")
    assert "quantiser, " in result
    assert "motifs.tsv were made with other settings" in result
    status = " ".join(ossicle("status", "-p", folder, *SMALL[:2], "--set", "motifs.vocabulary=19").out.split())
    assert "motifs.tsv was made with other settings or recordings, or by another version of Ossicle" in status
    assert "quantiser, " not in status


def test_health_misses_no_annotations_of_units_which_learn_from_none(home: Path, ossicle: Commands) -> None:
    health = ossicle("dataset", "health", "-p", project(ossicle, home), "--progress", "none")
    assert (health.code, "has an annotation" in health.out) == (0, False)


def test_a_table_of_segments_that_fits_nothing_is_found_before_a_run(home: Path, ossicle: Commands) -> None:
    folder = project(ossicle, home)
    (folder / "ready.csv").write_text("file,start,end\nelsewhere.wav,0,1\n")
    table = ("--set", "segments.by=table", "--set", "segments.table=ready.csv")
    result = ossicle("check", "-p", folder, *table)
    assert result.code == 2
    text = " ".join(result.out.split())
    assert "ready.csv is of a recording of this project (1 name in it, first elsewhere.wav" in text
    (folder / "ready.csv").write_text("file,start,end\nelsewhere.wav,0,1\nspeaker0_0.wav,0,1\n")
    result = ossicle("check", "-p", folder, *table)
    assert result.code == 3
    text = " ".join(result.out.split())
    assert "in 1 of 4 recordings; no recording has 1 name in it, first elsewhere.wav" in text


def test_words_that_fit_nothing_are_no_words_and_neither_is_silence(home: Path, ossicle: Commands) -> None:
    table = home / "words.tsv"
    table.write_text(table.read_text() + "speaker0_0\t0.9\t0.95\tSIL\n")
    folder = project(ossicle, home, "--words", table)
    result = findings(ossicle, "-p", folder)["words"]
    assert result["ok"]
    assert result["message"].startswith("24 of 4 kinds (")
    assert "; 1 row of silence (SIL) is no word; they judge" in result["message"]
    for row in ("speaker9_9\t0\t1\tai\n", "speaker0_0\t0\t1\tsil\n"):
        table.write_text(HEADER + row)
        result = findings(ossicle, "-p", folder)["words"]
        assert not result["ok"]
        assert not result["blocks"]
        assert "words.tsv is a word in one of these recordings: agreement with words, ABX" in result["message"]


def test_recordings_without_a_row_in_the_table_of_groups_are_counted(home: Path, ossicle: Commands) -> None:
    (home / "speakers.csv").write_text("file,speaker\nspeaker0_0.wav,ada\n")
    folder = project(ossicle, home, "--groups", home / "speakers.csv")
    found = findings(ossicle, "-p", folder)
    assert found["groups"]["message"] == "1 by speaker: ada; 3 recordings without a speaker, each by itself"
    assert found["groups"]["warns"]
    result = found["without group"]["message"]
    assert (
        "3 of 4 recordings, speaker0_1.wav among them, have no row in it, so each is its own group by 'speaker'"
        in result
    )


def test_a_name_that_matches_no_template_is_no_file_to_repair(home: Path, ossicle: Commands) -> None:
    (home / "audio" / "speaker1_1.wav").rename(home / "audio" / "odd.wav")
    folder = project(ossicle, home, "--name-template", "speaker{speaker}_*", "--group", "speaker")
    run = ossicle("run", "-p", folder, "--until", "segments")
    assert run.code == 3
    assert "odd.wav: left out: its name does not match" in run.err
    assert "; add a template to corpus.name_template" in run.err
    assert "repair the file" not in run.err


@pytest.mark.parametrize("name", ["none", "birdnet", "acoustic"])
def test_an_encoder_without_frames_is_refused_before_recordings_are_cut(
    name: str, home: Path, ossicle: Commands
) -> None:
    folder = project(ossicle, home)
    option = ("--set", f"encoder.name={name}")
    for command in (("check", "-p", folder), ("run", "-p", folder, "--until", "segments")):
        result = ossicle(*command, *option)
        assert result.code == 2
        text = " ".join((result.out + result.err).split())
        assert f'[encoder] name = "{name}": it has no vector for every 20 ms of any length of speech' in text
    assert not (folder / "data" / "segments").exists()


def test_the_folder_of_an_encoder_is_looked_for_before_a_run(home: Path, ossicle: Commands) -> None:
    folder = project(ossicle, home)

    def encoder(path: str) -> dict[str, Any]:
        return findings(ossicle, "-p", folder, "--set", "encoder.name=hf", "--set", f"encoder.path={path}")["encoder"]

    result = encoder("./models/xlsr")
    assert not result["ok"]
    assert "'./models/xlsr' do not exist" in result["message"]
    result = encoder("models/xlsr")
    assert result["warns"]
    assert "no folder models/xlsr is here: a run downloads the model of this name" in result["message"]
    (folder / "xlsr").mkdir()
    assert not encoder("xlsr")["ok"]
    (folder / "xlsr" / "config.json").write_text("{}")
    assert encoder("xlsr")["ok"]


def test_settings_that_units_do_not_read_are_neither_advised_nor_silent(home: Path, ossicle: Commands) -> None:
    samples, _ = soundfile.read(home / "audio" / "speaker1_1.wav")
    soundfile.write(home / "audio" / "speaker1_1.wav", samples[::2], 8000)
    folder = project(ossicle, home)
    result = findings(ossicle, "-p", folder)
    assert "8000 Hz" in result["low rate"]["message"]
    assert "front end" not in result["low rate"]["message"]
    assert "frontend" not in result
    result = findings(ossicle, "-p", folder, "--set", "frontend.n_mels=40")
    assert "[frontend] is not read: frames are those of the encoder mfcc" in result["frontend"]["message"]


@pytest.mark.parametrize("k", [4096, 10_000])
def test_more_units_than_motifs_can_have_tokens_are_refused_by_key(k: int, home: Path, ossicle: Commands) -> None:
    folder = project(ossicle, home)
    result = ossicle("run", "-p", folder, "--set", f"quantiser.k={k}", "--set", "motifs.vocabulary=4096")
    assert result.code == 2
    assert f"k = {k}: every unit is a token of [motifs]" in result.err
    assert "set k to 4095 or less" in result.err
    assert ossicle("status", "-p", folder, "--set", "quantiser.k=4095", "--set", "motifs.vocabulary=4096").code == 0


def test_channels_that_cancel_are_named_before_a_run(home: Path, ossicle: Commands) -> None:
    samples, rate = soundfile.read(home / "audio" / "speaker1_1.wav")
    soundfile.write(home / "audio" / "speaker1_1.wav", np.stack([samples, -samples], axis=1), rate)
    result = findings(ossicle, "-p", project(ossicle, home))["channels cancel"]
    assert result["warns"]
    assert "speaker1_1.wav" in result["message"]


@pytest.mark.parametrize(
    ("setting", "remedy"),
    [("rate=11025", "set rate = 11000"), ("network.frames_per_unit=3", "set it to 2"), ("rate=16000", "")],
)
def test_units_that_are_no_whole_number_of_frames_of_the_vocoder_block(
    setting: str, remedy: str, home: Path, ossicle: Commands
) -> None:
    folder = project(ossicle, home)
    result = ossicle("check", "-p", folder, "--set", "vocoder.preset=small", "--set", f"vocoder.{setting}")
    assert result.code == (2 if remedy else 0), result.out + result.err
    assert remedy in " ".join(result.out.split())


def test_one_recording_is_one(home: Path, ossicle: Commands) -> None:
    for file in sorted((home / "audio").iterdir())[1:]:
        file.unlink()
    folder = project(ossicle, home, "--group", "recording")
    assert findings(ossicle, "-p", folder)["groups"]["message"].startswith("the only recording; with split.group")


def test_groups_too_short_to_be_normalised_alone_are_named(home: Path, ossicle: Commands) -> None:
    for file in (home / "audio").iterdir():
        samples, rate = soundfile.read(file)
        soundfile.write(file, samples[:rate], rate)
    folder = project(ossicle, home, "--group", "recording")
    result = findings(ossicle, "-p", folder)["normalisation"]
    assert result["warns"]
    assert result["message"].startswith("4 of 4 groups by recording are shorter than 3 s (the shortest 1 s), too short")
    assert "normalisation" not in findings(ossicle, "-p", folder, "--set", "quantiser.normalisation=segment")
