"""One benchmark in three places: one command, tasks in processes here, arrays on Slurm; equal to the byte, or not.

Takes a project that was run and has a `[benchmark]`. Its benchmark is made anew in each place, after what the others
have left on the shelf is removed, and every file it leaves is compared. For Slurm: `scripts/slurm_here.sh start` first.
"""

import argparse
import csv
import os
import platform
import shutil
import tempfile
import time
from datetime import date
from pathlib import Path

from commands import ossicle
from machine import RESULTS
from smoke import parsed, require
from stand_ins import make_tape_project

from ossicle.app.project.load import load_project

PLACES = {"one command": [], "tasks here": ["--on", "local"], "Slurm": ["--on", "slurm"]}
BENCHMARK = (
    'benchmark.audio = "tapes/audio"',
    'benchmark.annotations = "tapes/selections"',
    "benchmark.allow_overlap = true",
)
COLUMNS = ("model", "reading", "basis", "precision", "recall", "f1", "f1_low", "f1_high", "marks")


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--project", type=Path, help="folder of a project that was run")
    parser.add_argument("--places", nargs="+", default=list(PLACES), choices=PLACES)
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parsed(parser, places=["one command", "tasks here"])
    if args.smoke:
        args.project = args.scratch / "project"
        make_tape_project(args.project, *BENCHMARK)
        ossicle("run", "-p", args.project, "--until", "bundle", "--progress", "plain")
    elif args.project is None:
        parser.error("--project names none")
    shelf = load_project(args.project).data_root
    lines = [
        f"# A benchmark in {len(args.places)} places: {date.today().isoformat()}",
        "",
        f"`benchmarks/bench_placement.py`; {os.cpu_count()} cores, Python {platform.python_version()}. The benchmark "
        f"of the project `{load_project(args.project).settings.project.name}`, made anew in each place.",
        "",
        "| where | seconds | files | that differ from the first |",
        "|---|---|---|---|",
    ]
    first: dict[str, bytes] = {}
    with tempfile.TemporaryDirectory() as temporary:
        for place in args.places:
            for old in shelf.glob("benchmark*"):
                shutil.rmtree(old)
            began = time.monotonic()
            command = ["benchmark", "-p", args.project.resolve(), "--progress", "none", *PLACES[place]]
            ossicle(*command, capture=True, folder=Path(temporary))
            seconds = time.monotonic() - began
            written = files(args.project / "benchmark")
            first = first or written
            differ = sorted(name for name in first.keys() | written.keys() if first.get(name) != written.get(name))
            lines.append(f"| {place} | {seconds:.0f} | {len(written)} | {', '.join(differ[:5]) or 'none'} |")
            print(lines[-1], flush=True)
            if args.smoke:
                require(not differ, f"{place} leaves the files of {args.places[0]}, not other {', '.join(differ)}")
    with (args.project / "benchmark" / "leaderboard.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["criterion"].startswith("iou") and row["layer"] == "first"]
    lines += ["", f"At {rows[0]['criterion']}:", "", "| " + " | ".join(COLUMNS) + " |", "|---" * len(COLUMNS) + "|"]
    lines += ["| " + " | ".join(row[name] for name in COLUMNS) + " |" for row in rows]
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / f"{date.today().isoformat()}-placement.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
