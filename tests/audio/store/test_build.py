import hashlib
import multiprocessing
import os
import signal
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ossicle.artefacts.files import file_digest, tree_digest
from ossicle.audio.decoding.mono import MonoStream
from ossicle.audio.store import Store, StoreItem, build_store, verify_store
from ossicle.core.errors import ArtefactError

RATE = 16000


def item(path: Path) -> StoreItem:
    return StoreItem(hashlib.sha256(path.name.encode()).hexdigest()[:16], path, file_digest(path))


def whole(path: Path) -> np.ndarray:
    return np.concatenate(list(MonoStream(path, RATE)))


@pytest.fixture
def corpus(encode) -> dict[str, StoreItem]:
    """One recording of each kind, name to item."""
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 0.1, 40000).astype(np.float32)
    faint, loud = (1e-5 * noise).astype(np.float32), (20 * noise).astype(np.float32)
    paths = [
        encode("same.wav", noise, RATE),
        encode("eight.wav", noise, RATE, "PCM_U8"),
        encode("stereo.flac", rng.normal(0, 0.1, (50000, 2)).astype(np.float32), 44100),
        encode("faint.wav", faint, RATE, "FLOAT"),
        encode("loud.wav", loud, RATE, "FLOAT"),
        encode("fine.wav", faint, 48000, "PCM_24"),
        encode("lossy.ogg", noise, 22050),
        encode("phone.m4a", noise, 44100),
        encode("zero.wav", np.zeros(8000, np.float32), RATE),
    ]
    return {path.name: item(path) for path in paths}


def test_what_is_read_is_what_was_decoded(corpus, tmp_path):
    entries = build_store(corpus.values(), tmp_path / "store", RATE, shard_s=4)
    assert [e.recording_id for e in entries] == sorted(i.recording_id for i in corpus.values())
    with Store(tmp_path / "store") as store:
        assert store.rate == RATE
        assert store.ids == tuple(sorted(i.recording_id for i in corpus.values()))
        for name, one in corpus.items():
            decoded = whole(one.path)
            assert store.n_samples(one.recording_id) == len(decoded)
            stored = store.read(one.recording_id, 0, len(decoded))
            assert stored.dtype == np.float32
            if name in {"same.wav", "eight.wav", "zero.wav"}:
                np.testing.assert_array_equal(stored, decoded)
            else:
                # Half a step of the recording's own 16 bits, at any level: nothing clips, nothing drowns.
                peak = np.abs(decoded).max()
                np.testing.assert_allclose(stored, decoded, atol=peak / 32767 * 0.51)
                assert np.abs(stored).max() == pytest.approx(peak, rel=1e-6)
        status = {e.recording_id: e.status for e in entries}
        assert status[corpus["zero.wav"].recording_id] == "silent"
        assert status[corpus["same.wav"].recording_id] == "ok"


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(start=st.integers(-50000, 60000), n_samples=st.integers(0, 60000))
def test_any_stretch_is_zero_padded(encode, tmp_path, start, n_samples):
    folder, path = tmp_path / "store", tmp_path / "x.wav"
    if not folder.exists():
        encode("x.wav", np.random.default_rng(1).normal(0, 0.1, 30000).astype(np.float32), RATE)
        build_store([item(path)], folder, RATE)
    padded = np.pad(whole(path), (50000, 120000))
    with Store(folder) as store:
        np.testing.assert_array_equal(
            store.read(store.ids[0], start, n_samples), padded[50000 + start : 50000 + start + n_samples]
        )


def test_bad_files_cost_only_themselves(encode, tmp_path):
    good = np.random.default_rng(2).normal(0, 0.1, 3 * RATE).astype(np.float32)
    broken = good.copy()
    broken[100] = np.nan
    encode("good.wav", good, RATE)
    encode("nan.wav", broken, RATE, "FLOAT")
    cut = encode("cut.flac", good, RATE)
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    (tmp_path / "empty.wav").touch()
    (tmp_path / "text.wav").write_text("no sound")
    (tmp_path / "folder.wav").mkdir()
    (tmp_path / "link.wav").symlink_to("nowhere")
    items = [
        StoreItem(name, tmp_path / f"{name}.{suffix}", name)
        for name, suffix in [
            ("good", "wav"),
            ("nan", "wav"),
            ("cut", "flac"),
            ("empty", "wav"),
            ("text", "wav"),
            ("folder", "wav"),
            ("link", "wav"),
        ]
    ]
    entries = {e.recording_id: e for e in build_store(items, tmp_path / "store", RATE)}
    left_out = {name: e.reason for name, e in entries.items() if e.status == "left_out"}
    assert set(left_out) == {"nan", "empty", "text", "folder", "link"}
    assert "NaN" in left_out["nan"]
    assert left_out["empty"] == "empty file (0 bytes)"
    assert not any(str(tmp_path) in reason for reason in left_out.values())
    assert entries["cut"].status == "partial"
    assert 0.5 < entries["cut"].end_s < 2
    assert entries["good"].status == "ok"
    with Store(tmp_path / "store") as store:
        assert store.ids == ("cut", "good")
        with pytest.raises(ArtefactError, match="nan"):
            store.read("nan", 0, 1)
    assert verify_store(tmp_path / "store") == []


def test_workers_order_and_places_change_no_byte(corpus, tmp_path):
    build_store(corpus.values(), tmp_path / "a", RATE, shard_s=2)
    build_store(reversed(corpus.values()), tmp_path / "b", RATE, shard_s=2, workers=2)
    elsewhere = tmp_path / "moved"
    elsewhere.mkdir()
    moved = [
        StoreItem(i.recording_id, i.path.rename(elsewhere / f"{n}.x"), i.digest) for n, i in enumerate(corpus.values())
    ]
    build_store(moved, tmp_path / "c", RATE, shard_s=2)
    assert tree_digest(tmp_path / "a") == tree_digest(tmp_path / "b") == tree_digest(tmp_path / "c")


def test_whole_shards_are_reused_and_a_change_is_not(corpus, tmp_path, encode):
    folder = tmp_path / "store"
    lines: list[str] = []
    first = build_store(corpus.values(), folder, RATE, shard_s=2, progress=lines.append)
    assert len(lines) > 2
    assert all("computed" in line for line in lines)
    lines.clear()
    assert build_store(corpus.values(), folder, RATE, shard_s=2, progress=lines.append) == first
    assert all("reused" in line for line in lines)

    lines.clear()
    encode("same.wav", np.full(40000, 0.25, np.float32), RATE)
    changed = {**corpus, "same.wav": item(corpus["same.wav"].path)}
    build_store(changed.values(), folder, RATE, shard_s=2, progress=lines.append)
    assert sum("computed" in line for line in lines) == 1
    with Store(folder) as store:
        np.testing.assert_array_equal(store.read(changed["same.wav"].recording_id, 0, 10), np.full(10, 0.25))
        named = {entry.shard for entry in store.entries}
    assert {path.stem for path in (folder / "shards").rglob("*.h5")} == named

    lines.clear()
    build_store(changed.values(), folder, 8000, shard_s=2, progress=lines.append)
    assert all("computed" in line for line in lines)
    assert Store(folder).rate == 8000


_BUILD = """
import sys
from pathlib import Path
from ossicle.audio.store import StoreItem, build_store
items = [StoreItem(p.stem, p, p.stem) for p in Path(sys.argv[1]).glob("*.wav")]
build_store(items, Path(sys.argv[2]), 16000, shard_s=1, progress=lambda line: print(line, flush=True))
"""


def test_a_killed_build_resumes_to_the_same_bytes(encode, tmp_path):
    samples = np.random.default_rng(3).normal(0, 0.1, 48000 * 4).astype(np.float32)
    for number in range(8):
        encode(f"r{number}.wav", samples, 48000)
    items = [StoreItem(p.stem, p, p.stem) for p in tmp_path.glob("*.wav")]
    folder = tmp_path / "killed"
    with subprocess.Popen(
        [sys.executable, "-c", _BUILD, os.fspath(tmp_path), os.fspath(folder)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for _ in range(2):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    with pytest.raises(ArtefactError):
        Store(folder)
    lines: list[str] = []
    build_store(items, folder, RATE, shard_s=1, progress=lines.append)
    assert sum("reused" in line for line in lines) >= 2
    assert any("computed" in line for line in lines)
    build_store(items, tmp_path / "clean", RATE, shard_s=1)
    assert tree_digest(folder) == tree_digest(tmp_path / "clean")
    assert not [path for path in folder.rglob("*") if path.name.startswith(".")]


def test_a_damaged_shard_is_found_and_redone(corpus, tmp_path):
    folder = tmp_path / "store"
    build_store(corpus.values(), folder, RATE, shard_s=1000, shard_items=100)
    (shard,) = (folder / "shards").rglob("*.h5")
    sound = shard.read_bytes()
    one = corpus["same.wav"].recording_id
    with h5py.File(shard, "r+") as file:
        file["samples"][one][7] += 1
    (problem,) = verify_store(folder)
    assert one in problem
    assert "CRC" in problem

    shard.write_bytes(sound[:-1000])
    assert verify_store(folder)
    lines: list[str] = []
    build_store(corpus.values(), folder, RATE, shard_s=1000, shard_items=100, progress=lines.append)
    assert "computed" in lines[0]
    assert shard.read_bytes() == sound
    assert verify_store(folder) == []

    shard.unlink()
    assert "cannot be opened" in verify_store(folder)[0]
    with pytest.raises(ArtefactError, match="build the store again"):
        Store(folder).read(one, 0, 10)


def test_an_open_store_goes_to_spawned_workers(corpus, tmp_path):
    build_store(corpus.values(), tmp_path / "store", RATE)
    with Store(tmp_path / "store") as store:
        expected = [store.read(one, 0, 1000) for one in store.ids]
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
            for one, mine in zip(store.ids, expected, strict=True):
                np.testing.assert_array_equal(pool.submit(store.read, one, 0, 1000).result(), mine)
        np.testing.assert_array_equal(store.read(store.ids[0], 0, 1000), expected[0])


def test_more_shards_than_may_be_open(encode, tmp_path, monkeypatch):
    monkeypatch.setattr("ossicle.audio.store.read._OPEN_SHARDS", 2)
    for number in range(5):
        encode(f"r{number}.wav", np.full(100, number / 8, np.float32), RATE)
    items = [StoreItem(p.stem, p, p.stem) for p in tmp_path.glob("*.wav")]
    build_store(items, tmp_path / "store", RATE, shard_s=0.001)
    with Store(tmp_path / "store") as store:
        for number in [0, 1, 2, 3, 4, 0, 4, 2, 2, 1]:
            assert store.read(f"r{number}", 50, 1)[0] == number / 8
        assert len(store._open) == 2


def test_refusals(corpus, tmp_path):
    one = corpus["same.wav"]
    with pytest.raises(ValueError, match="twice"):
        build_store([one, one], tmp_path / "s", RATE)
    with pytest.raises(ValueError, match="cannot be the id"):
        build_store([StoreItem("../x", one.path, "")], tmp_path / "s", RATE)
    with pytest.raises(ValueError, match="positive"):
        build_store([one], tmp_path / "s", 0)
    with pytest.raises(ArtefactError, match="missing"):
        Store(tmp_path / "nowhere")
    assert verify_store(tmp_path / "nowhere")


def test_an_empty_store(tmp_path):
    assert build_store([], tmp_path / "store", RATE) == []
    assert Store(tmp_path / "store").ids == ()


def test_a_store_that_nobody_reads_any_more_holds_no_file_open(corpus, tmp_path):
    build_store(corpus.values(), tmp_path / "store", RATE)
    before = set(os.listdir("/dev/fd"))
    store = Store(tmp_path / "store")
    for recording_id in store.ids:
        store.read(recording_id, 0, 1)
    assert len(set(os.listdir("/dev/fd")) - before) > 0
    del store
    assert set(os.listdir("/dev/fd")) <= before
