"""Read one annotation file in its format, with what must be reported about it.

One rule for empty tables holds wherever annotations are read:

- A file without any text, whatever its suffix, says that its recording was reviewed and nothing was found. It may also
  be a failed export, so it is reported.
- Headings without rows say the same, if the table belongs to the recording that it is named after. A table whose rows
  name their recordings says nothing without rows.
- A row with a file and nothing else says that this recording was reviewed and nothing was found.
"""

from dataclasses import dataclass, replace
from pathlib import Path

from ossicle.corpus.formats.cells.text_files import load_text
from ossicle.corpus.formats.event_table import EventTable
from ossicle.corpus.formats.registry import FORMATS, Format, ReadOptions, guess
from ossicle.corpus.formats.window_tables.score_tables import ScoreTable
from ossicle.corpus.naming.table_names import has_table_ending
from ossicle.corpus.notes import Note


@dataclass(frozen=True, slots=True)
class Source:
    """One annotation file: its path below the input, its format, its content, and notes on it."""

    name: str
    format: Format
    table: EventTable | ScoreTable
    notes: tuple[Note, ...] = ()


def read_table_file(path: Path, name: str, options: ReadOptions, wanted_format: Format | None = None) -> Source | None:
    """Return the content of an annotation file; None if it is of no known format.

    Parameters
    ----------
    path
        The file.
    name
        Its path below the input, for the notes.
    options
        Options of the reader.
    wanted_format
        The format to read it in; None to recognise it.

    Raises
    ------
    FormatError
        With file and line, if it is malformed or ambiguous.
    """
    guessed = ""
    if path.suffix.lower() != ".parquet":
        content = load_text(path)
        if not content.text.strip():
            message = "is empty, without headings: it counts as reviewed, with nothing found"
            empty = EventTable((), own=True)
            return Source(name, wanted_format or FORMATS["audacity"], empty, (Note("empty_file", name, message),))
        guessed = content.guessed
    known = wanted_format if wanted_format is not None else guess(path, options)
    if known is None or known.read is None:
        return None
    table = known.read(path, options)
    notes = [Note("encoding", name, guessed)] if guessed else []
    if isinstance(table, EventTable):
        notes += [replace(note, where=name) for note in table.notes]
        # Tables of Kaleidoscope hold many recordings, whatever they are called.
        if not table.rows and not table.files and has_table_ending(name) and known.name != "kaleidoscope":
            table = replace(table, own=True)
    return Source(name, known, table, tuple(notes))
