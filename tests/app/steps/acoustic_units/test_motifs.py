"""Step ``motifs``: what is found, why there is not more, when it is heard, and how it is written."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ossicle.app.project.load import Project, load_project
from ossicle.app.steps.acoustic_units import motifs
from ossicle.app.steps.data import corpus
from ossicle.app.steps.engine.step import Context, Silent, run_steps
from ossicle.artefacts.files import read_json
from ossicle.artefacts.logs.journal import Journal
from ossicle.artefacts.logs.runlog import RunLog
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.artefacts.typed.units.motifs import MotifsFolder
from ossicle.artefacts.typed.units.sequences import SequencesFolder
from ossicle.core.errors import UsageError
from ossicle.corpus.indexing.index_storage import read_index
from ossicle.units.bpe.merges import Merges
from ossicle.units.sequences import runs_of

from ....made_up.speech_like import write_speech

MOTIF = [7, 3, 9, 5]
K = 20


class Spoken(Silent):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


def write_sequences(folder: Path, recordings: list[str], planted: bool = True) -> SequencesFolder:
    """Write sequences of random units, with the motif 25 times in each of the segments, 2 frames a unit."""
    rng = np.random.default_rng(0)
    own = SequencesFolder(folder)
    rows = []
    for recording in recordings:
        parts = [[*rng.integers(0, K, 9).tolist(), *(MOTIF if planted else [])] for _ in range(25)]
        units = np.repeat([unit for part in parts for unit in part], 2)
        runs = runs_of(units)
        rows.append((f"{recording}#0000", recording, recording[:1], 1.5, units, runs.units, runs.frames))
    own.write_part("all", pl.DataFrame(rows, schema=dict(SequencesFolder.SCHEMA), orient="row"))
    summary = {"n_units": K, "hop_s": 0.02, "origin_s": 0.0125, "quantiser": "f00", "left_out": {}}
    own.join_parts(["all"], summary)
    return own


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = write_speech(tmp_path_factory.mktemp("motifs"), words=1)
    (folder / "ossicle.toml").write_text(
        'base = "recipe:units"\n[corpus]\naudio = "audio"\n[quantiser]\nk = 20\n[motifs]\nvocabulary = 60\n'
    )
    return load_project(folder)


def made(project: Project, tmp_path: Path, planted: bool = True, *changes: str) -> tuple[MotifsFolder, list[str]]:
    index = run_steps((corpus.STEP,), project, Silent()).artefacts[corpus.STEP.name]
    recordings = [one.id for one in read_index(CorpusFolder(index)).recordings]
    sequences = write_sequences(tmp_path / "sequences", recordings, planted)
    out, progress = tmp_path / "motifs", Spoken()
    out.mkdir()
    inputs = {"corpus": index, "sequences": sequences.path}
    log, journal = RunLog(out / "run.jsonl"), Journal(out / "journal.jsonl")
    motifs.run(Context(load_project(project.file, changes), inputs, out, progress, log, journal, {}))
    return MotifsFolder(out), progress.lines


def test_a_motif_is_found_with_times_and_tokens_of_every_segment(project: Project, tmp_path: Path) -> None:
    own, _ = made(project, tmp_path)
    rows = {tuple(row["units"]): row for row in own.table.to_dicts()}
    row = rows[tuple(MOTIF)]
    assert 90 <= row["merged"] <= 100
    assert row["segments"] == 4
    assert row["by_chance"] < 20
    # Units of 0.04 s; a neighbour that equals the first or last one makes a motif longer.
    assert 0.16 <= row["mean_s"] <= 0.17
    assert row["sd_s"] < 0.02
    assert row["coverage"] == pytest.approx(row["count"] * row["mean_s"] / (4 * 25 * 13 * 0.04))

    sequences = SequencesFolder(tmp_path / "sequences")
    merges = Merges.from_json(own.merges)
    tokens = [np.array(one) for one in own.tokens["tokens"].to_list()]
    assert [merges.decode(token).tolist() for token in tokens] == [one.tolist() for one in sequences.column("runs")]
    by_id = {sequence_row.segment_id: sequence_row for sequence_row in sequences.rows()}
    for example in row["examples"]:
        segment = by_id[example["segment_id"]]
        assert example["recording_id"] == segment.recording_id
        # The motif is where the example says: frame k begins at 1.5 + 0.0025 + 0.02 k seconds.
        first, last = (round((example[key] - 1.5 - 0.0025) / 0.02) for key in ("start_s", "end_s"))
        assert runs_of(segment.units[first:last]).units.tolist() == MOTIF


@pytest.mark.parametrize("vocabulary", [99, 100])
def test_a_vocabulary_without_room_for_motifs_is_refused_at_once(project: Project, vocabulary: int) -> None:
    with pytest.raises(UsageError, match=rf"\[motifs\] vocabulary = {vocabulary}: the 100 units.*above 100"):
        load_project(project.file, ["quantiser.k=100", f"motifs.vocabulary={vocabulary}"])


def test_why_there_are_no_more_tokens_is_written_and_said(project: Project, tmp_path: Path) -> None:
    own, lines = made(project, tmp_path)
    reason = "the other pairs that occur 10 times or more are no more frequent than chance"
    assert (own.summary["asked"], own.summary["reason"]) == (60, reason)
    reached = own.summary["reached"]
    assert K < reached < 60
    assert lines == [f"{reached} of 60 tokens, {reached - K} of them motifs: {reason}"]
    assert own.summary["quantiser"] == own.merges["quantiser"] == "f00"


def test_the_text_table_names_units_and_recordings(project: Project, tmp_path: Path) -> None:
    own, _ = made(project, tmp_path)
    table = pl.read_csv(own.text_file, separator="\t")
    assert table["token"].to_list() == own.table["token"].to_list()
    row = table.filter(pl.col("units") == "7 3 9 5").to_dicts()[0]
    assert row["n_units"] == 4
    assert row["examples"].split("; ")[0].startswith("speaker")


def test_random_units_have_no_motifs(project: Project, tmp_path: Path) -> None:
    own, lines = made(project, tmp_path, False)
    assert len(own.table) == 0
    assert lines == ["20 of 60 tokens, 0 of them motifs: no other pair of tokens occurs 10 times or more"]


def test_a_vocabulary_below_the_units_says_which_key_to_change(project: Project, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"\[motifs\] vocabulary = 19: .* 20 units of \[quantiser\] k; set it to 20"):
        made(project, tmp_path, True, "motifs.vocabulary=19", "quantiser.k=18")


def test_equal_input_gives_equal_bytes(project: Project, tmp_path: Path) -> None:
    (first, _), (second, _) = (made(project, tmp_path / str(i)) for i in range(2))
    for name in ("table_file", "text_file", "tokens_file", "merges_file", "summary_file"):
        assert getattr(first, name).read_bytes() == getattr(second, name).read_bytes()
    assert read_json(first.merges_file)["format"] == 1
