import io
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ossicle.audio.decoding.decode import AudioSource
from ossicle.audio.wav import wav_bytes, write_wav, write_wav_blocks
from ossicle.audio.wav_recording import WavRecording
from ossicle.core.errors import AudioError

SAMPLES = np.array([0.0, 0.5, -0.5, 1.5, -1.5], np.float32)


def test_bytes_are_a_16_bit_wav_that_clips():
    data, rate = soundfile.read(io.BytesIO(wav_bytes(SAMPLES, 8000)), dtype="float32")
    assert rate == 8000
    np.testing.assert_allclose(data, np.clip(SAMPLES, -1, 1), atol=1 / 32768)


@pytest.mark.parametrize(("subtype", "clips"), [("PCM_16", True), ("PCM_24", True), ("FLOAT", False)])
def test_files(tmp_path, subtype, clips):
    write_wav(tmp_path / "out" / "x.wav", SAMPLES, 8000, subtype)
    data, _ = soundfile.read(tmp_path / "out" / "x.wav", dtype="float32")
    np.testing.assert_allclose(data, np.clip(SAMPLES, -1, 1) if clips else SAMPLES, atol=1 / 32768)
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["x.wav"]


def test_a_name_without_the_suffix_is_still_wav(tmp_path):
    write_wav(tmp_path / "x.snippet", SAMPLES, 8000)
    assert soundfile.info(tmp_path / "x.snippet").format == "WAV"


@pytest.mark.parametrize("channels", [1, 2])
def test_blocks_are_written_one_after_the_other(tmp_path, channels):
    samples = np.random.default_rng(0).uniform(-0.9, 0.9, (5000, channels)).astype(np.float32)
    blocks = (samples[start : start + 700] for start in range(0, 5000, 700))
    assert write_wav_blocks(tmp_path / "x.wav", blocks, 8000, channels, most_samples=5000) == 5000
    data, rate = soundfile.read(tmp_path / "x.wav", dtype="float32", always_2d=True)
    assert (rate, soundfile.info(tmp_path / "x.wav").format) == (8000, "WAV")
    np.testing.assert_allclose(data, samples, atol=2**-23)


def test_what_may_be_longer_than_wav_can_say_has_longer_sizes(tmp_path):
    block = SAMPLES[:3, None]
    assert write_wav_blocks(tmp_path / "x.wav", [block], 8000, 1, most_samples=1 << 31) == 3
    assert soundfile.info(tmp_path / "x.wav").format == "RF64"
    source = AudioSource(tmp_path / "x.wav")
    np.testing.assert_allclose(np.concatenate(list(source.blocks())), block, atol=2**-23)
    assert source.report.status == "ok"


def test_blocks_that_fail_leave_no_file(tmp_path):
    def failing():
        yield SAMPLES[:, None]
        raise AudioError("damaged")

    with pytest.raises(AudioError, match="damaged"):
        write_wav_blocks(tmp_path / "x.wav", failing(), 8000, 1, most_samples=5)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "write",
    [
        lambda path: write_wav(path, SAMPLES, 8000),
        lambda path: write_wav_blocks(path, [SAMPLES[:, None]], 8000, 1, most_samples=5),
        lambda path: WavRecording(path, 8000),
    ],
)
def test_a_place_that_cannot_be_written_to_is_an_error_of_the_system(write):
    # Nobody can create a file there, and libsndfile would only say "System error".
    path = Path("/proc/sound.wav")
    with pytest.raises(OSError, match=r"No such file|not permitted|denied") as caught:
        write(path)
    assert caught.value.filename == str(path)
