"""Training clips a second of the same ResNet-18, from the second epoch on: opensoundscape's `train` beside ours.

Both train on the same clips of 3 s (16-bit WAV, 32 kHz) in batches of 32, images of 257 x 374, the same number of
threads, without augmentation, in turns. There every clip is decoded at every step; here a store is built once, whose
time is said apart with the epochs after which it is earned back. Ours is one task of a project as a cluster runs it
(`ossicle jobs task training final`), averaged weights and the state at every epoch's end included.

An epoch of theirs is from its first step to the next one's, of ours what the run folder's `metrics.jsonl` says; that
ours also writes its state after each, so that it can be resumed, is in the seconds of the whole command alone.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
from itertools import pairwise
from pathlib import Path
from statistics import median

import numpy as np
import soundfile
from commands import OSSICLE, CommandFailed, options
from machine import RESULTS, described, table, write_result
from peer_bundle import CLIP_S, FRONT, RATE
from processes import measured
from smoke import parsed, require

from ossicle.artefacts.typed.dataset import FINAL
from ossicle.artefacts.typed.run_folder import RunFolder
from ossicle.artefacts.typed.training import TrainingFolder

HERE = Path(__file__).resolve().parent
WORKER = HERE / "peers" / "opensoundscape_worker.py"
CLASSES = 10
ASKED = 3.0
PROJECT = f"""base = "recipe:birds"

[project]
name = "training-peer"

[corpus]
audio = "audio"
label_field = "folder"

[split]
group = "recording"
folds = 2

[frontend]
rate = {RATE}
n_fft = {FRONT.n_fft}
hop_samples = {FRONT.hop_samples}
n_mels = {FRONT.n_mels}
fmin_hz = {FRONT.fmin_hz}
fmax_hz = {FRONT.fmax_hz}
scale = "{FRONT.scale}"

[chunks]
core_s = {CLIP_S}
window_s = {CLIP_S}
step_s = {CLIP_S}

[model.window]
max_pool = true
normalise = "level"
head = "mean"

[training]
weak = true
balance = "each"
steps_per_epoch = 0
validation_crops = 0
device = "cpu"

[augment]
normalise = "none"
gain_db = 0.0
background_probability = 0.0
tilt_db = 0.0
frequency_mask = 0.0
time_mask_s = 0.0

[augment.early]
shift_probability = 0.0

[augment.mixup]
probability = 0.0
"""
THEIRS = "opensoundscape"
"""It has one row: 0.13.2 computes in bfloat16 on a CPU whatever ``use_amp`` says (autocast in ``training_step``)."""


def make_clips(folder: Path, per_class: int) -> int:
    """Clips of noise with a tone of their class, ``<class>/<number>.wav``; returns how many."""
    n = round(CLIP_S * RATE)
    time_s = np.arange(n) / RATE
    for label in range(CLASSES):
        (folder / f"class{label}").mkdir(parents=True)
        for number in range(per_class):
            rng = np.random.default_rng([label, number])
            tone = 0.2 * np.sin(2 * np.pi * (500 + 700 * label) * time_s) * (time_s % 1.0 < 0.3)
            path = folder / f"class{label}" / f"{number}.wav"
            soundfile.write(path, 0.05 * rng.standard_normal(n) + tone, RATE, subtype="PCM_16")
    return CLASSES * per_class


def later_epochs(steps_s: list[float], per_epoch: int) -> list[float]:
    """Seconds of each epoch after the first, from when each step began; a last epoch that is not closed is left out.

    >>> later_epochs([0.0, 5.0, 9.0, 11.0, 13.0], 2)
    [4.0]
    """
    begins = steps_s[::per_epoch]
    return [after - before for before, after in pairwise(begins[1:])]


def theirs(python: Path, audio: Path, work: Path, args: argparse.Namespace) -> dict:
    """One run of theirs: seconds an epoch, and of the whole command."""
    out = work / "theirs"
    out.mkdir(exist_ok=True)
    command = [
        str(python), str(WORKER), "train", "--audio", str(audio), "--out", str(out), "--batch", str(args.batch),
        "--epochs", str(args.epochs), "--threads", str(args.threads), "--workers", str(args.workers),
    ]  # fmt: skip
    run = measured(command)
    content = json.loads(run.printed)
    return {
        "epochs_s": later_epochs(content["steps_s"], content["clips"] // args.batch),
        "clips": content["clips"] // args.batch * args.batch,
        "wall_s": run.wall_s,
        "peak_mib": run.peak_mib,
        "version": content["opensoundscape"],
        "torch": content["torch"],
    }


def ours(project: Path, clips: int, args: argparse.Namespace, bf16: bool) -> dict:
    """One run of ours: the same, and seconds of the step `store` before it, which is built anew."""
    shutil.rmtree(project / "data", ignore_errors=True)
    precision = "bf16-mixed" if bf16 else "32-true"
    sets = (
        f"training.epochs={args.epochs}",
        f"training.precision={precision}",
        f"training.threads={args.threads}",
        f"training.batch_size={args.batch}",
        f'model.window.backbone="{args.backbone}"',
    )
    settings = ["-p", str(project), "--data-root", str(project / "data"), *options(sets)]
    before = measured([*OSSICLE, "run", "--until", "dataset", "--progress", "plain", *settings])
    store = measured([*OSSICLE, "run", "--until", "store", "--progress", "plain", *settings])
    again = measured([*OSSICLE, "run", "--until", "store", "--progress", "plain", *settings])
    run = measured([*OSSICLE, "jobs", "task", "training", "final", "--progress", "plain", *settings])
    epochs = RunFolder(next((project / "data" / TrainingFolder.step).rglob(FINAL))).epochs()
    return {
        # A last batch that clips do not fill is filled by others in their turn.
        "clips": -(-clips // args.batch) * args.batch,
        "epochs_s": [epoch["seconds"] for epoch in epochs[1:]],
        "wall_s": run.wall_s,
        "peak_mib": run.peak_mib,
        # What a run that finds everything takes is start, not work.
        "store_s": max(store.wall_s - again.wall_s, 0.0),
        "dataset_s": before.wall_s,
    }


def own_side(args: argparse.Namespace) -> None:
    """A smoke run: our side alone, on a few clips."""
    print("opensoundscape is not run: it needs its own environment")
    project = args.scratch / "project"
    clips = make_clips(project / "audio", args.per_class)
    (project / "ossicle.toml").write_text(PROJECT)
    for bf16 in (False, True):
        measured_run = ours(project, clips, args, bf16)
        require(len(measured_run["epochs_s"]) == args.epochs - 1, f"a run has {args.epochs} epochs, the first left out")
        print(f"{'bf16' if bf16 else 'fp32'}: {median(measured_run['epochs_s']):.2f} s an epoch")


def break_even(store_s: float, ours_s: float, theirs_s: float) -> str:
    """The epoch after which the store has paid for itself."""
    if theirs_s <= ours_s:
        return "never"
    return str(int(np.ceil(store_s / (theirs_s - ours_s))))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", type=Path, help="Python of opensoundscape's environment (peers/README.md)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--per-class", type=int, default=16, help="clips of each of 10 classes")
    parser.add_argument("--batch", type=int, default=32, help="clips in a batch")
    parser.add_argument("--backbone", default="resnet18", help="ours; opensoundscape's is ResNet-18")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--workers", type=int, default=0, help="opensoundscape's num_workers")
    parser.add_argument("--work", type=Path, help="folder for clips and project; else a temporary one")
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parsed(parser, rounds=1, per_class=2, threads=1, batch=10, backbone="test_resnet")
    if args.smoke:
        own_side(args)
        return
    if args.peer is None:
        print(
            "skipped: --peer names no environment with opensoundscape; benchmarks/peers/README.md says how to make it"
        )
        return
    if args.epochs < 3:
        raise SystemExit("--epochs: the second must be followed by another to be whole, so at least 3")
    with tempfile.TemporaryDirectory(dir=args.work) as temporary:
        work = Path(temporary)
        project = work / "project"
        clips = make_clips(project / "audio", args.per_class)
        (project / "ossicle.toml").write_text(PROJECT)
        runs: dict[str, list[dict]] = {}
        ways = [(THEIRS, True), ("ours", False), ("ours", True)]
        for number in range(args.rounds):
            for who, bf16 in ways:
                name = THEIRS if who == THEIRS else f"{who}, {'bf16' if bf16 else 'fp32'}"
                try:
                    run = (
                        ours(project, clips, args, bf16)
                        if who == "ours"
                        else theirs(args.peer, project / "audio", work, args)
                    )
                except CommandFailed as error:
                    raise SystemExit(f"{name}: {error}") from error
                runs.setdefault(name, []).append(run)
                line = f"round {number + 1}: {name}: {median(run['epochs_s']):.1f} s an epoch"
                print(line, file=sys.stderr, flush=True)
    write_result("training-peer", page(runs, args, clips), args.out)


def rate(run: dict) -> float:
    """Clips a second of a run, from the second epoch on."""
    return run["clips"] / median(run["epochs_s"])


def page(runs: dict[str, list[dict]], args: argparse.Namespace, clips: int) -> str:
    """The result as a page."""
    base = THEIRS
    rows = []
    for name, way_runs in runs.items():
        rates = [rate(run) for run in way_runs]
        pairs = sorted(rate(run) / rate(other) for run, other in zip(way_runs, runs[base], strict=True))
        store_s = [run["store_s"] for run in way_runs if "store_s" in run]
        epoch_s = median(clips / rate(run) for run in way_runs)
        rows.append(
            [
                name,
                f"{median(rates):.1f} ({min(rates):.1f} to {max(rates):.1f})",
                "1" if name == base else f"**{median(pairs):.2f}** ({pairs[0]:.2f} to {pairs[-1]:.2f})",
                f"{median(store_s):.1f}" if store_s else "–",
                break_even(median(store_s), epoch_s, median(clips / rate(run) for run in runs[base]))
                if store_s
                else "–",
                f"{median(run['wall_s'] for run in way_runs):.0f}",
                f"{max(run['peak_mib'] for run in way_runs):.0f}",
            ]
        )
    best = median(rate(a) / rate(b) for a, b in zip(runs["ours, bf16"], runs[base], strict=True))
    head = [
        "way",
        "clips a second",
        "times as fast",
        "store, s",
        "earned back in epochs",
        "whole command, s",
        "peak MiB",
    ]
    first = runs[base][0]
    caption = f"""{clips} clips of {CLIP_S:g} s, batches of {args.batch}, images of {FRONT.n_mels} x 374,
{args.epochs} epochs, the first left out; {args.threads} threads; median of {args.rounds} runs in turns (range).
No augmentation. opensoundscape computes in bfloat16 on a CPU whatever is asked (autocast in its training step);
{args.workers} loader processes there, none here. `store`: decoding all clips into it, once."""
    verdict = "met" if best >= ASKED else "not met on this processor"
    return "\n".join(
        [
            "# Training beside opensoundscape: ResNet-18",
            "",
            f"`benchmarks/bench_training_peer.py`; {described(['torch'])} opensoundscape {first['version']} with torch "
            f"{first['torch']}.",
            "",
            caption,
            "",
            table(head, rows),
            "",
            f"- {ASKED:g} times opensoundscape asked, {best:.2f} measured in bf16: {verdict}.",
        ]
    )


if __name__ == "__main__":
    os.environ.setdefault("PYTHONWARNINGS", "ignore")
    main()
