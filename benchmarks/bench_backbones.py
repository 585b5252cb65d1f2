"""The two networks that are known for birds train one published fold of ESC-10 here, from scratch, and are exported.

Whether they can be trained on a processor, how fast, and that the graph agrees with torch; a few epochs say nothing of
what they reach. The recipe's front end (128 bands, 5 s at 32 kHz), bf16, batches of 16.
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from bench_esc10 import scaffold
from held_out import held_out
from machine import RESULTS, described, table, write_result
from smoke import parsed, recordings, require
from stand_ins import TINY_CLIPS

from ossicle.artefacts.typed.run_folder import RunFolder
from ossicle.bundle.manifest import MODEL
from ossicle.export.onnx_graph import model_graph
from ossicle.export.parity import check_parity
from ossicle.inference.batch import score_recording
from ossicle.models.networks.registry import build_network
from ossicle.models.predictor import load_predictor
from ossicle.models.weights import load_weights
from ossicle.training.detector.crossval import fit_job

NAMES = ("tf_efficientnetv2_s_in21k", "eca_nfnet_l0")
FOLD = 4
SAME = 1e-4


def measure(folder: Path, name: str, epochs: int, more: Sequence[str]) -> list[str]:
    """One training and its export: a row of the table."""
    sets = ("training.batch_size=16", *more, f"model.window.backbone={name}", f"training.epochs={epochs}")
    held = held_out(folder, f"{name}-{epochs}", FOLD, (*sets, "training.threads=2", "training.validation_crops=0"))
    job, truth = held.job, held.truth
    fit_job(job)
    run = RunFolder(job.folder)
    lines = run.epochs()
    seconds = min(line["seconds"] for line in lines)
    n_clips = sum(clip.fold != FOLD for clip in job.dataset.clips)
    predictor = load_predictor(run.weights, job.model, job.labels, job.plan, job.front)
    label_of = {note.recording_id: note.label for note in truth.annotations}
    right = 0
    for key in held.ids:
        track, _ = score_recording(held.project.audio_folder / truth.recordings[key].path, predictor)
        right += job.labels[int(np.asarray(track.scores).max(axis=0).argmax())] == label_of[key]
    network = build_network(job.model, job.front, job.plan, len(job.labels)).eval()
    load_weights(network, run.weights)
    graph = model_graph(network, job.plan, job.front)
    noise = (0.1 * np.random.default_rng(0).standard_normal(4 * job.plan.chunk_samples)).astype(np.float32)
    parity = check_parity(network, {MODEL: graph}, job.plan, job.front, noise)[MODEL]
    require(parity <= SAME, f"{name}: the graph agrees with torch within {SAME:g}, not {parity:.1e}")
    return [
        name,
        f"{sum(parameter.numel() for parameter in network.parameters()) / 1e6:.1f}",
        str(len(lines)),
        f"{lines[0]['train_loss']:.3f} to {lines[-1]['train_loss']:.3f}",
        f"{n_clips / seconds:.1f}",
        f"{100 * right / len(held.ids):.1f}",
        f"{parity:.1e}",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--names", nargs="+", default=list(NAMES))
    parser.add_argument("--set", nargs="*", default=[], help="settings other than the recipe's")
    parser.add_argument("--work", type=Path, default=Path("work/bench-backbones"), help="folder of the project, kept")
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parsed(parser, epochs=1, names=["test_nfnet"], set=list(TINY_CLIPS))
    audio = recordings("esc10", args)
    if audio is None:
        return
    scaffold(args.work, audio)
    began = time.monotonic()
    rows = [measure(args.work, name, args.epochs, args.set) for name in args.names]
    head = ["network", "million weights", "epochs", "loss", "clips/s", "accuracy (%)", "ONNX against torch"]
    text = f"""# The networks known for birds, one fold each

`benchmarks/bench_backbones.py --epochs {args.epochs}`; {described(("torch", "timm", "onnxruntime"))} \
{(time.monotonic() - began) / 60:.0f} minutes in all.

ESC-10 from scratch, published fold {FOLD + 1} held out (80 clips; chance is 10 %), clips of 5 s, 128 bands,
bf16, 2 threads. So few epochs say that it trains and how fast, not what it reaches.

{table(head, rows)}
"""
    write_result("backbones", text, args.out)


if __name__ == "__main__":
    main()
