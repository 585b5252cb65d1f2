"""Names with blanks, dots, quotes, controls, twins of Unicode and other scripts, from recordings to tables and back."""

import csv
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ossicle.app.cli.printable import json_text, printable
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.audio.wav import write_wav
from ossicle.core.errors import FormatError
from ossicle.core.text.controls import first_control
from ossicle.corpus.clips.event_cutouts import INDEX, CutOuts
from ossicle.corpus.formats.cells.rows import RawSelection
from ossicle.corpus.indexing.corpus_index import index_corpus
from ossicle.corpus.indexing.index_storage import read_index, write_index
from ossicle.corpus.indexing.settings import CorpusSettings
from ossicle.corpus.naming.table_names import table_places, writable

from ...made_up.names import ODD, file_names
from ..conftest import Commands

RATE = 8000
NAMES = st.lists(file_names(), min_size=1, max_size=4, unique=True)


def record(place: Path, seed: int) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    write_wav(place, np.random.default_rng(seed).normal(0, 0.1, RATE // 4).astype(np.float32), RATE)


@settings(deadline=None, max_examples=40)
@given(NAMES)
def test_every_recording_is_in_the_index_once_or_left_out_with_a_reason(names: list[str]) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        for seed, name in enumerate(names):
            record(Path(scratch) / "audio" / f"{name}.wav", seed)
        # Files whose names begin with a dot are hidden, and not recordings.
        there = [path.name for path in (Path(scratch) / "audio").iterdir() if not path.name.startswith(".")]
        if not there:
            return
        corpus_index = index_corpus(
            Path(scratch) / "audio", None, CorpusSettings(audio="audio"), group="recording", workers=1
        )
        named = [
            *(recording.path for recording in corpus_index.recordings),
            *(left_out.path for left_out in corpus_index.left_out),
        ]
        assert len(named) == len(set(named)) == len(there)
        assert all(left_out.reason for left_out in corpus_index.left_out)
        assert len({recording.id for recording in corpus_index.recordings}) == len(corpus_index.recordings)
        own = CorpusFolder(Path(scratch) / "index")
        own.path.mkdir()
        write_index(corpus_index, own)
        again = read_index(own)
        assert again.recordings == corpus_index.recordings
        assert again.left_out == corpus_index.left_out


def places_of(names: Iterable[str]) -> dict[str, PurePosixPath]:
    """Return the places of tables; none where two names cannot have places of their own, which says so."""
    try:
        return table_places(names)
    except FormatError as problem:
        if "rename" not in str(problem):
            raise
        return {}


@settings(deadline=None, max_examples=200)
@given(NAMES)
def test_tables_have_places_of_their_own_below_the_folder(names: list[str]) -> None:
    places = places_of(f"{writable(name)}.wav" for name in names)
    assert len(set(places.values())) == len(places)
    for place in places.values():
        assert not place.is_absolute()
        assert ".." not in place.parts
        assert first_control(str(place)) is None
        assert len(place.name.encode()) <= 220


@settings(deadline=None, max_examples=30)
@given(NAMES)
def test_cutouts_of_any_name_are_listed_and_there(names: list[str]) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        audio, out = Path(scratch) / "a.wav", Path(scratch) / "out"
        record(audio, 0)
        unique = sorted({f"{writable(name)}.wav" for name in names})
        if not places_of(unique):
            return
        cut = CutOuts(out, unique)
        for name in unique:
            cut.write(name, audio, [RawSelection(0.05, 0.1, "call")])
        cut.write_index()
        data = (out / INDEX).read_bytes().decode()
        rows = list(csv.DictReader(data.splitlines(keepends=True)))
        assert len(rows) == len(unique)
        for row in rows:
            file = row["file"].removeprefix("'")
            assert (out / file).is_file()
        assert first_control("".join(data.split("\n"))) is None


def test_predict_names_every_odd_recording(tmp_path: Path, ossicle: Commands, old_bundle: Path) -> None:
    # One in a folder would share the table of the other, were the colon the end of a drive.
    for seed, name in enumerate((*ODD, "b", "a/b")):
        record(tmp_path / "in" / f"{name}.wav", seed)
    there = (
        len([*(tmp_path / "in" / "a").iterdir()])
        - 1
        + sum(not path.name.startswith(".") for path in (tmp_path / "in").iterdir())
    )
    result = ossicle("predict", old_bundle, tmp_path / "in", "-o", tmp_path / "out", "--format", "csv,raven")
    assert result.code in (0, 3), result
    assert printable(result.out + result.err) == result.out + result.err
    text = (tmp_path / "out" / "predictions.json").read_text()
    assert first_control(text.replace("\n", "")) is None
    listed = json.loads(text)["recordings"]
    assert len(listed) == len({one["recording"] for one in listed}) == there
    assert {one["status"] for one in listed} <= {"ok", "left_out"}
    assert all(one["reason"] for one in listed if one["status"] == "left_out")
    for path in (tmp_path / "out").rglob("*"):
        assert first_control(str(path)) is None
        if path.suffix in (".csv", ".txt"):
            assert not any(first_control(cell) for cell in path.read_text().replace("\t", "").splitlines())


@given(
    st.recursive(st.text(st.characters()), lambda inner: st.dictionaries(st.text(st.characters()), inner, max_size=3))
)
def test_json_of_any_text_is_printable_and_comes_back(value: object) -> None:
    text = json_text(value)
    assert text.replace("\n", "").isprintable()
    assert json.loads(text) == json.loads(json.dumps(value))


@pytest.mark.parametrize(
    "command", ["check", "dataset health", "status", "leaderboard", "run --until dataset --progress none"]
)
def test_commands_print_no_order_from_names(tmp_path: Path, ossicle: Commands, command: str) -> None:
    for seed, name in enumerate(ODD):
        record(tmp_path / "in" / f"{name}.wav", seed)
    (tmp_path / "e.csv").write_text("file,start_time,end_time,label\n.hidden.wav,0.1,0.2,x\na..b.wav,0.1,0.2,x\n")
    (tmp_path / "ossicle.toml").write_text('base = "recipe:tapes"\n[corpus]\naudio = "in"\nannotations = "e.csv"\n')
    for more in ((), ("--json",)):
        result = ossicle(*command.split(), "-p", tmp_path, *more)
        assert result.code in (0, 2, 3), result
        assert printable(result.out + result.err) == result.out + result.err


def test_a_message_about_a_huge_value_keeps_key_and_remedy(tmp_path: Path) -> None:
    value = "x" * 100_000
    (tmp_path / "ossicle.toml").write_text(f'[corpus]\naudio = "in"\n[jobs]\non = "{value}"\n')
    command = (sys.executable, "-m", "ossicle", "status", "-p", str(tmp_path))
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert len(result.stderr) < 10_000
    assert "[jobs] on" in result.stderr
    assert "characters left out ...]" in result.stderr
    assert "slurm" in result.stderr[-200:]
