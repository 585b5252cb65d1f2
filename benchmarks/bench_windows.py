"""Sliding windows: one STFT and batches of windows, against the obvious loop, on the same network in the same run.

The obvious loop cuts each window out, transforms, normalises and scores it alone. Every stretch of the tape is scored
in all the ways in turn, and a ratio is that of neighbours in time; what is reported is their median and range. The
scores of all ways are compared on the way. The front end and windows are those of the known models: 48 kHz, 2048 and
1024 samples, 128 linear bins to 4 kHz, windows of 0.4 s every 0.05 s (snapped: 17 frames every 42.7 ms), normalised by
least and largest. With one thread on a CPU the clock is the process's own time, which other work hardly moves.
"""

import argparse
import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path
from statistics import median

import numpy as np
import onnxruntime
import torch
from machine import RESULTS, cpu
from smoke import parsed, require

from ossicle.audio.features.logmel import chunk_log_mel
from ossicle.core.model_input.chunks import ChunkPlan, window_plan
from ossicle.core.model_input.frontend import FrontEndSettings
from ossicle.export.onnx_graph import model_graph
from ossicle.models.frontend import ChunkLogMel, LogMel
from ossicle.models.networks.registry import build_network
from ossicle.models.networks.window_images import normalise
from ossicle.models.predictor import TorchPredictor
from ossicle.models.settings import ModelSettings, WindowSettings

SAME = 1e-4
"""Scores, and images of [0, 1], of all ways are the same within this."""
FRONT = FrontEndSettings(
    rate=48000, n_fft=2048, hop_samples=1024, n_mels=128, fmin_hz=0.0, fmax_hz=4000.0, scale="linear",
    preemphasis=0.98, window_scale="energy",
)  # fmt: skip
NETWORKS = {
    "ResNet-18 without max pool (the known model)": WindowSettings(backbone="resnet18"),
    "ResNet-18 with max pool": WindowSettings(backbone="resnet18", max_pool=True),
    "ResNet-10t with max pool": WindowSettings(backbone="resnet10t", max_pool=True),
}
Way = Callable[[np.ndarray], np.ndarray]


@dataclass
class Measured:
    """Seconds of each way on each stretch, and the largest difference of its scores from the loop's."""

    seconds: dict[str, list[float]]
    difference: dict[str, float]


def tape(seconds: float) -> np.ndarray:
    """Noise that swells, with a hum of 0.3 s every second."""
    time_s = np.arange(round(seconds * FRONT.rate)) / FRONT.rate
    noise = 0.02 * np.random.default_rng(0).standard_normal(len(time_s)) * (1.2 + np.sin(time_s))
    hum = sum(0.2 / k * np.sin(2 * np.pi * 310 * k * time_s) for k in (1, 2, 3)) * (time_s % 1.0 < 0.3)
    return (noise + hum).astype(np.float32)


def build(settings: WindowSettings, plan: ChunkPlan, chunks: np.ndarray) -> torch.nn.Module:
    """An untrained network whose scores spread over [0, 1] on this sound."""
    torch.manual_seed(0)
    network = build_network(ModelSettings(name="window", window=settings), FRONT, plan, 1).eval()
    with torch.no_grad():
        for part in network.modules():
            if isinstance(part, torch.nn.BatchNorm2d):
                part.weight.uniform_(0.5, 1.5)
                part.running_var.uniform_(0.5, 1.5)
        logits = network(ChunkLogMel(LogMel(FRONT), plan, FRONT)(torch.from_numpy(chunks))).flatten(0, 1)
        network.output.weight /= 4 * logits.std(dim=0)[:, None]
        network.output.bias.sub_(logits.mean(dim=0)).div_(4 * logits.std(dim=0))
    return network


def ways(network: torch.nn.Module, plan: ChunkPlan, threads: int, device: str) -> dict[str, Way]:
    """Chunk (plan.chunk_samples,) to the scores of its windows (core_frames,), the obvious loop first."""
    front = LogMel(FRONT).to(device)
    network = network.to(device)
    normalisation = network.images.normalise

    def transform(window: torch.Tensor) -> torch.Tensor:
        return normalise(front(window)[None], normalisation)[:, None]

    def windows_of(chunk: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(chunk).to(device).unfold(0, plan.window_samples, plan.hop_samples)

    def score(image: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(network.output(network.backbone(image)))[0, 0]

    def loop(chunk: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return np.array([float(score(transform(window))) for window in windows_of(chunk)])

    def transforms_only(chunk: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return np.array([float(transform(window)[0, 0, 0, 0]) for window in windows_of(chunk)])

    chunk_front = ChunkLogMel(front, plan, FRONT)

    def shared_only(chunk: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            rows = chunk_front(torch.from_numpy(chunk[None]).to(device)).index_select(1, network.images.rows)
            return normalise(rows.reshape(-1, *network.images.shape), normalisation)[:, 0, 0].cpu().numpy()

    predictor = TorchPredictor(network, ("call",), plan, FRONT, device)
    out: dict[str, Way] = {
        "loop": loop,
        "loop, spectrograms only": transforms_only,
        "one STFT, spectrograms only": shared_only,
        "ours, torch": lambda chunk: predictor.predict(chunk[None])[0, :, 0],
    }
    if device == "cpu":
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        graph = model_graph(network, plan, FRONT)
        session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        out["ours, onnxruntime"] = lambda chunk: session.run(
            ["scores"], {"log_mel": chunk_log_mel(chunk[None], plan, FRONT)}
        )[0][0, :, 0]
    return out


def measure(all_ways: dict[str, Way], chunks: np.ndarray, clock: Callable[[], float]) -> Measured:
    """Every chunk in every way, in turns; the first chunk warms up and is left out."""
    measured = Measured({name: [] for name in all_ways}, dict.fromkeys(all_ways, 0.0))
    for number, chunk in enumerate(chunks):
        scores = {}
        for name, way in all_ways.items():
            began = clock()
            scores[name] = way(chunk)
            if number:
                measured.seconds[name].append(clock() - began)
        for name in all_ways:
            reference = "loop, spectrograms only" if "spectrograms" in name else "loop"
            difference = float(np.abs(scores[name] - scores[reference]).max())
            measured.difference[name] = max(measured.difference[name], difference)
    return measured


def rows(name: str, measured_ways: Measured, n_windows: int) -> list[str]:
    lines = []
    for way, base in (
        ("loop", "loop"),
        ("ours, torch", "loop"),
        ("ours, onnxruntime", "loop"),
        ("loop, spectrograms only", "loop, spectrograms only"),
        ("one STFT, spectrograms only", "loop, spectrograms only"),
    ):
        if way not in measured_ways.seconds:
            continue
        ratios = sorted(
            slow / fast for slow, fast in zip(measured_ways.seconds[base], measured_ways.seconds[way], strict=True)
        )
        each = 1000 * median(measured_ways.seconds[way]) / n_windows
        gain = "" if way == base else f"{median(ratios):.1f} ({ratios[0]:.1f} to {ratios[-1]:.1f})"
        lines.append(f"| {name} | {way} | {each:.2f} | {gain} | {measured_ways.difference[way]:.1e} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--core-s", type=float, default=4.0, help="length of a stretch")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parsed(parser, seconds=1.0, core_s=0.5)
    torch.set_num_threads(args.threads)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    clock = time.process_time if args.threads == 1 and args.device == "cpu" else time.perf_counter
    plan = window_plan(FRONT, 0.4, 0.05, args.core_s)
    samples = tape(args.seconds + 2 * plan.core_samples / plan.rate)
    starts = range(0, len(samples) - plan.chunk_samples, plan.core_samples)
    chunks = np.stack([samples[start : start + plan.chunk_samples] for start in starts])
    loads = [os.getloadavg()[0]]
    lines = []
    for name, settings in NETWORKS.items():
        network = build(settings, plan, chunks[:2])
        found = measure(ways(network, plan, args.threads, args.device), chunks, clock)
        for way, difference in found.difference.items():
            require(
                difference <= SAME, f"{name}: {way} differs from its loop by at most {SAME:g}, not {difference:.1e}"
            )
        lines += rows(name, found, plan.core_frames)
        loads.append(os.getloadavg()[0])
    where = torch.cuda.get_device_name() if args.device == "cuda" else cpu()
    table = [
        f"# Sliding windows: {date.today().isoformat()}",
        "",
        f"{where}; {os.cpu_count()} cores, {args.threads} thread(s); Python {platform.python_version()}, torch "
        f"{version('torch')}, onnxruntime {version('onnxruntime')}, float32; {len(chunks) - 1} stretches of "
        f"{plan.core_frames} windows ({(len(chunks) - 1) * plan.core_samples / plan.rate:.0f} s of sound), each in all "
        f"ways in turn; {'CPU' if clock is time.process_time else 'wall'} time; load average {min(loads):.1f} to "
        f"{max(loads):.1f}.",
        "",
        "| network | way | ms a window | ratio to its loop: median (range) | largest difference |",
        "|---|---|---|---|---|",
        *lines,
    ]
    text = "\n".join(table) + "\n"
    args.out.mkdir(parents=True, exist_ok=True)
    suffix = "" if args.device == "cpu" else f"_{args.device}"
    (args.out / f"{date.today().isoformat()}-windows{suffix}.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
