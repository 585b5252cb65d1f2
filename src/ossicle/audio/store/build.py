"""Build a store: assign recordings to shards, and write shards in parallel processes.

Recordings are sorted by id and cut into shards of little work (:mod:`ossicle.audio.store.plan`). A shard's name is the
digest of everything that determines its samples, so an existing shard with correct checksums is reused, whoever wrote
it and when.
"""

import itertools
import multiprocessing
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path

from ossicle.artefacts.files import sweep
from ossicle.artefacts.filesystem.changes import make_folder, remove_file
from ossicle.artefacts.processes.script_hint import script_hint
from ossicle.artefacts.processes.work_parts import items_per_part
from ossicle.artefacts.processes.workers import end_with_parent, interrupts_held
from ossicle.artefacts.roots import Roots
from ossicle.artefacts.typed.shards.store import StoreFolder
from ossicle.audio.store.choice import (
    SpaceChoice,
    by_settings,
    left_free,
    raw_entry,
    seconds,
    spool_bytes,
    stored_bytes,
)
from ossicle.audio.store.entries import (
    RawEntry,
    RawReading,
    StoreEntry,
    StoreItem,
    has_index,
    read_index,
    write_index,
)
from ossicle.audio.store.plan import SHARD_S, ShardPlan, plan_shards
from ossicle.audio.store.shard import left_out, read_entries, write_shard
from ossicle.audio.store.verify import shard_problems
from ossicle.audio.store_settings import StoreSettings
from ossicle.core.errors import ArtefactError, AudioError, OssicleError

Told = Callable[[str], None]


def build_store(
    items: Iterable[StoreItem],
    folder: Path,
    rate: int,
    settings: StoreSettings | None = None,
    *,
    audio: Path | Roots | None = None,
    workers: int = 1,
    shard_s: float = SHARD_S,
    shard_items: int | None = None,
    progress: Told | None = None,
) -> list[StoreEntry]:
    """Decode recordings to int16 mono at ``rate`` Hz into the store ``folder``; return entries sorted by id.

    Recordings that ``settings`` exclude, or for which ``leave_gb`` leaves no room, are listed to be read from their
    files below ``audio``, a folder or roots. Complete shards with correct checksums are reused. A build that was
    stopped anywhere therefore repeats at most one shard per worker when run again, and ends with the same bytes. A
    shard holds at most ``shard_s`` seconds (a longer recording is a shard by itself) and ``shard_items`` recordings (by
    default 1/200 of them). Shards of earlier content are removed at the end. Only one build at a time may write to a
    folder. ``progress`` is called for each shard, ``reused`` or ``computed``.

    Raises
    ------
    ValueError
        For duplicate ids, and if ``audio`` is needed but missing.
    OssicleError
        If a worker dies.
    """
    if rate < 1 or workers < 1 or shard_s <= 0:
        raise ValueError(f"rate = {rate}, workers = {workers} and shard_s = {shard_s:g} must be positive")
    settings = settings or StoreSettings()
    every = sorted(items, key=lambda item: item.recording_id)
    _refuse_ids(every)
    folder = Path(folder)
    files = StoreFolder(folder)
    make_folder(files.shards)
    sweep(folder)
    in_store, others = by_settings(every, settings)
    space = SpaceChoice(folder, in_store, rate, settings)
    # Counted before the choice by space: a full disk must not move the borders of the shards that are written already.
    size = shard_items or items_per_part(len(in_store))
    plan = partial(plan_shards, rate=rate, decoder=settings.decoder, most_s=shard_s, most_items=size)
    if space.without is None and settings.leave_gb > 0:
        _decide(space, folder, in_store, workers, plan)
    without = set(space.without or ())
    inside = [item for item in in_store if item.recording_id not in without]
    plans = plan(inside)
    tell = progress or (lambda line: None)
    done: dict[str, list[StoreEntry]] = {}
    for name, store_entries, outcome in _shards(folder, plans, rate, settings, workers, shard_s):
        done[name] = store_entries
        tell(f"shard {len(done)}/{len(plans)} {name}: {len(store_entries)} recordings, {outcome}")
    if unwritten := [
        item.recording_id for shard_plan in plans if shard_plan.name not in done for item in shard_plan.items
    ]:
        # Another process has used the space that was free at first.
        without.update(unwritten)
        space.remember(sorted(without))
    entries = [entry for shard_plan in plans if shard_plan.name in done for entry in done[shard_plan.name]]
    raw, lost = _raw_entries(
        [*others, *(item for item in in_store if item.recording_id in without)], rate, settings, audio
    )
    entries = sorted([*entries, *lost], key=lambda entry: entry.recording_id)
    reading = RawReading(settings.decoder, "whole" if settings.raw_reading == "whole" else "seek")
    write_index(folder, rate, entries, raw, reading)
    for path in files.shard_files():
        if path.stem not in done:
            remove_file(path)
    return entries


def _refuse_ids(items: Sequence[StoreItem]) -> None:
    ids = [item.recording_id for item in items]
    for recording_id, following in itertools.pairwise(ids):
        if recording_id == following:
            raise ValueError(f"recording {recording_id} occurs twice")
    for recording_id in ids:
        if not (recording_id.isascii() and recording_id.replace("_", "").replace("-", "").isalnum()):
            raise ValueError(
                f"{recording_id!r} cannot be the id of a recording in a store: letters, digits, - and _ only"
            )


def _decide(
    space: SpaceChoice,
    folder: Path,
    in_store: Sequence[StoreItem],
    workers: int,
    plan: Callable[[Sequence[StoreItem]], list[ShardPlan]],
) -> None:
    """Find out how much room there is, once for this folder; shards that are not part of it are removed first."""
    files = StoreFolder(folder)
    present = {path.stem: path.stat().st_size for path in files.shard_files()}
    # Existing shards take no further room; shards that are no longer needed free some.
    space.decide(in_store, left_free(folder, space.settings) + sum(present.values()), workers)
    without = set(space.without or ())
    inside = [item for item in in_store if item.recording_id not in without]
    planned = {shard_plan.name for shard_plan in plan(inside)}
    for name in present.keys() - planned:
        remove_file(files.shard_file(name))


def _raw_entries(
    items: Iterable[StoreItem], rate: int, settings: StoreSettings, audio: Path | Roots | None
) -> tuple[list[RawEntry], list[StoreEntry]]:
    """Return the recordings to be read from their files, and those that cannot be read."""
    raw: list[RawEntry] = []
    lost: list[StoreEntry] = []
    for item in items:
        if audio is None:
            raise ValueError(f"recording {item.recording_id} is not stored: give `audio`, the folder of its file")
        try:
            raw.append(raw_entry(item, rate, settings, audio))
        except AudioError as error:
            lost.append(left_out(item, error))
    return raw, lost


def _shards(
    folder: Path, plans: Sequence[ShardPlan], rate: int, settings: StoreSettings, workers: int, alone_s: float
) -> Iterator[tuple[str, list[StoreEntry], str]]:
    """Yield name, entries and ``reused`` or ``computed`` of every shard for which there is room, as they become
    ready. Up to ``alone_s`` seconds of sound are decoded in this process.
    """
    missing: list[ShardPlan] = []
    indexed = _indexed(folder)
    for plan in plans:
        entries = _unchanged_shard(folder, plan, indexed)
        if entries is None:
            missing.append(plan)
        else:
            yield plan.name, entries, "reused"
    # Starting a process takes longer than decoding a minute of sound.
    if (
        workers == 1
        or len(missing) < 2
        or sum(seconds(item) for shard_plan in missing for item in shard_plan.items) <= alone_s
    ):
        for plan in missing:
            if not _room(folder, [plan], rate, settings):
                return
            yield plan.name, write_shard(folder, plan.name, plan.items, rate, settings.decoder), "computed"
        return
    spawn = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(workers, len(missing)), mp_context=spawn, initializer=end_with_parent)
    running: dict[Future[list[StoreEntry]], ShardPlan] = {}
    try:
        while missing or running:
            while missing and len(running) < workers:
                if not _room(folder, [missing[0], *running.values()], rate, settings):
                    missing = []
                    break
                plan = missing.pop(0)
                with interrupts_held():
                    work = pool.submit(write_shard, folder, plan.name, plan.items, rate, settings.decoder)
                running[work] = plan
            ended, _ = wait(running, return_when=FIRST_COMPLETED)
            for work in ended:
                yield running.pop(work).name, work.result(), "computed"
    except BrokenProcessPool as error:
        raise OssicleError(
            f"{folder}: a worker was killed, perhaps because memory ran out; run it again with fewer workers to resume"
            f"{script_hint()}"
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _room(folder: Path, plans: Sequence[ShardPlan], rate: int, settings: StoreSettings) -> bool:
    """Return whether ``leave_gb`` stay free when these shards are written; always true if nothing must stay free."""
    if settings.leave_gb == 0:
        return True
    needed_bytes = sum(stored_bytes(plan.items, rate) + spool_bytes(plan.items, rate) for plan in plans)
    return needed_bytes <= left_free(folder, settings)


def _indexed(folder: Path) -> dict[str, dict[str, StoreEntry]]:
    """Return the entries of a finished store in this folder by shard and recording; empty without one."""
    entries_by_shard: dict[str, dict[str, StoreEntry]] = {}
    try:
        for entry in read_index(folder)[1] if has_index(folder) else ():
            entries_by_shard.setdefault(entry.shard, {})[entry.recording_id] = entry
    except ArtefactError:
        # The index is written again at the end; the shards have their own checksums.
        return {}
    return entries_by_shard


def _unchanged_shard(
    folder: Path, plan: ShardPlan, indexed: dict[str, dict[str, StoreEntry]]
) -> list[StoreEntry] | None:
    """Return the entries of a planned shard that exists unchanged, else None.

    A shard without some of its recordings is built again: a disk that was not mounted may be there now.
    """
    try:
        entries = read_entries(folder, plan.name)
        if any(entry.status == "left_out" for entry in entries):
            return None
        damaged = shard_problems(folder, plan.name, entries)
    except (ArtefactError, OSError):
        return None
    same = [entry.recording_id for entry in entries] == [item.recording_id for item in plan.items]
    # An index that lists this shard was written from its content at that time.
    known = indexed.get(plan.name, {})
    changed = any(known.get(entry.recording_id, entry) != entry for entry in entries)
    return entries if same and not damaged and not changed else None
