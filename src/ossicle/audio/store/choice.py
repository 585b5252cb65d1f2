"""Choose which recordings go into a store, and which are read from their files.

The choice by settings is the same everywhere. The choice by disk space is made once for a folder and stored in it, so
that a build that is stopped and run again gives the same result.
"""

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from ossicle.artefacts.files import read_json, write_json
from ossicle.artefacts.roots import Roots
from ossicle.artefacts.typed.shards.store import StoreFolder
from ossicle.audio.decoding.decode import AudioSource
from ossicle.audio.decoding.mono import MonoStream
from ossicle.audio.probe import probe
from ossicle.audio.store.entries import RawEntry, StoreItem, has_index, named_input
from ossicle.audio.store_settings import StoreSettings
from ossicle.core.digest import digest
from ossicle.core.errors import ArtefactError, AudioError
from ossicle.core.model_input.channel import MEAN
from ossicle.core.settings import digestible
from ossicle.core.time import samples_at_rate

# Space that HDF5 and the entries of a shard need in addition to the samples, per recording.
_BESIDE_BYTES = 2048
# Until its scale is known, a recording is kept as float32; beyond this size on disk.
SPOOL_BYTES = 1 << 26
_GB = 1_000_000_000


def by_settings(items: Sequence[StoreItem], settings: StoreSettings) -> tuple[list[StoreItem], list[StoreItem]]:
    """Return the recordings that the settings select for the store, and the others, each in the given order."""
    if settings.raw:
        return [], list(items)
    if not (settings.only_biggest or settings.longer_s):
        return list(items), []
    length = {item.recording_id: seconds(item) for item in items}
    ordered = sorted(items, key=lambda item: (-length[item.recording_id], item.recording_id))
    chosen = [item for item in ordered if length[item.recording_id] >= settings.longer_s]
    inside = {item.recording_id for item in chosen[: settings.only_biggest or None]}
    return (
        [item for item in items if item.recording_id in inside],
        [item for item in items if item.recording_id not in inside],
    )


def seconds(item: StoreItem) -> float:
    """Return the length of a recording from decoding, else from its header; 0 if that cannot be read."""
    if item.rate:
        return item.n_samples / item.rate
    try:
        return probe(item.path).duration_s
    except AudioError:
        return 0.0


def stored_bytes(items: Iterable[StoreItem], rate: int) -> int:
    """Return roughly how much disk space recordings take in a store at ``rate`` Hz; an upper estimate."""
    return sum(2 * int(seconds(item) * rate + 1) + _BESIDE_BYTES for item in items)


def spool_bytes(items: Iterable[StoreItem], rate: int) -> int:
    """Return how much disk space the longest of these recordings takes while it is decoded."""
    longest = max((4 * int(seconds(item) * rate + 1) for item in items), default=0)
    return longest if longest > SPOOL_BYTES else 0


def free_bytes(folder: Path) -> int:
    """Return the free disk space of a folder in bytes."""
    return shutil.disk_usage(folder).free


def left_free(folder: Path, settings: StoreSettings) -> int:
    """Return the bytes that may still be written in ``folder`` while ``leave_gb`` stay free; may be negative."""
    return free_bytes(folder) - round(settings.leave_gb * _GB)


class SpaceChoice:
    """The recordings for which a folder has no room, stored in ``choice.json``.

    That file describes how the store was made and is not part of its content.
    """

    def __init__(self, folder: Path, items: Sequence[StoreItem], rate: int, settings: StoreSettings) -> None:
        self._file, self.settings, self._rate = StoreFolder(folder).choice_file, settings, rate
        inputs = sorted(named_input(item) for item in items)
        self._request = digest([rate, digestible(settings), inputs])
        self.without: list[str] | None = self._remembered(has_index(folder))

    def _remembered(self, finished: bool) -> list[str] | None:
        """Return the stored decision for this folder; None if there is none or it belongs to other input."""
        if not self._file.exists():
            return None
        stated = read_json(self._file)
        if not isinstance(stated, dict) or stated.get("asked") != self._request:
            return None
        # A finished store stays unchanged, however much disk space is to stay free now.
        if not finished and stated.get("leave_gb") != self.settings.leave_gb:
            return None
        return [str(recording_id) for recording_id in stated["without"]]

    def decide(self, items: Sequence[StoreItem], room_bytes: int, workers: int) -> None:
        """Take the longest recordings first while there is room for them and for decoding."""
        ordered = sorted(items, key=lambda item: (-seconds(item), item.recording_id))
        left = room_bytes - workers * spool_bytes(items, self._rate)
        taken = 0
        for item in ordered:
            left -= stored_bytes([item], self._rate)
            if left < 0:
                break
            taken += 1
        self.remember([item.recording_id for item in ordered[taken:]])

    def remember(self, without: Sequence[str]) -> None:
        """Store the decision."""
        self.without = sorted(without)
        write_json(self._file, {"asked": self._request, "leave_gb": self.settings.leave_gb, "without": self.without})


def raw_entry(item: StoreItem, rate: int, settings: StoreSettings, audio: Path | Roots) -> RawEntry:
    """Return a recording to be read from its file, below its root or the folder ``audio``; raises AudioError,
    ArtefactError.

    Headers can be wrong and lengths must not be: a recording that was not yet decoded with this decoder is decoded
    here.
    """
    path = item.below_root
    if not path and not isinstance(audio, Roots):
        try:
            path = item.path.relative_to(audio).as_posix()
        except ValueError:
            raise ArtefactError(f"{item.path} is not below {audio}: it cannot be read from there later") from None
    index = AudioSource(item.path, settings.decoder).channel(item.channel) if item.channel != MEAN else None
    # A number, so that no later reading has to find the loudest channel again.
    channel = MEAN if index is None else str(index + 1)
    n_samples, status = samples_at_rate(item.n_samples, item.rate, rate) if item.rate else 0, item.status
    if not item.rate or settings.decoder != "auto":
        stream = MonoStream(item.path, rate, decoder=settings.decoder, channel=channel)
        n_samples = sum(len(block) for block in stream)
        status = stream.report.status
    size = item.path.stat().st_size
    return RawEntry(item.recording_id, path, item.digest, size, n_samples, status, channel, item.root)
