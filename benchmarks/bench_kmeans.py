"""k-means of acoustic units against scikit-learn: labels, inertia, speed in turns, and a large corpus in little memory.

Frames are drawn around 100 centres that overlap. Speed is that of finding the nearest centres of frames in memory, the
two in turns, at one thread and at two; ratios above 1 mean that Ossicle is faster, with the 2.5th and 97.5th percentile
of medians of resampled turns. CPU seconds are compared at one thread, because other work on the machine changes them
less; at two threads it is wall time. The large corpus is written to feature shards and clustered in a process of its
own, whose peak memory is what the system says of it, imports included.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from frame_corpus import SEGMENT, K, drawn, settings, spec, write_corpus
from machine import RESULTS, described
from sklearn.cluster import KMeans
from smoke import parsed, require
from threadpoolctl import threadpool_limits

from ossicle.training.quantiser.bfloat16_screen import bfloat16_screen, computes_in_bfloat16
from ossicle.training.quantiser.blas_threads import one_blas_thread
from ossicle.units.frames import SegmentFrames
from ossicle.units.nearest import NearestCentre
from ossicle.units.quantiser_training import train_quantiser

CHILD = """
import json, resource, sys, time
sys.path.insert(0, sys.argv[1])
from frame_corpus import cluster
began, used = time.perf_counter(), time.process_time()
found = cluster(sys.argv[2], int(sys.argv[3]))
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
found |= {"wall_s": time.perf_counter() - began, "cpu_s": time.process_time() - used, "peak_mib": peak}
print(json.dumps(found))
"""


def in_threads(nearest: NearestCentre, frames: np.ndarray, threads: int) -> np.ndarray:
    """The labels of ``frames``, cut into one part for each thread, as a training does."""
    if threads == 1:
        return nearest.labels(frames)
    with ThreadPoolExecutor(threads) as pool:
        return np.concatenate(list(pool.map(nearest.labels, np.array_split(frames, threads))))


def turns(ways: list[Callable[[], Any]], runs: int, clock: Callable[[], float]) -> np.ndarray:
    """Seconds of each way in each turn: shape (runs, ways)."""
    times = np.zeros((runs, len(ways)))
    for run in range(runs):
        # Each way is the first one in some turns: what ran before has filled the caches.
        for number in np.roll(np.arange(len(ways)), run):
            began = clock()
            ways[number]()
            times[run, number] = clock() - began
    return times


def ratio(theirs: np.ndarray, ours: np.ndarray) -> tuple[float, float, float]:
    """The median of the ratios of turns, and an interval of it."""
    ratios = theirs / ours
    again = np.median(np.random.default_rng(0).choice(ratios, (2000, len(ratios))), axis=1)
    return float(np.median(ratios)), float(np.quantile(again, 0.025)), float(np.quantile(again, 0.975))


def speed(n: int, dim: int, runs: int) -> list[str]:
    """Rows of the table for one length of a frame; also that labels agree."""
    frames = drawn(n, dim)
    model = KMeans(K, n_init=1, max_iter=3, random_state=0).fit(frames[:20_000])
    centres = model.cluster_centers_
    plain, screened = NearestCentre(centres), NearestCentre(centres, bfloat16_screen(centres))
    peer_labels, ours = model.predict(frames), screened.labels(frames)
    for i in np.flatnonzero(peer_labels != ours):
        near, far = (np.square(frames[i].astype(float) - centres[j]).sum() for j in (ours[i], peer_labels[i]))
        require(near <= far <= near * (1 + 1e-6), "labels differ in ties only")
    require((plain.labels(frames) == ours).all(), "the screen changes no label")
    rows = []
    for threads, clock in ((1, time.process_time), (2, time.perf_counter)):
        ways: list[Callable[[], Any]] = [
            lambda: model.predict(frames),
            lambda threads=threads: in_threads(plain, frames, threads),
        ]
        if screened.screens:
            ways.append(lambda threads=threads: in_threads(screened, frames, threads))
        with threadpool_limits(threads, user_api="openmp"), one_blas_thread():
            times = turns(ways, runs, clock)
        for column, name in enumerate(("float32", "bfloat16 screen")[: len(ways) - 1], start=1):
            middle, low, high = ratio(times[:, 0], times[:, column])
            each = [f"{np.median(times[:, way]) / n * 1e9:.0f}" for way in (0, column)]
            rows.append(
                f"| {dim} | {threads} | {name} | {each[0]} | {each[1]} | {middle:.2f} ({low:.2f} to {high:.2f}) |"
            )
            print(rows[-1], flush=True)
    return rows


def inertia(n: int, dim: int) -> tuple[float, float, float]:
    """Inertia of ours relative to scikit-learn's full-batch fit, and CPU seconds of both."""
    frames = drawn(n, dim)
    folder = SegmentFrames.of_arrays(
        {f"r#{start:07d}": frames[start : start + SEGMENT] for start in range(0, n, SEGMENT)}
    )
    with one_blas_thread(), threadpool_limits(1):
        began = time.process_time()
        ours = train_quantiser(folder, settings("none"), spec(dim), 0.02, 0.0125)
        middle = time.process_time()
        peer_fit = KMeans(K, n_init=1, random_state=0).fit(frames)
        end = time.process_time()
    assert ours.fit is not None
    return ours.fit.inertia / (float(peer_fit.inertia_) / n), middle - began, end - middle


def large(folder: Path, n: int, dim: int) -> dict[str, Any]:
    began = time.perf_counter()
    write_corpus(folder, n, dim)
    print(f"wrote {n} frames in {time.perf_counter() - began:.0f} s", flush=True)
    command = [sys.executable, "-c", CHILD, str(Path(__file__).parent), str(folder), "2"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=3600)
    content: dict[str, Any] = json.loads(done.stdout)
    return content


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=200_000, help="frames of 64 values for speed and inertia")
    parser.add_argument("--runs", type=int, default=11, help="turns")
    parser.add_argument("--large", type=int, default=15_000_000, help="frames of the large corpus; 0: none")
    parser.add_argument("--work", type=Path, default=Path("work/kmeans"), help="folder for the large corpus")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder for the table")
    args = parsed(parser, frames=3000, runs=2, large=6000)
    rows = [*speed(args.frames, 64, args.runs), *speed(max(1000, args.frames // 16), 1024, args.runs)]
    relative, ours_s, theirs_s = inertia(args.frames, 64)
    require(relative <= 1.01, f"inertia within 1 % of scikit-learn's: {relative:.4f}")
    lines = [
        f"# k-means of acoustic units, {date.today()}",
        "",
        described(["numpy", "scikit-learn", "torch"]),
        f"Frames in bfloat16: {'yes' if computes_in_bfloat16() else 'no'}.",
        "",
        "| values of a frame | threads | ours | scikit-learn, ns a frame | ours, ns a frame | ratio |",
        "|---|---|---|---|---|---|",
        *rows,
        "",
        f"Inertia of {args.frames} frames of 64 values: {relative:.4f} of scikit-learn's full-batch fit; {ours_s:.1f} "
        f"and {theirs_s:.1f} s of CPU.",
    ]
    if args.large:
        outcome = large(args.work, args.large, 64)
        require(outcome["frames"] == args.large, "every frame has a unit")
        require(outcome["peak_mib"] <= 1536, f"the large corpus fits into 1.5 GiB: {outcome['peak_mib']:.0f} MiB")
        lines.append(
            f"{args.large} frames of 64 values in shards: clustered in {outcome['passes']} passes and encoded with a "
            f"peak of {outcome['peak_mib']:.0f} MiB, {outcome['wall_s']:.0f} s ({outcome['cpu_s']:.0f} s of CPU, of "
            f"which {outcome['encode_cpu_s']:.0f} s for encoding)."
        )
    lines += ["", "Run: `python benchmarks/bench_kmeans.py`.", ""]
    text = "\n".join(lines)
    print(text)
    (args.out / f"{date.today()}-kmeans.md").write_text(text)


if __name__ == "__main__":
    main()
