"""A manifest of three million events: `ossicle dataset verify` beside the obvious loop, and import with dataset.

The obvious loop parses each line with `json.loads`, joins the path of its recording and asks `os.path.exists`. It and
the commands run in turn, each in a process of its own, start included. Then `ossicle run --until dataset` imports the
same manifest. `--parts verify` measures the first part alone.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path
from statistics import median

from commands import OSSICLE
from drum_manifest import EVENTS, KITS, SESSIONS, SOURCES, root_map, write_manifest
from machine import HERE, RESULTS, described, table, write_result
from processes import Measured, measured
from smoke import parsed, require

LOOP = "the obvious loop"
PROJECT = """base = "recipe:tapes"
[corpus]
audio = "audio"
manifest = "events.jsonl"
name_template = ""
decode = {decode}
[split]
group = "session"
[roots]
"""


def loop_command(folder: Path) -> list[str]:
    """A Python that runs the obvious loop over the manifest in a folder, and prints what it counted."""
    roots = {source.name: str(folder / "audio" / source.name) for source in SOURCES}
    code = (
        "import json, sys; from pathlib import Path; sys.path.insert(0, sys.argv[1]); "
        "from drum_manifest import obvious; "
        "print(json.dumps(obvious(Path(sys.argv[2]), json.loads(sys.argv[3]))))"
    )
    return [sys.executable, "-c", code, str(HERE), str(folder / "events.jsonl"), json.dumps(roots)]


def verify_command(folder: Path, workers: int) -> list[str]:
    arguments = [
        "dataset",
        "verify",
        str(folder / "events.jsonl"),
        *root_map(folder),
        "--workers",
        str(workers),
        "--json",
    ]
    return [*OSSICLE, *arguments]


def verify_rows(folder: Path, workers: list[int], rounds: int, events: int) -> list[list[str]]:
    """Rows of the loop and of verification, in turn; the least of the rounds, and ratios of wall times by round."""
    runs: dict[str, list[Measured]] = {}
    names = {f"dataset verify --workers {n}": n for n in workers}
    for _ in range(rounds):
        loop_run = measured(loop_command(folder))
        runs.setdefault(LOOP, []).append(loop_run)
        labels, missing = json.loads(loop_run.printed)
        for name, n in names.items():
            runs.setdefault(name, []).append(measured(verify_command(folder, n)))
            content = json.loads(runs[name][-1].printed)
            require(content["labels"] == dict(sorted(labels.items())), f"{name} counts the labels of the loop")
            require(content["missing_events"] == sum(missing.values()), f"{name} misses the recordings of the loop")
            require(content["events"] == events, f"{name} counts all events")
    rows = []
    for name, found_runs in runs.items():
        ratio = median(run.wall_s / own.wall_s for run, own in zip(runs[LOOP], found_runs, strict=True))
        best = min(found_runs, key=lambda run: run.wall_s)
        cpu_s, peak = (
            min(run.cpu_s for run in found_runs),
            max(run.peak_mib for run in found_runs),
        )
        rate = f"{events / best.wall_s:,.0f}"
        rows.append([name, f"{best.wall_s:.1f}", f"{cpu_s:.1f}", f"{peak:.0f}", rate, f"{ratio:.1f}"])
    return rows


def import_rows(folder: Path, events: int, workers: int, decode: bool) -> list[list[str]]:
    """Rows of the steps `corpus` and `dataset`, of both, and of a run with nothing to do."""
    roots = "".join(f'{source.name} = ["audio/{source.name}"]\n' for source in SOURCES)
    (folder / "ossicle.toml").write_text(PROJECT.format(decode=str(decode).lower()) + roots)
    rows, wall_s, cpu_s = [], 0.0, 0.0
    for name, until in (("corpus (import)", "corpus"), ("dataset", "dataset"), ("nothing to do", "dataset")):
        arguments = ["run", "-p", str(folder), "--until", until, "--progress", "none"]
        run = measured([*OSSICLE, *arguments, "--set", f"project.workers={workers}"])
        if name != "nothing to do":
            wall_s, cpu_s = wall_s + run.wall_s, cpu_s + run.cpu_s
        rate = f"{events / run.wall_s:,.0f}" if name != "nothing to do" else ""
        rows.append([name, f"{run.wall_s:.1f}", f"{run.cpu_s:.1f}", f"{run.peak_mib:.0f}", rate])
    return [*rows, ["import and dataset", f"{wall_s:.1f}", f"{cpu_s:.1f}", "", f"{events / wall_s:,.0f}"]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=EVENTS)
    parser.add_argument("--sessions", type=int, default=SESSIONS)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--parts", nargs="+", choices=("verify", "import"), default=["verify", "import"])
    parser.add_argument("--decode", action="store_true", help="decode the recordings, which are silent, in the import")
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parsed(parser, events=2000, sessions=8, rounds=1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = write_manifest(folder, args.events, args.sessions, min(KITS, args.sessions), audio="silent")
        size_gb = path.stat().st_size / 1e9
        text = (
            f"# A manifest of {args.events:,} events\n\n{described(('msgspec', 'polars'))}\n\n{size_gb:.2f} GB, "
            f"{args.sessions} recordings of {len(SOURCES)} sources.\n"
        )
        if "verify" in args.parts:
            rows = verify_rows(folder, args.workers, args.rounds, args.events)
            head = ("command", "wall s", "CPU s", "peak MiB", "events/s", "times as fast")
            text += (
                f"\nThe least of {args.rounds} rounds in turn, start included; ratios are medians over the rounds.\n\n"
                + table(head, rows)
                + "\n"
            )
        if "import" in args.parts:
            rows = import_rows(folder, args.events, max(args.workers), args.decode)
            reading = "decoded" if args.decode else "hashed, not decoded"
            text += f"\n`ossicle run --until dataset`, {max(args.workers)} workers; recordings are {reading}.\n\n"
            text += table(("step", "wall s", "CPU s", "peak MiB", "events/s"), rows) + "\n"
    write_result("manifest", text, args.out)


if __name__ == "__main__":
    main()
