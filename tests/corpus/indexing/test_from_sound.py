"""Labels of whole recordings that begin with their sound: silence before a hit was trained as the hit."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from ossicle.app.project.load import load_project
from ossicle.app.steps.data import corpus
from ossicle.core.settings import digestible
from ossicle.corpus.indexing.corpus_index import CorpusIndex, index_corpus
from ossicle.corpus.indexing.settings import CorpusSettings

RATE = 8000
SILENCES_S = {"at_once": 0.0, "soon": 0.04, "late": 1.0}


def write_hits(folder: Path) -> Path:
    folder.mkdir()
    hit = np.random.default_rng(0).uniform(-0.5, 0.5, RATE // 4)
    for name, silence_s in SILENCES_S.items():
        soundfile.write(folder / f"{name}.wav", np.r_[np.zeros(round(silence_s * RATE)), hit], RATE)
    soundfile.write(folder / "silent.wav", np.zeros(RATE), RATE)
    return folder


def index(folder: Path, unfinished: Path | None = None, **more: object) -> CorpusIndex:
    settings = CorpusSettings(audio=str(folder), label_field="folder", **more)  # type: ignore[arg-type]
    return index_corpus(folder.parent, None, settings, group="recording", unfinished=unfinished)


def starts(corpus_index: CorpusIndex) -> dict[str, float]:
    paths = {recording.id: Path(recording.path).stem for recording in corpus_index.recordings}
    return {paths[annotation.recording_id]: annotation.start_s for annotation in corpus_index.annotations}


def test_a_label_begins_where_the_sound_does(tmp_path: Path) -> None:
    folder = write_hits(tmp_path / "kick")
    corpus_index = index(folder, tmp_path / "unfinished", from_sound=True)
    assert starts(corpus_index) == {"at_once": 0.0, "soon": 0.0, "late": 0.99}
    silent = [note for note in corpus_index.notes if note.kind == "silent_label"]
    assert [(note.where, note.lost) for note in silent] == [("kick/silent.wav", 1)]
    # An interrupted index goes on from what was found out.
    assert index(folder, tmp_path / "unfinished", from_sound=True) == corpus_index


def test_without_the_setting_labels_begin_with_their_recordings_and_digests_stay(tmp_path: Path) -> None:
    folder = write_hits(tmp_path / "kick")
    assert starts(index(folder)) == dict.fromkeys([*SILENCES_S, "silent"], 0.0)
    assert "from_sound" not in str(digestible(CorpusSettings(audio="a")))


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"decode": False, "label_field": "folder"}, "and decode = false"),
        ({"label_fields": {"ac": "on"}}, "without label_field"),
        ({"manifest": "events.jsonl"}, "without label_field"),
        ({"annotations": "tables"}, "without label_field"),
    ],
)
def test_the_setting_is_refused_where_it_would_be_ignored(more: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"from_sound = true {message}"):
        CorpusSettings(audio="" if "manifest" in more else "a", from_sound=True, **more)


def test_headers_alone_can_be_read_of_a_project_with_the_setting(tmp_path: Path) -> None:
    write_hits(tmp_path / "kick")
    lines = '[corpus]\naudio = "."\nlabel_field = "folder"\nfrom_sound = true\n'
    (tmp_path / "ossicle.toml").write_text(f'base = "recipe:drums"\n{lines}')
    corpus_index = corpus.index_of(load_project(tmp_path / "ossicle.toml"), decode=False)
    assert starts(corpus_index) == dict.fromkeys([*SILENCES_S, "silent"], 0.0)


def test_the_sound_of_the_channel_that_is_read_counts(tmp_path: Path) -> None:
    """A constant offset in the other channel hid a second of silence."""
    (tmp_path / "kick").mkdir()
    hit = np.random.default_rng(0).uniform(-0.5, 0.5, RATE // 4)
    left = np.r_[np.zeros(RATE), hit]
    soundfile.write(tmp_path / "kick" / "a.wav", np.column_stack([left, np.full(len(left), 0.3)]), RATE)
    settings = CorpusSettings(audio=str(tmp_path / "kick"), label_field="folder", from_sound=True)
    for channel, expected in (("first", {"a": 0.99}), ("loudest", {"a": 0.99}), ("mean", {"a": 0.99}), ("2", {})):
        corpus_index = index_corpus(tmp_path, None, settings, group="recording", channel=channel)
        assert starts(corpus_index) == expected
    note = next(note for note in corpus_index.notes if note.kind == "silent_label")
    assert note.message == "is labelled kick, but what is read of it holds no sound: the label was skipped"
