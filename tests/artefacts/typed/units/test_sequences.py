from pathlib import Path

import numpy as np
import polars as pl

from ossicle.artefacts.typed.units.sequences import SequencesFolder, rows_of


def part(*rows: tuple[str, list[int], list[int], list[int]]) -> pl.DataFrame:
    ids, units, runs, frames = zip(*rows, strict=True) if rows else ((), (), (), ())
    columns = [ids, [one.split("#")[0] for one in ids], ["a"] * len(ids), [0.5] * len(ids), units, runs, frames]
    return pl.DataFrame(
        [
            pl.Series(name, list(values), dtype=kind)
            for (name, kind), values in zip(SequencesFolder.SCHEMA.items(), columns, strict=True)
        ]
    )


def test_parts_become_one_table_in_order(tmp_path: Path) -> None:
    folder = SequencesFolder(tmp_path)
    folder.write_part("shard-0001", part(("b#0000", [], [], []), ("b#0001", [2, 2], [2], [2])))
    folder.write_part("shard-0000", part(("a#0000", [1, 0, 0], [1, 0], [1, 2])))
    folder.write_part("shard-0002", part())
    assert folder.has_part("shard-0002")
    assert not folder.has_part("shard-0003")
    folder.join_parts(["shard-0000", "shard-0001", "shard-0002"], {"n_units": 3})
    assert folder.summary == {"n_units": 3, "segments": 3, "frames": 5, "runs": 3}
    assert [row.segment_id for row in folder.rows()] == ["a#0000", "b#0000", "b#0001"]
    assert [row.units.tolist() for row in folder.rows()] == [[1, 0, 0], [], [2, 2]]
    assert [one.tolist() for one in folder.column("run_frames")] == [[1, 2], [], [2]]
    assert not folder.parts.exists()


def test_a_step_that_was_killed_after_the_table_joins_nothing_again(tmp_path: Path) -> None:
    folder = SequencesFolder(tmp_path)
    folder.write_part("shard-0000", part(("a#0000", [1], [1], [1])))
    folder.join_parts(["shard-0000"], {"n_units": 3})
    before = folder.table_file.read_bytes()
    # Some parts were removed already, and all of them count as done.
    folder.write_part("shard-0000", part())
    assert folder.has_part("shard-0001")
    SequencesFolder(tmp_path).join_parts(["shard-0000", "shard-0001"], {"n_units": 3})
    assert folder.table_file.read_bytes() == before
    assert not folder.parts.exists()


def test_no_segments_are_an_empty_table(tmp_path: Path) -> None:
    folder = SequencesFolder(tmp_path)
    folder.join_parts([], {"n_units": 3})
    assert folder.summary == {"n_units": 3, "segments": 0, "frames": 0, "runs": 0}
    assert list(folder.rows()) == []


def test_lists_come_back_as_arrays() -> None:
    column = pl.Series([[], [1, 2], [], [3]], dtype=pl.List(pl.Int16))
    result = rows_of(column)
    assert [one.tolist() for one in result] == [[], [1, 2], [], [3]]
    assert all(one.dtype == np.int16 for one in result)
    assert rows_of(column.filter(column.list.len() < 1))[1].dtype == np.int16
    assert rows_of(column.clear()) == []
