"""Blocks of a manifest hold every line once, wherever they are cut."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ossicle.core.errors import UsageError
from ossicle.corpus.manifest import byte_blocks
from ossicle.corpus.manifest.byte_blocks import block_count, line_chunks


def read(path: Path, block_bytes: int) -> list[bytes]:
    """The lines of all blocks, without their ends; an overlong one is its own mark."""
    out: list[bytes] = []
    for block in range(block_count(path, block_bytes)):
        for chunk in line_chunks(path, block, block_bytes):
            if chunk is None:
                out.append(b"(too long)")
            else:
                out += (chunk[:-1] if chunk.endswith(b"\n") else chunk).split(b"\n")
    return out


@given(
    lines=st.lists(st.text("ab ", max_size=12), max_size=30),
    ended=st.booleans(),
    block_bytes=st.integers(1, 40),
    chunk_bytes=st.integers(1, 16),
)
def test_every_line_is_in_one_block(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], ended: bool, block_bytes: int, chunk_bytes: int
) -> None:
    path = tmp_path_factory.mktemp("blocks") / "events.jsonl"
    path.write_bytes(("\n".join(lines) + ("\n" if ended and lines else "")).encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(byte_blocks, "CHUNK_BYTES", chunk_bytes)
        blocks_read = read(path, block_bytes)
    expected = path.read_bytes().split(b"\n")
    assert blocks_read == (expected[:-1] if expected[-1] == b"" else expected)


@pytest.mark.parametrize("block_bytes", [7, 64, 150, 1000])
def test_an_overlong_line_is_one_mark_and_the_others_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block_bytes: int
) -> None:
    monkeypatch.setattr(byte_blocks, "MOST_LINE_BYTES", 100)
    monkeypatch.setattr(byte_blocks, "CHUNK_BYTES", 16)
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"first\n" + b"x" * 400 + b"\nlast\n")
    assert read(path, block_bytes) == [b"first", b"(too long)", b"last"]


def test_a_file_without_line_ends_is_not_read_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "zeros"
    with path.open("wb") as out:
        out.truncate(1 << 40)
    assert list(line_chunks(path, 0)) == [None]


def test_a_byte_order_mark_is_no_part_of_the_first_line(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"\xef\xbb\xbf{}\n{}\n")
    assert read(path, 4096) == [b"{}", b"{}"]
    assert read(path, 4) == [b"{}", b"{}"]


def test_only_files_are_read(tmp_path: Path) -> None:
    for missing in (tmp_path, tmp_path / "absent.jsonl"):
        with pytest.raises(UsageError, match="is not a file; give a manifest"):
            block_count(missing)
