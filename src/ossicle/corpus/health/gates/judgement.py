"""Figures, gates and comparison of one set of events, together."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ossicle.core.errors import GateRefused
from ossicle.corpus.health.gates.comparison import Comparison, EarlierReport, compare, comparison_gates
from ossicle.corpus.health.gates.event_columns import EventColumns
from ossicle.corpus.health.gates.figures import EventFigures, event_figures
from ossicle.corpus.health.gates.gates import Gate, health_gates
from ossicle.corpus.health.gates.settings import HealthSettings
from ossicle.corpus.health.gates.totals import Total


@dataclass(frozen=True)
class HealthJudgement:
    """What the gates say of events.

    Attributes
    ----------
    figures
        What was judged.
    gates
        Every gate that has a limit.
    totals
        Numbers that were compared.
    comparison
        Changes since an earlier report; None without one.
    """

    figures: EventFigures
    gates: tuple[Gate, ...]
    totals: tuple[Total, ...]
    comparison: Comparison | None

    @property
    def failed(self) -> tuple[Gate, ...]:
        """The gates that failed."""
        return tuple(one for one in self.gates if not one.passed)

    @property
    def refusal(self) -> GateRefused | None:
        """The error that lists why gates failed; None if all passed."""
        if not self.failed:
            return None
        lines = [f"  {one.name}: {'; '.join(one.reasons)}" for one in self.failed]
        more = "" if len(lines) == 1 else "s"
        return GateRefused("\n".join([f"{len(lines)} health gate{more} failed ([health] sets the limits):", *lines]))

    def to_json(self) -> dict[str, Any]:
        """Return plain values: ``events``, ``gates``, ``passed``, ``totals`` and ``comparison``."""
        return {
            "events": self.figures.to_json(),
            "gates": [one.to_json() for one in self.gates],
            "passed": not self.failed,
            "totals": [one.to_json() for one in self.totals],
            "comparison": None if self.comparison is None else self.comparison.to_json(),
        }


def judge_health(
    columns: EventColumns,
    settings: HealthSettings,
    totals: Sequence[Total] = (),
    earlier: EarlierReport | None = None,
    *,
    reads_audio: bool = True,
) -> HealthJudgement:
    """Return the figures of events and what the gates say of them.

    Parameters
    ----------
    columns
        The events.
    settings
        The limits.
    totals
        Numbers that must agree.
    earlier
        An earlier report to compare with.
    reads_audio
        Whether the recordings were read.
    """
    figures = event_figures(columns, settings)
    gates = health_gates(figures, settings, totals, reads_audio=reads_audio)
    comparison = None
    if earlier is not None:
        comparison = compare(earlier, figures, gates)
        gates += tuple(comparison_gates(comparison, settings))
    return HealthJudgement(figures, gates, tuple(totals), comparison)
