"""What many rules make of sequences with known switches: found in time, false, and the delay (invariant 3)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ossicle.core.decisions.states import StateRule
from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.inference.states.frames import frame_arrival_s
from ossicle.inference.states.many_folds import ManyFolds
from ossicle.inference.states.splices import SplicedScores


@dataclass(frozen=True, slots=True, eq=False)
class Replay:
    """The outcome for each rule: counts int64 (n_rules,), and the median delay in seconds, inf where none is found.

    ``n_switches`` and ``hours`` are those of the sequences. A switch is found if the rule changes to its state within
    the time allowed, for the first time after the switch; every other change is false.
    """

    n_found: NDArray[np.int64]
    false: NDArray[np.int64]
    delay_s: NDArray[np.float64]
    n_switches: int
    hours: float


def replay(sequences: Sequence[SplicedScores], rules: Sequence[StateRule], plan: ChunkPlan, within_s: float) -> Replay:
    """Return the outcome of each rule on all sequences.

    Parameters
    ----------
    sequences
        Scores with known switches, whose stretches are longer than ``within_s``.
    rules
        The rules.
    plan
        The grid of the frames.
    within_s
        Longest delay in seconds from a switch to its decision.
    """
    n_rules = len(rules)
    n_found, false = np.zeros(n_rules, dtype=np.int64), np.zeros(n_rules, dtype=np.int64)
    delays: list[NDArray[np.float64]] = []
    for sequence in sequences:
        folds = ManyFolds(rules, plan.hop_s)
        opened = {_first_decision(plan, switch): (switch, on) for switch, on in sequence.switches}
        since, is_on = -1, False
        delay = np.full(n_rules, np.inf)
        for frame, score in enumerate(sequence.scores.tolist()):
            if frame in opened:
                since, is_on = opened[frame]
                delay = np.full(n_rules, np.inf)
                delays.append(delay)
            changed = folds.step(score)
            if not changed.any():
                continue
            late_s = decision_delay_s(plan, since, frame) if since >= 0 else np.inf
            if late_s <= within_s:
                right = changed & (folds.state == is_on) & np.isinf(delay)
                delay[right] = late_s
                n_found += right
                changed &= ~right
            false += changed
    all_delays = np.stack(delays) if delays else np.full((1, n_rules), np.inf)
    return Replay(
        n_found,
        false,
        _median_of_found(all_delays),
        n_switches=len(delays),
        hours=sum(len(sequence.scores) for sequence in sequences) * plan.hop_s / 3600,
    )


def decision_delay_s(plan: ChunkPlan, switch: int, frame: int) -> float:
    """Return seconds from a switch at the start of frame ``switch`` to the decision in ``frame``."""
    return frame_arrival_s(plan, frame) - switch * plan.hop_s


def _first_decision(plan: ChunkPlan, switch: int) -> int:
    """Return the first frame that is decided after a switch; its window is half a window ahead of its middle."""
    frame = switch
    while frame > 0 and decision_delay_s(plan, switch, frame - 1) >= 0:
        frame -= 1
    return frame


def _median_of_found(delays: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the median of the finite values of each column, (n_rules,); inf where there are none."""
    ordered = np.sort(delays, axis=0)
    n_found = np.isfinite(delays).sum(axis=0)
    low, high = np.maximum(n_found - 1, 0) // 2, np.minimum(n_found // 2, len(delays) - 1)
    columns = np.arange(delays.shape[1])
    median: NDArray[np.float64] = (ordered[low, columns] + ordered[high, columns]) / 2
    return median
