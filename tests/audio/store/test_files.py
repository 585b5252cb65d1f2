"""Files beside a store that no decoder reads, that end early or lie elsewhere, and lengths that are stated wrongly."""

import numpy as np
import pytest

from ossicle.artefacts.files import file_digest
from ossicle.artefacts.roots import Roots
from ossicle.artefacts.tables import read_table
from ossicle.audio.decoding.decode import AudioSource
from ossicle.audio.store import MixedStore, StoreItem, StoreSettings, build_store, verify_store
from ossicle.core.errors import ArtefactError, AudioError

from .mixed_stores import RATE, item, sweep_tone, whole


def test_what_the_chosen_decoder_cannot_read_is_left_out_by_its_name(encode, tmp_path):
    store_item = item(encode("phone.m4a", sweep_tone(1, 44100), 44100))
    (entry,) = build_store([store_item], tmp_path / "s", RATE, StoreSettings(decoder="soundfile"))
    assert entry.status == "left_out"
    assert "libsndfile cannot read it" in entry.reason
    (entry,) = build_store(
        [store_item], tmp_path / "r", RATE, StoreSettings(raw=True, decoder="soundfile"), audio=tmp_path
    )
    assert entry.status == "left_out"
    with pytest.raises(AudioError, match="libsndfile cannot read"):
        AudioSource(store_item.path, "soundfile")


def test_a_raw_recording_that_ends_early_is_read_as_far_as_it_goes(encode, tmp_path):
    path = encode("cut.flac", np.random.default_rng(3).normal(0, 0.1, 5 * 44100).astype(np.float32), 44100)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    (tmp_path / "text.wav").write_text("no sound")
    reference = whole(path)
    entries = build_store(
        [item(path), item(tmp_path / "text.wav")], tmp_path / "s", RATE, StoreSettings(raw=True), audio=tmp_path
    )
    assert [entry.status for entry in entries] == ["left_out"]
    with MixedStore(tmp_path / "s", tmp_path) as store:
        (one,) = store.ids
        assert store.n_samples(one) == len(reference)
        end = store.read(one, len(reference) - 100, 200)
        np.testing.assert_array_equal(end[:100], reference[-100:])
        assert not end[100:].any()


def test_lengths_that_the_index_knows_are_believed_and_headers_are_not(encode, tmp_path):
    path = encode("x.mp3", sweep_tone(2, 44100), 44100)
    data = path.read_bytes()
    # An MP3 without its first frame guesses its length.
    header = data.index(b"Xing") if b"Xing" in data[:3000] else data.index(b"Info")
    path.write_bytes(data[data.index(b"\xff\xfb", header) :])
    reference = whole(path)
    blind = item(path)
    known = StoreItem(blind.recording_id, path, blind.digest, 44100, AudioSource(path).info.n_samples)
    build_store([blind], tmp_path / "s", RATE, StoreSettings(raw=True), audio=tmp_path)
    assert MixedStore(tmp_path / "s", tmp_path).n_samples(blind.recording_id) == len(reference)
    build_store([known], tmp_path / "k", RATE, StoreSettings(raw=True), audio=tmp_path)
    assert MixedStore(tmp_path / "k", tmp_path).n_samples(blind.recording_id) == round(known.n_samples / 44100 * RATE)


def test_recordings_of_several_roots_are_read_from_wherever_their_folders_are(encode, tmp_path):
    """A recording names its root and a path below it; its folder may change from one machine to the next."""
    samples = np.random.default_rng(7).normal(0, 0.1, (2, RATE)).astype(np.float32)
    places = {"slakh": tmp_path / "a", "groove": tmp_path / "b"}
    items = []
    for (root, folder), sound in zip(places.items(), samples, strict=True):
        # Both have the same path below their roots.
        path = folder / "session" / "mix.wav"
        path.parent.mkdir(parents=True)
        encode("new.wav", sound, RATE).rename(path)
        items.append(StoreItem(root, path, file_digest(path), root=root, below_root="session/mix.wav"))
    roots = Roots({root: [folder] for root, folder in places.items()})
    build_store(items, tmp_path / "s", RATE, StoreSettings(raw=True), audio=roots)
    moved = Roots({"groove": [tmp_path / "elsewhere"]}, [tmp_path / "a"])
    (tmp_path / "b").rename(tmp_path / "elsewhere")
    with MixedStore(tmp_path / "s", moved) as store:
        for key, sound in zip(places, samples, strict=True):
            np.testing.assert_allclose(store.read(key, 0, RATE), sound, atol=1e-4)
    assert verify_store(tmp_path / "s", moved) == []
    assert str(tmp_path) not in "".join(read_table(tmp_path / "s" / "raw.parquet")["path"])
    with pytest.raises(ArtefactError, match=r"changed: .*b.session.mix.wav \(No such file"):
        MixedStore(tmp_path / "s", roots)
