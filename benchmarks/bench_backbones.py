"""The two networks that are known for birds train one published fold of ESC-10 here, from scratch, and are exported.

Whether they can be trained on a processor, how fast, and that the graph agrees with torch; a few epochs say nothing of
what they reach. The recipe's front end (128 bands, 5 s at 32 kHz), bf16, batches of 16.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from machine import RESULTS, data_folder, described, table, write_result

from ossicle.app.project.load import load_project
from ossicle.app.steps.chain import run_project
from ossicle.app.steps.step import Silent
from ossicle.app.steps.training import labels_of
from ossicle.artefacts.tables import read_table
from ossicle.corpus.index_files import read_index
from ossicle.export.onnx_graph import model_graph
from ossicle.export.parity import check_parity
from ossicle.inference.batch import score_recording
from ossicle.models.predictor import load_predictor
from ossicle.models.registry import build_network
from ossicle.models.weights import load_weights
from ossicle.training.crossval import FitJob, fit_job
from ossicle.training.runfolder import RunFolder

NAMES = ("tf_efficientnetv2_s_in21k", "eca_nfnet_l0")
FOLD = 4


def measure(folder: Path, name: str, epochs: int) -> list[str]:
    """One training and its export: a row of the table."""
    sets = (f"model.window.backbone={name}", f"training.epochs={epochs}", "training.batch_size=16")
    project = load_project(folder, (*sets, "training.threads=2", "training.validation_crops=0"))
    settings, made = project.settings, run_project(project, Silent(), until="store").artefacts
    labels = labels_of(made["dataset"])
    job = FitJob(
        folder=folder / "runs" / f"{name}-{epochs}",
        held_out=(FOLD,),
        dataset=made["dataset"],
        store=made["store"],
        labels=labels,
        plan=settings.plan,
        model=settings.model,
        front=settings.frontend,
        training=settings.training,
        augment=settings.augment,
        audio=project.audio_folder,
    )
    fit_job(job)
    run = RunFolder(job.folder)
    lines = run.epochs()
    seconds = min(line["seconds"] for line in lines)
    n_clips = sum(row["fold"] != FOLD for row in read_table(made["dataset"] / "clips.parquet").to_dicts())
    predictor = load_predictor(run.weights, settings.model, labels, settings.plan, settings.frontend)
    folds = {row["recording_id"]: row["fold"] for row in read_table(made["dataset"] / "folds.parquet").to_dicts()}
    index = read_index(made["corpus"])
    truth = {note.recording_id: note.label for note in index.annotations}
    held_out = [one for one in index.recordings if folds[one.id] == FOLD]
    right = 0
    for one in held_out:
        track, _ = score_recording(project.audio_folder / one.path, predictor)
        right += labels[int(np.asarray(track.scores).max(axis=0).argmax())] == truth[one.id]
    network = build_network(settings.model, settings.frontend, settings.plan, len(labels)).eval()
    load_weights(network, run.weights)
    graph = model_graph(network, settings.plan, settings.frontend)
    noise = (0.1 * np.random.default_rng(0).standard_normal(4 * settings.plan.chunk_samples)).astype(np.float32)
    parity = check_parity(network, {"model.onnx": graph}, settings.plan, settings.frontend, noise)["model.onnx"]
    return [
        name,
        f"{sum(one.numel() for one in network.parameters()) / 1e6:.1f}",
        str(len(lines)),
        f"{lines[0]['train_loss']:.3f} to {lines[-1]['train_loss']:.3f}",
        f"{n_clips / seconds:.1f}",
        f"{100 * right / len(held_out):.1f}",
        f"{parity:.1e}",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--names", nargs="+", default=list(NAMES))
    parser.add_argument("--work", type=Path, default=Path("work/bench-backbones"), help="folder of the project, kept")
    parser.add_argument("--out", type=Path, default=RESULTS)
    asked = parser.parse_args()
    audio = data_folder() / "esc10"
    if not audio.is_dir():
        print(f"skipped: no {audio}; set OSSICLE_TEST_DATA")
        return
    if not (asked.work / "ossicle.toml").exists():
        command = [sys.executable, "-m", "ossicle", "new", "birds", str(asked.work), "--audio", str(audio)]
        subprocess.run(command, check=True)
    began = time.monotonic()
    rows = [measure(asked.work, name, asked.epochs) for name in asked.names]
    head = ["network", "million weights", "epochs", "loss", "clips/s", "accuracy (%)", "ONNX against torch"]
    text = f"""# The networks known for birds, one fold each

`benchmarks/bench_backbones.py --epochs {asked.epochs}`; {described(("torch", "timm", "onnxruntime"))} \
{(time.monotonic() - began) / 60:.0f} minutes in all.

ESC-10 from scratch, published fold {FOLD + 1} held out (80 clips; chance is 10 %), clips of 5 s, 128 bands,
bf16, 2 threads. So few epochs say that it trains and how fast, not what it reaches.

{table(head, rows)}
"""
    write_result("backbones", text, asked.out)


if __name__ == "__main__":
    main()
