"""A corpus in the old naming scheme through the command line: the project file is all that a user writes."""

import json
from pathlib import Path

import numpy as np
import pytest

from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.corpus.indexing.index_storage import read_index

from ....made_up.old_scheme import PROJECT, TAPES, OldCorpus, loud, make_corpus


@pytest.fixture
def made(tmp_path: Path) -> OldCorpus:
    (tmp_path / "ossicle.toml").write_text(PROJECT, encoding="utf-8")
    return make_corpus(tmp_path / "alpacas")


def index_of(folder: Path):
    paths = sorted(folder.glob("data/**/recordings.parquet"))
    assert len(paths) == 1, paths
    return read_index(CorpusFolder(paths[0].parent))


@pytest.mark.parametrize("only", ["tapes", "clips"])
def test_calls_are_indexed_where_they_are_heard_with_the_project_file_alone(ossicle, made, only):
    """Defects 1, 2, 5 and 9: dotted names, offsets in minutes, fields of names, no path of this machine."""
    folder = made.folder.parent
    chosen = () if only == "tapes" else ("--set", 'corpus.include=["labelled_recordings"]')
    health = ossicle("dataset", "health", "-p", folder, *chosen, "--json")
    assert health.code == 0, health.err
    content = json.loads(health.out)
    assert (content["annotations"], content["groups"]) == (len(made.calls), len({name.split("_")[0] for name in TAPES}))
    assert content["by_quality"] == {"1": 9, "2": 9, "3": 9, "4": 9}
    assert ossicle("run", "corpus", "-p", folder, *chosen).code == 0
    index = index_of(folder)
    assert len(index.recordings) == (5 if only == "tapes" else 10)
    assert str(folder) not in json.dumps([(recording.path, dict(recording.fields)) for recording in index.recordings])
    for recording in index.recordings:
        calls = [(note.start_s, note.end_s) for note in index.annotations if note.recording_id == recording.id]
        bursts = loud(made.folder / recording.path)
        known = bursts if recording.reviewed else bursts[(bursts[:, 0] < 60) | (bursts[:, 0] >= 120)]
        np.testing.assert_allclose(np.array(calls).reshape(-1, 2), known, atol=0.011)


def test_a_dataset_is_made_of_clips_and_tapes_known_in_part_say_so(ossicle, made):
    folder = made.folder.parent
    parts = ossicle("run", "dataset", "-p", folder)
    assert (parts.code, "reviewed only in part" in parts.err) == (2, True)
    clips = ossicle("run", "dataset", "-p", folder, "--set", 'corpus.include=["labelled_recordings"]')
    assert clips.code == 0, clips.err


def test_a_wrong_or_missing_unit_is_told_with_its_remedy_before_anything_is_decoded(ossicle, made):
    folder = made.folder.parent
    wrong = ossicle("dataset", "health", "-p", folder, "--set", "corpus.offset_unit=s")
    assert wrong.code == 2
    assert 'set offset_unit = "min"' in wrong.err
    missing = ossicle("dataset", "health", "-p", folder, "--set", "corpus.offset_unit=")
    assert missing.code == 2
    assert "[corpus] offset_unit is missing" in missing.err


def test_globs_of_nothing_are_told_by_check_and_run(ossicle, made):
    folder = made.folder.parent
    for command in (("check",), ("run", "corpus")):
        result = ossicle(*command, "-p", folder, "--set", 'corpus.include=["siteC/**"]')
        assert result.code in (1, 2)
        assert "leave none of the 15 audio files" in result.out + result.err
    result = ossicle("check", "-p", folder)
    assert "15 audio files" in result.out + result.err
