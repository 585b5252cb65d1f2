"""What is on in a window: the acoustic encoder with a head, against logistic regression on simple statistics.

Trained on the recordings of one part of the day and judged on the other, in both directions, window by window, at a
threshold of 0.5 that nothing was fitted to. The baseline reads mean, standard deviation and 10th percentile of 64
log-mel bands, standardised (C = 0.01), on the same windows. Figures: 3-state accuracy (air conditioner on, else fridge
on, else neither), F1 of the fridge where the air conditioner is off, and F1 of the fridge in all windows; of the head
the mean over its seeds. Intervals: bootstrap over the recordings that are judged, 4 in each direction, which is too few
for any claim about other kitchens. The encoder was chosen on these recordings (`docs/encoders.md`).
"""

import argparse
from pathlib import Path

import numpy as np
from appliance_scenes import PARTS, read_recordings
from machine import RESULTS, described, table, write_result
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from smoke import parsed, recordings, require

from ossicle.audio.encoders.acoustic import FRONT, AcousticEncoder
from ossicle.audio.encoders.windows import batches
from ossicle.audio.features.logmel import log_mel
from ossicle.models.heads.settings import HeadSettings

HEAD = HeadSettings(pooling="mean")
FIGURES = ("3-state accuracy", "fridge F1, not hidden", "fridge F1, all")
Array = NDArray[np.float32]


def simple(waveforms: Array) -> Array:
    """Mean, deviation and 10th percentile of log-mel bands (n, 192)."""
    levels = log_mel(waveforms, FRONT)
    parts = (levels.mean(axis=1), levels.std(axis=1), np.percentile(levels, 10, axis=1))
    return np.concatenate(parts, axis=1).astype(np.float32)


class Windows:
    """Windows of all recordings: both kinds of features, truth (n, 2), part of the day and recording of each."""

    def __init__(self, folder: Path, window_s: float, hop_s: float) -> None:
        encoder, rate = AcousticEncoder(), AcousticEncoder.spec.rate
        encoded, plain, truth, parts, names = [], [], [], [], []
        for (part, ac, fridge), samples in sorted(read_recordings(folder, rate).items()):
            for _, windows in batches([samples], round(window_s * rate), round(hop_s * rate)):
                encoded.append(encoder.encode(windows))
                plain.append(simple(windows))
                truth += [(ac, fridge)] * len(windows)
                parts += [part] * len(windows)
                names += [f"{part} {ac} {fridge}"] * len(windows)
        self.encoded, self.plain = np.concatenate(encoded), np.concatenate(plain)
        self.truth, self.parts, self.names = np.array(truth), np.array(parts), np.array(names)


def by_head(windows: Windows, train: NDArray[np.bool_], seed: int) -> NDArray[np.bool_]:
    """What a head says of every window (n, 2)."""
    import torch

    from ossicle.models.predictor import use_threads
    from ossicle.training.heads.fit import fit_head
    from ossicle.training.heads.windows import HeadWindows

    use_threads(1)
    truth = windows.truth[train]
    known = np.ones(truth.shape, np.bool_)
    weights = np.ones(len(truth), np.float32)
    material = HeadWindows(windows.encoded[train], truth.astype(np.float32), known, weights, windows.names[train])
    head = fit_head(material, HEAD, seed).head
    with torch.inference_mode():
        found: NDArray[np.bool_] = head(torch.from_numpy(windows.encoded)).numpy() > 0
    return found


def by_regression(windows: Windows, train: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """What the baseline says of every window (n, 2)."""
    found = []
    for label in range(2):
        fitted = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=2000))
        fitted.fit(windows.plain[train], windows.truth[train, label])
        found.append(fitted.predict(windows.plain))
    return np.stack(found, axis=1)


def figures(found: NDArray[np.bool_], truth: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The three figures of some windows."""
    states = [np.where(one[:, 0], 2, one[:, 1]) for one in (found, truth)]
    free = ~truth[:, 0]
    return np.array([np.mean(states[0] == states[1]), f1(found[free, 1], truth[free, 1]), f1(found[:, 1], truth[:, 1])])


def f1(found: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    """F1 of the positive side; 0 where there is neither."""
    both = found.sum() + truth.sum()
    return float(2 * (found & truth).sum() / both) if both else 0.0


def judged(windows: Windows, part: str, seeds: list[int], resamples: int) -> tuple[NDArray[np.float64], ...]:
    """Figures of head and baseline on one part of the day, and the interval of their difference (2, 3)."""
    test = windows.parts == part
    truth, names = windows.truth[test], windows.names[test]
    heads = [by_head(windows, ~test, seed)[test] for seed in seeds]
    plain = by_regression(windows, ~test)[test]

    def both(rows: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        ours = np.mean([figures(one[rows], truth[rows]) for one in heads], axis=0)
        return ours, figures(plain[rows], truth[rows])

    ours, theirs = both(np.arange(len(truth)))
    by_name = [np.flatnonzero(names == name) for name in sorted(set(names))]
    draw = np.random.default_rng(1)
    differences = []
    for _ in range(resamples):
        rows = np.concatenate([by_name[k] for k in draw.integers(len(by_name), size=len(by_name))])
        one, other = both(rows)
        differences.append(one - other)
    return ours, theirs, np.percentile(differences, [2.5, 97.5], axis=0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--windows-s", type=float, nargs="+", default=[2.0, 6.0])
    parser.add_argument("--hop-s", type=float, default=0.5)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--resamples", type=int, default=2000, help="of the bootstrap")
    parser.add_argument("--out", type=Path, default=RESULTS)
    asked = parsed(parser, windows_s=[1.0], hop_s=6.0, seeds=[1], resamples=20)
    folder = recordings("appliances", asked)
    if folder is None:
        return
    rows = []
    for window_s in asked.windows_s:
        windows = Windows(folder, window_s, asked.hop_s)
        found = {part: judged(windows, part, asked.seeds, asked.resamples) for part in PARTS}
        for k, name in enumerate(FIGURES):
            for part, (ours, theirs, interval) in found.items():
                gain = f"{ours[k] - theirs[k]:+.3f} [{interval[0, k]:+.3f}, {interval[1, k]:+.3f}]"
                rows.append((f"{window_s:g} s", name, part, f"{ours[k]:.3f}", f"{theirs[k]:.3f}", gain))
            worse = [min(one[way][k] for one in found.values()) for way in (0, 1)]
            rows.append((f"{window_s:g} s", name, "**worse of both**", f"**{worse[0]:.3f}**", f"{worse[1]:.3f}", ""))
    require(all(np.isfinite(float(row[3].strip("*"))) for row in rows), "every figure is a number")
    head = ("window", "figure", "judged on", "acoustic encoder and head", "logistic regression", "difference [95 %]")
    text = (
        f"# What is on in a window of a kitchen\n\n{len(windows.names)} windows of 8 recordings every "
        f"{asked.hop_s:g} s (at the last length); seeds {asked.seeds}; "
        "**insufficient**: 2 recordings a side and direction. "
        f"{described(('numpy', 'torch', 'scikit-learn'))}\n\n{table(head, rows)}\n\n"
        "Run: `python benchmarks/bench_appliances.py`."
    )
    write_result("appliances", text, asked.out)


if __name__ == "__main__":
    main()
