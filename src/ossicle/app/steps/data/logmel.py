"""Step ``logmel``: the log-mel spectrogram of every recording in the store, computed once for all epochs of training.

Only projects with ``[features] cache = true`` have it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ossicle.app.project.load import Project
from ossicle.app.steps.data.store import STEP as STORE
from ossicle.app.steps.engine.shards import damaged_shards, lock_missing, repair_shards, with_progress
from ossicle.app.steps.engine.step import Context, Step, WorkUnits, work_unit_journal
from ossicle.artefacts.features.entries import ShardIndex
from ossicle.artefacts.typed.shards.logmel import LogMelFolder
from ossicle.artefacts.typed.shards.store import StoreFolder
from ossicle.audio.encoders.build import shard_names
from ossicle.core.model_input.frontend import FRONT_END_VERSION
from ossicle.core.model_input.row_grid import row_grid
from ossicle.core.settings import digestible

if TYPE_CHECKING:
    from ossicle.audio.features.logmel_shards import LogMelJob

STEP_VERSION = 1


def run(context: Context) -> None:
    """Build the missing shards in parallel processes, and write what they have in common."""
    from ossicle.audio.features.logmel_shards import build_logmel_shards

    output, project = context.own(LogMelFolder), context.project
    jobs = _jobs(project, context.read(StoreFolder), output)
    missing = [job for name, job in jobs.items() if not output.has_shard(name)]

    store, workers = context.inputs[StoreFolder.step], project.settings.project.workers
    shards_made = build_logmel_shards(missing, store, project.roots, workers, lock_missing(context, output.has_shard))
    for name, index in with_progress(context, shards_made, len(jobs) - len(missing), len(jobs)):
        _mark(context.folder, name, index)
    front = project.settings.frontend
    # What the front end gives for zeros, in the precision of the rows.
    silence_db = float(np.float16(np.float32(10) * np.log10(np.float32(10 ** (front.floor_db / 10)))))
    output.write_summary(row_grid(project.settings.plan, front), front.n_mels, silence_db, tuple(jobs))


def _run_one(context: Context, name: str) -> None:
    from ossicle.audio.features.logmel_shards import build_logmel_shard
    from ossicle.audio.store.mixed import MixedStore

    store = context.read(StoreFolder)
    job = _jobs(context.project, store, context.own(LogMelFolder))[name]
    with MixedStore(store.path, context.project.roots) as opened:
        _mark(context.folder, name, build_logmel_shard(job, opened))


def _mark(folder: Path, name: str, index: ShardIndex) -> None:
    work_unit_journal(folder, name).mark(name, recordings=len(index.entries), rows=index.windows)


def problems(logmel: Path) -> dict[str, list[str]]:
    """Return the problems of each damaged shard of a finished artefact, by its name; empty if everything is sound."""
    logmel_folder = LogMelFolder(logmel)
    return damaged_shards(logmel_folder.shards, logmel_folder.shard_names, 0)


def repair(project: Project, store: Path, logmel: Path, damaged: Mapping[str, list[str]]) -> None:
    """Build the damaged shards of a finished artefact again, in place, and no others.

    Raises
    ------
    ArtefactError
        The spectrograms still differ from what was committed: only a new artefact helps.
    """
    from ossicle.audio.features.logmel_shards import build_logmel_shards

    def build() -> Iterator[tuple[str, ShardIndex]]:
        jobs = _jobs(project, StoreFolder(store), LogMelFolder(logmel))
        damaged_jobs = [jobs[name] for name in damaged]
        return build_logmel_shards(damaged_jobs, store, project.roots, project.settings.project.workers)

    repair_shards(project, logmel, build)


def _jobs(project: Project, store: StoreFolder, output: LogMelFolder) -> "dict[str, LogMelJob]":
    """Return the shards by their names, in the order of their recordings."""
    from ossicle.audio.features.logmel_shards import LogMelJob

    front = project.settings.frontend
    grid = row_grid(project.settings.plan, front)
    return {
        name: LogMelJob(output.shards, name, tuple(recordings), front, grid)
        for name, recordings in _by_shard(store).items()
    }


def _by_shard(store: StoreFolder) -> dict[str, list[str]]:
    from ossicle.audio.store.entries import read_index, read_raw

    rate, entries = read_index(store.path)
    n_samples = {entry.recording_id: entry.n_samples for entry in entries if entry.status != "left_out"}
    n_samples |= {raw_entry.recording_id: raw_entry.n_samples for raw_entry in read_raw(store.path)[1]}
    ids = sorted(n_samples)
    by_shard: dict[str, list[str]] = {}
    for key, name in zip(ids, shard_names([n_samples[key] / rate for key in ids]), strict=True):
        by_shard.setdefault(name, []).append(key)
    return by_shard


def _settings(project: Project) -> dict[str, object]:
    front = project.settings.frontend
    grid = row_grid(project.settings.plan, front)
    return {
        "frontend": digestible(front),
        "front_end_version": FRONT_END_VERSION,
        "grid": [grid.shift_samples, grid.lead_rows],
    }


STEP = Step(
    name=LogMelFolder.step,
    version=STEP_VERSION,
    needs=(StoreFolder.step,),
    settings=_settings,
    run=run,
    work_units=WorkUnits(
        named_by=(StoreFolder.step,),
        names=lambda inputs: tuple(_by_shard(StoreFolder.among(inputs))),
        run=_run_one,
        done=lambda folder, name: LogMelFolder(folder).has_shard(name),
        max_concurrent=15,
    ),
)


def cached_chain(steps: tuple[Step, ...], project: Project, trained: str) -> tuple[Step, ...]:
    """Return the steps of a project: with ``[features] cache``, the step ``trained`` reads spectrograms, kept by a
    step after the store.
    """
    if not project.settings.features.cache:
        return steps
    chain: list[Step] = []
    for step in steps:
        needs = (*step.needs, STEP.name) if step.name == trained else step.needs
        chain.append(replace(step, needs=needs) if needs != step.needs else step)
        if step is STORE:
            chain.append(STEP)
    return tuple(chain)
