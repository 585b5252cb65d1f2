"""Pipes, devices, sparse files and bombs in the place of any file that a project names: a line, and no wait."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import soundfile

from ossicle.corpus.formats.cells import delimited

from ..conftest import Commands

RAVEN = "Selection\tBegin Time (s)\tEnd Time (s)\tAnnotation\n1\t1.0\t2.0\tcall\n"


def pipe(place: Path) -> None:
    os.mkfifo(place)


def zero(place: Path) -> None:
    os.symlink("/dev/zero", place)


def sparse(place: Path) -> None:
    with open(place, "wb") as file:
        file.truncate(6 << 30)


def bomb(place: Path) -> None:
    n_rows = 400_000
    columns = {"file": "x" * 50, "start_time": 0.0, "end_time": 1.0, "label": "a"}
    pl.select(*(pl.repeat(column, n_rows).alias(name) for name, column in columns.items())).write_parquet(place)


MAKERS: dict[str, Callable[[Path], None]] = {"pipe": pipe, "zero": zero, "sparse": sparse}
SAID = {"pipe": "not a regular file", "zero": "not a regular file", "sparse": "larger than 512 MiB"}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "audio").mkdir(parents=True)
    (folder / "tables").mkdir()
    for seed, name in enumerate(("siteA_1", "siteB_1")):
        soundfile.write(folder / "audio" / f"{name}.wav", np.random.default_rng(seed).normal(0, 0.1, 16000), 8000)
        (folder / "tables" / f"{name}.Table.1.selections.txt").write_text(RAVEN)
    write(folder)
    return folder


def write(folder: Path, corpus: str = 'annotations = "tables"', more: str = "", base: str = "recipe:tapes") -> None:
    text = f'base = "{base}"\n[corpus]\naudio = "audio"\n{corpus}\nname_template = "site{{site}}_*"\n{more}'
    (folder / "ossicle.toml").write_text(text)


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("name", ["b.selections.txt", "b.csv", "b.tsv", "b.parquet", "siteA_1.csv"])
def test_a_table_that_is_no_file_is_named(project: Path, ossicle: Commands, kind: str, name: str) -> None:
    MAKERS[kind](project / "tables" / name)
    words = "is not a complete Parquet table" if (kind, name) == ("sparse", "b.parquet") else SAID[kind]
    for command in (("run", "--until", "corpus", "--progress", "none"), ("check",), ("dataset", "health")):
        result = ossicle(*command, "-p", project)
        assert result.code == 2 if command[0] == "run" else result.code in (0, 2, 3), result
        if command[0] == "run":
            assert name in result.err, result
            assert words in result.err, result


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("setting", ["annotations", "metadata", "fetch", "base", "weights"])
def test_a_file_that_a_project_names_is_regular(project: Path, ossicle: Commands, kind: str, setting: str) -> None:
    MAKERS[kind](project / "x.csv")
    if setting == "annotations":
        write(project, 'annotations = "x.csv"')
    elif setting == "metadata":
        write(project, "", '[corpus.metadata]\ntable = "x.csv"\n', base="recipe:birds")
    elif setting == "fetch":
        write(project, more='[fetch]\ntable = "x.csv"\n')
    elif setting == "base":
        write(project, base="x.csv")
    else:
        write(project, more='[training]\npretrained = "x.csv"\n')
    for command in (("run", "--until", "corpus", "--progress", "none"), ("check",)):
        result = ossicle(*command, "-p", project)
        # What is not needed for the index is not opened by it.
        assert result.code in (0, 2, 3) if setting == "weights" or command[0] == "check" else result.code == 2, result


@pytest.mark.parametrize("named", ["/dev/zero", "/dev/stdin", "/dev/random", "/dev/tty"])
def test_a_device_in_the_place_of_the_annotations_is_named(project: Path, ossicle: Commands, named: str) -> None:
    write(project, f'annotations = "{named}"')
    result = ossicle("run", "--until", "corpus", "--progress", "none", "-p", project)
    assert result.code == 2, result
    assert f"[corpus] annotations: {named} is a pipe or a device" in result.err
    result = ossicle("check", "-p", project)
    assert result.code == 2
    assert "is neither a folder nor a file" in " ".join(result.out.split())


def test_a_bomb_among_the_tables_is_named(project: Path, ossicle: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb(project / "tables" / "bomb.parquet")
    monkeypatch.setattr(delimited, "MOST_CELLS", 1_000_000)
    result = ossicle("run", "--until", "corpus", "--progress", "none", "-p", project)
    assert result.code == 2
    assert "bomb.parquet: it holds 1600" in result.err


def test_one_text_for_many_cells_is_counted_for_each(
    project: Path, ossicle: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    n_rows = 10_000
    label = pl.repeat("x" * 10_000, n_rows).alias("label")
    columns = (pl.repeat("siteA_1.wav", n_rows).alias("file"), pl.repeat(0.0, n_rows).alias("start_time"))
    pl.select(*columns, pl.repeat(1.0, n_rows).alias("end_time"), label).write_parquet(project / "tables" / "b.parquet")
    monkeypatch.setattr(delimited, "MOST_TABLE_BYTES", 20 << 20)
    result = ossicle("run", "--until", "corpus", "--progress", "none", "-p", project)
    assert result.code == 2
    assert "b.parquet: its cells hold 95 MiB of text, more than 20; divide the table" in result.err
