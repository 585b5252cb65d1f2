"""Judge the health of a manifest of drum hits, against the loop that parses and counts line by line.

Both count events by label (all, real, synthetic), repeated events and ids, techniques, dynamics, and read loudness and
lengths. The loop keeps Python objects: sets of ids and of (recording, onset, label), and lists of numbers. It leaves
out simultaneous hits, for which it would have to sort, and checks nothing. Times are those of whole commands, with
their start; memory is the largest of one process.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from commands import OSSICLE
from drum_manifest import write_manifest
from machine import RESULTS, described, table, write_result
from smoke import parsed, require


def obvious(manifest: Path) -> dict[str, object]:
    """Count a manifest with ``json.loads`` a line."""
    labels, real, techniques, dynamics = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    ids: set[str] = set()
    places: set[tuple[str, str, float, str]] = set()
    repeated_ids = repeated = events = 0
    loudness: list[float] = []
    lengths: list[float] = []
    with manifest.open(encoding="utf-8") as file:
        for line in file:
            event = json.loads(line)
            events += 1
            repeated_ids += event["event_id"] in ids
            ids.add(event["event_id"])
            techniques.update(event["techniques"])
            if event.get("loudness"):
                loudness.append(event["loudness"]["LUFS_i"])
            end = event["offset_time"]
            context = event["context_ms"]
            lengths.append((context["pre"] + context["post"]) / 1000 if end is None else end - event["onset_time"])
            for component in event["components"]:
                labels[component["label"]] += 1
                real[component["label"]] += not event["is_synthetic"]
                dynamics[component["dynamic_bucket"]] += 1
                occurrence = (event["source_set"], event["audio_path"], event["onset_time"], component["label"])
                repeated += occurrence in places
                places.add(occurrence)
    loudness.sort()
    lengths.sort()
    return {"events": events, "labels": dict(labels), "real": dict(real), "techniques": dict(techniques),
            "dynamics": dict(dynamics), "repeated": repeated, "repeated_ids": repeated_ids}  # fmt: skip


def timed(command: list[str], out: Path) -> tuple[float, float, float, dict[str, object]]:
    """Run a process and return its wall seconds, processor seconds, peak memory in MiB, and the JSON it printed."""
    began = time.monotonic()
    with out.open("wb") as file:
        process = subprocess.Popen(command, stdout=file)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall_s = time.monotonic() - began
    require(process.returncode == 0, f"{' '.join(command)} ends with 0")
    content: dict[str, object] = json.loads(out.read_text(encoding="utf-8"))
    return wall_s, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, content


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=3_010_770, help="number of events")
    parser.add_argument("--sessions", type=int, default=2_000, help="number of sessions")
    parser.add_argument("--loop", action=argparse.BooleanOptionalAction, default=True, help="run the loop as well")
    parser.add_argument("--count", type=Path, help="run the loop on this manifest alone, and print its counts")
    parser.add_argument("--manifest", type=Path, help="a manifest of this size that drum_manifest.py wrote")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the result")
    args = parsed(parser, events=2000, sessions=8)
    if args.count:
        print(json.dumps(obvious(args.count)))
        return
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch)
        manifest = args.manifest or write_manifest(work, args.events, args.sessions)
        for workers in (1, 2):
            command = [*OSSICLE, "dataset", "health", str(manifest), "--json", "--progress", "none"]
            wall_s, cpu_s, peak, ours = timed([*command, "--workers", str(workers)], work / "ours.json")
            rows.append([f"`dataset health --workers {workers}`", wall_s, cpu_s, peak])
        if args.loop:
            wall_s, cpu_s, peak, loop = timed([sys.executable, __file__, "--count", str(manifest)], work / "loop.json")
            rows.append(["the loop", wall_s, cpu_s, peak])
            require_equal(ours, loop)
    least = rows[-1][1]
    cells = [[name, f"{wall_s:.1f}", f"{cpu_s:.1f}", f"{peak:.0f}", f"{least / wall_s:.2f}"]
             for name, wall_s, cpu_s, peak in rows]  # fmt: skip
    text = f"""# Health of a manifest

`benchmarks/bench_health.py --events {args.events} --sessions {args.sessions}`; {described(["polars", "msgspec"])}

{table(("way", "s", "processor s", "MiB", "times as fast as the last row"), cells)}

Counts of labels, real events, techniques, dynamics, repeated events and repeated ids are equal in all rows.
"""
    write_result("health", text, args.out)


def require_equal(ours: dict[str, object], loop: dict[str, object]) -> None:
    """End the script if the counts of the command and of the loop differ."""
    events = json.loads(json.dumps(ours["events"]))
    counts = {
        "events": events["events"],
        "labels": {label: counts["total"] for label, counts in events["classes"].items()},
        "real": {label: counts["real"] for label, counts in events["classes"].items()},
        "techniques": events["techniques"],
        "dynamics": events["dynamics"],
        "repeated": events["repeats"]["events"]["repeats"],
        "repeated_ids": events["repeats"]["event_id"]["repeats"],
    }
    require(counts == loop, "command and loop count the same")


if __name__ == "__main__":
    main()
