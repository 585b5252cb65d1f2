"""Building a store: which recordings share a shard, and processes that write shards side by side.

Recordings are sorted by id and cut into shards of about ``shard_s`` seconds. A shard's name is the digest of all that
its samples follow from, so one that is there is right and is reused, whoever wrote it and when.
"""

import itertools
import multiprocessing
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

from ossicle.artefacts.files import sweep
from ossicle.artefacts.workers import end_with_parent, interrupts_held
from ossicle.audio.probe import probe
from ossicle.audio.resample import QUALITY
from ossicle.audio.store.entries import STORE_VERSION, StoreEntry, StoreItem, write_index
from ossicle.audio.store.shard import read_entries, write_shard
from ossicle.audio.versions import decoder_versions
from ossicle.core.digest import digest
from ossicle.core.errors import ArtefactError, AudioError, OssicleError

SHARD_S = 3600.0


@dataclass(frozen=True, slots=True)
class ShardPlan:
    """A shard to be: its name (a digest) and the recordings in it."""

    name: str
    items: tuple[StoreItem, ...]


def build_store(
    items: Iterable[StoreItem],
    folder: Path,
    rate: int,
    *,
    workers: int = 1,
    shard_s: float = SHARD_S,
    progress: Callable[[str], None] | None = None,
) -> list[StoreEntry]:
    """Decode recordings to int16 mono at ``rate`` Hz into the store ``folder``; entries sorted by id.

    Whole shards that are there are reused, so a build that was stopped anywhere redoes at most one shard a worker when
    it is run again, and ends with the same bytes. Shards of an earlier content of the folder are removed at the end.
    One build at a time writes to a folder. ``progress`` is told of each shard, ``reused`` or ``computed``. Raises
    ValueError for ids that repeat, OssicleError where a worker dies.
    """
    if rate < 1 or workers < 1 or shard_s <= 0:
        raise ValueError(f"rate = {rate}, workers = {workers} and shard_s = {shard_s:g} must be positive")
    folder = Path(folder)
    shards = folder / "shards"
    shards.mkdir(parents=True, exist_ok=True)
    sweep(folder)
    plans = list(plan_shards(items, rate, shard_s))
    told = progress or (lambda line: None)
    done: dict[str, list[StoreEntry]] = {}
    for name, entries, how in _shards(folder, plans, rate, workers):
        done[name] = entries
        told(f"shard {len(done)}/{len(plans)} {name}: {len(entries)} recordings, {how}")
    every = [entry for plan in plans for entry in done[plan.name]]
    write_index(folder, rate, every)
    for path in shards.glob("*.h5"):
        if path.stem not in done:
            path.unlink()
    return every


def plan_shards(items: Iterable[StoreItem], rate: int, shard_s: float) -> Iterator[ShardPlan]:
    """Cut recordings, sorted by id, into shards that are full once they reach ``shard_s`` seconds (by the headers)."""
    ordered = sorted(items, key=lambda item: item.recording_id)
    ids = [item.recording_id for item in ordered]
    for one, following in itertools.pairwise(ids):
        if one == following:
            raise ValueError(f"recording {one} occurs twice")
    for one in ids:
        if not (one.isascii() and one.replace("_", "").replace("-", "").isalnum()):
            raise ValueError(f"{one!r} cannot be the id of a recording in a store: letters, digits, - and _ only")
    waiting: list[StoreItem] = []
    seconds = 0.0
    for item in ordered:
        waiting.append(item)
        seconds += _stated_seconds(item.path)
        if seconds >= shard_s:
            yield ShardPlan(_name(waiting, rate), tuple(waiting))
            waiting, seconds = [], 0.0
    if waiting:
        yield ShardPlan(_name(waiting, rate), tuple(waiting))


def _stated_seconds(path: Path) -> float:
    try:
        return probe(path).duration_s
    except AudioError:
        return 0.0


def _name(items: Sequence[StoreItem], rate: int) -> str:
    inputs = [[item.recording_id, item.digest] for item in items]
    return digest([STORE_VERSION, rate, QUALITY, decoder_versions(), inputs])[:24]


def _shards(
    folder: Path, plans: Sequence[ShardPlan], rate: int, workers: int
) -> Iterator[tuple[str, list[StoreEntry], str]]:
    """Name, entries and ``reused`` or ``computed`` of every shard, as they become ready."""
    missing: list[ShardPlan] = []
    for plan in plans:
        entries = _whole(folder, plan)
        if entries is None:
            missing.append(plan)
        else:
            yield plan.name, entries, "reused"
    if workers == 1 or len(missing) < 2:
        for plan in missing:
            yield plan.name, write_shard(folder, plan.name, plan.items, rate), "computed"
        return
    spawn = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(workers, len(missing)), mp_context=spawn, initializer=end_with_parent)
    try:
        with interrupts_held():
            futures = {pool.submit(write_shard, folder, plan.name, plan.items, rate): plan.name for plan in missing}
        for future in as_completed(futures):
            yield futures[future], future.result(), "computed"
    except BrokenProcessPool as error:
        raise OssicleError(
            f"{folder}: a worker was killed, perhaps for want of memory; run it again with fewer workers to resume"
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _whole(folder: Path, plan: ShardPlan) -> list[StoreEntry] | None:
    """The entries of a planned shard that is there and whole, else None."""
    try:
        entries = read_entries(folder, plan.name)
    except ArtefactError:
        return None
    same = [entry.recording_id for entry in entries] == [item.recording_id for item in plan.items]
    return entries if same else None
