"""The size of Parquet tables before they are read: as polars counts, for bombs, and for files that lie."""

import io
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ossicle.artefacts.filesystem.parquet_size import parquet_size
from ossicle.artefacts.tables import read_parquet, read_table
from ossicle.core.errors import ArtefactError

CELLS = st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
Row = tuple[str | None, int | None, list[float]]
ROWS = st.tuples(CELLS, st.one_of(st.none(), st.integers(-9, 9)), st.lists(st.floats(width=32), max_size=3))
TABLES = st.lists(ROWS)
SCHEMA = {"a": pl.String, "b": pl.Int64, "c": pl.List(pl.Float32)}


@given(
    TABLES,
    st.sampled_from(["zstd", "snappy", "gzip", "lz4", "uncompressed", "brotli"]),
    st.integers(1, 5),
    st.sampled_from([1, 64, 1 << 20]),
)
def test_rows_and_bytes_are_those_of_any_table(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[Row],
    codec: str,
    group: int,
    page: int,
) -> None:
    place = tmp_path_factory.getbasetemp() / "sized.parquet"
    frame = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    frame.write_parquet(place, compression=codec, row_group_size=group, data_page_size=page)  # type: ignore[arg-type]
    size = parquet_size(place)
    assert size.n_rows == len(frame)
    assert size.n_values >= 2 * len(frame) + sum(len(row[2]) for row in rows)
    # Pages hold each text at least once.
    assert size.n_bytes >= sum(len(text.encode()) for text in {row[0] for row in rows} if text)
    assert read_parquet(place, 10**6, 10**6).equals(frame)


def bomb(place: Path, n_rows: int) -> None:
    text = pl.repeat("x" * 50, n_rows)
    pl.select(text.alias("file"), pl.repeat(0.0, n_rows).alias("start_time")).write_parquet(place, compression="zstd")


def test_a_bomb_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb(tmp_path / "bomb.parquet", 3_000_000)
    assert (tmp_path / "bomb.parquet").stat().st_size < 100_000
    monkeypatch.setattr(pl, "read_parquet", None)
    with pytest.raises(ValueError, match=r"it holds \d+ values in 3000000 rows, more than 5000000"):
        read_parquet(tmp_path / "bomb.parquet", 5_000_000, 1 << 30)
    with pytest.raises(ValueError, match=r"it holds 22 MiB of data, more than 10"):
        read_parquet(tmp_path / "bomb.parquet", 1 << 30, 10 << 20)
    monkeypatch.setattr("ossicle.artefacts.tables._MOST_VALUES", 1000)
    with pytest.raises(ArtefactError, match="is not a whole Parquet table"):
        read_table(tmp_path / "bomb.parquet")


def varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
    return out + bytes([value])


def test_a_footer_that_says_less_than_the_pages_is_not_believed(tmp_path: Path) -> None:
    place = tmp_path / "x.parquet"
    frame = pl.DataFrame({"a": ["y" * 100_000]})
    frame.write_parquet(place, compression="zstd", statistics=False)
    data = place.read_bytes()
    length = int.from_bytes(data[-8:-4], "little")
    head, footer = data[: -8 - length], data[-8 - length : -8]
    honest = parquet_size(place)
    assert honest.n_bytes >= 100_000
    # The footer's own count, in the same number of bytes.
    true = next(n for n in range(100_000, 100_300) if varint(2 * n) in footer)
    lie = footer.replace(varint(2 * true), bytes([0x82, 0x80, 0x00]))
    assert lie != footer
    place.write_bytes(head + lie + data[-8:])
    assert parquet_size(place).n_bytes >= 100_000


@given(st.data())
def test_damaged_files_are_value_errors(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    out = io.BytesIO()
    pl.DataFrame({"a": ["x", None, "yy"], "b": [1, 2, 3], "c": [[1.0], [], None]}).write_parquet(out)
    raw = bytearray(out.getvalue())
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    raw = raw[: data.draw(st.one_of(st.just(len(raw)), st.integers(0, len(raw))))]
    place = tmp_path_factory.getbasetemp() / "damaged.parquet"
    place.write_bytes(raw)
    try:
        size = parquet_size(place)
    except ValueError:
        return
    assert min(size.n_rows, size.n_values, size.n_bytes) >= 0


@pytest.mark.parametrize("text", [b"", b"PAR1", b"PAR1" + b"\0" * 8 + b"PAR1", b"PAR1" + b"\xff" * 30 + b"PAR1"])
def test_what_is_no_parquet_is_a_value_error(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "x").write_bytes(text)
    with pytest.raises(ValueError, match=r"it has no footer|its footer is cut off"):
        parquet_size(tmp_path / "x")


@pytest.mark.parametrize(
    "footer", [b"\x1c" * 60, b"\x19\xfc" + b"\xff" * 9 + b"\x01", b"\x1b\xff\xff\xff\x7f\x00", b"\x15" + b"\xff" * 20]
)
def test_nested_and_endless_metadata_end(tmp_path: Path, footer: bytes) -> None:
    (tmp_path / "x").write_bytes(b"PAR1" + footer + len(footer).to_bytes(4, "little") + b"PAR1")
    with pytest.raises(ValueError, match=r"its|number"):
        parquet_size(tmp_path / "x")
