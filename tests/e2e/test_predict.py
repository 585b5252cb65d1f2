"""``predict`` and ``stream``: the same events by any runtime, feed and name; bad files cost only themselves."""

import csv
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from ossicle.app.cli.use.finished_recordings import JOURNAL
from ossicle.app.cli.use.output_tables import NOTES
from ossicle.artefacts.locks.lock import LOCK_FILE
from ossicle.corpus.formats.event_csv import read_events
from ossicle.corpus.formats.reading.event_folders import read_event_sets

from .conftest import COMMAND, Tiny, environment, ossicle

NOISE = np.random.default_rng(0).normal(0, 0.01, 16000).astype(np.float32)
HOSTILE = (
    "=cmd|calc!A0.wav",
    "<script>alert(1)<.wav",
    "dots.in.name 1.23.wav",
    "same.wav",
    "same.flac",
    "a/one.wav",
    "b/one.wav",
    "ünï-日本.wav",
    "-dash.wav",
    "[bold]x.wav",
    "two\nlines.wav",
    "a\ttab.wav",
    f"{'n' * 240}.wav",
)


@pytest.fixture(scope="module")
def predicted(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What ``predict`` leaves for the tapes, in all formats."""
    out = tmp_path_factory.mktemp("predicted")
    done = ossicle("predict", tiny.bundle, tiny.tapes / "audio", "-o", out, "--format", "raven,csv,audacity")
    assert done.returncode == 0, done.stderr
    return out


def rows(out: Path) -> list[tuple[str, float, float, str, float]]:
    table = read_events(out / "events.csv").rows
    return [(row.begin_path, row.start_s, row.end_s, row.label, row.confidence or 0.0) for row in table]


def test_all_formats_hold_the_same_events(tiny: Tiny, predicted: Path) -> None:
    names = {path.stem for path in (tiny.tapes / "audio").iterdir()}
    of_all = {"events.csv", "predictions.json", JOURNAL, LOCK_FILE, NOTES}
    assert {path.name for path in predicted.iterdir()} == of_all | {
        f"{name}{end}" for name in names for end in (".txt", ".Table.1.selections.txt")
    }
    # Reading refuses files that contradict each other about a recording.
    sets = read_event_sets(predicted)
    assert set(sets) == names
    assert sum(len(raw_selections) for raw_selections in sets.values()) == len(rows(predicted)) > 20


def test_onnx_gives_the_events_of_torch(tiny: Tiny, predicted: Path, tmp_path: Path) -> None:
    options = ("--format", "csv", "--runtime", "torch")
    done = ossicle("predict", tiny.bundle, tiny.tapes / "audio", "-o", tmp_path, *options)
    assert done.returncode == 0, done.stderr
    ours, theirs = rows(predicted), rows(tmp_path)
    assert len(ours) == len(theirs)
    hop_s = 320 / 16000
    for one, other in zip(ours, theirs, strict=True):
        assert (one[0], one[3]) == (other[0], other[3])
        assert abs(one[1] - other[1]) <= hop_s + 1e-9
        assert abs(one[2] - other[2]) <= hop_s + 1e-9
        assert abs(one[4] - other[4]) <= 1e-4


@pytest.mark.parametrize("chunk_s", [0.1, 1, 10])
def test_a_stream_gives_the_events_of_predict(tiny: Tiny, predicted: Path, chunk_s: float) -> None:
    path = sorted((tiny.tapes / "audio").iterdir())[0]
    done = ossicle("stream", tiny.bundle, path, "--chunk-s", chunk_s)
    assert done.returncode == 0, done.stderr
    heard = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["decided_at_s"] for one in heard] == sorted(one["decided_at_s"] for one in heard)
    assert all(one["decided_at_s"] >= one["end_s"] for one in heard)
    result = [(one["start_s"], one["end_s"], one["label"], one["score"]) for one in heard]
    assert sorted(result) == sorted(row[1:] for row in rows(predicted) if row[0] == path.name)


def test_batch_size_changes_nothing(tiny: Tiny, predicted: Path, tmp_path: Path) -> None:
    done = ossicle("predict", tiny.bundle, tiny.tapes / "audio", "-o", tmp_path, "--format", "csv", "--batch", 1)
    assert done.returncode == 0, done.stderr
    for row, other in zip(rows(predicted), rows(tmp_path), strict=True):
        assert row[:4] == other[:4]
        assert row[4] == pytest.approx(other[4], abs=2e-6)


def test_bad_files_cost_only_themselves(tiny: Tiny, predicted: Path, tmp_path: Path) -> None:
    folder = tmp_path / "tapes"
    good = sorted((tiny.tapes / "audio").iterdir())[0]
    shutil.copytree(tiny.tapes / "audio", folder)
    soundfile.write(folder / "silent.wav", np.zeros(48000), 16000)
    soundfile.write(folder / "short.wav", NOISE[:1600], 16000)
    soundfile.write(folder / "nan.wav", np.where(np.arange(16000) == 800, np.nan, 0.1), 16000, subtype="FLOAT")
    (folder / "empty.wav").write_bytes(b"")
    (folder / "text.wav").write_text("these are words")
    (folder / "cut.wav").write_bytes(good.read_bytes()[: good.stat().st_size // 2])
    (folder / "gone.wav").symlink_to("nowhere.wav")
    done = ossicle("predict", tiny.bundle, folder, "-o", tmp_path / "out", "--format", "raven,csv", "--json")
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
    summary = json.loads((tmp_path / "out" / "predictions.json").read_text())
    assert json.loads(done.stdout) == summary
    result = {recording["recording"]: recording for recording in summary["recordings"]}
    status = {name: one["status"] for name, one in result.items()}
    assert {name: status[name] for name in ("silent.wav", "short.wav", "cut.wav")} == {
        "silent.wav": "silent",
        "short.wav": "ok",
        "cut.wav": "partial",
    }
    for name, reason in (("nan", "NaN"), ("empty", "empty file"), ("text", "not audio"), ("gone", "link")):
        assert status[f"{name}.wav"] == "left_out"
        assert reason in result[f"{name}.wav"]["reason"]
        assert not (tmp_path / "out" / f"{name}.Table.1.selections.txt").exists()
    assert "missing" in result["cut.wav"]["reason"]
    assert result["cut.wav"]["read_to_s"] == pytest.approx(12.0, abs=0.01)
    cut = ossicle("stream", tiny.bundle, folder / "cut.wav")
    assert cut.returncode == 3
    assert "partial: cut off" in cut.stderr
    assert len(cut.stdout.splitlines()) == result["cut.wav"]["events"]
    scored = [
        row for row in rows(tmp_path / "out") if row[0] in {path.name for path in (tiny.tapes / "audio").iterdir()}
    ]
    assert scored == rows(predicted)


def test_hostile_names_stay_in_their_folder_and_apart(tiny: Tiny, tmp_path: Path) -> None:
    folder, out = tmp_path / "tapes", tmp_path / "out"
    source, rate = soundfile.read(sorted((tiny.tapes / "audio").iterdir())[0], dtype="float32", stop=8 * 16000)
    for number, name in enumerate(HOSTILE):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        # Another second of silence each, so that no two have the same events.
        soundfile.write(path, np.concatenate([np.zeros(number * rate, dtype=np.float32), source]), rate)
    bad = os.fsencode(folder / "good.wav").replace(b"good", b"b\xffd")
    shutil.copy(folder / "same.wav", bad)
    done = ossicle("predict", tiny.bundle, folder, "-o", out, "--format", "raven,csv,audacity")
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
    summary = json.loads((out / "predictions.json").read_text())["recordings"]
    assert [one["recording"] for one in summary if one["status"] == "left_out"] == ["b%FFd.wav"]
    assert len(summary) == len(HOSTILE) + 1
    assert {one["recording"] for one in summary} >= {"same.wav", "same.flac", "a/one.wav", "two%0Alines.wav"}
    sets = read_event_sets(out)
    short = [key for key in sets if key.startswith("nnn") and "~" in key]
    assert len(short) == 1
    events = {one["recording"]: one["events"] for one in summary}
    assert len(sets["same.flac"]) == events["same.flac"] > 0
    assert sets["same.flac"][0].start_s - sets["same.wav"][0].start_s == pytest.approx(1.0, abs=0.5)
    with (out / "events.csv").open(newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert not [cell for cell in cells if cell[:1] in tuple("=+-@\t\r\n")]
    assert {path.relative_to(tmp_path).parts[0] for path in tmp_path.rglob("*")} == {"tapes", "out"}


def test_equal_names_from_two_places_are_told_apart(tiny: Tiny, tmp_path: Path) -> None:
    for place in ("left", "right"):
        (tmp_path / place).mkdir()
        soundfile.write(tmp_path / place / "one.wav", NOISE, 16000)
    files = [tmp_path / "left" / "one.wav", tmp_path / "right" / "one.wav", tmp_path / "right" / "one.wav"]
    done = ossicle("predict", tiny.bundle, *files, "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    summary = json.loads((tmp_path / "out" / "predictions.json").read_text())["recordings"]
    assert [one["recording"] for one in summary] == ["left/one.wav", "right/one.wav"]


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"bundle": "gone"}, 2, "gone is not a folder"),
        ({"bundle": "tapes"}, 2, "bundle.json is missing"),
        ({"audio": "gone"}, 2, "gone: does not exist"),
        ({"audio": "nothing"}, 2, "contains no audio files"),
        ({"out": "file"}, 2, "--out"),
        ({"out": "file/below"}, 1, "Not a directory"),
        ({"format": "raven,xml"}, 2, "is not one of: raven, csv, audacity"),
        ({"format": ","}, 2, "is not one of: raven, csv, audacity"),
        ({"runtime": "tpu"}, 2, "is not one of: onnx, openvino, torch"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(
    tiny: Tiny, tmp_path: Path, change: dict[str, str], code: int, words: str
) -> None:
    (tmp_path / "tapes").mkdir()
    (tmp_path / "nothing").mkdir()
    (tmp_path / "file").write_text("")
    soundfile.write(tmp_path / "tapes" / "one.wav", NOISE, 16000)
    bundle = tmp_path / change["bundle"] if "bundle" in change else tiny.bundle
    audio, out = tmp_path / change.get("audio", "tapes"), tmp_path / change.get("out", "out")
    options = ("--format", change.get("format", "csv"), "--runtime", change.get("runtime", "onnx"))
    done = ossicle("predict", bundle, audio, "-o", out, *options)
    assert done.returncode == code
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_stream_of_nothing_is_wrong_usage(tiny: Tiny, tmp_path: Path) -> None:
    for place, words in ((tmp_path / "gone.wav", "does not exist"), (tmp_path, "is a folder")):
        done = ossicle("stream", tiny.bundle, place)
        assert done.returncode == 2
        assert words in done.stderr


@pytest.fixture
def without_torch(tmp_path: Path) -> dict[str, str]:
    """An environment in which torch and what needs it cannot be imported."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(
        "import sys\n"
        "class Absent:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.partition('.')[0] in ('torch', 'lightning', 'onnx', 'safetensors', 'matplotlib', 'jinja2'):\n"
        "            raise ModuleNotFoundError(f'No module named {name!r}', name=name)\n"
        "sys.meta_path.insert(0, Absent())\n"
    )
    return {**environment(), "PYTHONPATH": str(tmp_path / "site")}


def test_what_runs_a_bundle_runs_without_torch(
    tiny: Tiny, predicted: Path, tmp_path: Path, without_torch: dict[str, str]
) -> None:
    def run(*arguments: Any) -> subprocess.CompletedProcess[str]:
        command = [*COMMAND, *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, env=without_torch, check=False)

    path = sorted((tiny.tapes / "audio").iterdir())[0]
    done = run("predict", tiny.bundle, tiny.tapes / "audio", "-o", tmp_path / "out", "--format", "csv")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "events.csv").read_bytes() == (predicted / "events.csv").read_bytes()
    assert run("stream", tiny.bundle, path).returncode == 0
    assert run("score", "--reference", tiny.tapes / "selections", "--predictions", tmp_path / "out").returncode == 0
    assert run("--help").returncode == 0
    assert run("status", "-p", tiny.folder).returncode == 0
    blocked = run("predict", tiny.bundle, path, "-o", tmp_path / "torch", "--runtime", "torch")
    assert blocked.returncode == 2
    assert blocked.stderr == "ossicle: this command needs torch: pip install 'ossicle[train]'\n"
