"""Read an offline file of Weights & Biases: records in a log of blocks, as LevelDB writes it."""

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_BLOCK, _HEAD = 32768, 7
_WHOLE, _LAST = 1, 4


@dataclass(frozen=True)
class OfflineRun:
    """What a file holds: the run, and a row of figures for each epoch."""

    project: str
    name: str
    group: str
    tags: tuple[str, ...]
    config: dict[str, Any]
    history: list[dict[str, Any]]
    exit_code: int | None


def offline_run(folder: Path) -> OfflineRun:
    """Read the only run below a folder."""
    from wandb.proto import wandb_internal_pb2 as messages

    (file,) = folder.rglob("run-*.wandb")
    run, history, exit_code = None, [], None
    for content in _records(file.read_bytes()):
        record = messages.Record()
        record.ParseFromString(content)
        kind = record.WhichOneof("record_type")
        if kind == "run":
            run = record.run
        elif kind == "history":
            items = record.history.item
            history.append({"/".join(item.nested_key) or item.key: json.loads(item.value_json) for item in items})
        elif kind == "exit":
            exit_code = record.exit.exit_code
    assert run is not None
    config = {one.key: json.loads(one.value_json) for one in run.config.update}
    return OfflineRun(run.project, run.display_name, run.run_group, tuple(run.tags), config, history, exit_code)


def _records(data: bytes) -> Iterator[bytes]:
    at, parts = _HEAD, b""
    while at + _HEAD <= len(data):
        left = _BLOCK - at % _BLOCK
        if left < _HEAD:
            at += left
            continue
        _, length, kind = struct.unpack("<IHB", data[at : at + _HEAD])
        if kind == 0:
            break
        parts += data[at + _HEAD : at + _HEAD + length]
        at += _HEAD + length
        if kind in (_WHOLE, _LAST):
            yield parts
            parts = b""
