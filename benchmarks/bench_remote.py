"""`ossicle remote push` to a folder, compared with `rsync -a` of the same files in the same run.

rsync leaves the files in the memory of the system; a push waits until they are on the disk before it records a batch.
So rsync is timed with and without `sync`. The order of the two alternates between the rounds. Then the same push again,
which must send nothing, and a push after a copy was truncated and another one damaged, with `--verify`.
"""

import argparse
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
from machine import RESULTS, described, write_result
from smoke import parsed, require

from ossicle.app.remote.folder_place import FolderPlace
from ossicle.app.remote.transfer import TransferOptions, Transferred, push
from ossicle.app.steps.engine.step import Silent


def write_files(folder: Path, n_files: int, size: int) -> None:
    """Files of random bytes in ten folders."""
    draw = np.random.default_rng(5)
    for number in range(n_files):
        file = folder / f"tape {number % 10}" / f"{number:05}.wav"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(draw.bytes(size))


def seconds(call: Callable[[], object]) -> float:
    """How long a call takes."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def pushed(source: Path, target: Path, *, verify: bool = False) -> Transferred:
    """What a push did."""
    return push(source, FolderPlace(target), Silent(), TransferOptions(verify=verify))


def round_of(source: Path, work: Path, number: int) -> dict[str, float]:
    """The times of one round, in seconds."""
    ours, theirs = work / "ours", work / "rsync"
    for folder in (ours, theirs):
        shutil.rmtree(folder, ignore_errors=True)
    os.sync()
    out: dict[str, float] = {}

    def rsync() -> None:
        copy = ["rsync", "-a", f"{source}/", f"{theirs}/"]
        out["rsync"] = seconds(lambda: subprocess.run(copy, check=True, timeout=1200))
        out["rsync and sync"] = out["rsync"] + seconds(os.sync)

    def push_once() -> None:
        out["push"] = seconds(lambda: pushed(source, ours))

    for run in (rsync, push_once) if number % 2 == 0 else (push_once, rsync):
        run()
    out["push again"] = seconds(lambda: require(pushed(source, ours).n_bytes == 0, "an unchanged push sends nothing"))
    files = sorted(path for path in ours.rglob("*.wav"))
    os.truncate(files[0], 1)
    state = files[1].stat()
    files[1].write_bytes(bytes(state.st_size))
    os.utime(files[1], ns=(state.st_atime_ns, state.st_mtime_ns))
    mended: list[Transferred] = []
    out["push --verify"] = seconds(lambda: mended.append(pushed(source, ours, verify=True)))
    require(len(mended[0].sent) == 2, "a push with --verify sends the truncated and the damaged file")
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--kilobytes", type=int, default=2000, help="size of each file")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--work", type=Path, default=Path("."), help="where the files and two copies are made")
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parsed(parser, files=120, kilobytes=2, rounds=2)
    if shutil.which("rsync") is None:
        print("skipped: rsync is not installed")
        return
    machine, folder = described(), args.work / "remote-benchmark"
    write_files(folder / "source", args.files, args.kilobytes * 1000)
    try:
        rounds = [round_of(folder / "source", folder, number) for number in range(args.rounds)]
    finally:
        shutil.rmtree(folder)
    names = ("rsync", "rsync and sync", "push", "push again", "push --verify")
    middle = {name: median(times_s[name] for times_s in rounds) for name in names}
    lines = [
        "# Copy to a folder",
        "",
        f"{args.files:,} files of {args.kilobytes:,} kB, {args.rounds} rounds. {machine}",
        "",
        "| what | median s | fastest s | slowest s |",
        "|---|---|---|---|",
    ]
    for name in names:
        times = [times_s[name] for times_s in rounds]
        lines.append(f"| {name} | {middle[name]:.2f} | {min(times):.2f} | {max(times):.2f} |")
    lines += [
        "",
        f"Throughput of a push: {middle['rsync'] / middle['push']:.2f} of `rsync -a`, "
        f"{middle['rsync and sync'] / middle['push']:.2f} of `rsync -a` with `sync`. "
        f"Run: `python benchmarks/bench_remote.py --files {args.files} --kilobytes {args.kilobytes} --rounds "
        f"{args.rounds}`.",
    ]
    write_result("remote", "\n".join(lines), args.out)


if __name__ == "__main__":
    main()
