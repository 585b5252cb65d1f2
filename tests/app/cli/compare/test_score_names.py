"""``ossicle score``: which recordings are the same on both sides, and events that cannot match are named."""

import json
from pathlib import Path
from typing import Any

import pytest

from ...conftest import Commands

REFERENCE = "file,start_time,end_time,label\n"
PREDICTIONS = "file,start_time,end_time,label,score\n"


def scored(
    folder: Path, ossicle: Commands, reference: list[str], predictions: list[str], *more: object
) -> tuple[int, dict[str, Any], str]:
    (folder / "reference.csv").write_text(REFERENCE + "\n".join(reference) + "\n", encoding="utf-8")
    rows = "\n".join(f"{row},0.5" for row in predictions)
    (folder / "predictions.csv").write_text(f"{PREDICTIONS}{rows}\n", encoding="utf-8")
    sides = ("--reference", folder / "reference.csv", "--predictions", folder / "predictions.csv")
    result = ossicle("score", *sides, "--json", "--bootstrap", 0, *more)
    return result.code, json.loads(result.out) if result.out else {}, result.err


@pytest.mark.parametrize("root", ["/data/2025/", "D:\\\\data\\\\", "./"])
def test_absolute_paths_are_those_that_end_alike(tmp_path: Path, ossicle: Commands, root: str) -> None:
    reference = ["s1/a.wav,1,2,x", "s2/a.wav,3,4,x", "b.wav,5,6,x"]
    code, found, err = scored(tmp_path, ossicle, reference, [f"{root}{row}" for row in reversed(reference)])
    assert (code, err) == (0, "")
    assert (found["events"]["f1"], found["n_reference"]) == (1.0, 3)


def test_a_recording_of_another_folder_is_not_the_same(tmp_path: Path, ossicle: Commands) -> None:
    reference = ["s1/a.wav,1,2,x", "s2/a.wav,3,4,x"]
    _, found, err = scored(tmp_path, ossicle, reference, ["/d/s1/a.wav,1,2,x", "/d/s3/a.wav,3,4,x"])
    assert found["events"]["recall"] == 0.5
    assert "skipped, no reference: " in err
    assert "s3/a" in err


def test_names_that_folders_do_not_tell_apart_are_refused_with_the_remedy(tmp_path: Path, ossicle: Commands) -> None:
    code, _, err = scored(tmp_path, ossicle, ["s1/a.wav,1,2,x", "s2/a.wav,3,4,x"], ["a.wav,1,2,x"])
    assert code == 2
    assert "folders where several share a name" in err


def test_one_file_name_in_two_folders_is_said(tmp_path: Path, ossicle: Commands) -> None:
    code, found, err = scored(tmp_path, ossicle, ["s1/a.wav,1,2,x"], ["s2/a.wav,1,2,x"])
    assert (code, found["events"]["f1"]) == (0, 1.0)
    assert "as 's1/a' and 's2/a', and count as the same" in err


def test_events_that_cannot_match_are_named(tmp_path: Path, ossicle: Commands) -> None:
    reference = ["a.wav,1,2,x", "a.wav,1,2,x", "a.wav,5,5,x"]
    _, found, err = scored(tmp_path, ossicle, reference, ["a.wav,1,2,x"], "--iou", 0.5, "--collar", 0.2)
    assert found["events"]["recall"] == pytest.approx(1 / 3)
    assert "reference: 1 event repeats another one exactly, and counts as missed" in err
    assert "1 event without a length cannot overlap anything; match by start with --collar" in err
    _, _, err = scored(tmp_path, ossicle, reference[:1], ["a.wav,1,2,x"] * 3, "--iou", 0.5)
    assert "predictions: 2 events repeat other ones exactly, and count as false, since" in err
    assert "remove them" in err
    # The remedy works.
    code, found, err = scored(tmp_path, ossicle, reference[1:], ["a.wav,1,2,x", "a.wav,5,5.1,x"], "--collar", 0.2)
    assert (code, found["events"]["f1"], err) == (0, 1.0, "")


def test_several_labels_in_one_cell_are_named(tmp_path: Path, ossicle: Commands) -> None:
    _, _, err = scored(tmp_path, ossicle, ["a.wav,1,2,x;y", "a.wav,3,4,x"], ["a.wav,1,2,x", "a.wav,1,2,y"])
    assert "'x;y' look like a list or several labels in one cell; write a row for each" in err
