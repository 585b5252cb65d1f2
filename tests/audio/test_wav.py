import io

import numpy as np
import pytest
import soundfile

from ossicle.audio.wav import wav_bytes, write_wav

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
