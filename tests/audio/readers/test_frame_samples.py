"""Frames of many channels, which PyAV's own conversion reads beyond their end."""

import io

import av
import numpy as np
import pytest

from ossicle.audio.decoding.decode import AudioSource

RATE = 48000
# Exact in integers of 8 bits, which WavPack gets here.
LEVELS = np.arange(16) / 16 - 0.5


def of_channels(channels: int, layout: str, codec: str, container: str) -> bytes:
    """Return a second of a constant level of its own in each channel."""
    levels = LEVELS[:channels].astype(np.float32)
    target = io.BytesIO()
    with av.open(target, "w", format=container) as file:
        stream = file.add_stream(codec, rate=RATE, layout=layout)
        stream.codec_context.open()
        frame = av.AudioFrame.from_ndarray(np.tile(levels, RATE)[None], format="flt", layout=layout)
        frame.sample_rate = RATE
        cutter = av.AudioResampler(
            format=stream.format.name, layout=layout, rate=RATE, frame_size=stream.codec_context.frame_size or None
        )
        for piece in cutter.resample(frame) + cutter.resample(None):
            file.mux(stream.encode(piece))
        file.mux([packet for packet in stream.encode(None) if packet.size])
    return target.getvalue()


@pytest.mark.parametrize(
    ("channels", "layout", "codec", "container", "name"),
    [
        (6, "5.1", "wavpack", "wv", "x.wv"),
        (8, "7.1", "wavpack", "wv", "x.wv"),
        (8, "7.1", "flac", "matroska", "x.mka"),
        (16, "hexadecagonal", "wavpack", "wv", "x.wv"),
        (16, "hexadecagonal", "pcm_s16le", "matroska", "x.mka"),
    ],
)
def test_channels_of_lossless_sound_are_kept_and_in_their_order(tmp_path, channels, layout, codec, container, name):
    path = tmp_path / name
    path.write_bytes(of_channels(channels, layout, codec, container))
    source = AudioSource(path)
    samples = np.concatenate(list(source.blocks()))
    assert source.report.status == "ok"
    expected = np.broadcast_to(LEVELS[:channels], (RATE, channels))
    np.testing.assert_allclose(samples, expected, atol=1e-4)


@pytest.mark.parametrize(("codec", "container", "name"), [("aac", "ipod", "x.m4a"), ("libopus", "webm", "x.webm")])
def test_lossy_sound_of_eight_channels_is_read(tmp_path, codec, container, name):
    path = tmp_path / name
    path.write_bytes(of_channels(8, "7.1", codec, container))
    source = AudioSource(path)
    samples = np.concatenate(list(source.blocks()))
    assert source.report.status == "ok"
    assert samples.shape[1] == 8
    assert abs(len(samples) - RATE) <= 2048
