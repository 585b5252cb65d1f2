import csv
import os
from pathlib import Path
from random import Random

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ossicle.artefacts.tables import read_table, write_csv, write_table
from ossicle.core.errors import ArtefactError

ROWS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "ä ö"]),
        st.integers(0, 3),
        # + 0.0: the order of 0.0 and -0.0 under one key is the frame's
        st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False).map(lambda x: x + 0.0)),
    ),
    max_size=30,
)
SCHEMA = {"id": pl.String, "n": pl.Int64, "score": pl.Float64}


def frame_of(rows: list[tuple[str, int, float | None]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


@settings(deadline=None, max_examples=40)
@given(rows=ROWS, random=st.randoms(use_true_random=False))
def test_equal_rows_give_equal_bytes(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, int, float | None]], random: Random
) -> None:
    folder = tmp_path_factory.mktemp("t")
    shuffled = list(rows)
    random.shuffle(shuffled)
    cut = random.randint(0, len(shuffled))
    in_chunks = pl.concat([frame_of(shuffled[:cut]), frame_of(shuffled[cut:])], rechunk=False)
    write_table(folder / "one.parquet", frame_of(rows), ["id", "n"])
    write_table(folder / "two.parquet", in_chunks, ["id", "n"])
    assert (folder / "one.parquet").read_bytes() == (folder / "two.parquet").read_bytes()
    back = read_table(folder / "one.parquet", SCHEMA)
    assert [row[:2] for row in back.rows()] == sorted(row[:2] for row in rows)
    assert sorted(map(repr, back.rows())) == sorted(map(repr, rows))


def test_categories_do_not_depend_on_order_of_appearance(tmp_path: Path) -> None:
    for name, values in {"1": ["x", "y"], "2": ["y", "x"]}.items():
        frame = pl.DataFrame({"c": pl.Series(values, dtype=pl.Categorical)})
        write_table(tmp_path / name, frame, ["c"])
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()
    assert read_table(tmp_path / "1", {"c": pl.String}).rows() == [("x",), ("y",)]


@pytest.mark.parametrize("sort_by", [["a"], []])
def test_chunks_in_memory_do_not_reach_the_file(tmp_path: Path, sort_by: list[str]) -> None:
    whole = pl.DataFrame({"a": list(range(300)), "n": [[k] for k in range(300)]}).select("a", "n")
    parts = pl.concat([whole[:7], whole[7:200], whole[200:]], rechunk=False)
    # polars takes a frame that is known to be sorted as it is, in its chunks
    for name, frame in {"1": whole, "2": parts.with_columns(pl.col("a").set_sorted())}.items():
        write_table(tmp_path / name, frame if sort_by else frame.select("n"), sort_by)
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()


@pytest.mark.parametrize("name", ["site=3/fold=1/t [a-z] *.parquet", "Käuzchen. 1.2 .parquet", "x?.parquet"])
def test_names_mean_nothing(tmp_path: Path, name: str) -> None:
    frame = pl.DataFrame({"a": [1], "n": [[1, 2]]})
    write_table(tmp_path / name, frame, ["a"])
    assert read_table(tmp_path / name).equals(frame)


def test_an_unknown_key_column_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no column b to sort by; there are: a"):
        write_table(tmp_path / "t", pl.DataFrame({"a": [1]}), ["b"])
    assert os.listdir(tmp_path) == []


def test_damage_is_an_artefact_error(tmp_path: Path) -> None:
    place = tmp_path / "t.parquet"
    write_table(place, pl.DataFrame({"a": list(range(1000))}), ["a"])
    raw = place.read_bytes()
    for damaged in (b"", raw[:4], raw[: len(raw) // 2], raw[:-1], b"x" * len(raw), raw[:-9] + b"\xff" * 9):
        place.write_bytes(damaged)
        with pytest.raises(ArtefactError, match=r"t\.parquet is not a whole Parquet table"):
            read_table(place)
    place.unlink()
    with pytest.raises(ArtefactError, match=r"t\.parquet is missing"):
        read_table(place)


def test_schema_is_checked_and_orders_columns(tmp_path: Path) -> None:
    place = tmp_path / "t.parquet"
    write_table(place, pl.DataFrame({"extra": ["e"], "b": [1.5], "a": [1]}), ["a"])
    assert read_table(place, {"a": pl.Int64, "b": pl.Float64}).columns == ["a", "b", "extra"]
    with pytest.raises(ArtefactError, match="no column 'c'"):
        read_table(place, {"c": pl.Int64})
    with pytest.raises(ArtefactError, match="'a' is Int64, not String"):
        read_table(place, {"a": pl.String})


def test_csv_is_safe_in_a_spreadsheet(tmp_path: Path) -> None:
    place = tmp_path / "t.csv"
    cells = ["=1+1", "+x", "-3.5", "@sum", "\tx", "\rx", "'=x", "a=b", " =x", 'q"', "a\nb", "é, ok"]
    frame = pl.DataFrame(
        {
            "=text": cells,
            "kind": pl.Series(["=a"] * 12, dtype=pl.Categorical),
            "n": [-1] * 12,
            "f": [0.1 + 0.2, -1e-9, -2 / 3, 1e-7, 12345678.25, -0.0, 1.0, 0.5, 5e-7, 1 / 3, 2.0, None],
        }
    )
    write_csv(place, frame)
    with open(place, newline="", encoding="utf-8") as handle:
        heading, *rows = csv.reader(handle)
    assert heading == ["'=text", "kind", "n", "f"]
    assert [row[0] for row in rows] == [("'" + cell if cell[0] in "=+-@\t\r" else cell) for cell in cells]
    assert {row[1] for row in rows} == {"'=a"}
    assert {row[2] for row in rows} == {"-1"}
    assert [row[3] for row in rows[:3]] == ["0.3", "0.0", "-0.666667"]
    assert rows[5][3] == "0.0"
    assert rows[11][3] == ""


def test_csv_rounds_single_precision_as_double(tmp_path: Path) -> None:
    write_csv(tmp_path / "t.csv", pl.DataFrame({"f": pl.Series([0.1, 0.123456789], dtype=pl.Float32)}))
    assert (tmp_path / "t.csv").read_text() == "f\n0.1\n0.123457\n"
