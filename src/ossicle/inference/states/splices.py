"""Scores of recordings in one state, spliced into sequences that switch on and off.

Recordings of appliances are often steady: three minutes of one state each. What counts in use are the switches. So
stretches of out-of-fold scores are joined in turn, on after off after on, at random places from a seed. A window that
reaches across a switch hears a part of either state: the log odds of its score go from one to the other in a straight
line, as the share of the window does.

A few recordings vary less than what comes in use, and rules that would flap there look as good as others. So the
replay may be stressed: by a change of level of each stretch, and noise on each frame.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.core.time import nearest_frames

Scores = NDArray[np.float64]
LEAST_ODDS = 1e-6
"""Scores are kept this far from 0 and 1 where log odds are taken."""


@dataclass(frozen=True, slots=True, eq=False)
class SplicedScores:
    """Scores of one label, (n,), and its switches: the first frame with its centre in the new state, and that state."""

    scores: Scores
    switches: tuple[tuple[int, bool], ...]


@dataclass(frozen=True, slots=True, eq=False)
class SteadyScores:
    """Out-of-fold scores of one label, (n,), while it is on or off, with the group of the recording."""

    scores: Scores
    on: bool
    group: str


def log_odds(share: Scores) -> Scores:
    """Return the log odds of values in [0, 1], kept ``LEAST_ODDS`` away from the ends."""
    inside = np.clip(share, LEAST_ODDS, 1 - LEAST_ODDS)
    odds: Scores = np.log(inside) - np.log1p(-inside)
    return odds


def share_of(odds: Scores) -> Scores:
    """Return the values in (0, 1) with these log odds."""
    share: Scores = 1 / (1 + np.exp(-odds))
    return share


def spliced(
    sources: Sequence[SteadyScores],
    plan: ChunkPlan,
    n_switches: int,
    stretch_s: tuple[float, float],
    seed: int,
    stress: float = 0.0,
) -> list[SplicedScores]:
    """Return sequences with at least ``n_switches`` switches in all: one for each group that has both states, else one.

    Parameters
    ----------
    sources
        Steady scores, some on and some off; each at least one frame longer than a window in frames.
    plan
        The grid of the frames.
    n_switches
        Switches in all sequences together.
    stretch_s
        Shortest and longest stretch between two switches in seconds; a source that is shorter gives a shorter one.
    seed
        Seed of the draws.
    stress
        Standard deviation, in log odds, of a value that is added to all scores of a stretch, and of one for each frame.

    Raises
    ------
    ValueError
        If there are no sources of one state.
    """
    by_group: dict[str, dict[bool, list[SteadyScores]]] = {}
    for steady_scores in sources:
        by_group.setdefault(steady_scores.group, {True: [], False: []})[steady_scores.on].append(steady_scores)
    # A group with one state only lends its scores to all the others.
    whole = [group_sources for group_sources in by_group.values() if group_sources[True] and group_sources[False]]
    both = whole or [
        {state: [steady_scores for steady_scores in sources if steady_scores.on == state] for state in (True, False)}
    ]
    if not (both[0][True] and both[0][False]):
        raise ValueError("there are no steady scores of one of the two states")
    each = -(-n_switches // len(both))
    return [
        _sequence(group_sources, plan, each, stretch_s, np.random.default_rng([seed, number]), stress)
        for number, group_sources in enumerate(both)
    ]


def _sequence(
    sources: dict[bool, list[SteadyScores]],
    plan: ChunkPlan,
    n_switches: int,
    stretch_s: tuple[float, float],
    generator: np.random.Generator,
    stress: float,
) -> SplicedScores:
    low, high = (max(1, nearest_frames(seconds, plan.hop_s)) for seconds in stretch_s)
    across = max(1, round(plan.window_samples / plan.hop_samples))
    # The share of the new state in the windows that reach across a switch.
    share = (np.arange(across) + 0.5) / across
    odds = np.zeros(0)
    switches: list[tuple[int, bool]] = []
    state = bool(generator.integers(2))
    for number in range(n_switches + 1):
        source = sources[state][int(generator.integers(len(sources[state])))]
        n_frames = min(int(generator.integers(low, high + 1)) + across, len(source.scores))
        start = int(generator.integers(len(source.scores) - n_frames + 1))
        part = log_odds(source.scores[start : start + n_frames])
        part = part + stress * (generator.standard_normal() + generator.standard_normal(len(part)))
        if number:
            shared = min(across, len(part), len(odds))
            mixed = share[:shared] if shared == across else (np.arange(shared) + 0.5) / shared
            switches.append((len(odds) - shared + shared // 2, state))
            odds[len(odds) - shared :] = (1 - mixed) * odds[len(odds) - shared :] + mixed * part[:shared]
            part = part[shared:]
        odds = np.concatenate([odds, part])
        state = not state
    return SplicedScores(share_of(odds), tuple(switches))
