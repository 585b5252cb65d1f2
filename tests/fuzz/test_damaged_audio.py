"""The target for damaged recordings reads what is whole, and fails where a reader breaks one of its promises."""

import ctypes
import os
from dataclasses import replace

import numpy as np
import pytest

from ossicle.audio.decoding.decode import AudioSource

from . import damaged_audio as target
from .damaged_audio import damaged_audio, nothing_printed, whole_samples
from .recordings import KINDS, damaged, head_bytes, recording

FLAC = next(number for number, kind in enumerate(KINDS) if kind.suffix == ".flac")
# The end of the file is cut off in its middle.
CUT = bytes([5, 0, 0x40, 0, 0, 0, 0, 0])


@pytest.mark.parametrize("number", range(len(KINDS)), ids=lambda number: f"{number}{KINDS[number].suffix}")
def test_every_format_is_made_read_whole_and_read_cut(tmp_path, number):
    assert len(recording(KINDS[number])) < 200_000
    assert head_bytes(KINDS[number]) < 0.3 * len(recording(KINDS[number]))
    damaged_audio(bytes([number]), tmp_path)
    damaged_audio(bytes([number]) + CUT, tmp_path)


def test_orders_change_what_they_say():
    whole = bytes(range(256)) * 40
    assert damaged(whole, b"") == (whole, len(whole), 0)
    assert damaged(whole, CUT).content == whole[: len(whole) // 2]
    # Four bytes of zeros, 40 chance bytes, four given ones, and 4 fewer and 4 more of them, at byte 2 560.
    for what, length, n_bytes in ((0, 2, 10240), (1, 3, 10240), (2, 0, 10240), (3, 2, 10236), (4, 2, 10244)):
        copy = damaged(whole, bytes([what, 0, 0x20, length, 9, 9, 9, 9]))
        assert len(copy.content) == n_bytes
        assert copy.first == 2560
        assert copy.content[:2560] == whole[:2560]
        assert copy.content != whole
    assert damaged(whole, bytes([3, 100, 0x80, 2, 0, 0, 0, 0])).first == 100


def test_a_loss_that_is_not_called_partial_fails(tmp_path, monkeypatch):
    monkeypatch.setattr(
        target.AudioSource, "report", property(lambda source: replace(source._report, status="ok")), raising=True
    )
    with pytest.raises(AssertionError, match="became"):
        damaged_audio(bytes([FLAC]) + CUT, tmp_path)


def test_more_sound_than_there_was_fails(tmp_path, monkeypatch):
    whole_samples(KINDS[FLAC])
    blocks = AudioSource.blocks

    def longer(source):
        yield from blocks(source)
        yield np.zeros((100_000, 1), np.float32)

    monkeypatch.setattr(AudioSource, "blocks", longer)
    with pytest.raises(AssertionError, match="more than"):
        damaged_audio(bytes([FLAC]) + CUT, tmp_path)


def test_a_line_of_a_library_on_the_standard_output_fails(tmp_path):
    with pytest.raises(AssertionError, match="from C"), nothing_printed(tmp_path):
        ctypes.CDLL(None).puts(b"from C")
    with pytest.raises(AssertionError, match="from Python"), nothing_printed(tmp_path):
        os.write(1, b"from Python")
    with nothing_printed(tmp_path):
        pass
