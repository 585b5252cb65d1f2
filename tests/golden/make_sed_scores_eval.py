"""Golden PSDS figures of sed_scores_eval, made in an environment of its own (it fails on pandas 3).

    python3 -m venv /tmp/golden && /tmp/golden/bin/pip install sed_scores_eval "pandas<3" "setuptools<81"
    /tmp/golden/bin/python tests/golden/make_sed_scores_eval.py

Inputs are drawn from seeds and not kept; the file holds a digest of them beside what sed_scores_eval says, so a NumPy
that draws otherwise is told apart from an error. The tests import :func:`draw_case` from here.
"""

import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

GOLDEN = Path(__file__).with_name("sed_scores_eval.json.gz")
CASES = 320
LABELS = ("hum", "trill", "click", "buzz")
SCENARIOS: tuple[dict[str, float | None], ...] = (
    {"dtc": 0.7, "gtc": 0.7, "cttc": None, "alpha_ct": 0.0, "alpha_st": 1.0},
    {"dtc": 0.1, "gtc": 0.1, "cttc": 0.3, "alpha_ct": 0.5, "alpha_st": 1.0},
)


def draw_case(seed: int) -> dict[str, Any]:
    """Draw recordings (frames, scores, references), labels and a criterion: plain lists, numbers of six decimals.

    Seeds come round through: scores with and without ties, references on the frames' edges and beside them, that
    touch, overlap within their class, reach beyond the last frame or fill nothing; recordings and labels without any.
    """
    g = np.random.default_rng(seed)
    labels = list(LABELS[: g.integers(1, len(LABELS) + 1)])
    recordings = {}
    for number in range(g.integers(1, 5)):
        n_frames = int(g.integers(1, 70))
        hop_s = float(g.choice([0.02, 0.5, 3.0, 7.25]))
        steps = g.choice([0.5, 1.0, 1.7], n_frames) if g.random() < 0.2 else np.ones(n_frames)
        edges = np.round(np.concatenate([[0.0], np.cumsum(steps * hop_s)]), 6)
        references = {label: _events(g, edges) for label in labels}
        levels = int(g.choice([0, 2, 5, 12]))
        scores = {label: _scores(g, edges, references[label], levels) for label in labels}
        recordings[f"r{number}"] = {
            "edges_s": edges.tolist(),
            "scores": scores,
            "references": references,
            "duration_s": round(float(edges[-1]) + float(g.choice([0.0, 3.0])), 6),
        }
    criterion: dict[str, Any]
    if seed % 3 < 2:
        criterion = dict(SCENARIOS[seed % 3])
    else:
        weighs = bool(g.integers(2)) and len(labels) > 1
        criterion = {name: float(g.choice([0.1, 0.25, 0.5, 0.7, 1.0])) for name in ("dtc", "gtc", "cttc")}
        criterion |= {"alpha_ct": float(g.choice([0.3, 1.0])) if weighs else 0.0, "alpha_st": float(g.choice([0, 0.6]))}
        criterion["cttc"] = criterion["cttc"] if weighs else None
    # Of one label with references alone sed_scores_eval cannot count cross triggers.
    if sum(any(of["references"][label] for of in recordings.values()) for label in labels) < 2:
        criterion |= {"alpha_ct": 0.0, "cttc": None}
    hours = sum(of["duration_s"] for of in recordings.values()) / 3600
    criterion["max_efpr"] = float(g.choice([2.0, 10.0, 60.0])) / hours
    return {"labels": labels, "recordings": recordings, "criterion": criterion}


def _events(g: np.random.Generator, edges: np.ndarray) -> list[list[float]]:
    """Up to six events; none where the draw says so."""
    if g.random() < 0.25:
        return []
    events = []
    for _ in range(g.integers(1, 7)):
        if g.random() < 0.5:
            start, end = sorted(g.choice(edges, 2))
        else:
            start, end = np.sort(g.uniform(0, edges[-1] * g.choice([1.0, 1.1]), 2))
        events.append([start, end])
        if g.random() < 0.3:
            events.append([end, end + g.uniform(0, edges[-1] / 5)])
    rounded = [[round(float(start), 6), round(float(end), 6)] for start, end in events]
    # Scored frames are what counts: an event that begins behind them is no case for either.
    return [event for event in rounded if event[0] < event[1] and event[0] < edges[-1]]


def _scores(g: np.random.Generator, edges: np.ndarray, events: list[list[float]], levels: int) -> list[float]:
    scores = g.random(len(edges) - 1) * g.choice([0.4, 0.8, 1.0])
    middles = (edges[1:] + edges[:-1]) / 2
    for start, end in events:
        scores[(middles >= start) & (middles < end)] += g.uniform(0, 0.6)
    if g.random() < 0.5:
        # Sums written out, and rounded: np.convolve goes through BLAS, whose last bit depends on the processor.
        padded = np.concatenate([[0.0, 0.0], scores])
        scores = (padded[2:] + padded[1:-1] + padded[:-2]) / 3
    return np.round(scores * levels if levels else scores, 0 if levels else 6).tolist()


def input_digest(case: dict[str, Any]) -> str:
    """What was drawn, as a short hash."""
    return hashlib.sha256(json.dumps(case, sort_keys=True).encode()).hexdigest()[:16]


def judge(case: dict[str, Any]) -> dict[str, Any]:
    """What sed_scores_eval says: the PSDS and that of each label.

    Two things it refuses before it counts: labels without references, which are kept from it here, and references of
    one class that touch or overlap. The latter its formulas (those of the paper, sums over references) take as they
    are, so that check is put aside.
    """
    from sed_scores_eval.base_modules import io
    from sed_scores_eval.base_modules.scores import create_score_dataframe
    from sed_scores_eval.intersection_based import psds

    io.assert_non_connected_events = lambda ground_truth: None
    recordings, criterion = case["recordings"], case["criterion"]
    labels = [label for label in case["labels"] if any(of["references"][label] for of in recordings.values())]
    if not labels:
        return {"psds": None, "per_label": {}}
    value, per_label, *_ = psds(
        scores={
            name: create_score_dataframe(
                np.array([of["scores"][label] for label in labels]).T, np.array(of["edges_s"]), labels
            )
            for name, of in recordings.items()
        },
        ground_truth={
            name: [(start, end, label) for label in labels for start, end in of["references"][label]]
            for name, of in recordings.items()
        },
        audio_durations={name: of["duration_s"] for name, of in recordings.items()},
        dtc_threshold=criterion["dtc"],
        gtc_threshold=criterion["gtc"],
        cttc_threshold=criterion["cttc"],
        alpha_ct=criterion["alpha_ct"],
        alpha_st=criterion["alpha_st"],
        max_efpr=criterion["max_efpr"],
    )
    return {"psds": float(value), "per_label": {label: float(of) for label, of in per_label.items()}}


def main() -> None:
    from importlib.metadata import version

    cases = []
    for seed in range(CASES):
        case = draw_case(seed)
        cases.append({"seed": seed, "inputs": input_digest(case), **judge(case)})
    made_by = {name: version(name) for name in ("sed_scores_eval", "numpy", "pandas", "scipy")}
    text = json.dumps({"made_by": made_by, "cases": cases}, indent=0)
    GOLDEN.write_bytes(gzip.compress(text.encode(), mtime=0))
    values = [case["psds"] for case in cases if case["psds"] is not None]
    print(f"{len(cases)} cases, {len(values)} with a PSDS, of {min(values):.3f} to {max(values):.3f}: {GOLDEN}")


if __name__ == "__main__":
    main()
