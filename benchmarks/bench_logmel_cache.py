"""Read crops of kept log-mel spectrograms, compared with reading samples from the store and computing them.

Crops of one length at random places, in random recordings. Computing is what a training does: a batch of crops is read
from the store and goes through the front end in torch. Kept spectrograms are float16 on disk and float32 when read;
each recording's checksum is compared once, in the first round. All rounds are with a warm page cache; the best one
counts.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from machine import RESULTS, described, table, write_result
from smoke import parsed, require

from ossicle.artefacts.typed.shards.logmel import LogMelFolder
from ossicle.audio.features.logmel_shards import LogMelJob, build_logmel_shards
from ossicle.audio.store import MixedStore, StoreItem, build_store
from ossicle.audio.wav import write_wav
from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.core.model_input.frontend import FrontEndSettings
from ossicle.core.model_input.row_grid import row_grid
from ossicle.models.frontend import ChunkLogMel, LogMel
from ossicle.training.batches.material import Material

FRONT = FrontEndSettings(rate=44100, n_fft=2048, hop_samples=512, n_mels=128, fmax_hz=20000.0)


def material_of(folder: Path, recordings: int, length_s: float, plan: ChunkPlan) -> tuple[Material, float, float]:
    """Return the material with kept spectrograms, the seconds that building them took, and their size in bytes."""
    rng = np.random.default_rng(0)
    items = []
    for number in range(recordings):
        path = folder / "audio" / f"r{number:04d}.wav"
        write_wav(path, rng.normal(0, 0.1, round(length_s * FRONT.rate)).astype(np.float32), FRONT.rate)
        items.append(StoreItem(path.stem, path, path.stem))
    build_store(items, folder / "store", FRONT.rate)
    own, grid = LogMelFolder(folder / "logmel"), row_grid(plan, FRONT)
    jobs = [LogMelJob(own.shards, f"shard-{k:04d}", (item.recording_id,), FRONT, grid) for k, item in enumerate(items)]
    began = time.monotonic()
    for _ in build_logmel_shards(jobs, folder / "store", folder / "audio"):
        pass
    seconds = time.monotonic() - began
    own.write_summary(grid, FRONT.n_mels, FRONT.floor_db, [job.name for job in jobs])
    size = sum(path.stat().st_size for path in own.shards.iterdir())
    return Material((), (), {}, MixedStore(folder / "store"), plan, log_mel=own), seconds, size


def crops_per_s(
    read: Callable[[list[tuple[str, int]]], torch.Tensor], crops: list[tuple[str, int]], batch: int
) -> float:
    """Return the best rate of a few rounds over all crops."""
    rates = []
    for _ in range(3):
        began = time.monotonic()
        for first in range(0, len(crops), batch):
            read(crops[first : first + batch])
        rates.append(len(crops) / (time.monotonic() - began))
    return max(rates)


def row_of(folder: Path, recordings: int, length_s: float, n_crops: int, core_frames: int) -> list[str]:
    """Return the row of one length of crops."""
    plan = ChunkPlan(
        rate=FRONT.rate,
        hop_samples=FRONT.hop_samples,
        window_samples=FRONT.n_fft,
        core_frames=core_frames,
        context_frames=0,
    )
    material, build_s, size = material_of(folder, recordings, length_s, plan)
    computed = replace(material, log_mel=None)
    front_end = ChunkLogMel(LogMel(FRONT), plan, FRONT)
    rng = np.random.default_rng(1)
    frames = rng.integers(0, int(length_s * FRONT.rate / FRONT.hop_samples) - core_frames, n_crops)
    names = rng.integers(recordings, size=n_crops)
    crops = [(f"r{k:04d}", int(frame) * FRONT.hop_samples) for k, frame in zip(names, frames, strict=True)]

    def stacked(material: Material, batch: list[tuple[str, int]]) -> torch.Tensor:
        return torch.stack([torch.from_numpy(material.model_input(*crop)) for crop in batch])

    difference = (stacked(material, crops[:32]) - front_end(stacked(computed, crops[:32]))).abs().max()
    require(float(difference) < 0.1, "kept spectrograms are those that training computes, within 0.1 dB")
    computing = crops_per_s(lambda batch: front_end(stacked(computed, batch)), crops, 32)
    reading = crops_per_s(lambda batch: stacked(material, batch), crops, 32)
    seconds = recordings * length_s
    return [
        f"{plan.chunk_samples / FRONT.rate:.2f}",
        f"{computing:,.0f}",
        f"{reading:,.0f}",
        f"{reading / computing:.1f}",
        f"{seconds / build_s:,.0f}",
        f"{size / seconds / 1e3:.1f}",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recordings", type=int, default=60, help="number of recordings")
    parser.add_argument("--length-s", type=float, default=60.0, help="length of each in seconds")
    parser.add_argument("--crops", type=int, default=2048, help="crops of a round")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the result")
    args = parsed(parser, recordings=3, length_s=4.0, crops=32)
    torch.set_num_threads(1)
    rows = []
    for core_frames in (25, 250):
        with tempfile.TemporaryDirectory() as scratch:
            rows.append(row_of(Path(scratch), args.recordings, args.length_s, args.crops, core_frames))
    head = ("crop (s)", "computed (crops/s)", "kept (crops/s)", "ratio", "building (s of sound/s)", "kB/s of sound")
    text = f"""# Kept log-mel spectrograms

`benchmarks/bench_logmel_cache.py --recordings {args.recordings} --crops {args.crops}`; {described(["torch"])}

{table(head, rows)}

44.1 kHz, 2048 samples every 512, 128 bands; batches of 32 crops, one thread, building in one process.
"""
    write_result("logmel-cache", text, args.out)


if __name__ == "__main__":
    main()
