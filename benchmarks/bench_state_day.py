"""A simulated day of the state engine as `stream` and `live` run it: processor time of each hop, and memory.

A bundle with the acoustic encoder and a linear head, which tells two windows apart, hears a room of noise in which a
hum is switched every minute. Every hop encodes its window and decides. Bars: the 99th percentile of the
processor time of a hop is at most 2 % of the hop; the resident memory after the day is within 5 MiB of that after the
first hour. With `--hours` below 24 the memory is that of so many hours, and the result says so.
"""

import argparse
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from machine import RESULTS, described, write_result
from numpy.typing import NDArray
from smoke import parsed

from ossicle.audio.encoders.acoustic import AcousticEncoder
from ossicle.bundle.description import BundleDescription
from ossicle.bundle.format import write_bundle
from ossicle.bundle.runtimes.bundled_encoded import bundled_encoded_predictor
from ossicle.core.decisions.decision import Decision
from ossicle.core.decisions.states import StateDecision, StateRule
from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.core.model_input.frontend import FrontEndSettings
from ossicle.export.head_graph import head_graph
from ossicle.inference.predictor import Predictor
from ossicle.inference.states.stream import StateStream
from ossicle.models.heads.head import Head
from ossicle.models.heads.settings import HeadSettings

LABELS = ("ac", "fridge")
RULE = StateRule(on=0.6, off=0.4, smoothing="median", frames=7, debounce=2)
MIB = 1 << 20
BAR_SHARE, BAR_MIB = 0.02, 5


def hum_head(encoder: AcousticEncoder, quiet: NDArray[np.float32], humming: NDArray[np.float32]) -> Head:
    """A linear head whose scores are near 0 in one window and near 1 in the other."""
    low, high = encoder.encode(np.stack([quiet, humming]))[:, 0]
    weights = 10 * (high - low) / np.square(high - low).sum()
    head = Head(HeadSettings(pooling="mean", hidden=0), encoder.spec.dim, len(LABELS)).eval()
    with torch.no_grad():
        head.output.weight.copy_(torch.from_numpy(np.tile(weights, (len(LABELS), 1))))
        head.output.bias.fill_(float(-weights @ (low + high) / 2))
    return head


def predictor_of(folder: Path, window_s: float, hop_s: float) -> tuple[Predictor, StateDecision]:
    """The predictor of a bundle that hears the hum."""
    encoder, decision = AcousticEncoder(), StateDecision(dict.fromkeys(LABELS, RULE), {"ac": ("fridge",)}, LABELS)
    rate = encoder.spec.rate
    n_window = round(window_s * rate)
    sound = np.concatenate(room(rate, rate))
    head = hum_head(encoder, sound[:n_window], sound[-n_window:])
    bundle = write_bundle(
        folder,
        BundleDescription(
            name="day",
            labels=LABELS,
            plan=ChunkPlan(
                rate=rate,
                hop_samples=round(hop_s * rate),
                window_samples=round(window_s * rate),
                core_frames=1,
                context_frames=0,
            ),
            front=FrontEndSettings(),
            decisions=dict.fromkeys(LABELS, Decision()),
            encoder=encoder.spec,
            states=decision,
        ),
        files={"head.onnx": head_graph(head, 1, encoder.spec.dim)},
    )
    return bundled_encoded_predictor(bundle, encoder), decision


def room(rate: int, hop_samples: int) -> list[NDArray[np.float32]]:
    """A minute of noise and a minute of noise with a hum, as hops."""
    rng, times = np.random.default_rng(0), np.arange(60 * rate) / rate
    noise = [rng.normal(0, 1e-3, len(times)) for _ in range(2)]
    hum = 0.02 * sum(np.sin(2 * np.pi * 50 * k * times) / k for k in (1, 2, 3, 6))
    sound = np.concatenate([noise[0], noise[1] + hum]).astype(np.float32)
    return [sound[start : start + hop_samples] for start in range(0, len(sound) - hop_samples + 1, hop_samples)]


def resident() -> int:
    """Bytes of this process in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=24.0, help="length of the day")
    parser.add_argument("--hour-s", type=float, default=3600.0, help="seconds of sound in an hour")
    parser.add_argument("--window-s", type=float, default=2.0)
    parser.add_argument("--hop-s", type=float, default=0.25)
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parsed(parser, hours=2.0, hour_s=10.0)
    torch.set_num_threads(1)
    with TemporaryDirectory() as scratch:
        predictor, decision = predictor_of(Path(scratch) / "bundle", args.window_s, args.hop_s)
        hops = room(predictor.plan.rate, predictor.plan.hop_samples)
        n_hour = round(args.hour_s / args.hop_s)
        n_hops = round(args.hours * n_hour)
        stream, changes, after_hour = StateStream(predictor, decision), 0, 0
        # Kept as an array of its final size: the measurement must not grow.
        seconds = np.zeros(n_hops)
        began_s = time.monotonic()
        for hop in range(n_hops):
            began = time.thread_time()
            changes += len(stream.feed(hops[hop % len(hops)]))
            seconds[hop] = time.thread_time() - began
            if hop + 1 == n_hour:
                after_hour = resident()
        grown, took_s = resident() - after_hour, time.monotonic() - began_s
    p99 = float(np.quantile(seconds, 0.99))
    text = f"""# A day of the state engine

{described(["numpy", "onnxruntime"])}

{args.hours:g} hours of sound, windows of {args.window_s:g} s every {args.hop_s:g} s: {n_hops} hops, {changes}
changes of state, in {took_s / 60:.0f} minutes on one thread.

| | measured | bar |
| --- | --- | --- |
| processor time of a hop, median | {1000 * np.median(seconds):.2f} ms | |
| processor time of a hop, 99th percentile | {1000 * p99:.2f} ms, {100 * p99 / args.hop_s:.2f} % of the hop | 2 % |
| memory at the end, compared with the end of the first hour | {grown / MIB:+.2f} MiB | 5 MiB |

Run: `python benchmarks/bench_state_day.py --hours {args.hours:g} --hop-s {args.hop_s:g}`.
"""
    write_result("state-day", text, args.out)
    print(f"bars: {'met' if p99 <= BAR_SHARE * args.hop_s and grown <= BAR_MIB * MIB else 'missed'}")


if __name__ == "__main__":
    main()
