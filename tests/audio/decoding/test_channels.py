import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from ossicle.audio.decoding.array_stream import ArrayStream, mono_samples
from ossicle.audio.decoding.channels import ChannelBalance, LoudestChannel
from ossicle.audio.decoding.decode import AudioSource
from ossicle.audio.decoding.levels import measure
from ossicle.audio.decoding.mono import MonoStream, load_mono
from ossicle.audio.store import MixedStore, StoreItem, StoreSettings, build_store
from ossicle.core.errors import AudioError

RATE = 8000
CALL = (0.3 * np.sin(2 * np.pi * 700 * np.arange(RATE) / RATE)).astype(np.float32)


def noise(seed, n_samples=4 * RATE, level=0.1):
    return np.random.default_rng(seed).normal(0, level, n_samples).astype(np.float32)


def balance(block, size=1000):
    channel_balance = ChannelBalance(RATE, block.shape[1])
    for start in range(0, len(block), size):
        channel_balance.add(block[start : start + size])
    return channel_balance.cancel_db


def calls(n_samples=60 * RATE):
    """A minute with three short calls, that is mostly silent."""
    out = np.zeros(n_samples, np.float32)
    for start_s in (5, 20, 50):
        out[start_s * RATE : start_s * RATE + RATE // 5] = CALL[: RATE // 5]
    return out


@pytest.mark.parametrize("gain", [1.0, 0.9, 0.5])
def test_an_inverted_channel_cancels(gain):
    x = noise(0)
    result = balance(np.stack([x, -gain * x], 1))
    expected = -200.0 if gain == 1 else 20 * np.log10((1 - gain) / 2)
    assert result == pytest.approx(expected, abs=0.06)


def test_calls_that_cancel_are_found_in_noise_that_does_not():
    wanted = calls()
    block = np.stack([wanted + noise(1, len(wanted), 0.01), -wanted + noise(2, len(wanted), 0.01)], 1)
    assert balance(block) < -15
    # A hum or an offset on one channel, or on both in opposite directions, is not what is listened for.
    assert balance(block + np.float32([0.2, -0.2])) < -15


@pytest.mark.parametrize(
    "block",
    [
        np.stack([noise(0), noise(1)], 1),
        np.stack([noise(0), 0 * noise(0)], 1),
        np.stack([noise(0), noise(0)], 1),
        np.stack([noise(0), np.roll(noise(0), 4)], 1),
        np.stack([noise(0), 0.2 * noise(1) - 0.2 * noise(0)], 1),
        np.stack([noise(0), *[0 * noise(0)] * 15], 1),
        np.stack([noise(0) * 0 + 0.2, noise(0) * 0 - 0.2], 1) + noise(3)[:, None],
        np.zeros((4 * RATE, 2), np.float32),
        noise(0)[:, None],
    ],
    ids=["unrelated", "dead", "equal", "delayed", "faint", "15 dead", "offsets", "silent", "mono"],
)
def test_other_channels_do_not_cancel(block):
    assert balance(block) is None


@pytest.mark.parametrize(("begin_s", "end_s"), [(0, 60), (30, 60), (20, 40), (45, 60)])
def test_channels_that_cancel_in_a_part_of_a_recording_are_found(begin_s, end_s):
    x = noise(5, 60 * RATE)
    other = x.copy()
    other[begin_s * RATE : end_s * RATE] *= -1
    block = np.stack([x + noise(6, len(x), 0.005), other], 1)
    assert balance(block) < -20
    assert balance(block, len(block)) == balance(block)


@pytest.mark.parametrize(
    ("n_s", "cancels", "gain", "found"), [(60, slice(10, 60), 3.0, True), (400, slice(0, 10), 1.7, False)]
)
def test_a_tenth_of_the_power_decides_not_of_its_square(n_s, cancels, gain, found):
    # The first 10 s are louder: once they are all that does not cancel, once all that does.
    x = noise(8, n_s * RATE, 0.05)
    x[: 10 * RATE] *= gain
    other = x.copy()
    other[cancels.start * RATE : cancels.stop * RATE] *= -1
    power = np.square(x, dtype=np.float64)
    share = power[cancels.start * RATE : cancels.stop * RATE].sum() / power.sum()
    assert bool(share >= 0.1) is found
    assert (balance(np.stack([x, other], 1), RATE * 10) is not None) is found


@pytest.mark.parametrize(("last_s", "gain", "found"), [(0.5, 2.0, False), (2.0, 1.0, True)])
def test_a_last_stretch_of_less_than_a_second_does_not_decide(last_s, gain, found):
    left, right = noise(9, 10 * RATE), noise(10, 10 * RATE)
    last = gain * noise(11, int(last_s * RATE))
    block = np.stack([np.concatenate([left, last]), np.concatenate([right, -last])], 1)
    assert (balance(block) is not None) is found


def test_single_calls_out_of_phase_at_two_microphones_do_not_cancel():
    rng = np.random.default_rng(7)
    block = np.zeros((60 * RATE, 2), np.float32)
    for start in range(0, 59 * RATE, RATE):
        block[start : start + RATE, 0] += CALL
        block[start : start + RATE, 1] += np.roll(CALL, int(rng.integers(0, 12)))
    assert balance(block + rng.normal(0, 0.02, block.shape).astype(np.float32)) is None


@given(size=st.integers(1, 5000), n_samples=st.integers(1, 9000), channels=st.integers(2, 4), seed=st.integers(0, 99))
def test_the_size_of_blocks_changes_nothing(size, n_samples, channels, seed):
    rng = np.random.default_rng(seed)
    block = rng.normal(0, 0.1, (n_samples, channels)).astype(np.float32)
    block[:, 1] = -block[:, 0]
    assert balance(block, size) == balance(block, n_samples)


@pytest.mark.parametrize("kind", ["wav", "flac", "m4a"])
def test_the_report_of_a_recording_says_that_its_channels_cancel(encode, kind):
    x = noise(0)
    path = encode(f"anti.{kind}", np.stack([x, -x], 1), RATE)
    stream = MonoStream(path, RATE)
    assert np.abs(np.concatenate(list(stream))).max() < 0.05
    assert stream.report.cancel_db < -20
    assert measure(path)[2].cancel_db == stream.report.cancel_db
    source = AudioSource(path)
    list(source.blocks(start_sample=0, n_samples=100))
    assert source.report.cancel_db is None


@pytest.mark.parametrize(("channel", "index"), [("first", 0), ("1", 0), ("2", 1), ("3", 2), ("loudest", 1)])
@pytest.mark.parametrize("rate", [RATE, 16000])
def test_a_channel_is_read_alone_from_files_arrays_and_the_store(tmp_path, channel, index, rate):
    block = np.stack([noise(0), 2 * noise(1), noise(2)], 1)
    path = tmp_path / "three.wav"
    soundfile.write(path, block, RATE, subtype="FLOAT")
    soundfile.write(tmp_path / "one.wav", block[:, index], RATE, subtype="FLOAT")
    expected = np.concatenate(list(MonoStream(tmp_path / "one.wav", rate)))
    stream = MonoStream(path, rate, channel=channel)
    np.testing.assert_array_equal(np.concatenate(list(stream)), expected)
    assert (stream.report.status, stream.report.cancel_db) == ("ok", None)
    np.testing.assert_array_equal(np.concatenate(list(ArrayStream(block, RATE, rate, channel))), expected)
    np.testing.assert_allclose(
        load_mono(path, rate, 1.5, 0.5, channel=channel), expected[rate * 3 // 2 : 2 * rate], atol=1e-4
    )
    item = StoreItem("a", path, "digest", channel=channel)
    for settings in (StoreSettings(), StoreSettings(raw=True), StoreSettings(raw=True, raw_reading="whole")):
        folder = tmp_path / f"{settings.raw}-{settings.raw_reading}"
        build_store([item], folder, rate, settings, audio=tmp_path)
        with MixedStore(folder, audio=tmp_path) as store:
            np.testing.assert_allclose(store.read("a", 100, 5000), expected[100:5100], atol=1e-4)


def test_another_channel_is_another_shard(tmp_path):
    block = np.stack([noise(0), noise(1)], 1)
    soundfile.write(tmp_path / "x.wav", block, RATE)
    shards = set()
    for channel in ("mean", "first", "2"):
        entries = build_store([StoreItem("a", tmp_path / "x.wav", "d", channel=channel)], tmp_path / "store", RATE)
        shards.add(entries[0].shard)
    assert len(shards) == 3


def test_a_channel_that_is_not_there_is_named(tmp_path):
    path = tmp_path / "two.wav"
    soundfile.write(path, np.stack([noise(0), noise(1)], 1), RATE)
    with pytest.raises(AudioError, match=r"two\.wav: has 2 channels, and \[audio\] channel = 3 is to be read"):
        list(MonoStream(path, RATE, channel="3"))
    with pytest.raises(ValueError, match="has 2 channels"):
        mono_samples(np.zeros((8, 2)), "3")
    entries = build_store([StoreItem("a", path, "d", channel="3")], tmp_path / "store", RATE)
    assert (entries[0].status, "has 2 channels" in entries[0].reason) == ("left_out", True)


def test_a_single_channel_is_read_whatever_is_chosen(tmp_path):
    path = tmp_path / "one.wav"
    soundfile.write(path, noise(0), RATE, subtype="FLOAT")
    for channel in ("mean", "first", "loudest", "2"):
        np.testing.assert_array_equal(np.concatenate(list(MonoStream(path, RATE, channel=channel))), noise(0))
        np.testing.assert_array_equal(mono_samples(noise(0), channel), noise(0))


def test_a_chosen_channel_without_sound_is_silent(tmp_path):
    path = tmp_path / "dead.wav"
    soundfile.write(path, np.stack([noise(0), 0 * noise(0)], 1), RATE)
    for channel, status in (("mean", "ok"), ("1", "ok"), ("2", "silent")):
        stream = MonoStream(path, RATE, channel=channel)
        list(stream)
        assert stream.report.status == status


def test_the_loudest_of_a_part_of_a_recording_is_not_guessed():
    with pytest.raises(ValueError, match="the loudest channel is known only when all of a recording is"):
        mono_samples(np.zeros((8, 2)), "loudest")


def test_of_equally_loud_channels_the_first_is_the_loudest_and_offsets_are_not_loud():
    loudest_channel = LoudestChannel(3)
    loudest_channel.add(np.stack([noise(0), -noise(0), 0.01 * noise(0) + 0.5], 1))
    assert loudest_channel.index == 0
