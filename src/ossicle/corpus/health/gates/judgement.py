"""Figures, gates and comparison of one set of events, together."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ossicle.core.errors import GateRefused
from ossicle.core.text.counting import counted
from ossicle.corpus.health.gates.comparison import Comparison, EarlierReport, compare, comparison_gates
from ossicle.corpus.health.gates.figures import EventFigures, event_figures
from ossicle.corpus.health.gates.gates import Gate, health_gates
from ossicle.corpus.health.gates.judged_events import JudgedEvents
from ossicle.corpus.health.gates.settings import HealthSettings
from ossicle.corpus.health.gates.totals import Total

MOST_REASONS = 12
"""Reasons of one gate that a message lists."""


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
        return tuple(gate for gate in self.gates if not gate.passed)

    def of(self, judged: Callable[[str], bool]) -> "HealthJudgement":
        """Return the judgement with the gates alone whose names are ``judged``."""
        return replace(self, gates=tuple(gate for gate in self.gates if judged(gate.name)))

    @property
    def refusal(self) -> GateRefused | None:
        """The error that lists why gates failed; None if all passed."""
        if not self.failed:
            return None
        lines = [f"  {gate.name}: {_first_reasons(gate.reasons)}" for gate in self.failed]
        return GateRefused(
            "\n".join([f"{counted(len(lines), 'health gate')} failed ([health] sets the limits):", *lines])
        )

    def to_json(self) -> dict[str, Any]:
        """Return plain values: ``events``, ``gates``, ``passed``, ``totals`` and ``comparison``."""
        return {
            "events": self.figures.to_json(),
            "gates": [gate.to_json() for gate in self.gates],
            "passed": not self.failed,
            "totals": [total.to_json() for total in self.totals],
            "comparison": None if self.comparison is None else self.comparison.to_json(),
        }


def _first_reasons(reasons: Sequence[str]) -> str:
    more = len(reasons) - MOST_REASONS
    return "; ".join(reasons[:MOST_REASONS]) + (f"; and {more} more (--json lists all)" if more > 0 else "")


def judge_health(
    columns: JudgedEvents,
    settings: HealthSettings,
    totals: Sequence[Total] = (),
    earlier: EarlierReport | None = None,
    *,
    not_asked: Collection[str] = (),
    further: Sequence[Gate] = (),
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
    not_asked
        Gates that this kind of data cannot have.
    further
        Gates that were judged elsewhere.
    """
    figures = event_figures(columns, settings)
    gates = (*health_gates(figures, settings, totals, not_asked=not_asked), *further)
    comparison = None
    if earlier is not None:
        comparison = compare(earlier, figures, gates)
        gates += tuple(comparison_gates(comparison, settings))
    return HealthJudgement(figures, gates, tuple(totals), comparison)
