"""What one annotation file, or a folder of labelled audio, says: rows, the files it speaks of, what it says beyond."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ossicle.corpus.formats.rows import RawSelection


@dataclass(frozen=True, slots=True)
class EventTable:
    """The rows of a table, each with its file as ``begin_path`` ("" where the table does not say), and all its files.

    A file without rows was reviewed and holds nothing. ``own`` says that the table belongs to the recording that it is
    named after, as Raven's and Audacity's do; it then speaks of it even without rows. ``unread`` maps columns that no
    field of a row can hold to the number of their cells that say something; ``doubled`` counts rows that repeat another
    one in another view; ``durations_s`` holds the lengths of files where the source knows them.
    """

    rows: tuple[RawSelection, ...]
    files: tuple[str, ...] = ()
    unread: Mapping[str, int] = field(default_factory=dict)
    doubled: int = 0
    own: bool = False
    durations_s: Mapping[str, float] = field(default_factory=dict)
