"""``ossicle new units``, ``check`` and ``status`` on the command line: what a run will use, judge and leave out."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from ossicle.units.quantiser import Quantiser

from ....made_up.speech_like import write_speech
from ...conftest import Commands


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return write_speech(tmp_path, words=6)


def test_a_project_with_words_says_what_judges_the_units(home: Path, ossicle: Commands) -> None:
    project = home / "p"
    result = ossicle("new", "units", project, "--audio", home / "audio", "--words", home / "words.tsv")
    assert (result.code, result.err) == (0, "")
    text = " ".join(result.out.split())
    assert "rows of words ok 24 found: 24 used, 0 left out" in text
    assert "words ok 24 of 4 kinds (" in text
    assert "groups ok 2 by speaker: 0, 1" in text
    assert "segments ok cut at silences of 0.5 s (40 dB below the loudest frame); 2 to 120 s long" in text
    checked = ossicle("check", "-p", project)
    assert checked.code == 0, checked.out
    assert ossicle("run", "-p", project, "--until", "segments").code == 0
    assert "segments in 4 recordings: 0.00 h" in ossicle("status", "-p", project).out


def test_without_words_nothing_is_missing_and_it_says_what_is_left_out(home: Path, ossicle: Commands) -> None:
    result = ossicle("new", "units", home / "p", "--audio", home / "audio")
    assert (result.code, result.err) == (0, "")
    assert "none: agreement with words, ABX and word boundaries are left out" in result.out
    checked = ossicle("check", "-p", home / "p")
    assert checked.code == 0, checked.out
    assert "nothing to learn" not in checked.out
    assert "nothing to train" not in checked.out


def test_a_word_goes_to_no_other_recording_than_it_names(home: Path, ossicle: Commands) -> None:
    table = home / "words.tsv"
    table.write_text(table.read_text() + "speaker7_0\t0\t0.2\tai\n")
    result = ossicle("new", "units", home / "p", "--audio", home / "audio", "--words", table)
    text = " ".join(result.out.split())
    assert "rows of words lost 25 found: 24 used, 1 left out" in text
    run = ossicle("run", "-p", home / "p", "--until", "segments")
    assert run.code == 3
    assert "speaker7_0" in run.err


def test_options_of_labels_are_refused(home: Path, ossicle: Commands) -> None:
    result = ossicle("new", "units", home / "p", "--audio", home / "audio", "--labels", "folder")
    assert result.code == 2
    assert "--labels: the recipe 'units' learns from no labels; leave it out" in result.err
    result = ossicle("new", "tapes", home / "q", "--audio", home / "audio", "--words", home / "words.tsv")
    assert result.code == 2
    assert "--words" in result.err
    assert "use --annotations" in result.err


def test_recordings_and_segments_that_cannot_be_used_are_named(home: Path, ossicle: Commands) -> None:
    soundfile.write(home / "audio" / "speaker1_8.wav", np.zeros(16000, np.float32), 16000)
    ossicle("new", "units", home / "p", "--audio", home / "audio", "--template", "{speaker}_*")
    (home / "ready.csv").write_text("file,start,end\nspeaker0_0.wav,0,1\nspeaker9_9.wav,0,1\n")
    with (home / "p" / "ossicle.toml").open("a") as file:
        file.write('\n[segments]\nby = "table"\ntable = "../ready.csv"\n')
    checked = " ".join(ossicle("check", "-p", home / "p").out.split())
    assert "in 1 of 5 recordings; no recording has 1 name in it, first speaker9_9.wav" in checked
    run = ossicle("run", "-p", home / "p", "--until", "segments")
    assert run.code == 3
    assert "speaker9_9.wav: unmatched rows: the table of segments names it" in run.err
    status = ossicle("status", "-p", home / "p")
    assert "4 recordings without segments, first speaker0_1.wav: the table has no segment within it" in status.out
    (home / "ready.csv").unlink()
    checked = ossicle("check", "-p", home / "p")
    assert checked.code != 0
    assert "ready.csv is not a file; correct the path" in checked.out + checked.err


def test_a_copy_of_all_recordings_is_kept_on_request_alone(home: Path, ossicle: Commands) -> None:
    ossicle("new", "units", home / "p", "--audio", home / "audio")
    result = ossicle("store", "build", "-p", home / "p")
    assert result.code == 2
    assert "[segments] keep_audio = false: this project has no store; set it to true" in result.err
    keep = ("--set", "segments.keep_audio=true")
    assert ossicle("run", "-p", home / "p", "--until", "segments").code == 0
    run = ossicle("run", "-p", home / "p", "--until", "segments", *keep)
    assert run.code == 0, run.err
    text = " ".join(run.out.split())
    assert "store computed" in text
    assert "segments reused" in text
    verified = ossicle("store", "verify", "-p", home / "p", *keep)
    assert verified.code == 0, verified.err
    assert "recordings: 4 from the store, 0 raw" in verified.out


def test_the_quantiser_lies_beside_the_project_without_its_bookkeeping(home: Path, ossicle: Commands) -> None:
    ossicle("new", "units", home / "p", "--audio", home / "audio")
    run = ossicle("run", "-p", home / "p", "--until", "quantiser", "--set", "quantiser.k=8")
    assert run.code == 0, run.err
    published = home / "p" / "quantiser"
    assert sorted(path.name for path in published.iterdir()) == ["quantiser.json", "quantiser.npz", "sweep.json"]
    assert Quantiser.read(published).k == 8


def test_a_run_names_recordings_without_a_segment(home: Path, ossicle: Commands) -> None:
    soundfile.write(home / "audio" / "silent.wav", np.zeros(16000, np.float32), 16000)
    noise = np.random.default_rng(0).normal(0, 0.1, 16000).astype(np.float32)
    soundfile.write(home / "audio" / "opposite.wav", np.stack([noise, -noise], axis=1), 16000)
    ossicle("new", "units", home / "p", "--audio", home / "audio")
    run = ossicle("run", "-p", home / "p", "--until", "segments")
    assert run.code == 3
    text = " ".join(run.err.split())
    for name in ("silent.wav", "opposite.wav"):
        assert f"{name}: left out: no frame reaches -90.0 dBFS" in text
    assert "change [segments] or [audio] channel" in text
    assert "copy it again" not in text


def test_a_run_names_rows_of_a_segments_table_that_it_could_not_use(home: Path, ossicle: Commands) -> None:
    audio = sorted((home / "audio").rglob("*.wav"))[0]
    name = audio.relative_to(home / "audio").as_posix()
    ossicle("new", "units", home / "p", "--audio", home / "audio")
    rows = f"recording,start_s,end_s\n{name},0,0.5\n{name},1000,1001\n{name},0.5,0.5\n"
    (home / "p" / "segments.csv").write_text(rows)
    options = ("--set", "segments.by=table", "--set", "segments.table=segments.csv")
    run = ossicle("run", "-p", home / "p", "--until", "segments", *options)
    assert run.code == 3
    text = " ".join(run.err.split())
    assert f"{name}: lost segments: the segment at 0.5 s has no length; the segment at 1000 s begins after" in text
    assert "correct the times in the table" in text
