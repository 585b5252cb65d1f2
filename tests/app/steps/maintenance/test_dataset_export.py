"""``ossicle dataset export`` and ``stats`` through the command line."""

import csv
import json
import warnings
from pathlib import Path
from typing import Any

import crowsetta
import numpy as np
import pytest
import soundfile

from ossicle.app.project.load import load_project
from ossicle.app.steps.engine.step import Silent
from ossicle.app.steps.pipeline.run_project import run_project
from ossicle.artefacts.tables import read_table
from ossicle.corpus.formats.cells.delimited import unescape_cell
from ossicle.corpus.formats.raven import read_raven

from ....made_up.untrained import PROJECT, RATE, write_tapes

TABLES = """
[dataset]
noise = "beside"
[variants.leaky]
base = "preset:random"
[variants.leaky.split]
val_share = 0.2
"""
QUIET = ("--progress", "none")
STEMS = ("siteA_20250610_050000.23_tape", "siteA_2", "siteB_20240611_tape", "siteC_1", "siteD_1", "siteE_é ü")


@pytest.fixture
def tapes(tmp_path: Path) -> Path:
    write_tapes(tmp_path, STEMS)
    (tmp_path / "tables" / f"{STEMS[3]}.Table.1.selections.txt").write_text(
        "Selection\tBegin Time (s)\tEnd Time (s)\tAnnotation\n"
    )
    (tmp_path / "ossicle.toml").write_text(PROJECT + TABLES)
    return tmp_path


def clips_of(tapes: Path, variant: str = "") -> list[dict[str, Any]]:
    project = load_project(tapes, variant=variant)
    return read_table(run_project(project, Silent(), "dataset").artefacts["dataset"] / "clips.parquet").to_dicts()


def lists(out: Path) -> dict[str, list[dict[str, str]]]:
    return {
        name: list(csv.DictReader((out / f"{name}.csv").read_text(encoding="utf-8").splitlines()))
        for name in ("train", "val", "test")
    }


def test_lists_index_tables_sound_and_pictures_tell_the_same(tapes: Path, ossicle: Any) -> None:
    out = tapes / "out"
    result = ossicle("dataset", "export", "-p", tapes, "--variant", "leaky", "-o", out, "--wav", "--png", *QUIET)
    assert result.code == 0, result.err
    assert "leaky: random cuts through" in result.out
    index = json.loads((out / "variant_index.json").read_text(encoding="utf-8"))
    clips, found = clips_of(tapes, "leaky"), lists(out)
    assert index["meta"]["split_strategy"] == "random"
    assert index["meta"]["leaky"].startswith("leaky: random cuts through")
    assert len(index["entries"]) == len(clips) == sum(map(len, found.values()))
    names = {-1: "train", 0: "test", 1: "val"}
    rows = {unescape_cell(row["file"]): (split, row) for split, of in found.items() for row in of}
    for entry, clip in zip(index["entries"], clips, strict=True):
        split, row = rows[entry["fn"]]
        assert entry["split"] == split == names[clip["fold"]]
        assert (float(row["start_s"]), float(row["end_s"])) == pytest.approx((clip["start_s"], clip["end_s"]), abs=1e-6)
        assert entry["class"] == row["class"] == clip["role"]
        # Relative, and under one stem.
        sound, picture = out / entry["fn"], out / entry["spectrogram_path"]
        assert sound.stem == picture.stem
        samples, rate = soundfile.read(sound)
        tape, _ = soundfile.read(tapes / "audio" / entry["tape_key"])
        first, last = round(clip["start_s"] * RATE), round(clip["end_s"] * RATE)
        np.testing.assert_array_equal(samples, tape[first:last])
        assert rate == RATE
        assert picture.read_bytes()[:4] == b"\x89PNG"
    counts = index["meta"]["counts"]
    for split in found:
        assert counts[split]["clips"] == len(found[split])
        assert counts[split]["by_class"].get("target", 0) == sum(row["class"] == "target" for row in found[split])
    years = {entry["tape_key"]: entry["year"] for entry in index["entries"]}
    assert years[f"{STEMS[0]}.wav"] == "2025"
    assert years[f"{STEMS[2]}.wav"] == "2024"
    assert years[f"{STEMS[1]}.wav"] == "0000"
    assert "clips have no year" in result.out


def test_selection_tables_hold_targets_alone_and_are_read_back(tapes: Path, ossicle: Any) -> None:
    out = tapes / "out"
    assert ossicle("dataset", "export", "-p", tapes, "-o", out, *QUIET).code == 0
    clips = clips_of(tapes)
    ids = {one["recording_id"] for one in clips}
    assert len(ids) == 5
    for folder, role, label in (("selection_tables", "target", "call"), ("noise_tables", "noise", "noise")):
        expected = {stem: [] for stem in (STEMS if role == "target" else STEMS[:3] + STEMS[4:])}
        index = json.loads((out / "variant_index.json").read_text(encoding="utf-8"))
        for one in index["entries"]:
            if one["role"] == role:
                expected[Path(one["tape_key"]).stem].append((one["start_s"], one["end_s"], label))
        tables = sorted((out / folder).iterdir())
        assert [path.name for path in tables] == sorted(f"{stem}.Table.1.selections.txt" for stem in expected)
        for stem, rows in expected.items():
            path = out / folder / f"{stem}.Table.1.selections.txt"
            read = read_raven(path)
            assert [
                (raw_selection.start_s, raw_selection.end_s, raw_selection.label) for raw_selection in read
            ] == sorted(rows)
            assert {raw_selection.begin_path for raw_selection in read} <= {f"{stem}.wav"}
            if not rows:
                continue
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                boxes = crowsetta.Transcriber(format="raven").from_file(path, annot_col="Annotation").to_bbox()
            assert [(box.onset, box.offset, box.label) for box in boxes] == sorted(rows)


def test_animal_spot_gets_names_without_a_heading_and_sound_beside_them(tapes: Path, ossicle: Any) -> None:
    out = tapes / "out"
    result = ossicle(
        "dataset", "export", "-p", tapes, "-o", out, "--layout", "animal-spot", "--wav", "--fold", "3", *QUIET
    )
    assert result.code == 0, result.err
    assert "fold 3 is test, fold 4 val, the rest train" in result.out
    index = json.loads((out / "variant_index.json").read_text(encoding="utf-8"))
    listed = []
    for name in ("train", "val", "test"):
        lines = (out / f"{name}.csv").read_text(encoding="utf-8").splitlines()
        assert lines == [one["fn"] for one in index["entries"] if one["split"] == name]
        listed += lines
    assert sorted(listed) == sorted(path.name for path in out.glob("*.wav"))
    tapes_of = {
        name: {line.split("_")[-3] for line in (out / f"{name}.csv").read_text().splitlines()}
        for name in ("train", "test")
    }
    assert not tapes_of["train"] & tapes_of["test"]
    assert {line.split("-")[0] for line in listed} == {"target", "noise"}


def test_nothing_is_overwritten_unless_asked(tapes: Path, ossicle: Any) -> None:
    out = tapes / "out"
    (out / "clips").mkdir(parents=True)
    (out / "notes.txt").write_text("mine")
    assert ossicle("dataset", "export", "-p", tapes, "-o", out, *QUIET).code == 0
    before = (out / "train.csv").read_bytes()
    (out / "train.csv").write_text("edited")
    result = ossicle("dataset", "export", "-p", tapes, "-o", out, *QUIET)
    assert result.code == 2
    assert "already exist" in result.err
    assert "--force" in result.err
    assert (out / "train.csv").read_text() == "edited"
    assert ossicle("dataset", "export", "-p", tapes, "-o", out, "--force", *QUIET).code == 0
    assert (out / "train.csv").read_bytes() == before
    assert (out / "notes.txt").read_text() == "mine"
    file = tapes / "file"
    file.touch()
    assert ossicle("dataset", "export", "-p", tapes, "-o", file, *QUIET).code == 2


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (("--fold", "9"), "this fold does not exist; folds with clips: 0, 1, 3, 4"),
        (("--variant", "leaky", "--fold", "0"), "has train, val and test instead of folds"),
        (("--layout", "spot"), "--layout spot is not one of: plain, animal-spot"),
        (("--fanout", "2"), "--fanout 2 is about sound and pictures: add --wav or --png"),
        (("--fanout", "2", "--wav", "--layout", "animal-spot"), "the layout animal-spot has no subfolders"),
    ],
)
def test_what_cannot_be_meant_is_refused(tapes: Path, ossicle: Any, given: tuple[str, ...], words: str) -> None:
    result = ossicle("dataset", "export", "-p", tapes, "-o", tapes / "out", *given, *QUIET)
    assert result.code == 2
    assert words in result.err
    assert not (tapes / "out").exists()


def test_a_recording_that_is_gone_costs_its_own_clips(
    tapes: Path, ossicle: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ossicle.audio import wav_clips
    from ossicle.audio.decoding.decode import AudioSource
    from ossicle.core.errors import AudioError

    crop = wav_clips.crop_mono

    def broken(source: AudioSource, rate: int, first: int, *rest: Any, **options: Any) -> Any:
        # Damage in the middle: the first clips of the recording are written before it is found.
        if source.path.stem == STEMS[4] and first > 5 * rate:
            raise AudioError(f"{source.path}: is damaged")
        return crop(source, rate, first, *rest, **options)

    monkeypatch.setattr(wav_clips, "crop_mono", broken)
    monkeypatch.setattr(wav_clips, "_GAP_S", 0.0)
    out = tapes / "out"
    result = ossicle("dataset", "export", "-p", tapes, "-o", out, "--wav", *QUIET)
    assert result.code == 3
    assert "is damaged; its clips were skipped" in result.err
    entries = json.loads((out / "variant_index.json").read_text(encoding="utf-8"))["entries"]
    assert {Path(one["tape_key"]).stem for one in entries} == {STEMS[0], STEMS[1], STEMS[2], STEMS[5]}
    assert {path.name for path in (out / "clips").iterdir()} == {Path(one["fn"]).name for one in entries}


def test_fanned_out_clips_are_those_of_one_folder(tapes: Path, ossicle: Any) -> None:
    for name, more in (("flat", ()), ("fanned", ("--fanout", 2))):
        result = ossicle("dataset", "export", "-p", tapes, "-o", tapes / name, "--wav", *more, *QUIET)
        assert result.code == 0, result.err
    flat, fanned = (
        {path.name: (path.parent.name, path.read_bytes()) for path in (tapes / name / "clips").rglob("*.wav")}
        for name in ("flat", "fanned")
    )
    assert {name: sound for name, (_, sound) in flat.items()} == {name: sound for name, (_, sound) in fanned.items()}
    assert all(name.split("_")[1][:2] == folder for name, (folder, _) in fanned.items())
    listed = {row["file"] for rows in lists(tapes / "fanned").values() for row in rows}
    assert listed == {f"clips/{folder}/{name}" for name, (folder, _) in fanned.items()}
    result = ossicle("dataset", "export", "-p", tapes, "-o", tapes / "fanned", "--wav", "--fanout", 2, *QUIET)
    assert result.code == 2
    assert "already exist" in result.err


def test_an_interrupted_export_goes_on_where_it_was(tapes: Path, ossicle: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from ossicle.app.steps.maintenance import dataset_export, unfinished_export
    from ossicle.artefacts.files import tree_digest
    from ossicle.audio import wav_clips

    command = ("dataset", "export", "-p", tapes, "--wav", "--fanout", 1, *QUIET)
    assert ossicle(*command, "-o", tapes / "whole").code == 0
    monkeypatch.setattr(wav_clips, "_TASK_CLIPS", 1)
    monkeypatch.setattr(unfinished_export, "_SYNC_S", 0.0)
    write, asked = wav_clips.write_wav_clips, []

    def stopping(out: Path, recordings: Any, workers: int = 1) -> Any:
        asked.append({recording.recording_id for recording in recordings})
        for number, done in enumerate(write(out, recordings, 1)):
            yield done
            if number == 1 and len(asked) == 1:
                raise KeyboardInterrupt

    monkeypatch.setattr(dataset_export, "write_wav_clips", stopping)
    out = tapes / "out"
    assert ossicle(*command, "-o", out).code == 130
    assert not (out / "train.csv").exists()
    # Another export does not mix with it, and the same one is resumed.
    result = ossicle(*command, "-o", out, "--fold", 1)
    assert (result.code, len(asked)) == (2, 1)
    assert "already exist" in result.err
    # A file that was being written when the export was killed.
    half = out / "clips" / ".ossicle-part-0a1b.wav"
    half.write_bytes(b"RIFF")
    assert ossicle(*command, "-o", out).code == 0
    assert not half.exists()
    assert (len(asked[0]), len(asked[1])) == (5, 3)
    assert asked[1] < asked[0]
    assert tree_digest(out) == tree_digest(tapes / "whole")
    assert not (out / unfinished_export.NAME).exists()


def test_stats_count_by_split_class_quality_and_group(tapes: Path, ossicle: Any) -> None:
    result = ossicle("dataset", "stats", "-p", tapes, "--variant", "leaky", "--json", *QUIET)
    content = json.loads(result.out)
    clips = clips_of(tapes, "leaky")
    assert sum(row["clips"] for row in content["clips"]) == len(clips) == 30
    assert {row["split"] for row in content["clips"]} == {"train", "val", "test"}
    assert (content["strategy"], content["unplaced"]) == ("random", [])
    assert [(one["group"], one["asked"], one["placed"]) for one in content["tapes"]] == [
        ("A", 6, 6),
        ("B", 3, 3),
        ("D", 3, 3),
        ("E", 3, 3),
    ]
    shown = ossicle("dataset", "stats", "-p", tapes, "--variant", "leaky", *QUIET).out
    for words in (
        "class",
        "quality",
        "group",
        "train",
        "val",
        "test",
        "unknown",
        "from fallback",
        "leaky: random cuts",
    ):
        assert words in shown
    grouped = ossicle("dataset", "stats", "-p", tapes, *QUIET).out
    assert "fold 3" in grouped
    assert "leaky" not in grouped


def test_stats_name_the_targets_whose_noise_found_no_room(tapes: Path, ossicle: Any) -> None:
    table = tapes / "tables" / f"{STEMS[4]}.Table.1.selections.txt"
    table.write_text("Selection\tBegin Time (s)\tEnd Time (s)\tAnnotation\n1\t0.0\t9.0\tcall\n", encoding="utf-8")
    result = ossicle("dataset", "stats", "-p", tapes, *QUIET)
    assert f"'call' in {STEMS[4]}.wav at 0.000 to 9.000 s: 0 of 1" in result.out
