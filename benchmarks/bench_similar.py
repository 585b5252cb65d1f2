"""Exact search in a million embeddings: `ossicle similar`'s search against a loop that maps the file and calls BLAS.

The file holds random float16 embeddings, made here, one token a window. Both find the nearest by cosine after the same
centring and scaling; the loop converts a thousand rows at a time and multiplies them as a matrix. Each runs in a
process of its own, with the file in the page cache; the search in two threads, the loop as NumPy's BLAS likes. The peak
memory is what the system says of the whole process, imports included. Both must name the same windows.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from machine import RESULTS, described
from smoke import parsed, require

from ossicle.artefacts.array_files.npy_header import HEADER_BYTES, npy_header
from ossicle.artefacts.features.search import StoredRows, search

CHILD = """
import json, resource, sys, time
sys.path.insert(0, sys.argv[1])
from bench_similar import WAYS
way, file, rows, dim, runs = sys.argv[2], sys.argv[3], *map(int, sys.argv[4:7])
times, busy, found = [], [], None
for _ in range(runs):
    began, used = time.perf_counter(), time.process_time()
    found = WAYS[way](file, rows, dim)
    times.append(time.perf_counter() - began)
    busy.append(time.process_time() - used)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"times": times, "busy": busy, "found": found, "peak_mib": peak / 1024}))
"""
MOST = 20
Found = list[int]


def query_of(dim: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A query, a centre and a scale."""
    draw = np.random.default_rng(7)
    query, centre = draw.standard_normal(dim).astype(np.float32), 0.1 * draw.standard_normal(dim).astype(np.float32)
    return query, centre, draw.uniform(0.5, 2.0, dim).astype(np.float32)


def ours(file: str, rows: int, dim: int) -> Found:
    """The search of `ossicle similar`."""
    query, centre, scale = query_of(dim)
    stored = [StoredRows(Path(file), HEADER_BYTES, rows, 1, dim)]
    return [hit.row for hit in search(stored, query, MOST, centre=centre, scale=scale, threads=2)]


def loop(file: str, rows: int, dim: int) -> Found:
    """The obvious loop: map the file, convert a block, multiply."""
    query, centre, scale = query_of(dim)
    mapped = np.load(file, mmap_mode="r", allow_pickle=False)
    similarity = np.empty(rows, np.float32)
    for first in range(0, rows, 1000):
        block = (mapped[first : first + 1000, 0].astype(np.float32) - centre) * scale
        similarity[first : first + 1000] = block @ query / np.linalg.norm(block, axis=1)
    return [int(row) for row in np.argsort(-similarity, kind="stable")[:MOST]]


WAYS: dict[str, Callable[[str, int, int], Found]] = {"ours": ours, "loop": loop}


def write_file(path: Path, rows: int, dim: int) -> None:
    """Random embeddings; every block has its own seed, so any number of rows is cheap to make again."""
    with path.open("wb") as file:
        file.write(npy_header("<f2", (rows, 1, dim)))
        for first in range(0, rows, 10_000):
            count = min(10_000, rows - first)
            draw = np.random.default_rng((3, first))
            file.write(draw.standard_normal((count, dim), dtype=np.float32).astype("<f2").tobytes())


def measured(way: str, path: Path, rows: int, dim: int, runs: int) -> dict[str, Any]:
    """Run one way in a process of its own; the first run also brings the file into the page cache."""
    command = [sys.executable, "-c", CHILD, str(Path(__file__).parent), way, str(path)]
    done = subprocess.run([*command, str(rows), str(dim), str(runs)], capture_output=True, text=True, check=True)
    content: dict[str, Any] = json.loads(done.stdout)
    return content


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--dim", type=int, default=1024)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--work", type=Path, default=Path("."), help="where the file of 2 GB is made")
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parsed(parser, rows=3000, dim=64, runs=2)
    path = args.work / "embeddings.npy"
    began = time.perf_counter()
    write_file(path, args.rows, args.dim)
    print(f"made {path.stat().st_size / 1e9:.2f} GB in {time.perf_counter() - began:.0f} s", flush=True)
    machine = described(("numpy",))
    try:
        measured_ways = {way: measured(way, path, args.rows, args.dim, args.runs) for way in WAYS}
    finally:
        path.unlink()
    require(
        measured_ways["ours"]["found"] == measured_ways["loop"]["found"],
        "both ways name the same windows in the same order",
    )
    lines = [
        f"# Exact search, {date.today().isoformat()}",
        "",
        f"{args.rows:,} float16 embeddings of {args.dim} values ({args.rows * args.dim * 2 / 1e9:.2f} GB, in the "
        f"page cache), the {MOST} nearest by cosine after centring and scaling; {args.runs} runs. {machine}",
        "",
        "| way | median s | fastest s | CPU s | peak memory MiB |",
        "|---|---|---|---|---|",
    ]
    for way, name in (("ours", "`ossicle similar`'s search, 2 threads"), ("loop", "map, convert 1000 rows, BLAS")):
        measured_way = measured_ways[way]
        cells = (
            median(measured_way["times"]),
            min(measured_way["times"]),
            median(measured_way["busy"]),
            measured_way["peak_mib"],
        )
        lines.append(f"| {name} | {cells[0]:.2f} | {cells[1]:.2f} | {cells[2]:.2f} | {cells[3]:.0f} |")
    lines += ["", "Both name the same windows. Run: `python benchmarks/bench_similar.py`.", ""]
    text = "\n".join(lines)
    print(text)
    (args.out / f"{date.today().isoformat()}-similar.md").write_text(text)


if __name__ == "__main__":
    main()
