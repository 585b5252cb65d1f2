import errno
import os
from pathlib import Path

import h5py
import numpy as np
import pytest

from ossicle.audio.store.shard_output import ShardOutput


def fill(file: h5py.File) -> None:
    group = file.create_group("samples", track_times=False)
    for name in ("a", "b"):
        group.create_dataset(name, data=np.arange(5000, dtype="<i2"), track_times=False)


def test_hdf5_reads_what_was_written(tmp_path: Path) -> None:
    for name in ("one", "two"):
        with ShardOutput(tmp_path / name) as output:
            with h5py.File(output, "w") as file:
                fill(file)
            output.require_written()
    with h5py.File(tmp_path / "one") as file:
        assert file["samples/b"][...].tolist() == list(range(5000))
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@pytest.mark.parametrize("room", [0, 100, 3000, 12_000, 20_000])
def test_hdf5_closes_a_file_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int) -> None:
    write = os.pwrite

    def refused(handle: int, data: bytes, place: int) -> int:
        if place + len(data) > room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(handle, data, place)

    monkeypatch.setattr(os, "pwrite", refused)
    with ShardOutput(tmp_path / "x") as output:
        with h5py.File(output, "w") as file:
            fill(file)
        with pytest.raises(OSError, match="No space left"):
            output.require_written()
    assert (tmp_path / "x").stat().st_size <= room


def test_a_file_object_moves_and_reads_as_files_do(tmp_path: Path) -> None:
    with ShardOutput(tmp_path / "x") as output:
        assert output.write(b"0123456789") == 10
        assert (output.tell(), output.seek(-4, os.SEEK_END), output.read(2)) == (10, 6, b"67")
        assert (output.seek(1, os.SEEK_CUR), output.read()) == (9, b"9")
        assert output.truncate(3) == 3
        output.seek(0)
        into = bytearray(5)
        assert output.readinto(memoryview(into)) == 3
        assert bytes(into) == b"012\0\0"
