"""Patterns of drum hits: recordings made of single hits of real machines, with a manifest of every onset.

A pattern has a tempo and a swing of its own. On each sixteenth up to three drums are struck at once, each between -18
and 0 dB. The hits of a pattern come from the machines of one kit, so a split by kit holds machines out. The same
arguments give the same patterns.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ossicle.audio.decoding.mono import load_mono
from ossicle.audio.wav import write_wav

RATE = 32000
SOURCE = "patterns"
LOWEST_DB = -18.0
_HIT_S = 1.0
_ONSET_DB = -40.0
_FLOOR = 1e-4
_PEAK = 0.25
# How often a drum is chosen beside the others, as in played music: kick, snare and closed hat most.
WEIGHTS: Mapping[str, float] = {"bd": 8.0, "sd": 7.0, "hh": 10.0, "oh": 3.0}
_AT_ONCE = (0.5, 0.32, 0.18)
_STRUCK = 0.62

Samples = NDArray[np.float32]
Kit = Mapping[str, Sequence[Samples]]


@dataclass(frozen=True, slots=True)
class Hit:
    """A hit of a pattern: onset in seconds, label, and level in dB below the loudest possible."""

    onset_s: float
    label: str
    level_db: float


def load_kits(machines: Path, n_kits: int, rate: int = RATE) -> dict[str, Kit]:
    """Return kits of several machines each, with the hits of every label, from folders MACHINE/LABEL/FILE.

    Hits begin at their onset: at the first sample within 40 dB of the peak.
    """
    names = sorted(folder.name for folder in machines.iterdir() if folder.is_dir())
    order = np.random.default_rng(0).permutation(len(names))
    kits: dict[str, dict[str, list[Samples]]] = {f"kit{k:02d}": {} for k in range(n_kits)}
    for index, name in enumerate(order.tolist()):
        kit = kits[f"kit{index % n_kits:02d}"]
        for file in sorted(path for path in (machines / names[name]).rglob("*") if path.suffix.lower() == ".wav"):
            samples = load_mono(file, rate, 0.0, 2 * _HIT_S)
            peak = float(np.abs(samples).max(initial=0.0))
            if peak > 0:
                first = int(np.argmax(np.abs(samples) >= peak * 10 ** (_ONSET_DB / 20)))
                kit.setdefault(file.parent.name, []).append(samples[first : first + round(_HIT_S * rate)] / peak)
    return {name: kit for name, kit in kits.items() if kit}


def make_pattern(kit: Kit, seconds: float, rng: np.random.Generator, rate: int = RATE) -> tuple[Samples, list[Hit]]:
    """Return a pattern of a kit and its hits, in order of time."""
    labels = sorted(kit)
    shares = np.array([WEIGHTS.get(label, 1.0) for label in labels])
    chosen = {label: kit[label][int(rng.integers(len(kit[label])))] for label in labels}
    step_s = 60 / rng.uniform(80, 140) / 4
    swing_s = rng.uniform(0, 0.33) * step_s
    samples = (_FLOOR * rng.standard_normal(round(seconds * rate))).astype(np.float32)
    hits: list[Hit] = []
    at_s, number = 0.2, 0
    while at_s < seconds - 0.5:
        onset = round((at_s + swing_s * (number % 2)) * rate)
        if rng.random() < _STRUCK:
            n = min(1 + int(rng.choice(3, p=_AT_ONCE)), len(labels))
            for column in rng.choice(len(labels), n, replace=False, p=shares / shares.sum()).tolist():
                level_db = float(rng.uniform(LOWEST_DB, 0.0))
                sound = chosen[labels[column]][: len(samples) - onset]
                samples[onset : onset + len(sound)] += _PEAK * 10 ** (level_db / 20) * sound
                hits.append(Hit(onset / rate, labels[column], level_db))
        at_s, number = at_s + step_s, number + 1
    return samples, hits


def write_patterns(folder: Path, patterns: Mapping[str, tuple[str, Samples, Sequence[Hit]]], rate: int = RATE) -> Path:
    """Write ``audio/NAME.wav`` and ``events.jsonl``, an event a hit; ``patterns``: name to kit, samples, hits."""
    lines = []
    for name, (kit, samples, hits) in sorted(patterns.items()):
        path = folder / "audio" / f"{name}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_wav(path, samples, rate)
        lines += [_event(name, kit, number, hit) for number, hit in enumerate(hits)]
    (folder / "events.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder / "events.jsonl"


def _event(name: str, kit: str, number: int, hit: Hit) -> dict[str, object]:
    return {
        "event_id": f"{name}-{number}",
        "session_id": name,
        "source_set": SOURCE,
        "kit_id": kit,
        "is_synthetic": True,
        "audio_path": f"{name}.wav",
        "onset_time": hit.onset_s,
        "components": [{"label": hit.label, "velocity": round(10 ** (hit.level_db / 20), 3)}],
        "context_ms": {"pre": 80, "post": 200},
    }
