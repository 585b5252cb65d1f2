"""Figure of the noise gate: events per hour on every sound without a target, with the limits."""

import math
from collections.abc import Sequence

from matplotlib.figure import Figure

from ossicle.metrics.noise.noise_gate import PROBES, Judged
from ossicle.report.figures.style import INK, ORANGE, SKY, SOFT, styled
from ossicle.report.words import count, number

# The scale is linear below this rate and logarithmic above, so that 0, 1 and 1000 events per hour are all visible.
_STRAIGHT_TO = 10.0


def worst_by_part(judged: Sequence[Judged]) -> list[Judged]:
    """Return for each part of each probe the worst label: a refused one first, then by rate and share of the time."""
    worst: dict[tuple[str, str], Judged] = {}
    for judgement in judged:
        key = (judgement.firing.probe, judgement.firing.part)
        if key not in worst or _badness(judgement) > _badness(worst[key]):
            worst[key] = judgement
    return list(worst.values())


@styled
def noise_gate_figure(judged: Sequence[Judged]) -> Figure:
    """Draw a bar for every part of every probe, orange if refused; a tick at each limit."""
    rows = worst_by_part(judged)
    figure = Figure(figsize=(5.6, 0.9 + 0.3 * len(rows)), layout="constrained")
    axes = figure.subplots()
    for row_number, row in enumerate(rows):
        axes.barh(row_number, row.firing.per_hour, height=0.62, color=ORANGE if row.refused else SKY, zorder=2)
        # Right of the bar and of the limit, so that neither lies over the figure.
        beside = max(row.firing.per_hour, row.limit_per_hour or 0.0)
        axes.annotate(
            number(row.firing.per_hour, 0),
            (beside, row_number),
            # A browser drops blanks at the start of a text.
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
            color=INK,
        )
        if row.limit_per_hour is not None:
            axes.plot(
                [row.limit_per_hour] * 2, [row_number - 0.4, row_number + 0.4], color=INK, linewidth=2.0, zorder=3
            )
    axes.set_yticks(range(len(rows)), [f"{PROBES[row.firing.probe]}\n{row.firing.part}" for row in rows], fontsize=7.5)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.set_xscale("symlog", linthresh=_STRAIGHT_TO)
    most = max(max(row.firing.per_hour, row.limit_per_hour or 0.0) for row in rows)
    right = 4 * max(most, _STRAIGHT_TO)
    axes.set(xlim=(0, right), ylim=(len(rows) - 0.4, -0.6))
    # The scale's own labels are formulas, which the house style shows as plain text.
    ticks = [0.0, *(10.0**power for power in range(1, math.ceil(math.log10(right))))]
    axes.set_xticks(ticks, [count(tick) for tick in ticks])
    axes.set_xlabel("events per hour (ticks: limits)", color=SOFT)
    return figure


def _badness(judged: Judged) -> tuple[bool, float, float]:
    return judged.refused, judged.firing.per_hour, judged.firing.active_share
