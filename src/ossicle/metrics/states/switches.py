"""Switches between on and off: found in time or not, the delay, false ones, and the time in the wrong state.

A switch is a change between on and off; a change to or from unknown is none. A true switch is found if a reported
switch to the same state is decided within ``within_s`` seconds after it; each counts once, matched in time order. A
reported switch that matches none is false, unless the truth is unknown at its time. A state is wrong where truth and
report are known and differ: ``wrong`` by the times that the changes give, ``wrong_live`` by the times at which they
were decided, which is what a person sees who watches the stream.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ossicle.core.decisions.states import UNKNOWN, StateChange, StateStretch, state_stretches
from ossicle.metrics.reports.event_report import Estimate, plain
from ossicle.metrics.resampling.bootstrap import bootstrap_interval

# Times are summed as whole microseconds, because resampling needs whole numbers.
_PER_S = 1_000_000
_HOUR_S = 3600
_QUANTILES = (0.5, 0.9)


@dataclass(frozen=True, slots=True)
class JudgedStates:
    """Its true stretches (``core.decisions.states.state_stretches``), reported changes, length and group."""

    truth: Sequence[StateStretch]
    changes: Sequence[StateChange]
    end_s: float
    group: str


@dataclass(frozen=True, slots=True)
class SwitchFigures:
    """Figures of one label; undefined ones are NaN.

    ``found``: share of true switches. ``false_per_hour``: an hour of known truth. ``wrong``, ``wrong_live`` and
    ``unknown``: share of the time with known truth. Delays are in seconds from a switch to its decision.
    """

    n_switches: int
    n_found: int
    n_false: int
    found: Estimate
    false_per_hour: Estimate
    wrong: Estimate
    wrong_live: Estimate
    unknown: Estimate
    delay_median_s: float
    delay_p90_s: float

    def to_json(self) -> dict[str, Any]:
        """Return plain values; None where a figure is undefined."""
        return {
            "n_switches": self.n_switches,
            "n_found": self.n_found,
            "n_false": self.n_false,
            "found": self.found.to_json(),
            "false_per_hour": self.false_per_hour.to_json(),
            "wrong": self.wrong.to_json(),
            "wrong_live": self.wrong_live.to_json(),
            "unknown": self.unknown.to_json(),
            "delay_median_s": plain(self.delay_median_s),
            "delay_p90_s": plain(self.delay_p90_s),
        }


def switch_figures(
    recordings: Sequence[JudgedStates],
    labels: Sequence[str],
    within_s: float,
    n_bootstrap: int = 1000,
    seed: int = 0,
) -> dict[str, SwitchFigures]:
    """Return the figures of each label over all recordings, with intervals over recordings.

    Examples
    --------
    >>> truth = [StateStretch(0.0, 10.0, "ac", "off", None), StateStretch(10.0, 20.0, "ac", "on", None)]
    >>> changes = [StateChange(1.0, "ac", "off", 0.1, 2.0), StateChange(10.5, "ac", "on", 0.9, 11.5)]
    >>> found = switch_figures([JudgedStates(truth, changes, 20.0, "a")], ["ac"], within_s=3.0)["ac"]
    >>> found.n_found, found.delay_median_s, found.wrong.value, found.wrong_live.value
    (1, 1.5, 0.025, 0.075)
    """
    return {label: _label_figures(recordings, label, within_s, n_bootstrap, seed) for label in labels}


def true_switches(stretches: Sequence[StateStretch], label: str) -> list[tuple[float, str]]:
    """Return time and new state of each change between on and off, in time order."""
    certain = sorted(
        (stretch for stretch in stretches if stretch.label == label), key=lambda state_stretch: state_stretch.start_s
    )
    return [
        (after.start_s, after.state)
        for before, after in pairwise(certain)
        if before.end_s == after.start_s and UNKNOWN not in (before.state, after.state) and before.state != after.state
    ]


def reported_switches(changes: Sequence[StateChange], label: str) -> list[StateChange]:
    """Return the changes of a label between on and off, in the order in which they were decided."""
    switches, state = [], UNKNOWN
    for change in changes:
        if change.label == label:
            if UNKNOWN not in (state, change.state) and state != change.state:
                switches.append(change)
            state = change.state
    return switches


def matched_switches(
    switches: Sequence[tuple[float, str]], reported: Sequence[StateChange], within_s: float
) -> list[tuple[int, int]]:
    """Return pairs of indices of true and reported switches, as many as possible.

    All windows for a decision have one length, so the earliest open one is always a best choice.
    """
    pairs: list[tuple[int, int]] = []
    open_: list[int] = list(range(len(switches)))
    for number, state_change in sorted(enumerate(reported), key=lambda pair: pair[1].decided_at_s):
        for index in open_:
            time_s, state = switches[index]
            if state == state_change.state and time_s <= state_change.decided_at_s <= time_s + within_s:
                pairs.append((index, number))
                open_.remove(index)
                break
    return pairs


def differing_s(truth: Sequence[StateStretch], reported: Sequence[StateStretch]) -> tuple[float, float, float]:
    """Return seconds with known truth, and of these the seconds in which ``reported`` differs, and is unknown.

    Both are stretches of one label in time order.
    """
    known = wrong = unknown = 0.0
    index = 0
    for state_stretch in truth:
        known += state_stretch.end_s - state_stretch.start_s if state_stretch.state != UNKNOWN else 0.0
        while index < len(reported):
            other = reported[index]
            shared_s = min(state_stretch.end_s, other.end_s) - max(state_stretch.start_s, other.start_s)
            if shared_s > 0 and state_stretch.state != UNKNOWN and other.state != state_stretch.state:
                wrong += shared_s if other.state != UNKNOWN else 0.0
                unknown += shared_s if other.state == UNKNOWN else 0.0
            if other.end_s > state_stretch.end_s:
                break
            index += 1
    return known, wrong, unknown


def _label_figures(
    recordings: Sequence[JudgedStates], label: str, within_s: float, n_bootstrap: int, seed: int
) -> SwitchFigures:
    rows, delays = [], []
    for recording in recordings:
        truth = [stretch for stretch in recording.truth if stretch.label == label]
        switches, reported = true_switches(truth, label), reported_switches(recording.changes, label)
        pairs = matched_switches(switches, reported, within_s)
        delays += [reported[b].decided_at_s - switches[a][0] for a, b in pairs]
        matched = {b for _, b in pairs}
        n_false = sum(
            number not in matched and _known_at(truth, change.time_s) for number, change in enumerate(reported)
        )
        label_changes = [change for change in recording.changes if change.label == label]
        known, wrong, unknown = differing_s(truth, state_stretches(label_changes, [label], recording.end_s))
        live = [replace(change, time_s=change.decided_at_s) for change in label_changes]
        _, wrong_live, _ = differing_s(truth, state_stretches(live, [label], recording.end_s))
        seconds = [round(value * _PER_S) for value in (known, wrong, wrong_live, unknown)]
        rows.append([len(switches), len(pairs), n_false, *seconds])
    counts = np.array(rows, dtype=np.int64).reshape(-1, 7)
    sums = counts.sum(axis=0)
    boot = bootstrap_interval(counts, [recording.group for recording in recordings], _shares, n_bootstrap, seed)
    bounds = zip(boot.value, boot.low, boot.high, strict=True)
    estimate, false_per_hour, wrong_share, live_share, unknown_share = (
        Estimate(*map(float, bound)) for bound in bounds
    )
    median, p90 = np.quantile(delays, _QUANTILES).tolist() if delays else (float("nan"),) * 2
    return SwitchFigures(
        n_switches=int(sums[0]),
        n_found=int(sums[1]),
        n_false=int(sums[2]),
        found=estimate,
        false_per_hour=false_per_hour,
        wrong=wrong_share,
        wrong_live=live_share,
        unknown=unknown_share,
        delay_median_s=median,
        delay_p90_s=p90,
    )


def _known_at(truth: Sequence[StateStretch], time_s: float) -> bool:
    return any(
        state_stretch.start_s <= time_s < state_stretch.end_s and state_stretch.state != UNKNOWN
        for state_stretch in truth
    )


def _shares(sums: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return found, false an hour, and shares of time (b, 5), from sums (b, 7)."""
    switches, matched, false, known = (sums[:, c].astype(np.float64) for c in range(4))
    hours = known / (_PER_S * _HOUR_S)
    columns = [(matched, switches), (false, hours), *((sums[:, c].astype(np.float64), known) for c in (4, 5, 6))]
    return np.stack([np.divide(a, b, out=np.full(len(sums), np.nan), where=b > 0) for a, b in columns], axis=1)
