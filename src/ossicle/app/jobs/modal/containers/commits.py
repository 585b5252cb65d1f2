"""When a container commits its volume while a task runs."""

import time
from collections.abc import Callable
from pathlib import Path

from ossicle.app.jobs.modal.service import Mount
from ossicle.core.errors import FetchError

_SHARE = 10


class Commits:
    """Commits a volume when the task saved something, and now and then for its output.

    A commit may take a while on a large volume: at most a tenth of the time is spent with commits.

    Parameters
    ----------
    mount
        The volume.
    note
        The file that ``OSSICLE_SAVED`` names; its time changes when the task saves something.
    most_s
        Longest time between two commits, in seconds.
    least_s
        Shortest time between two commits, in seconds.
    clock
        Returns the time in seconds.
    """

    def __init__(
        self, mount: Mount, note: Path, most_s: float, least_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._mount, self._note, self._most_s, self._least_s = mount, note, most_s, least_s
        self._clock, self._last, self._seen_ns = clock, clock(), note.stat().st_mtime_ns

    def look(self) -> None:
        """Commit if the task saved something and the last commit is old enough, or if that is very old."""
        saved, since_s = self._note.stat().st_mtime_ns, self._clock() - self._last
        if since_s < (self._most_s if saved == self._seen_ns else self._least_s):
            return
        began = self._clock()
        try:
            self._mount.commit()
            self._seen_ns = saved
        except FetchError:
            # Modal answers later; the task goes on, and the commit after its end must succeed.
            pass
        self._last = self._clock()
        self._least_s = max(self._least_s, _SHARE * (self._last - began))
