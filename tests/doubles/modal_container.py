"""A container of the double of Modal over snapshots: runs one task in a view of its own.

Run as a script, with an order in JSON.
"""

import json
import signal
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

# The folder of a script is where its imports are looked for first.
from snapshot_volume import SnapshotMount, SnapshotVolume  # type: ignore[import-not-found]

from ossicle.app.jobs.modal.containers import commits, container
from ossicle.app.jobs.modal.orders import Order, VolumePlan


def contain(order: Mapping[str, Any]) -> int:
    """Run a task as the function of a container does, with a limit of its own, and return its exit code."""
    # Epochs take a tenth of a second here: what spares a large volume from commits is off.
    container._POLL_S, commits._SHARE = 0.02, 0  # type: ignore[attr-defined]
    if order["limit_s"]:
        whole = VolumePlan.order

        def shorter(files: VolumePlan, job: str) -> Order:
            return replace(whole(files, job), limit_s=order["limit_s"])

        VolumePlan.order = shorter  # type: ignore[method-assign]
    mount = SnapshotMount(SnapshotVolume(Path(order["volume"])), Path(order["view"]))
    return container.run_task(mount, order["request"], order["program"], least_s=0.0, call=order["call"])


def _leave(number: int, frame: object) -> None:
    # Modal raises an exception in the function of a container that it takes away.
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _leave)
    sys.exit(contain(json.loads(sys.argv[1])))
