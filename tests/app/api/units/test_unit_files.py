"""Unit files: all forms that are written are read, others are refused with file, line and what to do."""

import json
from pathlib import Path
from typing import Any

import pytest

from ossicle.app.api.units import unit_files
from ossicle.app.api.units.unit_files import UnitFileSpec, UnitLine, output_names, read_units, sound_places
from ossicle.core.errors import FormatError, UsageError

SPEC = UnitFileSpec(k=10, quantiser="abc", hop_s=0.02)
ENCODED = {"file": "x.wav", "quantiser": "abc", "n_units": 10, "hop_s": 0.02}


def read(path: Path, content: object, **options: Any) -> list[UnitLine]:
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return list(read_units(path, SPEC, **options))


def values(found: list[UnitLine]) -> list[tuple[list[int], bool]]:
    return [(unit_line.values.tolist(), unit_line.runs) for unit_line in found]


def test_every_form_is_read(tmp_path: Path) -> None:
    encoded = {**ENCODED, "runs": [{"unit": 1}], "segments": [{"units": [1, 1, 2]}, {"units": [3]}]}
    assert values(read(tmp_path / "x.units.json", encoded)) == [([1, 1, 2], False), ([3], False)]
    lines = "\n".join(json.dumps(one) for one in ({"units": [1, 1]}, {"runs": [{"unit": 4, "start_s": 0}]}))
    assert values(read(tmp_path / "units.jsonl", lines)) == [([1, 1], False), ([4], True)]
    assert values(read(tmp_path / "units.txt", "1 1 2\n\n 9 0\n")) == [([1, 1, 2], False), ([9, 0], False)]
    assert values(read(tmp_path / "runs.txt", "1 2\n", runs=True)) == [([1, 2], True)]
    assert values(read(tmp_path / "own.json", {"runs": [1, 2]})) == [([1, 2], True)]
    assert values(read(tmp_path / "empty.txt", "\n")) == []


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("x.json", {**ENCODED, "quantiser": "other", "segments": []}, r"x\.json: its units are of the quantiser other"),
        ("x.json", {**ENCODED, "n_units": 100, "segments": []}, "n_units = 100, and the vocoder has 10"),
        ("x.json", {**ENCODED, "hop_s": 0.01, "segments": []}, r"hop_s = 0\.01, and a unit of the vocoder lasts 0\.02"),
        ("x.json", {**ENCODED, "hop_s": "x", "segments": []}, 'hop_s = "x"'),
        ("x.json", {**ENCODED, "hop_s": 10**400, "segments": []}, "hop_s = 10{39}, and a unit"),
        ("x.json", {**ENCODED, "n_units": 10**400, "segments": []}, "n_units = 10{39}, and the vocoder"),
        ("x.json", {"units": [10**400]}, "value 1 is the unit 10{39}, and"),
        ("x.json", '{"units": [1e999, NaN]}', "value 1 is Infinity, not a whole number"),
        ("x.json", {**ENCODED, "segments": [{"units": [1, 10]}]}, "segment 1, units: value 2 is the unit 10.*0 to 9"),
        ("x.json", {**ENCODED, "segments": [{"units": [1, 2.5]}]}, r"value 2 is 2\.5, not a whole number"),
        ("x.json", {**ENCODED, "segments": [{"units": [True]}]}, "value 1 is true"),
        ("x.json", {**ENCODED, "segments": [{"units": "12"}]}, "not a list of numbers"),
        ("x.json", {**ENCODED, "segments": {"units": []}}, "segments is not a list"),
        ("x.json", {**ENCODED, "segments": [[1]]}, "not an object with units"),
        ("x.json", {"duration_s": 1}, "neither units nor runs"),
        ("x.json", [1, 2], "not a file of `ossicle units encode -o`"),
        ("x.json", '{"units": [1', "not JSON"),
        ("x.json", "[" * 100_000, "not JSON"),
        ("x.jsonl", '{"units": [1]}\n{"units": ', r"x\.jsonl, line 2: not JSON"),
        ("x.jsonl", '{"units": [-1]}\n', "the unit -1"),
        ("x.txt", "1 2\n3 four\n", r"x\.txt, line 2: number 2 is 'four', not a unit"),
        ("x.txt", "1 -2\n", "number 2 is '-2'"),
        ("x.txt", "1 123456789123456789\n", "not a unit"),
        ("x.txt", "1 11\n", "line 1: value 2 is the unit 11"),
        ("x.txt", "1 \u0663\n", "not a unit"),
    ],
)
def test_what_a_vocoder_cannot_speak_is_named(tmp_path: Path, name: str, content: object, said: str) -> None:
    with pytest.raises(FormatError, match=said):
        read(tmp_path / name, content)


def test_missing_files_and_folders_are_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"x\.json: does not exist"):
        list(read_units(tmp_path / "x.json", SPEC))
    with pytest.raises(UsageError, match="is a folder; name the files in it"):
        list(read_units(tmp_path, SPEC))


def test_no_two_outputs_have_one_name(tmp_path: Path) -> None:
    given = [tmp_path / name for name in ("a/x.units.json", "b/x.units.json", "b/x.txt", "b/x.jsonl", "c/y.json")]
    names = output_names([*given, given[0]])
    assert len(names) == len(given)
    assert len(set(names.values())) == len(given)
    assert output_names([tmp_path / "a" / "x.units.json"]) == {tmp_path / "a" / "x.units.json": Path("x")}


def test_numbered_segments_of_a_file_do_not_overwrite_another_file(tmp_path: Path) -> None:
    first, second = tmp_path / "x.txt", tmp_path / "x_0001.txt"
    names = output_names([first, second])
    assert [len(paths) for paths in sound_places(names, {first: 1, second: 1}).values()] == [1, 1]
    with pytest.raises(
        UsageError, match=r"x_0001\.txt and .*x\.txt: a segment of each would be written to x_0001\.wav"
    ):
        sound_places(names, {first: 2, second: 1})


def test_files_and_lines_beyond_any_segment_do_not_fill_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unit_files, "_MOST_BYTES", 20)
    assert values(read(tmp_path / "x.txt", "1 2 3\n" * 9)) == [([1, 2, 3], False)] * 9
    for name, content in (("x.txt", "1\n" + "1 " * 10_000), ("x.jsonl", "\n" + " " * 50), ("x.json", " " * 50)):
        with pytest.raises(FormatError, match=f"{name}(, line 2)?: longer than 64 MiB"):
            read(tmp_path / name, content)
