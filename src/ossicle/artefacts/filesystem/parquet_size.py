"""The size of a Parquet table in memory, from its metadata and page headers; no page is decompressed.

A few kilobytes of Parquet may stand for billions of equal cells. The footer says how many rows and bytes there are, and
the header of each page how many bytes it has without compression. The footer may lie, so both are read
(https://github.com/apache/parquet-format). Metadata are in Thrift's compact protocol: fields with an id and a type.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ossicle.artefacts.filesystem.reading import open_regular

_MAGIC = b"PAR1"
_MOST_FOOTER_BYTES = 8 << 20
_MOST_HEADER_BYTES = 1 << 20
_FIRST_HEADER_BYTES = 1 << 10
_MOST_PAGES = 200_000
_MOST_LEVELS = 32
# Types of Thrift's compact protocol.
_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = range(1, 13)


@dataclass(frozen=True, slots=True)
class ParquetSize:
    """Rows of a table, values in all its columns, and bytes of all its pages without compression."""

    n_rows: int
    n_values: int
    n_bytes: int


def parquet_size(path: Path) -> ParquetSize:
    """Return the size of a Parquet table.

    Raises
    ------
    ValueError
        The file is not a complete Parquet table.
    OSError
        The file cannot be read, or is not a regular file.
    """
    with open_regular(path) as file:
        end = file.seek(0, os.SEEK_END)
        file.seek(max(0, end - 8))
        tail = file.read(8)
        length = int.from_bytes(tail[:4], "little")
        if end < 12 or tail[4:] != _MAGIC or length > min(_MOST_FOOTER_BYTES, end - 12):
            raise ValueError("it has no footer")
        file.seek(end - 8 - length)
        rows, chunks = _footer(file.read(length))
        n_values, n_bytes = sum(chunk.n_values for chunk in chunks), sum(chunk.n_bytes for chunk in chunks)
        pages = _Pages(file, end - 8 - length)
        for chunk in chunks:
            pages.add(chunk)
    return ParquetSize(rows, max(n_values, pages.n_values), max(n_bytes, pages.n_bytes))


@dataclass(slots=True)
class _Chunk:
    """The pages of one column in one group of rows: where they begin, their bytes in the file, and what they hold."""

    start: int = -1
    dictionary: int = 0
    length: int = 0
    n_values: int = 0
    n_bytes: int = 0


class _Pages:
    """The sum over pages."""

    def __init__(self, file: BinaryIO, end: int) -> None:
        self._file, self._end, self._n_pages = file, end, 0
        self.n_values = self.n_bytes = 0

    def add(self, chunk: _Chunk) -> None:
        """Add the pages of a chunk."""
        offset = chunk.dictionary if 0 < chunk.dictionary < chunk.start else chunk.start
        end = offset + chunk.length
        if offset < len(_MAGIC) or chunk.length < 0 or end > self._end:
            raise ValueError("its pages are outside the file")
        while offset < end:
            self._n_pages += 1
            if self._n_pages > _MOST_PAGES:
                raise ValueError(f"it has more than {_MOST_PAGES} pages")
            header, compressed, n_values, n_bytes = self._header(offset)
            if compressed < 0 or n_values < 0 or n_bytes < 0:
                raise ValueError("a page has a negative size")
            offset += header + compressed
            self.n_values += n_values
            self.n_bytes += n_bytes

    def _header(self, offset: int) -> tuple[int, int, int, int]:
        """Return the length of a page's header, its compressed size, its values and its size."""
        size = _FIRST_HEADER_BYTES
        while True:
            self._file.seek(offset)
            data = self._file.read(size)
            try:
                return _page_header(data)
            except IndexError:
                if size >= _MOST_HEADER_BYTES or len(data) < size:
                    raise ValueError("a page has no complete header") from None
                size *= 8


class _Thrift:
    """Reads values of the compact protocol; raises IndexError at the end of the data and ValueError for nonsense."""

    def __init__(self, data: bytes) -> None:
        self._data, self.offset = data, 0

    def byte(self) -> int:
        """Return the next byte."""
        self.offset += 1
        return self._data[self.offset - 1]

    def varint(self) -> int:
        """Return a number of variable length."""
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7
            if shift > 63:
                raise ValueError("a number is too long")

    def number(self) -> int:
        """Return a signed number."""
        value = self.varint()
        return (value >> 1) ^ -(value & 1)

    def fields(self) -> Iterator[tuple[int, int]]:
        """Yield id and type of each field of a struct; the caller reads or skips its value."""
        last = 0
        while head := self.byte():
            last = last + (head >> 4) if head >> 4 else self.number()
            yield last, head & 0x0F

    def items(self) -> tuple[int, int]:
        """Return number and type of the items of a list."""
        head = self.byte()
        size = head >> 4
        return (self.varint() if size == 15 else size), head & 0x0F

    def skip(self, kind: int, level: int = 0) -> None:
        """Skip a value."""
        if level > _MOST_LEVELS:
            raise ValueError("its metadata are nested too deeply")
        if kind in (_TRUE, _FALSE):
            return
        if kind in (_I16, _I32, _I64):
            self.varint()
        elif kind in (_BYTE, _DOUBLE, _BINARY):
            self._forward({_BYTE: 1, _DOUBLE: 8}.get(kind) or self.varint())
        elif kind in (_LIST, _SET):
            size, item = self.items()
            self._skip_items(size, (item,), level)
        elif kind == _MAP:
            size = self.varint()
            if size:
                kinds = self.byte()
                self._skip_items(size, (kinds >> 4, kinds & 0x0F), level)
        elif kind == _STRUCT:
            for _, inner in self.fields():
                self.skip(inner, level + 1)
        else:
            raise ValueError("its metadata hold an unknown type")

    def _skip_items(self, size: int, kinds: tuple[int, ...], level: int) -> None:
        for _ in range(size):
            for kind in kinds:
                # In a list a truth value takes a byte; as a field it is part of its type.
                self.skip(_BYTE if kind in (_TRUE, _FALSE) else kind, level + 1)

    def _forward(self, n_bytes: int) -> None:
        self.offset += n_bytes
        if self.offset > len(self._data):
            raise IndexError("the data end before the value")


def _read(thrift: _Thrift, readers: dict[int, Callable[[int], None]]) -> None:
    """Read a struct: call a function of ``readers`` with the type of each of these fields, and skip the others."""
    for field, kind in thrift.fields():
        if field in readers:
            readers[field](kind)
        else:
            thrift.skip(kind)


def _read_list(thrift: _Thrift, kind: int, read: Callable[[], None]) -> None:
    """Read a list of structs."""
    size, item = thrift.items() if kind == _LIST else (0, 0)
    if kind != _LIST or (size and item != _STRUCT):
        raise ValueError("its metadata have another form")
    for _ in range(size):
        read()


def _footer(data: bytes) -> tuple[int, list[_Chunk]]:
    """Return the number of rows and the chunks that a footer describes."""
    thrift, chunks, rows = _Thrift(data), list[_Chunk](), [0]

    def count(kind: int) -> None:
        rows[0] = thrift.number()

    def column() -> None:
        chunk = _Chunk()

        def put(name: str) -> Callable[[int], None]:
            return lambda kind: setattr(chunk, name, thrift.number())

        fields = {5: "n_values", 6: "n_bytes", 7: "length", 9: "start", 11: "dictionary"}
        meta = {field: put(name) for field, name in fields.items()}
        _read(thrift, {3: lambda kind: _read(thrift, meta)})
        chunks.append(chunk)

    def group() -> None:
        _read(thrift, {1: lambda kind: _read_list(thrift, kind, column)})

    try:
        _read(thrift, {3: count, 4: lambda kind: _read_list(thrift, kind, group)})
    except IndexError:
        raise ValueError("its footer is cut off") from None
    if rows[0] < 0 or any(chunk.n_values < 0 or chunk.n_bytes < 0 for chunk in chunks):
        raise ValueError("its footer counts less than nothing")
    return rows[0], chunks


def _page_header(data: bytes) -> tuple[int, int, int, int]:
    thrift = _Thrift(data)
    header = {"bytes": -1, "compressed": -1, "values": 0}

    def put(name: str) -> Callable[[int], None]:
        def read(kind: int) -> None:
            header[name] = thrift.number()

        return read

    def inner(kind: int) -> None:
        if kind != _STRUCT:
            raise ValueError("a page has another form of header")
        _read(thrift, {1: put("values")})

    # The header of a page of data (5), a dictionary (7) or data in the second version (8).
    _read(thrift, {2: put("bytes"), 3: put("compressed"), 5: inner, 7: inner, 8: inner})
    return thrift.offset, header["compressed"], header["values"], header["bytes"]
