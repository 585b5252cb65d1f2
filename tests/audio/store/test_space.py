"""``leave_gb``: what there is room for, decided once for a folder, and kept to."""

import hashlib
import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from ossicle.artefacts.files import file_digest, tree_digest
from ossicle.artefacts.typed.shards.store import StoreFolder
from ossicle.audio.store import MixedStore, Store, StoreItem, StoreSettings, build_store, verify_store
from ossicle.audio.store import choice as choosing

RATE = 16000
LOGS = ("choice.json", "decoder.json")


class Disk:
    """A disk of so many bytes, of which ``folder`` takes what it takes."""

    def __init__(self, folder: Path, size: int) -> None:
        self.folder, self.size, self.looks = folder, size, 0

    def free(self, folder: Path) -> int:
        self.looks += 1
        return self.size - sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())


@pytest.fixture
def items(encode) -> list[StoreItem]:
    """Eight recordings of one to eight seconds: 32 kB a second in a store."""
    store_items = []
    for number in range(1, 9):
        samples = np.random.default_rng(number).normal(0, 0.1, number * RATE).astype(np.float32)
        path = encode(f"r{number}.wav", samples, RATE)
        name = hashlib.sha256(path.name.encode()).hexdigest()[:8] + f"-{number}"
        store_items.append(StoreItem(name, path, file_digest(path), RATE, number * RATE))
    return store_items


def seconds_in(folder: Path) -> list[int]:
    return sorted(int(one.rpartition("-")[2]) for one in Store(folder).ids)


def settings(free_bytes: int) -> StoreSettings:
    return StoreSettings(leave_gb=free_bytes / 1e9)


def test_the_longest_go_first_while_room_is_left(items, tmp_path, monkeypatch):
    folder = tmp_path / "store"
    disk = Disk(folder, 2_000_000)
    monkeypatch.setattr(choosing, "free_bytes", disk.free)
    build_store(items, folder, RATE, settings(1_300_000), audio=tmp_path, shard_s=4)
    # 21 s of the 700 kB; the next one does not fit, and the longest come first.
    assert seconds_in(folder) == [6, 7, 8]
    assert disk.free(folder) >= 1_300_000
    with MixedStore(folder, tmp_path) as store:
        assert store.ids == tuple(sorted(item.recording_id for item in items))
        assert store.composition.raw == 5
    assert verify_store(folder, tmp_path) == []
    assert len(json.loads((folder / "choice.json").read_text())["without"]) == 5


def test_where_all_fit_the_store_is_that_of_no_limit(items, tmp_path, monkeypatch):
    monkeypatch.setattr(choosing, "free_bytes", Disk(tmp_path / "a", 100_000_000).free)
    build_store(items, tmp_path / "a", RATE, settings(1000), audio=tmp_path, shard_s=4)
    build_store(items, tmp_path / "b", RATE, shard_s=4)
    assert tree_digest(tmp_path / "a", LOGS) == tree_digest(tmp_path / "b", LOGS)


def test_no_room_at_all_is_raw_reading(items, tmp_path, monkeypatch):
    monkeypatch.setattr(choosing, "free_bytes", lambda folder: 5)
    build_store(items, tmp_path / "a", RATE, settings(1000), audio=tmp_path)
    build_store(items, tmp_path / "b", RATE, StoreSettings(raw=True), audio=tmp_path)
    assert tree_digest(tmp_path / "a", LOGS) == tree_digest(tmp_path / "b", LOGS)


def test_a_build_that_was_stopped_ends_as_if_it_had_not_been(items, tmp_path, monkeypatch):
    """The shards of the first try are on the disk, and must not count against the second."""
    for name, stops in (("straight", False), ("stopped", True)):
        folder = tmp_path / name
        monkeypatch.setattr(choosing, "free_bytes", Disk(folder, 2_000_000).free)

        def stop(line: str, stops: bool = stops) -> None:
            if stops:
                raise KeyboardInterrupt

        lines: list[str] = []
        if stops:
            with pytest.raises(KeyboardInterrupt):
                build_store(items, folder, RATE, settings(1_100_000), audio=tmp_path, shard_s=4, progress=stop)
            assert not (folder / "store.json").exists()
        build_store(items, folder, RATE, settings(1_100_000), audio=tmp_path, shard_s=4, progress=lines.append)
        assert sum("reused" in line for line in lines) == stops
    assert seconds_in(folder) == [5, 6, 7, 8]
    assert tree_digest(tmp_path / "straight", LOGS) == tree_digest(tmp_path / "stopped", LOGS)


def test_a_limit_that_comes_after_a_full_disk_makes_room_first(items, tmp_path, monkeypatch):
    folder = tmp_path / "store"
    disk = Disk(folder, 10_000_000)
    monkeypatch.setattr(choosing, "free_bytes", disk.free)

    def stop(line: str) -> None:
        if line.startswith("shard 3/"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_store(items, folder, RATE, shard_s=4, progress=stop)
    disk.size = 1_000_000
    build_store(items, folder, RATE, settings(400_000), audio=tmp_path, shard_s=4)
    assert seconds_in(folder) == [7, 8]
    assert disk.free(folder) >= 400_000


def test_a_finished_store_stays_what_it_is(items, tmp_path, monkeypatch):
    folder = tmp_path / "store"
    disk = Disk(folder, 2_000_000)
    monkeypatch.setattr(choosing, "free_bytes", disk.free)
    build_store(items, folder, RATE, settings(1_300_000), audio=tmp_path, shard_s=4)
    before = tree_digest(folder, LOGS)
    disk.size = 100_000_000
    shard = sorted((folder / "shards").rglob("*.h5"))[0]
    shard.write_bytes(shard.read_bytes()[:-100])
    lines: list[str] = []
    # To mend it with another limit, or none, is not to make another one of it.
    build_store(items, folder, RATE, audio=tmp_path, shard_s=4, progress=lines.append)
    assert sum("computed" in line for line in lines) == 1
    assert tree_digest(folder, LOGS) == before


@pytest.mark.parametrize("workers", [1, 2])
def test_a_disk_that_fills_up_meanwhile_stops_the_build_in_order(items, tmp_path, monkeypatch, workers):
    folder = tmp_path / "store"
    disk = Disk(folder, 5_000_000)
    monkeypatch.setattr(choosing, "free_bytes", disk.free)

    def somebody_writes(line: str) -> None:
        disk.size = 1_300_000

    entries = build_store(
        items, folder, RATE, settings(1_000_000), audio=tmp_path, shard_s=4, workers=workers, progress=somebody_writes
    )
    assert 1 <= len(entries) < len(items)
    assert disk.free(folder) >= 1_000_000 - 300_000
    with MixedStore(folder, tmp_path) as store:
        assert store.ids == tuple(sorted(item.recording_id for item in items))
    assert verify_store(folder, tmp_path) == []


def test_the_spool_of_the_longest_recording_needs_room_too(items, tmp_path, monkeypatch):
    monkeypatch.setattr(choosing, "SPOOL_BYTES", 100_000)
    monkeypatch.setattr(choosing, "free_bytes", Disk(tmp_path / "s", 2_000_000).free)
    build_store(items, tmp_path / "s", RATE, settings(900_000), audio=tmp_path, shard_s=4)
    # 512 kB of the 1.1 MB are for eight seconds as float32.
    assert seconds_in(tmp_path / "s") == [7, 8]


def test_an_edited_sample_is_found_when_the_store_is_built_again(items, tmp_path):
    """Its HDF5 is whole and its length right: only the sums tell."""
    folder = tmp_path / "store"
    build_store(items, folder, RATE, shard_s=8)
    before = tree_digest(folder)
    shard = Store(folder).entry(items[3].recording_id).shard
    with h5py.File(StoreFolder(folder).shard_file(shard), "r+") as file:
        file["samples"][items[3].recording_id][100] += 1
    (problem,) = verify_store(folder)
    assert shard in problem
    assert items[3].recording_id in problem
    assert "only this shard is rebuilt" in problem
    lines: list[str] = []
    build_store(items, folder, RATE, shard_s=8, progress=lines.append)
    assert [line.split()[2][:-1] for line in lines if "computed" in line] == [shard]
    assert tree_digest(folder) == before


def test_a_shard_that_speaks_of_itself_otherwise_than_the_index_is_redone(items, tmp_path):
    folder = tmp_path / "store"
    build_store(items, folder, RATE, shard_s=8)
    before = tree_digest(folder)
    shard = next((folder / "shards").rglob("*.h5"))
    with h5py.File(shard, "r+") as file:
        text = file["entries"][...].tobytes().replace(b'"scale": 3', b'"scale": 4', 1)
        file["entries"][...] = np.frombuffer(text, np.uint8)
    assert verify_store(folder)
    build_store(items, folder, RATE, shard_s=8)
    assert tree_digest(folder) == before
