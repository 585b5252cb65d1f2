"""Exact PSDS of unquantised scores: time and memory, beside sed_scores_eval where that comes to an end.

Scores are made up: a logistic of noise that events raise, at 20 ms a frame, float32, unquantised; `smooth` noise
varies over half a second as that of a network does, `white` noise from frame to frame, which makes the most peaks there
can be. Both PSDS scenarios of DCASE are computed in one call, from score tracks on disk, in a process of its own;
`memory` is the most that it holds beyond its libraries. `cpu` is the processor's time, which other work on the machine
leaves as it is. sed_scores_eval runs in an environment of its own (`--peer`), one scenario after the other.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
from machine import RESULTS, cpu
from smoke import parsed

HOP_S = 0.02
CASES = (("smooth", 10.0, 1), ("smooth", 10.0, 600), ("white", 10.0, 1), ("smooth", 1.0, 1))
SMOKE_CASES = (("smooth", 1 / 60, 1), ("smooth", 1 / 60, 3), ("white", 1 / 60, 1))
PEER_CASES = (("smooth", 1 / 60, 1), ("smooth", 1 / 12, 1), ("smooth", 1 / 6, 1))
LABELS = tuple(f"class {number}" for number in range(10))
PEER_SCENARIOS = (
    {"dtc_threshold": 0.7, "gtc_threshold": 0.7, "alpha_st": 1.0},
    {"dtc_threshold": 0.1, "gtc_threshold": 0.1, "cttc_threshold": 0.3, "alpha_ct": 0.5, "alpha_st": 1.0},
)


def draw(kind: str, n_frames: int, seed: int) -> tuple[np.ndarray, dict[str, list[list[float]]]]:
    """Scores, float32 of shape (n_frames, 10), and references: an event of 0.3 to 5 s a half minute and class."""
    generator = np.random.default_rng(seed)
    kernel = np.hanning(27) if kind == "smooth" else np.ones(1)
    kernel /= np.sqrt((kernel**2).sum())
    columns, references = [], {}
    for label in LABELS:
        starts = np.arange(0, n_frames * HOP_S, 30.0)
        starts = starts + generator.uniform(0, 24, len(starts))
        events = np.stack([starts, np.minimum(starts + generator.uniform(0.3, 5, len(starts)), n_frames * HOP_S)], 1)
        references[label] = [
            [round(time_s, 3) for time_s in event] for event in events.tolist() if event[0] < event[1] - 0.1
        ]
        on = np.zeros(n_frames)
        for start, end in references[label]:
            on[round(start / HOP_S) : round(end / HOP_S)] = 1
        noise = np.convolve(generator.standard_normal(n_frames), kernel, mode="same")
        columns.append(1 / (1 + np.exp(4 - 7 * on - 1.2 * noise)))
    return np.stack(columns, axis=1).astype(np.float32), references


def make(kind: str, hours: float, recordings: int, folder: Path) -> None:
    from ossicle.artefacts.array_files.blocks import write_track
    from ossicle.core.tracks import ScoreTrack

    n_frames = round(hours * 3600 / HOP_S / recordings)
    references = {}
    for number in range(recordings):
        scores, references[f"r{number}"] = draw(kind, n_frames, number)
        write_track(folder / f"r{number}", ScoreTrack(LABELS, scores, HOP_S, n_frames * HOP_S))
    (folder / "references").write_text(json.dumps(references))


def ours(folder: Path) -> list[float]:
    from ossicle.artefacts.array_files.blocks import read_track
    from ossicle.metrics.frames import frames_of
    from ossicle.metrics.psds.score import psds
    from ossicle.metrics.psds.settings import PRESETS

    references = json.loads((folder / "references").read_text())
    durations = {name: read_track(folder / name).duration_s for name in references}
    tracks = ((name, frames_of(read_track(folder / name))) for name in references)
    times = {name: {label: np.array(events) for label, events in of.items()} for name, of in references.items()}
    return [psd.value for psd in psds(tracks, times, durations, LABELS, tuple(PRESETS.values()))]


def theirs(folder: Path) -> list[float]:
    from sed_scores_eval.base_modules.scores import create_score_dataframe
    from sed_scores_eval.intersection_based import psds

    references = json.loads((folder / "references").read_text())
    scores = {name: np.load(folder / f"{name}.npy") for name in references}
    frames = {
        name: create_score_dataframe(of, np.arange(len(of) + 1) * HOP_S, list(LABELS)) for name, of in scores.items()
    }
    truth = {
        name: [(*event, label) for label, events in of.items() for event in events] for name, of in references.items()
    }
    durations = {name: len(of) * HOP_S for name, of in scores.items()}
    return [
        float(psds(frames, truth, durations, max_efpr=100.0, **peer_scenario)[0]) for peer_scenario in PEER_SCENARIOS
    ]


def child(who: str, folder: Path) -> None:
    """Score in this process, and say what it took; libraries are loaded before."""
    if who == "ours":
        import ossicle.metrics.psds.score  # noqa: F401
    else:
        import sed_scores_eval  # noqa: F401
    before, wall, cpu = resident_mib(), time.monotonic(), time.process_time()
    values = {"ours": ours, "theirs": theirs}[who](folder)
    spent = {"wall_s": time.monotonic() - wall, "cpu_s": time.process_time() - cpu, "mib": resident_mib() - before}
    print(json.dumps({"values": values, **spent}))


def resident_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measured(python: str, who: str, folder: Path, limit_s: float) -> dict | None:
    command = [python, __file__, "--child", who, "--work", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=limit_s)
    except subprocess.TimeoutExpired:
        return None
    return json.loads(done.stdout)


def table(limit_s: float, peer: str | None, work: Path, cases: Sequence[tuple[str, float, int]] = CASES) -> str:
    lines = [
        f"# Exact PSDS: {date.today().isoformat()}",
        "",
        f"{os.cpu_count()} cores ({cpu()}), load {os.getloadavg()[0]:.1f} from other work, Python "
        f"{platform.python_version()}, NumPy {np.__version__}. 10 classes, 20 ms a frame, both scenarios.",
        "",
        "| scores | hours | recordings | PSDS 1 | PSDS 2 | cpu (s) | wall (s) | memory (MiB) |",
        "|---|---|---|---|---|---|---|---|",
    ]
    rows = [("ours", sys.executable, case) for case in cases]
    if peer:
        pairs = (("ours", sys.executable), ("sed_scores_eval", peer))
        rows += [(who, python, case) for case in PEER_CASES for who, python in pairs]
    for who, python, (kind, hours, recordings) in rows:
        folder = work / f"{kind}-{hours:g}-{recordings}"
        if not folder.exists():
            folder.mkdir()
            make(kind, hours, recordings, folder)
        run = measured(python, "ours" if who == "ours" else "theirs", folder, limit_s)
        name = kind if who == "ours" else f"{kind}, {who}"
        if run is None:
            cells = ["–", "–", f"not done after {limit_s:g} s", "–", "–"]
        else:
            cells = [*(f"{value:.4f}" for value in run["values"]), f"{run['cpu_s']:.2f}", f"{run['wall_s']:.1f}"]
            cells.append(f"{run['mib']:.0f}")
        lines.append(f"| {name} | {hours:.3g} | {recordings} | " + " | ".join(cells) + " |")
        print(lines[-1], flush=True)
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", help="Python of an environment with sed_scores_eval")
    parser.add_argument("--limit", type=float, default=900.0, help="seconds after which a run is given up")
    parser.add_argument("--work", type=Path, help="folder for the score tracks; else a temporary one")
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--child", choices=("ours", "theirs"), help=argparse.SUPPRESS)
    args = parsed(parser)
    if args.child:
        child(args.child, args.work)
        return
    with tempfile.TemporaryDirectory() as temporary:
        cases = SMOKE_CASES if args.smoke else CASES
        text = table(args.limit, args.peer, args.work or Path(temporary), cases)
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / f"{date.today().isoformat()}-psds.md").write_text(text)


if __name__ == "__main__":
    main()
