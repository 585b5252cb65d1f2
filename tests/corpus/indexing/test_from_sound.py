"""Labels of whole recordings that begin with their sound: silence before a hit was trained as the hit."""

from pathlib import Path

import numpy as np
import soundfile

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


def starts(found: CorpusIndex) -> dict[str, float]:
    paths = {recording.id: Path(recording.path).stem for recording in found.recordings}
    return {paths[annotation.recording_id]: annotation.start_s for annotation in found.annotations}


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
    assert starts(index(folder, from_sound=True, decode=False)) == dict.fromkeys([*SILENCES_S, "silent"], 0.0)
