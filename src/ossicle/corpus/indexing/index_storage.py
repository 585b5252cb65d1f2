"""A corpus index as a folder: two Parquet tables and a JSON file, each written atomically.

Further tables hold the stretches of partly checked recordings, the annotations of the files before reviews, and
uncertain labels of recordings; each exists only if needed.
"""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from ossicle.artefacts.files import read_json, write_json
from ossicle.artefacts.records.column_tables import read_annotations, write_annotations
from ossicle.artefacts.records.record_tables import (
    RECORDING_SCHEMA,
    STRETCH_SCHEMA,
    UNKNOWN_SCHEMA,
    recordings_frame,
    recordings_of,
    stretches_frame,
    stretches_of,
    unknown_frame,
    unknown_of,
)
from ossicle.artefacts.tables import read_table, write_table
from ossicle.artefacts.typed.index import IndexFolder
from ossicle.audio.decoding.levels import Levels
from ossicle.core.columns.annotation_columns import AnnotationColumns
from ossicle.core.errors import ArtefactError
from ossicle.corpus.indexing.corpus_index import CorpusIndex
from ossicle.corpus.notes import LeftOut, Note


def write_index(index: CorpusIndex, folder: IndexFolder) -> None:
    """Write an index into ``folder``; equal indexes give equal bytes."""
    write_table(folder.recordings_file, recordings_frame(index.recordings), ["root", "path", "id"])
    write_annotations(folder.annotations_file, index.annotations, [])
    if index.examined:
        write_table(folder.examined_file, stretches_frame(index.examined), list(STRETCH_SCHEMA))
    if index.stated is not None:
        write_annotations(folder.stated_file, index.stated, [])
    if index.unknown:
        write_table(folder.unknown_file, unknown_frame(index.unknown), list(UNKNOWN_SCHEMA))
    remarks = {
        "left_out": [asdict(left_out) for left_out in index.left_out],
        "notes": [asdict(note) for note in index.notes],
        "levels": {key: asdict(level) for key, level in index.levels.items()},
    }
    write_json(folder.remarks_file, remarks)


def read_index(folder: IndexFolder) -> CorpusIndex:
    """Read the index in ``folder``, once for each object.

    Raises ArtefactError if it is damaged or was not written by Ossicle.
    """
    return folder.once(_read_index)


def _read_index(folder: IndexFolder) -> CorpusIndex:
    recordings = recordings_of(read_table(folder.recordings_file, dict(RECORDING_SCHEMA)))
    known = [recording.id for recording in recordings]
    annotations = _annotations(folder.annotations_file, known)
    optional = (folder.examined_file, folder.stated_file, folder.unknown_file)
    examined, stated, unknown = (file.exists() for file in optional)
    remarks = read_json(folder.remarks_file)
    try:
        return CorpusIndex(
            recordings=tuple(recordings),
            annotations=annotations,
            left_out=tuple(LeftOut(**entry) for entry in remarks["left_out"]),
            notes=tuple(Note(**note) for note in remarks["notes"]),
            levels={key: Levels(**level) for key, level in remarks["levels"].items()},
            examined=stretches_of(read_table(folder.examined_file, dict(STRETCH_SCHEMA))) if examined else {},
            stated=_annotations(folder.stated_file, known) if stated else None,
            unknown=unknown_of(read_table(folder.unknown_file, dict(UNKNOWN_SCHEMA))) if unknown else {},
        )
    except (KeyError, TypeError, AttributeError):
        raise ArtefactError(f"{folder.remarks_file} is not an index of this version; index the corpus again") from None


def _annotations(file: Path, known: Sequence[str]) -> AnnotationColumns:
    """Return a table of annotations in the order of the recordings (``known`` ids) and times."""
    columns = read_annotations(file)
    try:
        return columns.in_order(known)
    except KeyError as missing:
        raise ArtefactError(f"{file}: recording {missing} is unknown; index the corpus again") from None
