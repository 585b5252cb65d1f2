"""An hour of sound through the same ResNet-18, whole commands: opensoundscape's `predict` beside `ossicle predict`.

Both read one 16-bit WAV at 32 kHz in windows of 3 s side by side, make spectrograms of 257 x 374 and run the same
weights, with the same number of threads. The commands take turns (A B A B), each a process of its own; so do the same
commands on a recording of one window, whose time is the start (imports, weights, compiling), taken off in a column of
its own. Before, our network is fed opensoundscape's own images, and must give its logits within 1e-4: else the two
would do different work. Its environment is its own: `peers/README.md`.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import numpy as np
import soundfile
import torch
from commands import OSSICLE, CommandFailed
from machine import RESULTS, described, table, write_result
from numpy.typing import NDArray
from peer_bundle import CLIP_S, FRONT, RATE, image_logits, make_bundle, network_of, untrained_peer, weights_of
from processes import Measured, measured
from smoke import parsed, require

HERE = Path(__file__).resolve().parent
WORKER = HERE / "peers" / "opensoundscape_worker.py"
LEAST_AGREEMENT = 1e-4
OURS = {
    "ours, torch fp32": ("torch", "fp32"),
    "ours, onnxruntime fp32": ("onnx", "fp32"),
    "ours, OpenVINO fp32": ("openvino", "fp32"),
    "ours, OpenVINO bf16": ("openvino", "bf16"),
}
HEAD = ("way", "seconds", "start", "times real time", "CPU s", "peak MiB", "times as fast", "without start")
TARGETS = {"fp32": 1.8, "bf16": 8.0}


@dataclass
class Timed:
    """Runs of one way over the hour and over one window."""

    whole: list[Measured] = field(default_factory=list)
    start: list[Measured] = field(default_factory=list)

    @property
    def work_s(self) -> list[float]:
        """Seconds of each run less the median start."""
        start_s = median(run.wall_s for run in self.start)
        return [run.wall_s - start_s for run in self.whole]


def make_recording(path: Path, seconds: float) -> None:
    """Noise that swells, with a tone burst every ten seconds; equal minutes, so that an hour is made at once."""
    n_minute = 60 * RATE
    time_s = np.arange(n_minute) / RATE
    sound = 0.05 * np.random.default_rng(0).standard_normal(n_minute) * (1.2 + np.sin(time_s / 3))
    sound += 0.2 * np.sin(2 * np.pi * 3000 * time_s) * (time_s % 10 < 0.3)
    left = round(seconds * RATE)
    with soundfile.SoundFile(path, "w", RATE, 1, "PCM_16") as file:
        while left > 0:
            file.write(sound[:left])
            left -= n_minute


def ratios(slow: Sequence[float], fast: Sequence[float]) -> list[float]:
    """How many times as long as its neighbour in time each run took, sorted."""
    return sorted(a / b for a, b in zip(slow, fast, strict=True))


def times(pairs: Sequence[float]) -> str:
    """Median and range; nothing where a start took longer than the work, which measures noise."""
    return f"**{median(pairs):.2f}** ({pairs[0]:.2f} to {pairs[-1]:.2f})" if pairs[0] > 0 else "–"


def rows(timings: Mapping[str, Timed], base: str, hours: float) -> list[list[str]]:
    """The table's rows: medians, and ratios to ``base`` pair by pair with their range."""
    out = []
    for name, timed in timings.items():
        wall_s = [run.wall_s for run in timed.whole]
        cells = [
            f"{median(wall_s):.1f} ({min(wall_s):.1f} to {max(wall_s):.1f})",
            f"{median(run.wall_s for run in timed.start):.1f}",
            f"{3600 * hours / median(wall_s):.0f}",
            f"{median(run.cpu_s for run in timed.whole):.0f}",
            f"{max(run.peak_mib for run in timed.whole):.0f}",
        ]
        pairs = [(_wall(timings[base]), _wall(timed)), (timings[base].work_s, timed.work_s)]
        cells += ["1" if name == base else times(ratios(slow, fast)) for slow, fast in pairs]
        out.append([name, *cells])
    return out


def agreement(peer_file: Path, weights: Mapping[str, NDArray[np.float32]]) -> tuple[float, tuple[int, ...]]:
    """The largest difference of our logits from theirs on their images, and the images' shape."""
    with np.load(peer_file, allow_pickle=False) as stored:
        images, logits = stored["images"], stored["logits"]
    return float(np.abs(image_logits(network_of(weights, 1), images) - logits).max()), images.shape


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", type=Path, help="Python of opensoundscape's environment (peers/README.md)")
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--windows", type=int, default=8, help="3 s windows in a chunk of ours")
    parser.add_argument("--workers", nargs="+", type=int, default=[0, 2], help="opensoundscape's num_workers")
    parser.add_argument("--ways", nargs="+", default=list(OURS), choices=list(OURS))
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parsed(parser, minutes=0.2, rounds=1, threads=1, windows=2)
    if args.smoke:
        own_side(args)
        return
    if args.peer is None:
        print(
            "skipped: --peer names no environment with opensoundscape; benchmarks/peers/README.md says how to make it"
        )
        return
    peer_command = [str(args.peer), str(WORKER)]
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        make_recording(work / "hour.wav", 60 * args.minutes)
        make_recording(work / "window.wav", CLIP_S)
        stored = work / "weights.npz"
        content = json.loads(measured([*peer_command, "weights", "--weights", str(stored)]).printed)
        with np.load(stored, allow_pickle=False) as arrays:
            weights = {name: arrays[name] for name in arrays.files}
        images = work / "images.npz"
        audio = ["--audio", str(work / "hour.wav")]
        measured([*peer_command, "tensors", "--weights", str(stored), *audio, "--out", str(images), "--count", "8"])
        difference, shape = agreement(images, weights)
        if not difference <= LEAST_AGREEMENT:
            raise SystemExit(f"our logits of opensoundscape's images {shape} differ by {difference:.1e}: other work")
        bundle = make_bundle(work / "bundle", weights, args.windows)

        ways: dict[str, list[str]] = {}
        for workers in args.workers:
            ways[f"opensoundscape, {workers} workers"] = [
                *peer_command, "predict", "--weights", str(stored), "--workers", str(workers), "--threads",
                str(args.threads), "--audio",
            ]  # fmt: skip
        ways |= our_ways(args, bundle, work)
        timings, skipped = turns(ways, work, args.rounds)
    if not any(name.startswith("opensoundscape") for name in timings):
        raise SystemExit(f"opensoundscape does not run: {skipped}")
    base = min(
        (name for name in timings if name.startswith("opensoundscape")),
        key=lambda name: median(run.wall_s for run in timings[name].whole),
    )
    caption = f"""Median of {args.rounds} runs in turns, each a process of its own, on one 16-bit WAV of
{args.minutes:g} min at {RATE // 1000} kHz, windows of {CLIP_S:g} s side by side; ratios pair by pair, median (range),
to the faster of opensoundscape's. `start`: the same command on one window. Our network's logits of opensoundscape's
own images {shape} are its own to {difference:.0e}. {args.threads} threads each; batches of 32 there, of
{args.windows} windows here."""
    lines = [
        f"# Inference beside opensoundscape: ResNet-18, {args.minutes:g} min",
        "",
        f"`benchmarks/bench_inference_peer.py`; {described(['torch', 'onnxruntime', 'openvino'])} opensoundscape "
        f"{content['opensoundscape']} with torch {content['torch']}.",
        "",
        caption,
        "",
        table(
            HEAD,
            rows(timings, base, args.minutes / 60),
        ),
        "",
        *(f"- {name} was skipped: {why}" for name, why in skipped.items()),
        *verdicts(timings, base),
    ]
    write_result("inference-peer", "\n".join(lines), args.out)


def our_ways(args: argparse.Namespace, bundle: Path, work: Path) -> dict[str, list[str]]:
    """The commands of our runtimes and precisions, without the recording."""
    ways = {}
    for name in args.ways:
        runtime, precision = OURS[name]
        ways[name] = [
            *OSSICLE, "predict", str(bundle), "--out", str(work / "events"), "--force",
            "--format", "csv", "--runtime", runtime, "--threads", str(args.threads),
        ]  # fmt: skip
        if runtime != "torch":
            ways[name] += ["--precision", precision]
    return ways


def own_side(args: argparse.Namespace) -> None:
    """A smoke run: our side alone, and torchvision's ResNet-18 in place of opensoundscape's, which is the same."""
    print("opensoundscape is not run: it needs its own environment")
    peer = untrained_peer(10)
    images = np.random.default_rng(0).random((2, 1, FRONT.n_mels, 374), dtype=np.float32)
    with torch.inference_mode():
        logits = peer(torch.from_numpy(images)).numpy()
    difference = float(np.abs(image_logits(network_of(weights_of(peer), 1), images) - logits).max())
    require(
        difference <= LEAST_AGREEMENT, f"our logits are the peer's within {LEAST_AGREEMENT:g}, not {difference:.1e}"
    )
    make_recording(args.scratch / "hour.wav", 60 * args.minutes)
    make_recording(args.scratch / "window.wav", CLIP_S)
    bundle = make_bundle(args.scratch / "bundle", weights_of(peer), args.windows)
    timings, skipped = turns(our_ways(args, bundle, args.scratch), args.scratch, args.rounds)
    require(set(skipped) <= {"ours, OpenVINO bf16"}, f"every way of ours runs: {skipped}")
    base = next(iter(timings))
    print(table(HEAD, rows(timings, base, args.minutes / 60)), *verdicts(timings, base), sep="\n")


def turns(ways: Mapping[str, list[str]], work: Path, rounds: int) -> tuple[dict[str, Timed], dict[str, str]]:
    """Every way once over one window, which warms up and says what cannot run here; then all in turn."""
    skipped: dict[str, str] = {}
    for name, command in ways.items():
        try:
            measured([*command, str(work / "window.wav")])
        except CommandFailed as error:
            skipped[name] = str(error).strip().splitlines()[-1]
    timings = {name: Timed() for name in ways if name not in skipped}
    for number in range(rounds):
        for name, timed in timings.items():
            timed.start.append(measured([*ways[name], str(work / "window.wav")]))
            timed.whole.append(measured([*ways[name], str(work / "hour.wav")]))
            print(f"round {number + 1}: {name}: {timed.whole[-1].wall_s:.1f} s", file=sys.stderr, flush=True)
    return timings, skipped


def verdicts(timings: Mapping[str, Timed], base: str) -> list[str]:
    """A line for each target: asked, measured, met or not."""
    out = []
    for precision, target in TARGETS.items():
        names = [name for name in timings if name in OURS and OURS[name][1] == precision]
        if not names:
            continue
        best = max(names, key=lambda name: median(ratios(_wall(timings[base]), _wall(timings[name]))))
        ratio = median(ratios(_wall(timings[base]), _wall(timings[best])))
        out.append(
            f"- {precision}: {target:g} times asked, {ratio:.2f} measured ({best}): "
            f"{'met' if ratio >= target else 'not met on this processor'}."
        )
    return out


def _wall(timed: Timed) -> list[float]:
    return [run.wall_s for run in timed.whole]


if __name__ == "__main__":
    main()
