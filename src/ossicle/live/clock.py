"""The clocks of a live session, as one value, so that tests can run an hour in a second."""

import threading
import time
from typing import Protocol

# Time goes on while a laptop sleeps; Linux has such a clock, elsewhere the monotonic one is the nearest.
_BOOT_CLOCK = getattr(time, "CLOCK_BOOTTIME", None)


class Clock(Protocol):
    """What a live session asks about the time."""

    def monotonic(self) -> float:
        """Return seconds from any fixed moment; never goes back."""
        ...

    def wall(self) -> float:
        """Return seconds since 1970 (UTC), as the system believes."""
        ...

    def wait(self, ready: threading.Event, timeout_s: float) -> bool:
        """Wait until ``ready`` is set, at most ``timeout_s`` seconds; return whether it is set."""
        ...


class SystemClock:
    """The clocks of the system."""

    def monotonic(self) -> float:
        """Return seconds since the machine started, those of sleep included where the system counts them."""
        return time.monotonic() if _BOOT_CLOCK is None else time.clock_gettime(_BOOT_CLOCK)

    def wall(self) -> float:
        """Return seconds since 1970 (UTC)."""
        return time.time()

    def wait(self, ready: threading.Event, timeout_s: float) -> bool:
        """Wait until ``ready`` is set, at most ``timeout_s`` seconds; return whether it is set."""
        return ready.wait(max(0.0, timeout_s))
