"""The recordings that a command was asked for, and those in folders whose format is not read."""

import sys
from collections.abc import Sequence
from pathlib import Path

from ossicle.app.api.audio_files import find_audio, skipped_lines, unread_lines
from ossicle.app.cli.printable import printable


def asked_recordings(sources: Sequence[Path]) -> tuple[list[tuple[str, Path]], list[str]]:
    """Return the recordings, and what the command must name as left out; print which other files are skipped.

    Parameters
    ----------
    sources
        Files and folders, as for :func:`~ossicle.app.api.audio_files.find_audio`.

    Returns
    -------
    recordings : list of (str, Path)
        Names and paths, sorted.
    unread : list of str
        A line for each folder with recordings whose format is not read. The command prints them and ends with exit
        code 3.

    Raises
    ------
    UsageError
        A path does not exist, or there is no recording.
    """
    audio = find_audio(sources)
    for line in skipped_lines(sources):
        print(printable(line), file=sys.stderr)
    return audio, unread_lines(sources)
