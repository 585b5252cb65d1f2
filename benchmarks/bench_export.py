"""Where the time goes in ``predict`` on an hour of sound, in every runtime and precision.

A WAV of noise and calls is made (32 kHz, 16 bits), and a bundle of an untrained network on the spectrogram that
opensoundscape's default makes (512 samples every 256, linear, 257 bins; clips of 3 s). Each way reads the whole file
end to end as ``ossicle predict`` does, all ways in turn, so that what else the machine does falls on all alike. Beside
them the parts by themselves: decoding, spectrogram, network on spectrograms in memory. CPU seconds are those of all
threads: their sum tells what two cores could at best do, whatever the load.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import date
from pathlib import Path
from statistics import median

import numpy as np
import soundfile
import torch
from machine import RESULTS, described, table, write_result
from smoke import parsed

from ossicle.audio.decoding.mono import MonoStream
from ossicle.audio.features.logmel import chunk_log_mel
from ossicle.bundle.description import BundleDescription
from ossicle.bundle.extend import extend_bundle
from ossicle.bundle.format import Bundle, write_bundle
from ossicle.bundle.manifest import MODEL, WEIGHTS
from ossicle.bundle.runtimes.onnx_runtime import OnnxPredictor
from ossicle.bundle.runtimes.openvino_runtime import OpenVinoPredictor, computes_bf16
from ossicle.core.decisions.decision import Decision
from ossicle.core.model_input.chunks import window_plan
from ossicle.core.model_input.frontend import FrontEndSettings
from ossicle.export.half import half_weights
from ossicle.export.int8 import quantised
from ossicle.export.onnx_graph import model_graph
from ossicle.inference.batch import predict_file
from ossicle.inference.predictor import Predictor
from ossicle.models.bundled import bundled_predictor
from ossicle.models.networks.registry import build_network
from ossicle.models.predictor import use_threads
from ossicle.models.settings import ModelSettings, WindowSettings
from ossicle.models.weights import save_weights

FRONT = FrontEndSettings(
    rate=32000, n_fft=512, hop_samples=256, n_mels=257, fmin_hz=0.0, fmax_hz=16000.0, scale="linear"
)
LABELS = tuple(f"class{number}" for number in range(10))
BLOCK_S = 60.0
BATCH = 8


def tape(path: Path, minutes: float) -> None:
    """Noise with tones, written minute by minute; the last minute may be a part of one."""
    rng = np.random.default_rng(0)
    time_s = np.arange(round(BLOCK_S * FRONT.rate)) / FRONT.rate
    with soundfile.SoundFile(path, "w", FRONT.rate, 1, "PCM_16") as file:
        left = round(minutes * 60 * FRONT.rate)
        while left > 0:
            tone = 0.2 * np.sin(2 * np.pi * rng.uniform(1000, 8000) * time_s) * (time_s % 4 < 0.7)
            file.write((0.02 * rng.standard_normal(len(time_s)) + tone).astype(np.float32)[:left])
            left -= len(time_s)


def make_bundle(folder: Path, backbone: str) -> Bundle:
    """A bundle of random weights in all precisions; int8 is calibrated on noise."""
    torch.manual_seed(0)
    plan = window_plan(FRONT, 3.0, 3.0, 24.0, exact=True)
    model = ModelSettings(name="window", window=WindowSettings(backbone=backbone, max_pool=True, normalise="level"))
    network = build_network(model, FRONT, plan, len(LABELS)).eval()
    save_weights(network, folder / WEIGHTS)
    graph = model_graph(network, plan, FRONT)
    noise = (0.1 * np.random.default_rng(1).standard_normal((4, plan.chunk_samples))).astype(np.float32)
    fed = chunk_log_mel(noise, plan, FRONT)
    bundle = write_bundle(
        folder / "plain",
        BundleDescription(
            name="random",
            labels=LABELS,
            plan=plan,
            front=FRONT,
            decisions={label: Decision(on=0.9, off=0.9) for label in LABELS},
            model=asdict(model),
        ),
        files={MODEL: graph, WEIGHTS: folder / WEIGHTS},
    )
    more = {
        "model.bf16.onnx": half_weights(graph, "bf16"),
        "model.int8.onnx": quantised(graph, [chunk[None] for chunk in fed]),
    }
    return extend_bundle(bundle, folder / "bundle", more, {})


def ways(bundle: Bundle, threads: int) -> Mapping[str, Callable[[], Predictor]]:
    """Every runtime and precision by name."""
    weights = bundle.checked_path(WEIGHTS)
    predictors: dict[str, Callable[[], Predictor]] = {
        "torch fp32": lambda: bundled_predictor(weights, bundle.model, bundle.labels, bundle.plan, bundle.front),
        "onnxruntime fp32": lambda: OnnxPredictor(bundle, threads),
        "onnxruntime bf16": lambda: OnnxPredictor(bundle, threads, precision="bf16"),
        "onnxruntime int8": lambda: OnnxPredictor(bundle, threads, precision="int8"),
        "OpenVINO fp32": lambda: OpenVinoPredictor(bundle, threads),
        "OpenVINO int8": lambda: OpenVinoPredictor(bundle, threads, precision="int8"),
    }
    if computes_bf16():
        predictors["OpenVINO bf16"] = lambda: OpenVinoPredictor(bundle, threads, precision="bf16")
    return predictors


def timed(run: Callable[[], object]) -> tuple[float, float]:
    """Wall and CPU seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    return time.perf_counter() - wall, time.process_time() - cpu


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0, help="of sound")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--backbone", default="resnet18")
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parsed(parser, minutes=0.1, repeats=1, threads=1, backbone="test_resnet")
    use_threads(args.threads)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        audio = folder / "tape.wav"
        tape(audio, args.minutes)
        bundle = make_bundle(folder, args.backbone)
        sound_s = soundfile.info(audio).duration
        opened, start_s = {}, {}
        for name, open_one in ways(bundle, args.threads).items():
            began = time.perf_counter()
            opened[name] = open_one()
            opened[name].predict(np.zeros((1, bundle.plan.chunk_samples), np.float32))
            start_s[name] = time.perf_counter() - began
        parts = {
            "decoding": lambda: sum(len(block) for block in MonoStream(audio, FRONT.rate)),
            "spectrogram, one thread": lambda: spectrograms(audio, bundle),
        }
        times_by_part: dict[str, list[tuple[float, float]]] = {name: [] for name in (*parts, *opened)}
        for _ in range(args.repeats):
            for name, run in parts.items():
                times_by_part[name].append(timed(run))
            for name, predictor in opened.items():
                times_by_part[name].append(
                    timed(lambda one=predictor: predict_file(audio, one, bundle.decisions, BATCH))  # type: ignore[misc]
                )
        lines = []
        for name, times in times_by_part.items():
            wall, cpu = median(one[0] for one in times), median(one[1] for one in times)
            low, high = (sound_s / seconds for seconds in (max(t[0] for t in times), min(t[0] for t in times)))
            lines.append(
                [
                    name,
                    f"{wall:.2f}",
                    f"{cpu:.2f}",
                    f"{sound_s / wall:.0f} ({low:.0f} to {high:.0f})",
                    f"{args.threads * sound_s / cpu:.0f}",
                    f"{start_s[name]:.2f}" if name in start_s else "",
                ]
            )
        graphs = {name: entry.bytes for name, entry in sorted(bundle.files.items()) if name.endswith(".onnx")}
    sizes = ", ".join(f"{name} {size / 1e6:.1f} MB" for name, size in graphs.items())
    head = ("way", "wall s", "CPU s", "times real time (range)", "the same, were the cores free", "s to open")
    write_result(
        "export",
        f"# `predict` in every runtime and precision: {date.today().isoformat()}\n\n"
        f"{described(('torch', 'onnxruntime', 'openvino', 'numpy', 'scipy'))} {args.backbone}, clips of 3 s, "
        f"{sound_s / 60:g} min of 32 kHz WAV, {args.threads} thread(s), median of {args.repeats} rounds, all ways in "
        f"turn. {sizes}.\n\n{table(head, lines)}",
        args.out,
    )


def spectrograms(audio: Path, bundle: Bundle) -> None:
    """The spectrograms of all chunks from blocks as they are decoded, without scoring."""
    rest = np.zeros(0, np.float32)
    plan = bundle.plan
    for block in MonoStream(audio, FRONT.rate):
        rest = np.concatenate([rest, block])
        while len(rest) >= plan.core_samples:
            chunk_log_mel(rest[None, : plan.chunk_samples], plan, FRONT)
            rest = rest[plan.core_samples :]


if __name__ == "__main__":
    main()
