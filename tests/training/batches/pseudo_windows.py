"""Pseudo-labelled windows, recordings and a store for the tests of this folder."""

from pathlib import Path
from typing import Any

import numpy as np

from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.core.records import Recording
from ossicle.corpus.pseudo_labels.rounds import View, round_path, write_round
from ossicle.corpus.pseudo_labels.windows import Kept, Labelled, gather

PLAN = ChunkPlan(rate=8000, hop_samples=80, window_samples=256, core_frames=60, context_frames=10)
LABELS = ("high", "low")
SITES = ("U0", "U1", "U2")


def unlabelled(name: str, site: str) -> Recording:
    return Recording(
        f"id-{name}", "unlabelled", f"{name}.wav", 8000, 1, 12_000, f"bytes of {name}", fields={"site": site}
    )


def kept(starts: list[int], column: int, value: float, core: int = 60, n_labels: int = 2) -> Kept:
    targets = np.zeros((len(starts), core, n_labels), dtype=np.float32)
    targets[:, :, column] = value
    return Kept(np.array(starts, dtype=np.int64), targets, 0, 0)


# What one model may learn from: labelled sites A, B, C in folds 0, 1, 2, each model taught by the other two.
TAUGHT = {"fold0": ("B", "C"), "fold1": ("A", "C"), "fold2": ("A", "B"), "final": ("A", "B", "C")}
TELLTALE = {"fold0": 0.5, "fold1": 0.625, "fold2": 0.75, "final": 0.875}


def of_sites(*sites: str) -> Labelled:
    return Labelled(*(frozenset(f"{kind}-{site}" for site in sites) for kind in ("id", "bytes")), frozenset(sites))


def labelled(site: str) -> Recording:
    return Recording(
        f"id-{site}", "r", f"{site}.wav", 8000, 1, 8000, f"bytes-{site}", reviewed=True, fields={"site": site}
    )


def write_one(place: Path, number: int, values: dict[str, float], sites: tuple[str, ...] = SITES, **about: Any) -> Path:
    views = {}
    for name, value in values.items():
        result = gather(LABELS, [(unlabelled(site, site), kept([0, 60], 0, value), False) for site in sites])
        members = {one: "w" for one in TELLTALE if one != "final"} if name == "final" else {name: "w"}
        views[name] = View(members, result, of_sites(*TAUGHT[name]))
    path = round_path(place, number)
    write_round(path, views, {"labels": LABELS, "core_frames": 60, "hop_s": PLAN.hop_s, "group": "site", **about})
    return path
