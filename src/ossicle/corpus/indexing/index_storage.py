"""A corpus index as a folder: two Parquet tables and a JSON file, each written atomically.

Further tables hold the stretches of partly checked recordings, the annotations of the files before reviews, and
uncertain labels of recordings; each exists only if needed.
"""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from ossicle.artefacts.files import read_json, write_json
from ossicle.artefacts.tables import read_table, write_table
from ossicle.audio.levels import Levels
from ossicle.core.errors import ArtefactError
from ossicle.core.records import Annotation
from ossicle.corpus.indexing.corpus_index import CorpusIndex, LeftOut
from ossicle.corpus.indexing.placement import annotation_order
from ossicle.corpus.notes import Note
from ossicle.corpus.tables import (
    ANNOTATION_SCHEMA,
    RECORDING_SCHEMA,
    STRETCH_SCHEMA,
    UNKNOWN_SCHEMA,
    annotations_frame,
    annotations_of,
    recordings_frame,
    recordings_of,
    stretches_frame,
    stretches_of,
    unknown_frame,
    unknown_of,
)

RECORDINGS, ANNOTATIONS, REMARKS = "recordings.parquet", "annotations.parquet", "index.json"
EXAMINED, STATED, UNKNOWN = "examined.parquet", "stated.parquet", "unknown.parquet"


def write_index(index: CorpusIndex, folder: Path) -> None:
    """Write an index into ``folder``; equal indexes give equal bytes."""
    write_table(folder / RECORDINGS, recordings_frame(index.recordings), ["root", "path", "id"])
    write_table(folder / ANNOTATIONS, annotations_frame(index.annotations), list(ANNOTATION_SCHEMA))
    if index.examined:
        write_table(folder / EXAMINED, stretches_frame(index.examined), list(STRETCH_SCHEMA))
    if index.stated is not None:
        write_table(folder / STATED, annotations_frame(index.stated), list(ANNOTATION_SCHEMA))
    if index.unknown:
        write_table(folder / UNKNOWN, unknown_frame(index.unknown), list(UNKNOWN_SCHEMA))
    remarks = {
        "left_out": [asdict(one) for one in index.left_out],
        "notes": [asdict(one) for one in index.notes],
        "levels": {key: asdict(one) for key, one in index.levels.items()},
    }
    write_json(folder / REMARKS, remarks)


def read_index(folder: Path) -> CorpusIndex:
    """Read the index in ``folder``; raises ArtefactError if it is damaged or was not written by Ossicle."""
    recordings = recordings_of(read_table(folder / RECORDINGS, dict(RECORDING_SCHEMA)))
    ranks = {one.id: rank for rank, one in enumerate(recordings)}
    annotations = _annotations(folder / ANNOTATIONS, ranks)
    examined, stated, unknown = ((folder / name).exists() for name in (EXAMINED, STATED, UNKNOWN))
    remarks = read_json(folder / REMARKS)
    try:
        return CorpusIndex(
            recordings=tuple(recordings),
            annotations=annotations,
            left_out=tuple(LeftOut(**one) for one in remarks["left_out"]),
            notes=tuple(Note(**one) for one in remarks["notes"]),
            levels={key: Levels(**one) for key, one in remarks["levels"].items()},
            examined=stretches_of(read_table(folder / EXAMINED, dict(STRETCH_SCHEMA))) if examined else {},
            stated=_annotations(folder / STATED, ranks) if stated else None,
            unknown=unknown_of(read_table(folder / UNKNOWN, dict(UNKNOWN_SCHEMA))) if unknown else {},
        )
    except (KeyError, TypeError, AttributeError):
        raise ArtefactError(f"{folder / REMARKS} is no index of this version; index the corpus again") from None


def _annotations(file: Path, ranks: Mapping[str, int]) -> tuple[Annotation, ...]:
    """Return a table of annotations in the order of the recordings (``ranks`` by id) and times."""
    found = annotations_of(read_table(file, dict(ANNOTATION_SCHEMA)))
    try:
        return tuple(sorted(found, key=lambda one: (ranks[one.recording_id], *annotation_order(one))))
    except KeyError as missing:
        raise ArtefactError(f"{file}: recording {missing} is unknown; index the corpus again") from None
