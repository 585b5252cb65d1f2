"""Recordings that are not in the store, read from their files through the same interface."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import h5py
import numpy as np
import polars as pl
import pytest

from ossicle.artefacts.files import read_json, tree_digest
from ossicle.artefacts.typed.shards.store import StoreFolder
from ossicle.audio.decoding.decode import AudioSource
from ossicle.audio.store import MixedStore, Store, StoreItem, StoreSettings, build_store, composition, verify_store
from ossicle.audio.store.read import read_through_hdf5
from ossicle.core.errors import ArtefactError

from .mixed_stores import RATE, item, sweep_tone, whole

LENGTHS = {"a.wav": 4.0, "b.flac": 1.0, "c.ogg": 3.0, "d.mp3": 2.0}


@pytest.fixture
def corpus(encode, tmp_path) -> dict[str, StoreItem]:
    """Recordings of different lengths at 44.1 kHz, name to item."""
    rng = np.random.default_rng(0)
    paths = [encode(name, rng.normal(0, 0.1, int(44100 * s)).astype(np.float32), 44100) for name, s in LENGTHS.items()]
    return {path.name: item(path) for path in paths}


def in_store(folder: Path, corpus: dict[str, StoreItem]) -> set[str]:
    names = {store_item.recording_id: name for name, store_item in corpus.items()}
    return {names[one] for one in Store(folder).ids}


@pytest.mark.parametrize("kind", ["wav", "flac", "aiff", "ogg", "opus", "mp3", "m4a"])
@pytest.mark.parametrize("reading", ["seek", "whole"])
def test_a_raw_crop_equals_that_of_the_resampled_whole(encode, tmp_path, kind, reading):
    rate = 48000 if kind == "opus" else 44100
    samples = sweep_tone(6.1, rate)
    if kind != "m4a":
        samples = samples + np.random.default_rng(1).normal(0, 0.05, len(samples)).astype(np.float32)
    store_item = item(encode(f"long.{kind}", np.stack([samples, 0.5 * samples], axis=1), rate))
    build_store([store_item], tmp_path / "s", RATE, StoreSettings(raw=True, raw_reading=reading), audio=tmp_path)
    reference = whole(store_item.path)
    padded = np.pad(reference, RATE)
    with MixedStore(tmp_path / "s", tmp_path) as store:
        assert store.ids == (store_item.recording_id,)
        assert store.n_samples(store_item.recording_id) == len(reference)
        starts = [-RATE, -100, 0, 1, 12345, 3 * RATE + 1, len(reference) - RATE, len(reference) - 5, len(reference)]
        for start in starts:
            result = store.read(store_item.recording_id, start, RATE)
            assert result.dtype == np.float32
            np.testing.assert_allclose(result, padded[RATE + start : 2 * RATE + start], atol=1e-4, err_msg=str(start))


@pytest.mark.parametrize("decoder", ["auto", "soundfile", "av"])
@pytest.mark.parametrize("rate", [16000, 44100])
def test_an_mp3_is_equally_long_decoded_whole_and_by_seeking(encode, decoder, rate):
    samples = sweep_tone(5.3, rate)
    path = encode("call.mp3", samples, rate)
    source = AudioSource(path, decoder)
    decoded = np.concatenate(list(source.blocks()))
    assert len(decoded) == len(samples)
    for start in (0, 1, rate, 3 * rate + 7, len(samples) - 1):
        tail = np.concatenate([np.zeros((0, 1), np.float32), *source.blocks(start_sample=start)])
        assert start + len(tail) == len(samples)
        np.testing.assert_allclose(tail, decoded[start:], atol=1e-5)


def test_the_mean_of_all_channels_is_heard_from_store_and_file_alike(encode, tmp_path):
    # The known system takes the first channel of some files and the mean of others.
    rng = np.random.default_rng(2)
    channels = rng.uniform(-0.5, 0.5, (RATE, 3)).astype(np.float32)
    channels[:, 0] = 0
    store_item = item(encode("three.wav", channels, RATE, "FLOAT"))
    for settings in (StoreSettings(), StoreSettings(raw=True), StoreSettings(decoder="av")):
        folder = tmp_path / f"{settings.raw}{settings.decoder}"
        build_store([store_item], folder, RATE, settings, audio=tmp_path)
        result = MixedStore(folder, tmp_path).read(store_item.recording_id, 0, RATE)
        np.testing.assert_allclose(result, channels.mean(axis=1), atol=1e-4)
        assert np.abs(result).max() > 0.1


def test_only_the_biggest_go_into_the_store_and_all_are_read(corpus, tmp_path):
    folder = tmp_path / "store"
    build_store(corpus.values(), folder, RATE, StoreSettings(only_biggest=2), audio=tmp_path)
    assert in_store(folder, corpus) == {"a.wav", "c.ogg"}
    with MixedStore(folder, tmp_path) as store:
        assert store.rate == RATE
        assert store.ids == tuple(sorted(one.recording_id for one in corpus.values()))
        for one in corpus.values():
            reference = whole(one.path)
            assert store.n_samples(one.recording_id) == len(reference)
            np.testing.assert_allclose(store.read(one.recording_id, 999, 5000), reference[999:5999], atol=1e-4)
        result = store.composition
    assert (result.stored, result.raw) == (2, 2)
    assert result.stored_s == pytest.approx(7)
    assert result.raw_s == pytest.approx(3)
    assert result.line == "recordings: 2 from the store, 2 raw (70 % of 0.00 h from the store)"
    assert result.warning == ""
    assert composition(folder) == result
    assert verify_store(folder, tmp_path) == []


def test_a_least_length_and_half_from_the_store_is_warned_of(corpus, tmp_path):
    build_store(corpus.values(), tmp_path / "store", RATE, StoreSettings(longer_s=3.5), audio=tmp_path)
    assert in_store(tmp_path / "store", corpus) == {"a.wav"}
    result = composition(tmp_path / "store")
    assert "under half of the recordings (25 %)" in result.warning
    assert "[store]" in result.warning
    build_store(corpus.values(), tmp_path / "none", RATE, StoreSettings(longer_s=60), audio=tmp_path)
    assert Store(tmp_path / "none").ids == ()
    assert composition(tmp_path / "none").share == 0


def test_all_in_the_store_leaves_the_bytes_of_a_plain_one(corpus, tmp_path):
    build_store(corpus.values(), tmp_path / "plain", RATE)
    build_store(corpus.values(), tmp_path / "all", RATE, StoreSettings(only_biggest=9, longer_s=0.1), audio=tmp_path)
    assert tree_digest(tmp_path / "plain") == tree_digest(tmp_path / "all")
    assert {path.name for path in (tmp_path / "plain").iterdir()} == {
        "store.json",
        "store.parquet",
        "decoder.json",
        "shards",
    }
    assert read_json(tmp_path / "plain" / "store.json") == {"rate": RATE, "store_version": 2}
    # A store of now, where there was a mixed one: nothing speaks of files any more.
    build_store(corpus.values(), tmp_path / "all", RATE, StoreSettings(raw=True), audio=tmp_path)
    assert MixedStore(tmp_path / "all", tmp_path).composition.raw == len(corpus)
    build_store(corpus.values(), tmp_path / "all", RATE)
    assert tree_digest(tmp_path / "plain") == tree_digest(tmp_path / "all")


def test_what_is_in_the_store_follows_into_its_content(corpus, tmp_path):
    """Raw samples differ in their last bits, so a training must not pass for one on another composition."""
    digests = set()
    for number, settings in enumerate(
        [
            StoreSettings(),
            StoreSettings(only_biggest=3),
            StoreSettings(only_biggest=2),
            StoreSettings(raw=True),
            StoreSettings(raw=True, raw_reading="whole"),
            StoreSettings(raw=True, decoder="av"),
        ]
    ):
        folder = tmp_path / str(number)
        build_store(corpus.values(), folder, RATE, settings, audio=tmp_path)
        digests.add(tree_digest(folder, ("choice.json", "decoder.json")))
    assert len(digests) == 6


def test_the_decoder_and_its_version_are_kept(corpus, tmp_path):
    for decoder, libraries in (
        ("auto", {"libsndfile", "libsoxr", "libavcodec", "libavformat"}),
        ("soundfile", {"libsndfile", "libsoxr"}),
        ("av", {"libavcodec", "libavformat", "libsoxr"}),
    ):
        folder = tmp_path / decoder
        build_store(corpus.values(), folder, RATE, StoreSettings(decoder=decoder))
        content = read_json(folder / "decoder.json")
        assert content["decoder"] == decoder
        assert set(content["versions"]) == libraries
        with Store(folder) as store:
            for one in corpus.values():
                reference = whole(one.path, decoder)
                atol = np.abs(reference).max() / 32767
                np.testing.assert_allclose(store.read(one.recording_id, 0, len(reference)), reference, atol=atol)


def test_files_that_changed_are_named(corpus, tmp_path):
    build_store(corpus.values(), tmp_path / "s", RATE, StoreSettings(only_biggest=2), audio=tmp_path)
    with pytest.raises(ArtefactError, match="give the folder of the recordings"):
        MixedStore(tmp_path / "s")
    store = MixedStore(tmp_path / "s", tmp_path)
    data = corpus["d.mp3"].path.read_bytes()
    corpus["d.mp3"].path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    (problem,) = verify_store(tmp_path / "s", tmp_path)
    assert "d.mp3" in problem
    assert "SHA-256" in problem
    assert verify_store(tmp_path / "s") == []
    corpus["d.mp3"].path.write_bytes(data[: len(data) // 2])
    corpus["b.flac"].path.unlink()
    with pytest.raises(ArtefactError, match=r"b\.flac \(No such file.*d\.mp3 \(\d+ bytes instead of"):
        MixedStore(tmp_path / "s", tmp_path)
    # Cut off while a training reads it: no silence in place of sound.
    with pytest.raises(ArtefactError, match=r"d\.mp3: ends before"):
        store.read(corpus["d.mp3"].recording_id, RATE, RATE)
    with pytest.raises(ArtefactError, match="is not in the store"):
        store.n_samples("nobody")


def test_a_path_that_leaves_the_folder_is_refused(corpus, tmp_path):
    place = tmp_path / "in"
    place.mkdir()
    with pytest.raises(ArtefactError, match="is not below"):
        build_store(corpus.values(), tmp_path / "s", RATE, StoreSettings(raw=True), audio=place)
    build_store(corpus.values(), tmp_path / "s", RATE, StoreSettings(raw=True), audio=tmp_path)
    table = tmp_path / "s" / "raw.parquet"
    frame = pl.read_parquet(table)
    frame.with_columns(path=pl.lit("../secret.wav")).write_parquet(table)
    with pytest.raises(ArtefactError, match="not a path below a folder"):
        MixedStore(tmp_path / "s", tmp_path)
    with pytest.raises(ValueError, match="give `audio`"):
        build_store(corpus.values(), tmp_path / "t", RATE, StoreSettings(raw=True))


@pytest.mark.parametrize("reading", ["seek", "whole"])
def test_the_cache_changes_no_bit_and_keeps_its_budget(corpus, tmp_path, reading):
    settings = StoreSettings(only_biggest=2, raw_reading=reading)
    build_store(corpus.values(), tmp_path / "s", RATE, settings, audio=tmp_path)
    ids = [one.recording_id for one in corpus.values()]
    rng = np.random.default_rng(4)
    with MixedStore(tmp_path / "s", tmp_path) as plain, MixedStore(tmp_path / "s", tmp_path, 0.2) as cached:
        for _ in range(60):
            where = (ids[int(rng.integers(4))], int(rng.integers(-2000, 4 * RATE)), int(rng.integers(0, RATE)))
            np.testing.assert_array_equal(cached.read(*where), plain.read(*where))
            assert cached._cache.bytes <= 200_000
        assert cached._cache.bytes > 0
        assert plain._cache.bytes == 0
        cached.close()
        assert cached._cache.bytes == 0


def test_a_mixed_store_goes_to_spawned_workers(corpus, tmp_path):
    build_store(corpus.values(), tmp_path / "s", RATE, StoreSettings(only_biggest=2), audio=tmp_path)
    with MixedStore(tmp_path / "s", tmp_path, 1.0) as store:
        expected = [store.read(one, 10, 1000) for one in store.ids]
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
            for one, mine in zip(store.ids, expected, strict=True):
                np.testing.assert_array_equal(pool.submit(store.read, one, 10, 1000).result(), mine)


def test_samples_read_past_hdf5_are_those_that_hdf5_reads(corpus, tmp_path):
    build_store(corpus.values(), tmp_path / "s", RATE, shard_s=5)
    rng = np.random.default_rng(5)
    with Store(tmp_path / "s") as store:
        for _ in range(50):
            one = store.ids[int(rng.integers(len(store.ids)))]
            where = (one, int(rng.integers(-RATE, 5 * RATE)), int(rng.integers(0, 2 * RATE)))
            np.testing.assert_array_equal(store.read(*where), read_through_hdf5(store, *where))


def test_a_shard_that_shrinks_under_a_reader_is_an_error(corpus, tmp_path):
    build_store(corpus.values(), tmp_path / "s", RATE)
    with Store(tmp_path / "s") as store:
        one = store.ids[0]
        store.read(one, 0, 10)
        shard = StoreFolder(tmp_path / "s").shard_file(store.entry(one).shard)
        with shard.open("r+b") as file:
            file.truncate(4096)
        with pytest.raises(ArtefactError, match="ends within recording"):
            np.concatenate([store.read(recording, 0, store.n_samples(recording)) for recording in store.ids])


def test_a_store_of_more_shards_than_may_be_open_looks_each_of_them_up_once(corpus, tmp_path, monkeypatch):
    """A large store has thousands: what HDF5 knows of one must not be asked again at every crop."""
    monkeypatch.setattr("ossicle.audio.store.read._OPEN_SHARDS", 1)
    build_store(corpus.values(), tmp_path / "s", RATE, shard_s=0.001)
    looked: list[str] = []
    real = h5py.File
    monkeypatch.setattr(h5py, "File", lambda path, *rest, **more: looked.append(str(path)) or real(path, *rest, **more))
    with Store(tmp_path / "s") as store:
        for _ in range(3):
            for one in store.ids:
                store.read(one, 0, 100)
        assert len(looked) == len(set(looked)) == len(corpus)
        next((tmp_path / "s" / "shards").rglob("*.h5")).unlink()
        with pytest.raises(ArtefactError, match="cannot be opened"):
            np.concatenate([store.read(one, 0, 100) for one in (*store.ids, *store.ids)])
