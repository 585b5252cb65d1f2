"""Hand labels of events for a second stage, read from annotation tables."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ossicle.core.errors import FormatError, UsageError
from ossicle.core.records import Recording
from ossicle.corpus.formats.registry import SUFFIXES
from ossicle.corpus.indexing.annotation_files import read_annotation_files
from ossicle.corpus.naming.file_listing import files_below
from ossicle.corpus.naming.table_pairing import Pairing

TARGET = "target"


NOISE = "noise"


@dataclass(frozen=True, slots=True)
class HandLabel:
    """A stretch in seconds that somebody labelled: ``says`` is ``target``, ``noise`` or a label of the project."""

    start_s: float
    end_s: float
    says: str

    def true_for(self, label: str) -> bool:
        """Return whether this is an event of ``label``."""
        return self.says in (TARGET, label)


HandLabels = Mapping[str, Sequence[HandLabel]]
"""Recording id to its hand labels."""


def read_hand_labels(
    folder: Path, recordings: Iterable[Recording], labels: Sequence[str]
) -> dict[str, list[HandLabel]]:
    """Read the hand labels in the tables below ``folder``, by recording id.

    Raises
    ------
    FormatError
        For tables that cannot be read, and rows with other names.
    UsageError
        If no row belongs to any of the ``recordings``.
    """
    ids = {recording.path: recording.id for recording in recordings}
    read = read_annotation_files(
        folder, files_below(folder, SUFFIXES), Pairing(ids), label_column="auto", default_label=None
    )
    hand_labels: dict[str, list[HandLabel]] = {}
    for path, row in read.rows:
        says = row.label if row.label in labels else row.label.strip().lower()
        if says not in (TARGET, NOISE, *labels):
            raise FormatError(
                f"{folder}: the row at {row.start_s:g} s of {path} is labelled {row.label!r}; write {TARGET}, {NOISE} "
                f"or one of: {', '.join(labels)}"
            )
        if path in ids:
            hand_labels.setdefault(ids[path], []).append(HandLabel(row.start_s, row.end_s, says))
    if not hand_labels:
        raise UsageError(
            f"[second_stage] hand_labels: no table below {folder} belongs to an annotated recording; name tables "
            "after their recordings, as in tape1.Table.1.selections.txt"
        )
    return hand_labels
