"""Tell the process that started this one that something was saved, so that it can make that lasting.

In a container over a volume, files are kept only when somebody commits them. Whoever runs a command there names a file
in ``OSSICLE_SAVED``, and commits when its time has changed: after each epoch, file or shard, and not in the middle of
one.
"""

import os
import time
from pathlib import Path

from ossicle.artefacts.filesystem.changes import set_time

SAVED_VARIABLE = "OSSICLE_SAVED"
"""Environment variable: an existing file whose time is set to now whenever a whole file or a work unit was saved."""


def note_saved() -> None:
    """Set the time of the file that ``OSSICLE_SAVED`` names; does nothing if there is none, as nobody waits for it."""
    file = Path(os.environ.get(SAVED_VARIABLE, ""))
    if file.is_file():
        set_time(file, time.time_ns())
