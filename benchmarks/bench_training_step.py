"""One training step of the default network on one thread: torch's GRU and allocator against ours, in the same run.

The four forms take turns, each in a process of its own (an allocator cannot be set back); the figure is the median of
their steps, and the ratio that of each to plain torch.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from contextlib import nullcontext
from datetime import date
from pathlib import Path
from statistics import median
from unittest.mock import patch

from machine import RESULTS
from smoke import parsed

BATCH, FRAMES, MELS = 16, 300, 64
FORMS = {
    "torch": {"gru": False, "keep": False},
    "our GRU": {"gru": True, "keep": False},
    "kept memory": {"gru": False, "keep": True},
    "both": {"gru": True, "keep": True},
}


def measure(gru: bool, keep: bool, steps: int) -> list[float]:
    """Seconds of each step, the first two left out."""
    import time

    import torch

    from ossicle.artefacts.processes.workers import keep_freed_memory
    from ossicle.models.networks import crnn
    from ossicle.models.settings import CrnnSettings

    if keep:
        keep_freed_memory()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    network = crnn.Crnn(CrnnSettings(), MELS, 1)
    optimiser = torch.optim.AdamW(network.parameters())
    x, y = torch.randn(BATCH, FRAMES, MELS), torch.zeros(BATCH, FRAMES, 1)
    seconds = []
    with nullcontext() if gru else patch.object(crnn, "bidirectional_gru", lambda x, module: module(x)[0]):
        for _ in range(steps + 2):
            began = time.perf_counter()
            optimiser.zero_grad()
            torch.nn.functional.binary_cross_entropy_with_logits(network(x), y).backward()
            optimiser.step()
            seconds.append(time.perf_counter() - began)
    return seconds[2:]


def apart(form: str, args: argparse.Namespace) -> list[float]:
    """Seconds of each step in a process of its own."""
    command = [sys.executable, __file__, "--form", form, "--steps", str(args.steps)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    seconds: list[float] = json.loads(done.stdout)
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--form", choices=list(FORMS), help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parsed(parser, rounds=1, steps=1)
    if args.form:
        print(json.dumps(measure(**FORMS[args.form], steps=args.steps)))
        return
    seconds: dict[str, list[float]] = {form: [] for form in FORMS}
    for _ in range(args.rounds):
        for form in FORMS:
            seconds[form].append(median(measure(**FORMS[form], steps=args.steps) if args.smoke else apart(form, args)))
    lines = [
        f"# A training step: {date.today().isoformat()}",
        "",
        f"{os.cpu_count()} cores, Python {platform.python_version()}, one thread; {BATCH} crops of {FRAMES} frames; "
        f"median of {args.rounds} processes, {args.steps} steps each, in turns.",
        "",
        "| form | ms a step | range | ratio to torch |",
        "|---|---|---|---|",
    ]
    plain = median(seconds["torch"])
    for form, of in seconds.items():
        span = f"{1000 * min(of):.0f} to {1000 * max(of):.0f}"
        lines.append(f"| {form} | {1000 * median(of):.0f} | {span} | {median(of) / plain:.2f} |")
    text = "\n".join(lines) + "\n"
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / f"{date.today().isoformat()}-training_step.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
