"""Rare labels: class weights, samplers and focal loss against none, where common labels have 20 times the clips.

Six kinds of decaying tones lie so close in pitch that neighbours overlap; every other one is rare. Each row is a
training of the recipe's small network through ``ossicle.training``, for each seed; only sampler, weights or loss
differ. Macro-F1 is given for a test with the same shares, and for one in which all labels are equally frequent (rows
of the confusion divided by their sums), as is usual for long tails: the first favours a model that knows the shares.
Intervals are paired over the hits of the test, drawn for all seeds at once.

    .venv/bin/python benchmarks/bench_imbalance.py [--seeds 0 1 2]
"""

import argparse
import hashlib
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from drum_answers import Answered, compared, recalls
from machine import RESULTS, described, table, write_result
from smoke import parsed

from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.run_folder import RunFolder
from ossicle.audio.store import StoreItem, build_store
from ossicle.audio.wav import write_wav
from ossicle.core.model_input.chunks import window_plan
from ossicle.core.model_input.frontend import FrontEndSettings
from ossicle.core.records import Annotation, Clip
from ossicle.models.predictor import load_predictor
from ossicle.models.settings import AugmentSettings, ModelSettings, WindowSettings
from ossicle.training.detector.crossval import fit_job
from ossicle.training.detector.job import FitJob
from ossicle.training.settings import TrainingSettings

RATE, HIT_S, RATIO = 8000, 0.25, 20
LABELS = tuple(f"tone_{number}" for number in range(6))
RARE = LABELS[1::2]
FRONT = FrontEndSettings(rate=RATE, n_fft=256, hop_samples=80, n_mels=32, fmax_hz=4000.0)
PLAN = window_plan(FRONT, HIT_S, HIT_S, HIT_S, exact=True)
MODEL = ModelSettings(
    name="window",
    window=WindowSettings(backbone="small_cnn", head="attention", normalise="peak", scores="softmax", hidden=64),
)
AUGMENT = AugmentSettings(gain_db=0.0, tilt_db=0.0, background_probability=0.0, noise_share=0.0, frequency_mask=0.0)
TRAINING = TrainingSettings(
    steps_per_epoch=0, batch_size=32, weak=True, balance="natural", learning_rate=3e-3, ema_decay=0.9,
    validation_crops=0, device="cpu",
)  # fmt: skip
ROWS: Mapping[str, Mapping[str, str]] = {
    "none": {},
    "class weights, balanced": {"class_weights": "balanced"},
    "class weights, square root": {"class_weights": "sqrt"},
    "sampler, balanced": {"balance": "uniform"},
    "sampler, square root": {"balance": "sqrt"},
    "focal loss": {"loss": "focal"},
}


def hit(label: str, rng: np.random.Generator) -> np.ndarray:
    """A decaying tone of the label's pitch, off by a third of the distance to its neighbours, in noise."""
    seconds = np.arange(round(HIT_S * RATE)) / RATE
    hz = 300 * 1.3 ** (LABELS.index(label) + rng.normal(0, 1 / 3))
    tone = np.sin(2 * np.pi * hz * seconds) * np.exp(-seconds * rng.uniform(10, 25))
    return (0.3 * tone + rng.uniform(0.005, 0.03) * rng.standard_normal(len(seconds))).astype(np.float32)


def counts(common: int) -> dict[str, int]:
    """Number of hits of each label."""
    return {label: common // RATIO if label in RARE else common for label in LABELS}


def make_training(folder: Path, common: int) -> tuple[DatasetFolder, Path]:
    """The hits to train on, as a dataset and a store."""
    notes, clips, items = [], [], []
    for label, n in counts(common).items():
        for take in range(n):
            key, path = f"{label}-{take}", folder / f"{label}-{take}.wav"
            write_wav(path, hit(label, np.random.default_rng([0, LABELS.index(label), take])), RATE)
            items.append(StoreItem(key, path, hashlib.sha256(path.read_bytes()).hexdigest()))
            notes.append(Annotation(key, 0.0, HIT_S, label))
            clips.append(Clip(key, 0.0, HIT_S, "target", 0, key, label))
    dataset = DatasetFolder(folder / "dataset")
    dataset.write_clips(clips)
    dataset.write_targets(notes)
    build_store(items, folder / "store", RATE)
    return dataset, folder / "store"


def make_test(common: int) -> tuple[np.ndarray, np.ndarray]:
    """Chunks of the test, (n, PLAN.chunk_samples), and the column of each one's label."""
    hits, truth = [], []
    for label, n in counts(common).items():
        for take in range(n):
            wave = hit(label, np.random.default_rng([1, LABELS.index(label), take]))
            hits.append(wave[: PLAN.chunk_samples])
            truth.append(LABELS.index(label))
    return np.stack(hits), np.array(truth, dtype=np.int64)


def answers(job: FitJob, waves: np.ndarray, truth: np.ndarray) -> Answered:
    """Train one model and return its answers to the test."""
    fit_job(job)
    predictor = load_predictor(RunFolder(job.folder).weights, MODEL, LABELS, PLAN, FRONT)
    scores = np.concatenate([predictor.predict(waves[begin : begin + 64])[:, 0] for begin in range(0, len(waves), 64)])
    groups = tuple(map(str, range(len(truth))))
    return Answered(LABELS, truth, scores.argmax(axis=1).astype(np.int64), groups)


def measure(args: argparse.Namespace, work: Path) -> tuple[list[list[str]], list[str]]:
    """The rows of the table, and the names of those whose gain excludes 0."""
    dataset, store = make_training(work, args.hits)
    waves, truth = make_test(args.test_hits)
    answers_by_name: dict[str, list[Answered]] = {}
    for number, (name, changes) in enumerate(ROWS.items()):
        for seed in args.seeds:
            overrides: dict[str, Any] = {**changes, "seed": seed, "epochs": args.epochs}
            folder = work / f"run-{number}-{seed}"
            training = replace(TRAINING, **overrides)
            job = FitJob(folder, (), dataset, store, LABELS, PLAN, MODEL, FRONT, training, AUGMENT)
            answers_by_name.setdefault(name, []).append(answers(job, waves, truth))
    rows, gained = [], []
    for name, ours in answers_by_name.items():
        paired, recall = compared(ours, answers_by_name["none"], args.bootstrap), recalls(ours)
        rare = np.mean([recall[label] for label in RARE])
        cells = []
        for test, comparison in (
            ("same shares", paired),
            ("equal shares", compared(ours, answers_by_name["none"], args.bootstrap, 0, True)),
        ):
            value, low, high = (matrix[2, 0] for matrix in (comparison.value, comparison.low, comparison.high))
            cells += [
                f"{comparison.value[0, 0]:.3f}",
                "" if name == "none" else f"{value:+.3f} [{low:+.3f}, {high:+.3f}]",
            ]
            if name != "none" and low > 0:
                gained.append(f"{name} ({test})")
        rows.append([name, *cells, f"{rare:.3f}", f"{paired.value[0, 1]:.3f}"])
    return rows, gained


def main() -> None:
    """Measure every row and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="seeds of the trainings")
    parser.add_argument(
        "--hits", type=int, default=200, help="training hits of a common label; a twentieth of a rare one"
    )
    parser.add_argument("--test-hits", type=int, default=600, help="test hits of a common label")
    parser.add_argument("--epochs", type=int, default=10, help="passes through the training hits")
    parser.add_argument("--bootstrap", type=int, default=1000, help="resamples of the intervals")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the table")
    args = parsed(parser, seeds=[0], hits=20, test_hits=40, epochs=1, bootstrap=100)
    with tempfile.TemporaryDirectory(prefix="ossicle-imbalance-") as scratch:
        rows, gained = measure(args, Path(scratch))
    head = (
        "against imbalance", "macro-F1, same shares", "gain over none", "macro-F1, equal shares", "gain over none",
        "recall of rare labels", "accuracy",
    )  # fmt: skip
    caption = (
        f"`bench_imbalance.py --seeds {' '.join(map(str, args.seeds))} --hits {args.hits} --epochs {args.epochs}`: "
        f"{args.hits} training hits of each common label and {args.hits // RATIO} of each rare one; means over the "
        f"seeds. A gain whose interval excludes 0: {', '.join(gained) or 'none'}."
    )
    write_result("imbalance", f"# Rare labels\n\n{described(['torch'])}\n\n{caption}\n\n{table(head, rows)}", args.out)


if __name__ == "__main__":
    main()
