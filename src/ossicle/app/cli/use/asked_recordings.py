"""The recordings that a command was asked for, with a line about those in folders whose format is not read."""

import sys
from collections.abc import Sequence
from pathlib import Path

from ossicle.app.api.audio_files import find_audio, unread_lines
from ossicle.app.cli.printable import printable


def asked_recordings(asked: Sequence[Path]) -> list[tuple[str, Path]]:
    """Return the names and paths of recordings, sorted, and print on stderr which files of folders are not read.

    Parameters
    ----------
    asked
        Files and folders, as for :func:`~ossicle.app.api.audio_files.find_audio`.

    Raises
    ------
    UsageError
        A path does not exist, or there is no recording.
    """
    audio = find_audio(asked)
    for line in unread_lines(asked):
        print(printable(line), file=sys.stderr)
    return audio
