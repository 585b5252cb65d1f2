"""A project with a vocoder from recordings to sounds, figures and a page, and both commands on its results."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from ossicle.artefacts.filesystem.replacing import foreign_files
from ossicle.artefacts.typed.results.published import PUBLISHED_FILES

from ..made_up.speech_like import write_speech
from .conftest import ossicle

# Seconds of training: the networks are far too small to speak.
TINY = """
[quantiser]
k = 8

[motifs]
vocabulary = 20
min_count = 4

[quality]
hold_out = "none"

[evaluation]
bootstrap = 100

[resynthesis]
num_samples = 3
most_mcd_db = 0.5

[vocoder]
preset = "small"
rate = 8000
epochs = 2
warmup_epochs = 1
draws = 8
batch = 4
crop_s = 0.2
choosing_segments = 2
save_every = 1
keep = 1
samples = 1

[vocoder.network]
width = 16
unit_blocks = 1
frame_blocks = 1
period_channels = [4, 4]
scale_channels = [4, 4]
periods = [2, 3]
scales = 1
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = write_speech(tmp_path_factory.mktemp("spoken"), speakers=4, files=2, words=4)
    folder = home / "p"
    options = ("--audio", home / "audio", "--group", "speaker", "--name-template", "{speaker}_*")
    new = ossicle("new", "units", folder, *options)
    assert new.returncode == 0, new.stderr
    file = folder / "ossicle.toml"
    file.write_text(file.read_text().replace("[project]\n", "[project]\nworkers = 1\n", 1) + TINY)
    run = ossicle("run", "-p", folder)
    assert run.returncode == 0, run.stderr
    # Bars of a vocoder of two epochs are missed, which a run only reports.
    assert "the vocoder misses a bar: mcd_db" in run.stdout
    assert "speaker3" in run.stdout
    return folder


def metrics(project: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((project / "metrics.json").read_text())
    return content


def test_results_name_who_is_judged_and_hold_all_figures(project: Path) -> None:
    result = metrics(project)["vocoder"]
    assert result["basis"] == "held out by speaker"
    trained = json.loads((project / "vocoder" / "training.json").read_text())
    assert (trained["trains"], trained["chooses"], trained["judged"]) == (
        ["speaker0", "speaker1"],
        ["speaker2"],
        ["speaker3"],
    )
    assert trained["speakers"] == ["speaker0", "speaker1"]
    for name in ("vocoder", "resynthesis", "quantiser"):
        assert foreign_files(project / name, PUBLISHED_FILES[name]) == []
    for name in ("log_mel_db", "mcd_db", "mcd_aligned_db", "voicing_error", "si_sdr_db", "snr_db", "duration_ratio"):
        assert set(result[name]) == {"value", "low", "high"}
        assert result[name]["value"] is not None
    # Units end up to a frame before their segment does.
    assert 0.95 < result["length_ratio"]["value"] < 1.0
    assert result["baseline"]["log_mel_db"]["value"] > 0
    assert result["start"]["log_mel_db"]["value"] > 0
    assert result["verdict"]["passed"] is False
    assert "units" in metrics(project)
    pairs = json.loads((project / "resynthesis" / "resynthesis.json").read_text())["pairs"]
    for pair in pairs:
        assert 0.9 < pair["length_ratio"] < 1.0
    assert {pair["group"] for pair in pairs} == {"speaker3"}
    sounds = sorted(path.name for path in (project / "resynthesis").glob("*.wav"))
    assert len(sounds) == 3 * len(pairs) > 0
    original, made = (
        soundfile.info(project / "resynthesis" / sounds[0].replace("baseline", kind))
        for kind in ("original", "resynthesis")
    )
    assert (original.samplerate, original.frames) == (8000, made.frames)
    assert made.frames % 160 == 0
    assert (project / "vocoder.html").stat().st_size > 0


def test_status_says_who_is_held_out_and_which_bar_is_missed(project: Path) -> None:
    status = ossicle("status", "-p", project)
    assert status.returncode == 0, status.stderr
    assert "to do" not in status.stdout
    assert "speaker3" in status.stdout
    assert "misses a bar" in status.stdout


def test_units_of_files_are_spoken(project: Path, tmp_path: Path) -> None:
    file = project.parent / "audio" / "speaker0_0.wav"
    coded = ossicle("units", "encode", project / "quantiser", file, "-o", tmp_path / "coded")
    assert coded.returncode == 0, coded.stderr
    units = tmp_path / "coded" / "speaker0_0.units.json"
    options = ("--speaker", "speaker1", "--semitones", "3")
    completed = ossicle("units", "vocoder", project / "vocoder", units, "-o", tmp_path / "out", *options)
    assert completed.returncode == 0, completed.stderr
    (n_units,) = [len(segment["units"]) for segment in json.loads(units.read_text())["segments"]]
    made, rate = soundfile.read(tmp_path / "out" / "speaker0_0.wav")
    assert (len(made), rate) == (n_units * 160, 8000)
    assert np.abs(made).max() > 0


def test_resynth_of_a_copied_folder_judges_and_names_each_missed_bar(project: Path, tmp_path: Path) -> None:
    moved = shutil.copytree(project / "vocoder", tmp_path / "elsewhere")
    file = project.parent / "audio" / "speaker3_1.wav"
    completed = ossicle("units", "resynth", moved, file, "-o", tmp_path / "out", "--json", "--most-mcd", "0.5")
    assert completed.returncode == 4
    assert "the vocoder misses a bar: mcd_db" in completed.stderr
    assert json.loads(completed.stdout)["verdict"]["passed"] is False
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        ".ossicle.files.jsonl",
        "speaker3_1.original.wav",
        "speaker3_1.resynthesis.wav",
        "resynthesis.json",
        "vocoder.html",
    }
