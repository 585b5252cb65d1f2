"""Content of one annotation file or folder of labelled audio: rows, the files they belong to, and what was not read."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ossicle.corpus.formats.cells.rows import RawSelection
from ossicle.corpus.notes import Note


@dataclass(frozen=True, slots=True)
class EventTable:
    """Rows of a table, each with its file as ``begin_path`` ("" if the table does not name it), and all its files.

    A file without rows was reviewed and contains nothing. ``own``: the table belongs to the recording that it is named
    after, like those of Raven and Audacity, even without rows. ``unread`` maps columns without a matching field to the
    number of their non-empty cells. ``doubled`` counts rows that repeat another row in another view. ``durations_s``
    holds the lengths of files if the source has them. ``notes`` say what else must be reported, without the file.
    """

    rows: tuple[RawSelection, ...]
    files: tuple[str, ...] = ()
    unread: Mapping[str, int] = field(default_factory=dict)
    doubled: int = 0
    own: bool = False
    durations_s: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()
