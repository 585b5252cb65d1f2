"""Indexes of corpora in the old naming, and what tests compare of them."""

from dataclasses import replace

from ossicle.corpus.indexing.corpus_index import CorpusIndex, index_corpus
from ossicle.corpus.indexing.settings import CorpusSettings

from ...made_up.old_scheme import OldCorpus

SETTINGS = CorpusSettings(
    audio="alpacas",
    annotations="alpacas/segmented",
    default_label="hum",
    name_template="{animal}_{date:#}_*",
    clip_names=("{tape:*}.wav_{start:#}_{end:#}",),
    offset_unit="min",
    segment_names=("{clip:*}_{start:#}_{end:#}Q{quality:1|2|3|4}",),
)
CLIPS_ONLY = replace(SETTINGS, include=("labelled_recordings",))


def index(corpus: OldCorpus, settings: CorpusSettings = SETTINGS, group: str = "tape") -> CorpusIndex:
    return index_corpus(corpus.folder, corpus.segments, settings, group=group, workers=2)


def times(found: CorpusIndex) -> dict[str, list[tuple[float, float]]]:
    out: dict[str, list[tuple[float, float]]] = {recording.path: [] for recording in found.recordings}
    paths = {recording.id: recording.path for recording in found.recordings}
    for note in found.annotations:
        out[paths[note.recording_id]].append((note.start_s, note.end_s))
    return out


def told(found: CorpusIndex) -> dict[str, list[str]]:
    out: dict[str, list[str]] = {}
    for note in found.notes:
        out.setdefault(note.kind, []).append(note.where)
    return out
