import os
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ossicle.artefacts.features.entries import read_shard_index, write_shard_index
from ossicle.artefacts.features.shard import (
    DTYPE,
    ShardWriter,
    array_file,
    index_file,
    levels_file,
    open_array,
    shard_problems,
)
from ossicle.core.errors import ArtefactError, OssicleError

from ...doubles.kills import run_dying

WRITES = """
from pathlib import Path
import numpy as np
from ossicle.artefacts.features.shard import ShardWriter
with ShardWriter(Path(sys.argv[1]), "shard-0000", 2, 3) as writer:
    writer.append([np.zeros((5, 2, 3), np.float32)], np.zeros(5, np.float32))
    dying(lambda: None)()
    writer.end_recording("a")
    writer.finish({})
"""


def values(seed: int, windows: int, copies: int = 1) -> list[np.ndarray]:
    draw = np.random.default_rng(seed)
    return [draw.standard_normal((windows, 2, 3)).astype(np.float32) for _ in range(copies + 1)]


def write(folder: Path, sizes: tuple[int, ...] = (4,), name: str = "shard-0000") -> None:
    with ShardWriter(folder, name, 2, 3, copies=1) as writer:
        for seed, recording in enumerate(("a", "b", "c")):
            whole = values(seed, 2 * seed)
            at = 0
            for size in (*sizes, 99):
                parts = [one[at : at + size] for one in whole]
                writer.append(parts, np.full(len(parts[0]), -20.0 - seed, np.float32))
                at += size
            writer.end_recording(recording)
        writer.finish({"d": "no sound"})


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_any_tool_reads_the_arrays_and_the_description_says_whose_they_are(tmp_path):
    write(tmp_path)
    index = read_shard_index(index_file(tmp_path, "shard-0000"))
    assert [(entry.recording_id, entry.first, entry.windows) for entry in index.entries] == [
        ("a", 0, 0),
        ("b", 0, 2),
        ("c", 2, 4),
    ]
    assert index.left_out == {"d": "no sound"}
    for copy in (0, 1):
        array = np.load(array_file(tmp_path, "shard-0000", copy), allow_pickle=False)
        expected = np.concatenate([values(seed, 2 * seed)[copy] for seed in range(3)]).astype(np.float16)
        np.testing.assert_array_equal(array, expected)
        np.testing.assert_array_equal(open_array(array_file(tmp_path, "shard-0000", copy), DTYPE, (6, 2, 3)), expected)
    stored = np.load(array_file(tmp_path, "shard-0000"), allow_pickle=False).astype(float).reshape(-1, 3)
    np.testing.assert_allclose(index.sums, stored.sum(axis=0))
    np.testing.assert_allclose(index.squares, (stored**2).sum(axis=0))
    assert np.load(levels_file(tmp_path, "shard-0000")).tolist() == [-21.0] * 2 + [-22.0] * 4
    assert shard_problems(tmp_path, "shard-0000") == []


def test_block_sizes_do_not_reach_the_files(tmp_path):
    write(tmp_path / "one", (4,))
    write(tmp_path / "two", (1, 0, 2))
    assert content(tmp_path / "one") == content(tmp_path / "two")


def test_every_changed_byte_is_found_and_named(tmp_path):
    write(tmp_path)
    for path in sorted(tmp_path.glob("*.npy")):
        before = path.read_bytes()
        for at in (5, 128, len(before) - 1):
            damaged = bytearray(before)
            damaged[at] ^= 1
            path.write_bytes(damaged)
            (problem,) = shard_problems(tmp_path, "shard-0000")
            assert str(path) in problem
        for wrong in (before[:-1], before + b"x"):
            path.write_bytes(wrong)
            assert shard_problems(tmp_path, "shard-0000") != []
        path.unlink()
        assert str(path) in shard_problems(tmp_path, "shard-0000")[0]
        path.write_bytes(before)
    assert shard_problems(tmp_path, "shard-0000") == []
    assert "copies" in shard_problems(tmp_path, "shard-0000", copies=2)[0]


@pytest.mark.parametrize("text", ["", "[]", '{"format": 2}', '{"format": 1, "entries": [{}]}', "{"])
def test_a_damaged_description_is_found(tmp_path, text):
    write(tmp_path)
    path = index_file(tmp_path, "shard-0000")
    path.write_text(text)
    (problem,) = shard_problems(tmp_path, "shard-0000")
    assert str(path) in problem


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [("tokens", 0, "tokens"), ("sums", (1.0,), "sums"), ("copies", 3, "checksums"), ("entries", None, "gaps")],
)
def test_a_description_that_contradicts_itself_is_refused(tmp_path, field, value, message):
    write(tmp_path)
    path = index_file(tmp_path, "shard-0000")
    index = read_shard_index(path)
    write_shard_index(path, replace(index, **{field: index.entries[1:][::-1] if value is None else value}))
    with pytest.raises(ArtefactError, match=message):
        read_shard_index(path)


def test_a_killed_writer_leaves_no_shard(tmp_path):
    assert run_dying(WRITES, [], 0, tmp_path).killed
    assert not index_file(tmp_path, "shard-0000").exists()
    assert [name for name in os.listdir(tmp_path) if not name.startswith(".ossicle-part-")] == []


def test_an_exception_removes_the_unfinished_files(tmp_path):
    with pytest.raises(RuntimeError), ShardWriter(tmp_path, "shard-0000", 2, 3):
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e6])
def test_values_that_float16_cannot_hold_are_refused(tmp_path, value):
    with ShardWriter(tmp_path, "shard-0000", 1, 1) as writer, pytest.raises(OssicleError, match="float16"):
        writer.append([np.full((1, 1, 1), value, np.float32)], np.zeros(1, np.float32))


def test_wrong_shapes_and_unended_recordings_are_refused(tmp_path):
    with ShardWriter(tmp_path, "shard-0000", 1, 1) as writer:
        with pytest.raises(ValueError, match="shape"):
            writer.append([np.zeros((1, 2, 1), np.float32)], np.zeros(1, np.float32))
        writer.append([np.zeros((1, 1, 1), np.float32)], np.zeros(1, np.float32))
        with pytest.raises(ValueError, match="not ended"):
            writer.finish({})


def test_no_folder_holds_more_than_a_thousand_shards(tmp_path: Path) -> None:
    names = [f"shard-{number:04d}" for number in (0, 999, 1000, 1999, 2000, 10_500)]
    for name in names:
        write(tmp_path, name=name)
        assert shard_problems(tmp_path, name) == []
    result = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.json")}
    assert result == {
        "shard-0000.json", "shard-0999.json", "01/shard-1000.json", "01/shard-1999.json", "02/shard-2000.json",
        "10/shard-10500.json",
    }  # fmt: skip
    # The bytes do not depend on the folder.
    assert array_file(tmp_path, "shard-10500").read_bytes() == array_file(tmp_path, "shard-0000").read_bytes()
    (folder,) = {make(tmp_path, "shard-1000").parent for make in (index_file, array_file, levels_file)}
    assert folder == tmp_path / "01"
    folders = Counter(index_file(tmp_path, f"shard-{number:04d}").parent for number in range(25_000))
    assert max(folders.values()) == 1000
