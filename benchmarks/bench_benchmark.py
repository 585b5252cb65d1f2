"""A benchmark of 100 thresholds against one of a single threshold, forward pass included (invariant 3).

The network is the recipe's CRNN, untrained; it is run, and its scores are replaced by a logistic of smooth noise, so
that low thresholds find thousands of events an hour, as early models do. Times are the processor's, one thread: other
work on the machine leaves them as they are. ``tables``: the thresholds whose events are laid out as Raven
tables, Audacity labels, CSV and index; figures are always those of all.
"""

import argparse
import json
import os
import platform
import tempfile
import time
from datetime import date
from pathlib import Path

import numpy as np
from machine import RESULTS, write_result
from smoke import parsed

PROJECT = """
base = "recipe:tapes"
[corpus]
audio = "bench/audio"
annotations = "bench/selections"
[benchmark]
audio = "bench/audio"
annotations = "bench/selections"
labels = ["hum"]
allow_overlap = true
"""
MANY = [round(0.005 + 0.0099 * step, 4) for step in range(100)]


def bundle(folder: Path) -> None:
    """The recipe's network with random weights; what is not torch's is left out of the bundle but for a stub."""
    import torch

    from ossicle.bundle.description import BundleDescription
    from ossicle.bundle.format import write_bundle
    from ossicle.bundle.manifest import MODEL, WEIGHTS
    from ossicle.core.decisions.decision import Decision
    from ossicle.core.model_input.chunks import ChunkSettings
    from ossicle.core.model_input.frontend import FrontEndSettings
    from ossicle.core.settings import digestible
    from ossicle.models.networks.registry import build_network
    from ossicle.models.settings import ModelSettings
    from ossicle.models.weights import save_weights

    front, model = FrontEndSettings(), ModelSettings()
    plan = ChunkSettings(core_s=2.0).plan(front)
    torch.manual_seed(0)
    weights = folder.parent / WEIGHTS
    save_weights(build_network(model, front, plan, 1), weights)
    write_bundle(
        folder,
        BundleDescription(
            name="recipe",
            labels=("hum",),
            plan=plan,
            front=front,
            decisions={"hum": Decision()},
            model=json.loads(json.dumps(digestible(model))),
        ),
        files={WEIGHTS: weights, MODEL: b"not run here"},
    )


class Noisy:
    """A predictor that does all the work of ``inner`` and gives made-up scores."""

    def __init__(self, inner) -> None:
        self._inner, self.labels, self.plan = inner, inner.labels, inner.plan
        self._generator = np.random.default_rng(0)

    def predict(self, chunks):
        scores = self._inner.predict(chunks)
        kernel = np.hanning(27)
        noise = np.convolve(self._generator.standard_normal(scores.shape[0] * scores.shape[1]), kernel, mode="same")
        noise /= np.sqrt((kernel**2).sum())
        return (1 / (1 + np.exp(2.5 - 1.5 * noise))).astype(np.float32).reshape(scores.shape)


def measure(minutes: float, tapes: int) -> dict[str, float]:
    from ossicle.app.project.load import load_project
    from ossicle.app.steps.benchmark import models
    from ossicle.app.steps.benchmark.tasks import run_benchmark
    from ossicle.app.steps.engine.step import Silent
    from ossicle.corpus.synthetic.tapes import SynthSettings, make_tapes

    plain = models.Opened.predictor
    models.Opened.predictor = lambda self, settings: Noisy(plain(self, settings))
    out = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_tapes(folder / "bench", SynthSettings(tapes=tapes, minutes=minutes, sites=min(26, tapes)))
        (folder / "ossicle.toml").write_text(PROJECT)
        bundle(folder / "bundle")
        for title, thresholds, laid_out in (
            ("one threshold", [0.5], [0.5]),
            ("100 thresholds, tables of one", MANY, [MANY[50]]),
            ("100 thresholds, tables of all", MANY, []),
        ):
            chosen = (f"benchmark.thresholds={thresholds}", f"benchmark.tables={laid_out}")
            project = load_project(folder, chosen)
            for task in ("index", "score:recipe:own", "decide:recipe:own"):
                began, cpu = time.perf_counter(), time.process_time()
                run_benchmark(project, Silent(), chosen, task)
                kind = task.partition(":")[0]
                out[f"{title}: {kind}"] = time.process_time() - cpu
                out[f"{title}: {kind}, wall"] = time.perf_counter() - began
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=6.0)
    parser.add_argument("--tapes", type=int, default=10)
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parsed(parser, minutes=0.1, tapes=2)
    seconds = measure(args.minutes, args.tapes)
    hours = args.minutes * args.tapes / 60
    forward = seconds["one threshold: score"]
    lines = [
        "# Decisions and figures of 100 thresholds against those of one",
        "",
        f"{date.today()}, {platform.processor() or platform.machine()}, {os.cpu_count()} cores, one thread; "
        f"{args.tapes} tapes, {hours:g} h. `python benchmarks/bench_benchmark.py --minutes {args.minutes:g} "
        f"--tapes {args.tapes}`",
        "",
        "| | scores (s) | decisions, figures, tables (s) | together (s) | against one | wall (s) |",
        "|---|---|---|---|---|---|",
    ]
    base = forward + seconds["one threshold: decide"]
    for title in ("one threshold", "100 thresholds, tables of one", "100 thresholds, tables of all"):
        decide = seconds[f"{title}: decide"]
        wall = seconds["one threshold: score, wall"] + seconds[f"{title}: decide, wall"]
        together = forward + decide
        lines.append(
            f"| {title} | {forward:.1f} | {decide:.1f} | {together:.1f} | {together / base:.2f} | {wall:.1f} |"
        )
    write_result("benchmark", "\n".join(lines), args.out)


if __name__ == "__main__":
    main()
