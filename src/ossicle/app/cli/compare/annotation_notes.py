"""Print on stderr what was not read, or assumed, in files of annotations."""

import sys
from collections.abc import Iterable

import typer

from ossicle.app.cli.printable import printable
from ossicle.core.errors import EXIT_INCOMPLETE
from ossicle.corpus.formats.reading.folder_reader import LOST
from ossicle.corpus.notes import Note


def print_notes(notes: Iterable[Note]) -> None:
    """Print one line for each note."""
    for note in notes:
        print(printable(f"ossicle: {note.where}: {note.message}"), file=sys.stderr)


def exit_if_incomplete(notes: Iterable[Note]) -> None:
    """End the command with exit code 3 if annotations are missing from the result."""
    if any(note.kind in LOST for note in notes):
        raise typer.Exit(EXIT_INCOMPLETE)
