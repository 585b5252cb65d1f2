"""Heads on BirdNET for ESC-10, fitted to few and to more crops of noise: accuracy, and what fires in the noise gate.

For each seed and amount of noise, heads by the published folds give the accuracy and the thresholds (middle of the
plateau of F1 of each class), and a head on all clips reads the probes of the noise gate, 15 s of each. A class fires if
the highest score of a probe reaches its threshold; rain and sea waves are noise themselves and do not count. Embeddings
are those of `bench_esc10_heads.py`, in the same `--work`.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from bench_esc10_heads import HOP_S, WINDOW_S, WINDOWS, Corpus, embeddings, opened
from esc10 import FOLDS
from machine import RESULTS, described, table, write_result
from smoke import parsed, recordings

from ossicle.audio.encoders.spec import Encoder
from ossicle.core.digest import seed_of
from ossicle.corpus.synthetic.noise_probes import synthetic_probes
from ossicle.inference.states.threshold_curves import threshold_curve, threshold_grid
from ossicle.models.augmentation.noise_crops import NOISE_KINDS, noise_crops
from ossicle.models.heads.head import Head
from ossicle.models.heads.scoring import head_scores
from ossicle.models.heads.settings import HeadSettings
from ossicle.models.predictor import use_threads
from ossicle.training.heads.fit import fit_head
from ossicle.training.heads.windows import HeadWindows

CLIPS_OF_PROBE = 3
AMOUNTS = ((64, 0.125), (200, 0.5), (200, 1.0))
"""Crops of noise, and their weight as a share of that of the groups: with `augment.noise_share` as in networks, four
times as much, the default of heads, and the weight after the command that a refused run names.
"""
NOISE_CLASSES = ("rain", "sea_waves")
HEAD = HeadSettings(pooling="mean", values="root")


def encoded(encoder: Encoder, waves: Sequence[np.ndarray]) -> np.ndarray:
    """Return the mean embeddings of clips, float32 (n, 1, dim)."""
    window, hop = round(WINDOW_S * encoder.spec.rate), round(HOP_S * encoder.spec.rate)
    rows = [encoder.encode(np.stack([w[k * hop : k * hop + window] for k in range(WINDOWS)]))[:, 0] for w in waves]
    return np.stack(rows).mean(axis=1, keepdims=True).astype(np.float32)


def noise(encoder: Encoder, work: Path, n: int) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Return embeddings and kinds of ``n`` crops of noise, and the embeddings of the probes by name."""
    kept_file = work / f"{encoder.spec.name}-noise-{n}.npz"
    if not kept_file.exists():
        rate = encoder.spec.rate
        length = round((WINDOW_S + (WINDOWS - 1) * HOP_S) * rate)
        crops = noise_crops(n, length, rate, torch.Generator().manual_seed(seed_of(0, "head", "noise")))
        probes = {
            f"{probe.name}, {probe.part}": encoded(
                encoder, probe.samples[: CLIPS_OF_PROBE * length].reshape(-1, length)
            )
            for probe in synthetic_probes(rate, CLIPS_OF_PROBE * length / rate, 0)
        }
        np.savez(
            kept_file,
            crops=encoded(encoder, list(crops.waveforms.numpy())),
            kinds=crops.kinds.numpy(),
            names=np.array(list(probes)),
            probes=np.stack(list(probes.values())),
        )
    with np.load(kept_file) as arrays:
        return arrays["crops"], arrays["kinds"], dict(zip(arrays["names"].tolist(), arrays["probes"], strict=True))


def fitted(
    corpus: Corpus, clips: np.ndarray, rows: np.ndarray, crops: np.ndarray, kinds: np.ndarray, share: float, seed: int
) -> Head:
    """Return a head fitted to clips and crops of noise, as `ossicle run` does."""
    sounding = np.array([name != "silence" for name in NOISE_KINDS])[kinds]
    known = ~(sounding[:, None] & np.isin(corpus.classes, NOISE_CLASSES)[None])
    n_groups = max(1, round(share * len(set(corpus.sources[rows]))))
    targets = np.concatenate([corpus.targets[rows], np.zeros(known.shape, np.float32)])
    head_windows = HeadWindows(
        np.concatenate([clips[rows], crops]),
        targets,
        np.concatenate([np.ones((len(rows), len(corpus.classes)), bool), known]),
        np.ones(len(targets), np.float32),
        np.concatenate([corpus.sources[rows].astype(str), [f"(noise {k % n_groups})" for k in range(len(crops))]]),
    )
    return fit_head(head_windows, HEAD, seed).head


def scores_of(head: Head, features: np.ndarray) -> np.ndarray:
    return np.concatenate(list(head_scores(head, features)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--work", type=Path, default=Path("work/esc10-heads"), help="folder of kept embeddings")
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parsed(parser, seeds=[0])
    audio = recordings("esc10", args)
    if audio is None:
        return
    use_threads(1)
    args.work.mkdir(parents=True, exist_ok=True)
    corpus, encoder = Corpus(audio), opened(args.smoke)[0]
    clips = embeddings(corpus, encoder, args.work)[0].mean(axis=1, keepdims=True).astype(np.float32)
    crops, kinds, probes = noise(encoder, args.work, 16 if args.smoke else max(n for n, _ in AMOUNTS))
    counted = [k for k, name in enumerate(corpus.classes) if name not in NOISE_CLASSES]
    grid, everything = threshold_grid(0.05, 0.95, 0.01), np.arange(len(clips))
    rows = []
    for seed in args.seeds:
        for n, share in AMOUNTS:
            held_out = np.zeros_like(corpus.targets)
            for fold in FOLDS:
                train, test = np.flatnonzero(corpus.folds != fold), np.flatnonzero(corpus.folds == fold)
                if len(test):
                    head = fitted(corpus, clips, train, crops[:n], kinds[:n], share, seed)
                    held_out[test] = scores_of(head, clips[test])
            right = held_out.argmax(axis=1) == corpus.targets.argmax(axis=1)
            head = fitted(corpus, clips, everything, crops[:n], kinds[:n], share, seed)
            highest = {name: scores_of(head, probe).max(axis=0) for name, probe in probes.items()}
            fires, hum = (
                [],
                max(float(scores[counted].max()) for name, scores in highest.items() if name.startswith("hum")),
            )
            for k in counted:
                scores = held_out[:, k].astype(np.float64)
                plateau = threshold_curve(scores, corpus.targets[:, k] == 1, corpus.folds, grid).plateau
                threshold = 0.5 if plateau is None else (plateau.low + plateau.high) / 2
                fires += [f"{corpus.classes[k]}: {name}" for name, scores in highest.items() if scores[k] >= threshold]
            rows.append([str(seed), str(n), f"{share:g}", f"{100 * right.mean():.2f}", f"{hum:.2f}", "; ".join(fires)])
            print(*rows[-1], sep=" | ", flush=True)
    text = [
        "# Noise for heads on an encoder",
        "",
        described(["torch"]),
        "",
        f"ESC-10, encoder {encoder.spec.name}, five published folds, {len(clips)} clips.",
        "",
        table(["seed", "crops", "share", "accuracy, %", "highest score in hum", "fires in the noise gate"], rows),
    ]
    write_result("head-noise", "\n".join(text), args.out)


if __name__ == "__main__":
    main()
