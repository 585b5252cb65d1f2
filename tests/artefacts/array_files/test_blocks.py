import os
import tracemalloc
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ossicle.artefacts.array_files.blocks import (
    TrackWriter,
    iter_blocks,
    read_track,
    require_finite,
    track_files,
    track_info,
    write_track,
)
from ossicle.core.errors import ArtefactError
from ossicle.core.tracks import ScoreTrack

from ...doubles.kills import run_dying

LABELS = ("call", "Ruf: ä", "=x")

WRITES = """
from pathlib import Path
import numpy as np
from ossicle.artefacts.array_files.blocks import TrackWriter
with TrackWriter(Path(sys.argv[1]), ("new",), 0.1) as writer:
    writer.append(np.full((5, 1), 0.5, np.float32))
    dying(lambda: None)()
    writer.append(np.full((5, 1), 0.5, np.float32))
    writer.finish(1.0)
"""


def scores_of(n_frames: int, n_labels: int = 3, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((n_frames, n_labels), dtype=np.float32)


def write(path: Path, scores: np.ndarray, sizes: list[int]) -> None:
    with TrackWriter(path, LABELS, 0.01) as writer:
        start = 0
        for size in sizes:
            writer.append(scores[start : start + size])
            start += size
        writer.append(scores[start:])
        writer.finish(2.25)


@settings(deadline=None, max_examples=40)
@given(
    n_frames=st.integers(0, 200),
    sizes=st.lists(st.integers(0, 60), max_size=8),
    block=st.integers(1, 250),
)
def test_block_sizes_do_not_reach_the_files(
    tmp_path_factory: pytest.TempPathFactory, n_frames: int, sizes: list[int], block: int
) -> None:
    folder, scores = tmp_path_factory.mktemp("t"), scores_of(n_frames)
    write(folder / "one", scores, sizes)
    write_track(folder / "two", ScoreTrack(LABELS, scores, 0.01, 2.25))
    assert len(list(folder.iterdir())) == 4
    for path, two in zip(track_files(folder / "one"), track_files(folder / "two"), strict=True):
        assert path.read_bytes() == two.read_bytes()
    track = read_track(folder / "one")
    assert (track.labels, track.hop_s, track.duration_s) == (LABELS, 0.01, 2.25)
    assert track.scores.dtype == np.float32
    assert np.array_equal(track.scores, scores)
    blocks = list(iter_blocks(folder / "one", block))
    assert [len(b) for b in blocks[:-1]] == [block] * (len(blocks) - 1)
    assert np.array_equal(np.concatenate([np.zeros((0, 3), np.float32), *blocks]), scores)


@pytest.mark.parametrize("n_frames", [0, 1, 1000])
def test_numpy_itself_reads_the_array(tmp_path: Path, n_frames: int) -> None:
    write(tmp_path / "t", scores_of(n_frames), [])
    array = np.load(tmp_path / "t.npy", allow_pickle=False)
    assert np.array_equal(array, scores_of(n_frames))
    assert array.dtype == np.float32


@pytest.mark.parametrize("name", ["Tape 1.2", "Käuzchen 雀", "a.npy", ".hidden", "a" * 240])
def test_names_with_dots_keep_apart(tmp_path: Path, name: str) -> None:
    write(tmp_path / name, scores_of(4), [])
    write(tmp_path / f"{name}.2", scores_of(4, seed=1), [])
    assert np.array_equal(read_track(tmp_path / name).scores, scores_of(4))
    assert np.array_equal(read_track(tmp_path / f"{name}.2").scores, scores_of(4, seed=1))


def test_mapped_scores_cannot_be_written(tmp_path: Path) -> None:
    write(tmp_path / "t", scores_of(4), [])
    scores = read_track(tmp_path / "t").scores
    with pytest.raises(ValueError, match="read-only"):
        scores[0, 0] = 1


@pytest.mark.parametrize("raised", [True, False])
def test_what_is_not_finished_is_absent(tmp_path: Path, raised: bool) -> None:
    write(tmp_path / "old", scores_of(4), [])

    def abandon(name: str) -> None:
        with TrackWriter(tmp_path / name, LABELS, 0.01) as writer:
            writer.append(scores_of(7))
            if raised:
                raise ZeroDivisionError

    for name in ("old", "new"):
        if raised:
            with pytest.raises(ZeroDivisionError):
                abandon(name)
        else:
            abandon(name)
    assert sorted(os.listdir(tmp_path)) == ["old.json", "old.npy"]
    assert np.array_equal(read_track(tmp_path / "old").scores, scores_of(4))


def test_a_killed_track_is_old_new_or_nothing(tmp_path: Path) -> None:
    outcomes = []
    for left in range(20):
        place = tmp_path / str(left) / "t"
        write(place, scores_of(4), [])
        killed = run_dying(WRITES, ("fsync", "replace", "unlink"), left, place).killed
        if track_files(place)[1].exists():
            track = read_track(place)
            outcomes.append("old" if np.array_equal(track.scores, scores_of(4)) else "new")
            assert track.labels == (LABELS if outcomes[-1] == "old" else ("new",))
            assert len(track.scores) == (4 if outcomes[-1] == "old" else 10)
        else:
            outcomes.append("nothing")
            with pytest.raises(ArtefactError, match="is missing"):
                read_track(place)
        if not killed:
            break
    assert not killed
    assert [o for k, o in enumerate(outcomes) if k == 0 or outcomes[k - 1] != o] == ["old", "nothing", "new"]


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((3, 3)),
        np.zeros((3, 2), np.float32),
        np.zeros(3, np.float32),
        np.array([[0, 0, 0], [0, np.nan, 0]], np.float32),
        np.array([[0, 0, 0], [0, np.inf, 0]], np.float32),
    ],
)
def test_wrong_blocks_are_refused(tmp_path: Path, wrong: np.ndarray) -> None:
    with TrackWriter(tmp_path / "t", LABELS, 0.01) as writer:
        writer.append(scores_of(2))
        with pytest.raises(ValueError, match=r"float32 of shape \(frames, 3\)|frame 3 is not a finite"):
            writer.append(wrong)
        writer.finish(0.02)
    assert track_info(tmp_path / "t").n_frames == 2


@pytest.mark.parametrize(("labels", "hop_s"), [((), 0.1), (("a", "a"), 0.1), (("a",), 0.0), (("a",), float("nan"))])
def test_wrong_descriptions_are_refused(tmp_path: Path, labels: tuple[str, ...], hop_s: float) -> None:
    with pytest.raises(ValueError, match=r"label|hop_s"):
        TrackWriter(tmp_path / "t", labels, hop_s)


def test_a_writer_writes_only_inside_its_block(tmp_path: Path) -> None:
    writer = TrackWriter(tmp_path / "t", LABELS, 0.01)
    with pytest.raises(RuntimeError):
        writer.append(scores_of(1))
    with writer:
        with pytest.raises(ValueError, match="duration_s"):
            writer.finish(float("inf"))
        writer.finish(0.0)
        with pytest.raises(RuntimeError):
            writer.append(scores_of(1))


def flip(path: Path, at: int) -> None:
    raw = bytearray(path.read_bytes())
    raw[at] ^= 1
    path.write_bytes(bytes(raw))


def test_damage_is_an_artefact_error(tmp_path: Path) -> None:
    array, sidecar = track_files(tmp_path / "t")
    scores = scores_of(10)

    def refused(message: str) -> None:
        for read in (read_track, track_info, lambda path: iter_blocks(path, 4)):
            with pytest.raises(ArtefactError, match=message):
                read(tmp_path / "t")
        write(tmp_path / "t", scores, [])

    refused("is missing")
    array.unlink()
    refused(r"t\.npy is missing beside t\.json")
    for at in (0, 30, 70):
        flip(array, at)
        refused("not the array")
    array.write_bytes(array.read_bytes()[:-1])
    refused("has 247 bytes instead of 248")
    array.write_bytes(array.read_bytes() + b"x")
    refused("has 249 bytes")
    np.save(array, np.array([{"evil": 1}], dtype=object), allow_pickle=True)
    refused("not the array")
    good = sidecar.read_text()
    for old, new, message in (
        ('"format": 1', '"format": 2', "format 1"),
        ('"n_frames": 10', '"n_frames": 11', "not the array"),
        ('"n_frames": 10', '"n_frames": -1', "`n_frames`"),
        ('"n_frames": 10', '"n_frames": true', "`n_frames`"),
        ('"hop_s": 0.01', '"hop_s": -0.01', "`hop_s`"),
        ('"duration_s": 2.25', '"duration_s": "x"', "`duration_s`"),
        ('"labels": [', '"labels": [1,', "`labels`"),
        ("{", "[", "line"),
    ):
        assert old in good
        sidecar.write_text(good.replace(old, new, 1))
        refused(message)


def test_memory_stays_at_a_block(tmp_path: Path) -> None:
    block = scores_of(1000, 20)
    tracemalloc.start()
    try:
        with TrackWriter(tmp_path / "t", [f"l{k}" for k in range(20)], 0.01) as writer:
            for _ in range(400):
                writer.append(block)
            writer.finish(4000.0)
        total = sum(float(part.sum()) for part in iter_blocks(tmp_path / "t", 1000))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert total == pytest.approx(400 * float(block.sum()), rel=1e-6)
    assert os.path.getsize(tmp_path / "t.npy") == 128 + 400 * block.nbytes
    assert peak < 10 * block.nbytes


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
def test_a_full_disk_names_the_track(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The device is full from the first byte; small blocks fail when they leave the memory.
    def full(path: Path) -> BinaryIO:
        return open("/dev/full", "wb")

    monkeypatch.setattr("ossicle.artefacts.array_files.blocks.open_new", full)

    def write(n_frames: int) -> None:
        with TrackWriter(tmp_path / "t", ("a",), 0.01) as writer:
            writer.append(np.zeros((n_frames, 1), np.float32))
            writer.finish(1.0)

    for n_frames in (1, 100_000):
        with pytest.raises(OSError, match="No space left on device") as caught:
            write(n_frames)
        assert caught.value.filename == str(tmp_path / "t.npy")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_track_that_is_damaged_on_the_disk_is_found_with_its_frame(tmp_path, value):
    write_track(tmp_path / "a", ScoreTrack(("x", "y"), np.full((70_000, 2), 0.5, np.float32), 0.01, 700.0))
    require_finite(tmp_path / "a")
    scores = np.load(tmp_path / "a.npy")
    scores[68_000, 1] = value
    np.save(tmp_path / "a.npy", scores)
    with pytest.raises(ArtefactError, match=r"a\.npy is damaged: frame 68000 holds NaN or Inf; restore it"):
        require_finite(tmp_path / "a")
