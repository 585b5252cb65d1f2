"""Half an hour in a kitchen with known switches, spliced from steady recordings of every combination of two appliances.

Each appliance is on and off in turn, for stretches drawn evenly from ``STRETCH_S``, independently of the other, so that
the other one is on half the time. A joint stretch is a random part of the recording of its combination. Parts meet in a
short cross-fade, and the whole scene has one gain.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ossicle.audio.decoding.mono import load_mono
from ossicle.core.decisions.states import OFF, ON, UNKNOWN, StateStretch
from ossicle.core.digest import seed_of

LABELS = ("ac", "fridge")
MASKS = {"ac": ("fridge",)}
PARTS = ("day", "night")
STRETCH_S = (30.0, 115.0)
LEAST_SWITCHES = 20
_NAME = re.compile(r"ac-(on|off)-fridge-(on|off)-(day|night)")
_FADE_S = 0.02
_TRIES = 1000

Samples = NDArray[np.float32]
Recordings = Mapping[tuple[str, bool, bool], Samples]


@dataclass(frozen=True, slots=True)
class ApplianceScene:
    """Samples, and the true stretches of each label; a label that the other one hides is unknown there."""

    name: str
    part: str
    samples: Samples
    truth: tuple[StateStretch, ...]
    seconds: float
    switches: Mapping[str, int]


def read_recordings(folder: Path, rate: int) -> dict[tuple[str, bool, bool], Samples]:
    """The recordings by part of the day, air conditioner and fridge."""
    waves = {}
    for path in sorted(folder.iterdir()):
        if fits := _NAME.fullmatch(path.stem):
            ac, fridge, part = fits.groups()
            waves[part, ac == "on", fridge == "on"] = load_mono(path, rate)
    return waves


def switch_times(seconds: float, least: int, stretch_s: tuple[float, float], rng: np.random.Generator) -> list[float]:
    """Times of at least ``least`` switches within ``seconds``, with stretches from ``stretch_s`` between them."""
    for _ in range(_TRIES):
        times = np.cumsum(rng.uniform(*stretch_s, size=int(seconds / stretch_s[0]) + 1))
        inside = times[times < seconds - stretch_s[0] / 2]
        if len(inside) >= least:
            return [float(time_s) for time_s in inside]
    raise ValueError(f"{least} switches with {stretch_s} s between them do not fit into {seconds:g} s")


def make_scene(
    recordings: Recordings,
    part: str,
    number: int,
    rate: int,
    seconds: float = 1800.0,
    gain_db: float = 0.0,
    least: int = LEAST_SWITCHES,
    stretch_s: tuple[float, float] = STRETCH_S,
) -> ApplianceScene:
    """A scene of one part of the day; the same number gives the same scene."""
    rng = np.random.default_rng(seed_of("appliances", part, number))
    times = {label: switch_times(seconds, least, stretch_s, rng) for label in LABELS}
    begins = {label: bool(rng.integers(2)) for label in LABELS}
    edges = sorted({0.0, seconds, *times["ac"], *times["fridge"]})
    joint = [
        tuple(begins[label] ^ bool(sum(time <= start for time in times[label]) % 2) for label in LABELS)
        for start in edges[:-1]
    ]
    samples = np.zeros(round(seconds * rate), np.float32)
    fade = round(_FADE_S * rate)
    for (start_s, end_s), (ac, fridge) in zip(pairwise(edges), joint, strict=True):
        source = recordings[part, ac, fridge]
        start, end = round(start_s * rate), min(round(end_s * rate) + fade, len(samples))
        offset = int(rng.integers(max(1, len(source) - (end - start))))
        piece = np.resize(source[offset : offset + end - start], end - start).copy()
        if start and len(piece) > fade:
            ramp = np.linspace(0, 1, fade, dtype=np.float32)
            piece[:fade] = np.sqrt(ramp) * piece[:fade] + np.sqrt(1 - ramp) * samples[start : start + fade]
        samples[start:end] = piece
    samples *= np.float32(10 ** (gain_db / 20))
    truth = []
    for c, label in enumerate(LABELS):
        states = [_state(c, joint_state) for joint_state in joint]
        truth += _merged([(a, b, state) for (a, b), state in zip(pairwise(edges), states, strict=True)], label)
    counts = {label: len(times[label]) for label in LABELS}
    return ApplianceScene(f"{part}-{number}", part, samples, tuple(truth), seconds, counts)


def make_places(
    recordings: Recordings,
    part: str,
    number: int,
    rate: int,
    seconds: float = 1800.0,
    least: int = LEAST_SWITCHES,
    stretch_s: tuple[float, float] = STRETCH_S,
) -> Samples:
    """For each sample of the scene with these arguments, its place in the recording that it comes from, in seconds."""
    ramps = {key: (np.arange(len(recording)) / rate).astype(np.float32) for key, recording in recordings.items()}
    return make_scene(ramps, part, number, rate, seconds, 0.0, least, stretch_s).samples


def _state(column: int, joint: tuple[bool, ...]) -> str:
    if column == LABELS.index("fridge") and joint[LABELS.index("ac")]:
        return UNKNOWN
    return ON if joint[column] else OFF


def _merged(stretches: list[tuple[float, float, str]], label: str) -> list[StateStretch]:
    """Stretches of equal state that meet, as one."""
    out: list[StateStretch] = []
    for start_s, end_s, state in stretches:
        if out and out[-1].state == state:
            out[-1] = StateStretch(out[-1].start_s, end_s, label, state, None)
        else:
            out.append(StateStretch(start_s, end_s, label, state, None))
    return out
