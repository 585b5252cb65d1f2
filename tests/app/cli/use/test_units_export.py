"""A units project through the command line up to its motifs, and ``ossicle units export`` in all forms."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ossicle.app.project.load import load_project
from ossicle.app.steps.engine.step import Silent, find_steps
from ossicle.app.steps.pipeline.pipelines import steps_of
from ossicle.app.steps.pipeline.run_project import run_project
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.artefacts.typed.units.motifs import MotifsFolder
from ossicle.artefacts.typed.units.sequences import SequenceRow, SequencesFolder
from ossicle.corpus.indexing.index_storage import read_index
from ossicle.units.bpe.merges import Merges
from ossicle.units.sequences import runs_of

from ....made_up.speech_like import write_speech
from ...conftest import Commands

PROJECT = """
base = "recipe:units"
[project]
name = "made-up"
[corpus]
audio = "audio"
name_template = "{speaker}_*"
[split]
group = "speaker"
[segments]
threshold_db = -30
min_silence_s = 0.4
shortest_s = 0.5
[quantiser]
k = 12
[motifs]
vocabulary = 40
min_count = 4
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_speech(tmp_path_factory.mktemp("export"), words=10)
    (folder / "ossicle.toml").write_text(PROJECT)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("OSSICLE_DATA_ROOT", raising=False)
        run_project(load_project(folder), Silent(), until="motifs")
    return folder


def folders(project: Path) -> tuple[SequencesFolder, MotifsFolder]:
    loaded = load_project(project)
    result = {name: path for name, path in find_steps(steps_of(loaded), loaded).items() if path is not None}
    return SequencesFolder.among(result), MotifsFolder.among(result)


def by_path(project: Path) -> list[SequenceRow]:
    """The segments in the order of the names of their recordings."""
    sequences, _ = folders(project)
    loaded = load_project(project)
    path = find_steps(steps_of(loaded), loaded)["corpus"]
    assert path is not None
    paths = {recording.id: recording.path for recording in read_index(CorpusFolder(path)).recordings}
    return sorted(sequences.rows(), key=lambda row: (paths[row.recording_id], row.segment_id))


def test_motifs_of_real_units_cross_units_and_lose_none(finished: Path) -> None:
    sequences, motifs = folders(finished)
    merges = Merges.from_json(motifs.merges)
    tokens = [merges.decode(one).tolist() for one in motifs.tokens["tokens"].to_list()]
    assert tokens == [one.tolist() for one in sequences.column("runs")]
    assert motifs.table["units"].list.len().min() >= 2
    assert motifs.summary["reached"] == 12 + len(motifs.table)
    assert motifs.summary["reason"] or motifs.summary["reached"] == 40
    assert motifs.table["coverage"].is_sorted(descending=True)


def test_status_says_how_many_motifs_there_are_and_why_not_more(finished: Path, ossicle: Commands) -> None:
    _, motifs = folders(finished)
    result = ossicle("status", "-p", finished)
    words = f"{motifs.summary['reached']} of 40 tokens, {len(motifs.table)} of them motifs"
    assert words in " ".join(result.out.split())


def test_json_has_a_line_for_each_segment_with_timed_runs(finished: Path, tmp_path: Path, ossicle: Commands) -> None:
    result = ossicle("units", "export", "-p", finished, "-o", tmp_path / "out", "--json")
    assert result.code == 0, result
    content = json.loads(result.out)
    lines = [json.loads(line) for line in Path(content["written"][0]).read_text().splitlines()]
    rows = by_path(finished)
    assert content["segments"] == len(lines) == len(rows)
    for line, row in zip(lines, rows, strict=True):
        assert (line["segment_id"], line["group"], line["start_s"]) == (row.segment_id, row.group, row.start_s)
        assert line["recording"].startswith("speaker")
        assert line["units"] == row.units.tolist()
        assert [run["unit"] for run in line["runs"]] == row.runs.tolist()
        assert line["runs"][0]["start_s"] == pytest.approx(row.start_s + 0.0025)
        assert line["runs"][-1]["end_s"] <= line["end_s"]


def test_text_has_a_line_for_each_segment(finished: Path, tmp_path: Path, ossicle: Commands) -> None:
    assert ossicle("units", "export", "-p", finished, "-o", tmp_path, "--format", "text").code == 0
    units, runs, segments = (
        (tmp_path / name).read_text().splitlines() for name in ("units.txt", "runs.txt", "segments.txt")
    )
    rows = by_path(finished)
    assert len(units) == len(runs) == len(segments) == len(rows)
    for line, short, row in zip(units, runs, rows, strict=True):
        assert [int(one) for one in line.split()] == row.units.tolist()
        assert short.split() == [str(unit) for unit in runs_of(row.units).units]
    start_s, end_s, name = segments[0].split(" ")
    assert 0 <= float(start_s) < float(end_s)
    assert json.loads(name) == "speaker0_0.wav"


def test_files_of_the_user_stay_and_written_ones_are_replaced(
    finished: Path, tmp_path: Path, ossicle: Commands
) -> None:
    command = ("units", "export", "-p", finished, "-o", tmp_path, "--format", "text")
    (tmp_path / "segments.txt").write_text("mine\n")
    said = ossicle(*command)
    assert (said.code, said.out) == (2, "")
    assert f"{tmp_path / 'segments.txt'} would be overwritten" in said.err
    assert [path.name for path in tmp_path.iterdir()] == ["segments.txt"]
    (tmp_path / "segments.txt").unlink()
    assert [ossicle(*command).code for _ in range(2)] == [0, 0]
    (tmp_path / "units.txt").write_text("corrected\n")
    said = ossicle(*command)
    assert (said.code, said.out) == (2, "")
    assert f"{tmp_path / 'units.txt'} would be overwritten, and it was changed after it was written" in said.err


def test_the_old_files_are_written_with_true_times(finished: Path, tmp_path: Path, ossicle: Commands) -> None:
    result = ossicle("units", "export", "-p", finished, "-o", tmp_path, "--format", "old")
    assert result.code == 0
    corpus = json.loads((tmp_path / "made-up_corpus_timestamped.json").read_text())
    lines = (tmp_path / "all_units_for_bpe.txt").read_text().splitlines()
    assert [one["units"] for one in corpus.values()] == [
        sequence_row.units.tolist() for sequence_row in by_path(finished)
    ]
    assert [[int(unit) for unit in line.split()] for line in lines] == [one["units"] for one in corpus.values()]
    name, first = next(iter(corpus.items()))
    assert name == "speaker0_0_seg_0000"
    assert first["timestamps"][:2] == [0.0125, 0.0325]
    assert len(first["timestamps"]) == first["num_frames"] == len(first["units"])
    assert 0 <= first["duration_sec"] - first["timestamps"][-1] < 0.0325


def test_an_example_is_where_the_table_says(finished: Path) -> None:
    sequences, motifs = folders(finished)
    rows = {row.segment_id: row for row in sequences.rows()}
    for motif in motifs.table.head(5).to_dicts():
        for example in motif["examples"]:
            row = rows[example["segment_id"]]
            first, last = (round((example[key] - row.start_s - 0.0025) / 0.02) for key in ("start_s", "end_s"))
            assert runs_of(row.units[first:last]).units.tolist() == motif["units"]
    text = pl.read_csv(motifs.text_file, separator="\t")
    assert text.columns == [*motifs.SCHEMA, "n_units"]


def test_recordings_of_a_speaker_get_the_units_of_the_project(finished: Path, ossicle: Commands) -> None:
    rows = [row for row in by_path(finished) if row.group == "speaker0"]
    files = sorted((finished / "audio").glob("speaker0_*.wav"))
    result = ossicle("units", "encode", finished / "quantiser", *files, "--cut", "--one-group", "--json")
    assert result.code == 0, result
    found = [segment for line in result.out.splitlines() for segment in json.loads(line)["segments"]]
    assert [(one["start_s"], len(one["units"])) for one in found] == [(row.start_s, len(row.units)) for row in rows]
    # The project stores frames in 16 bits, which moves a few of them to a neighbouring unit.
    same = np.concatenate([np.array(one["units"]) == row.units for one, row in zip(found, rows, strict=True)])
    assert same.mean() > 0.97


@pytest.mark.parametrize(
    ("words", "message"),
    [(("--format", "xml"), "--format xml is not one of: json, text, old"), (("--set", "quantiser.k=13"), "--until")],
)
def test_what_cannot_be_exported_says_why(
    words: tuple[str, str], message: str, finished: Path, tmp_path: Path, ossicle: Commands
) -> None:
    result = ossicle("units", "export", "-p", finished, "-o", tmp_path, *words)
    assert (result.code, message in result.err) == (2, True), result
